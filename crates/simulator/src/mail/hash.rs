//! Texts and bytes derived from a number.

/// A version 4 UUID derived from `bits`.
pub(crate) fn uuid(bits: u64) -> String {
    let mut raw = bytes::<16>(bits);
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = hex(&raw);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// `length` hexadecimal digits derived from `bits`, in the form of a message digest.
pub(crate) fn digest(bits: u64, length: usize) -> String {
    let mut text = hex(&bytes::<32>(bits));
    text.truncate(length);
    text
}

fn hex(raw: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    raw.iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// `N` bytes derived from `bits`.
pub(super) fn bytes<const N: usize>(bits: u64) -> [u8; N] {
    let mut raw = [0; N];
    for (at, chunk) in raw.chunks_mut(8).enumerate() {
        let word = mix(bits, at as u64).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    raw
}

/// One step of SplitMix64: every bit of both values affects the whole result.
pub(crate) fn mix(key: u64, value: u64) -> u64 {
    let mut z =
        (key ^ value.wrapping_mul(0xd6e8_feb8_6659_fd93)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
