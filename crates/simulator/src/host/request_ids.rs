//! Ids in the requests of the Functions host.

/// A random GUID.
pub(super) fn guid() -> String {
    let hex = format!("{:032x}", rand::random::<u128>());
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]];
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

/// A `traceparent` header as .NET's HTTP client sends it, for a trace that is not sampled.
pub(super) fn trace_parent() -> String {
    format!("00-{:032x}-{:016x}-00", rand::random::<u128>(), rand::random::<u64>())
}
