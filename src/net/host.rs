//! Names of hosts.

/// `host` as the system and TLS take it: an IPv6 address without the brackets that it has in URLs.
pub fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}
