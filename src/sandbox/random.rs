//! Names and secrets nobody can guess, in the alphabets that the vendor uses.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::model::secret::hex;

#[expect(clippy::expect_used, reason = "without a source of randomness the stand-in would hand out guessable secrets")]
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's source of randomness");
    bytes
}

/// Characters picked from an alphabet whose length divides 256 or nearly does: the bias does not matter here.
fn pick(alphabet: &[u8], length: usize) -> String {
    let random = bytes::<64>();
    random
        .iter()
        .cycle()
        .take(length)
        .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()))
        .map(|byte| char::from(*byte))
        .collect()
}

/// The label of a system hostname: 15 characters; the first is a letter.
pub(super) fn hostname() -> String {
    let first = pick(b"abcdefghijklmnopqrstuvwxyz", 1);
    format!("{first}{}", pick(b"abcdefghijklmnopqrstuvwxyz0123456789", 14))
}

/// 32 characters, with `-` and `_` possible, as in the vendor's examples.
pub(super) fn tenant_id() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<24>())
}

/// 24 hexadecimal digits: users and roles.
pub(super) fn object_id() -> String {
    hex(&bytes::<12>())
}

/// 32 hexadecimal digits: OAuth clients and trace ids.
pub(super) fn hex_id() -> String {
    hex(&bytes::<16>())
}

/// 64 hexadecimal digits: client secrets and the control token.
pub(super) fn secret() -> String {
    hex(&bytes::<32>())
}

/// An access token: opaque, 256 bits.
pub(super) fn access_token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// 18 digits.
pub(super) fn licence_number() -> String {
    pick(b"0123456789", 18)
}

/// Upper-case letters and digits: part of a correlation id.
pub(super) fn upper(length: usize) -> String {
    pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length)
}

/// 32 bytes in base64: the private half of a payments key.
pub(super) fn private_key() -> String {
    STANDARD.encode(bytes::<32>())
}

/// A version 4 UUID: API keys.
pub(super) fn uuid() -> String {
    let mut raw = bytes::<16>();
    raw[6] = (raw[6] & 0x0f) | 0x40;
    raw[8] = (raw[8] & 0x3f) | 0x80;
    let text = hex(&raw);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_vendors_shapes() {
        assert_eq!(hostname().len(), 15);
        assert!(hostname().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert_eq!(tenant_id().len(), 32);
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert_ne!(hostname(), hostname());
    }
}
