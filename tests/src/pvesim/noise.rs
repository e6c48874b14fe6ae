//! Deterministic noise: figures that look measured and are the same for the same seed.
//!
//! Owns nothing but a mixing function; must never be used where a secret is needed.

/// Mixes two numbers into one that looks random (splitmix64).
#[must_use]
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_add(b.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in `low..=high`.
#[must_use]
pub fn between(key: u64, low: u64, high: u64) -> u64 {
    low + mix(key, 0x5EED) % (high - low + 1)
}

/// A number in `0.0..1.0`.
#[must_use]
pub fn unit(key: u64) -> f64 {
    (mix(key, 0xF00D) >> 11) as f64 / (1u64 << 53) as f64
}

/// Lower-case hex of the given length.
#[must_use]
pub fn hex(key: u64, len: usize) -> String {
    (0..len).map(|i| char::from_digit((mix(key, i as u64) & 15) as u32, 16).unwrap_or('0')).collect()
}

/// Something that looks like a UUID.
#[must_use]
pub fn uuid(key: u64) -> String {
    let h = hex(key, 32);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

/// A hardware address under Proxmox's own prefix.
#[must_use]
pub fn hwaddr(key: u64) -> String {
    let m = mix(key, 0x4A11);
    format!("BC:24:11:{:02X}:{:02X}:{:02X}", m as u8, (m >> 8) as u8, (m >> 16) as u8)
}
