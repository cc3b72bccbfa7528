//! `Authorization: Hmac publicKey:nonce:timestamp:signature`, as the vendor's samples make it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::model::secret::Secret;

/// The private key is not what the vendor gives out. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key is not base64 as the vendor prints it")]
pub(super) struct BadKey;

/// The header's whole value. The body's hash is signed and not sent; method and path are neither.
pub(super) fn header(
    public_key: &str,
    private_key: &Secret,
    nonce: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<Secret, BadKey> {
    let signature = signature(public_key, private_key, nonce, &timestamp.to_string(), body)?;
    Ok(Secret::new(format!("Hmac {public_key}:{nonce}:{timestamp}:{signature}")))
}

fn signature(
    public_key: &str,
    private_key: &Secret,
    nonce: &str,
    timestamp: &str,
    body: &[u8],
) -> Result<String, BadKey> {
    let key = Zeroizing::new(STANDARD.decode(private_key.expose().trim()).map_err(|_| BadKey)?);
    if key.is_empty() {
        return Err(BadKey);
    }
    // Of no body the hash is no text, not the hash of nothing.
    let body_hash = if body.is_empty() { String::new() } else { STANDARD.encode(Sha256::digest(body)) };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| BadKey)?;
    mac.update(format!("{public_key}:{nonce}:{timestamp}:{body_hash}").as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Never used before, of letters and digits only. `None` where the system has no randomness: then nothing is signed.
pub(super) fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(crate::model::secret::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair that the vendor prints in its tutorial.
    const PUBLIC: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";

    fn private() -> Secret {
        Secret::new("AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=".to_owned())
    }

    fn sign(nonce: &str, timestamp: &str, body: &str) -> String {
        signature(PUBLIC, &private(), nonce, timestamp, body.as_bytes()).unwrap()
    }

    #[test]
    fn signatures_are_those_of_the_vendors_own_samples() {
        let admin = r#"{"name":"Admin Key","roles":["tenant-admin"]}"#;
        for (nonce, timestamp, body, expected) in [
            ("1535617532", "1535617532", "", "S/lWhfyxgV1KBRq5+jHV8ozSy8PGs0/L6zRspDLMoh8="),
            ("1591966347.566", "1591966347.566", "", "+8UI2R3McUZ0EzcjF74QT3UCNSOaf8af4XmcLh8Gtig="),
            ("1535617532", "1535617532", admin, "77FIJV3KpwPrEPqVq90SUIb42m4OvsilVGGagQjQgGk="),
            ("1535617532", "1535617532", "{\"name\":\"Zürich ✓\"}", "jECw4uml4C/uUcfO26aIDOAGHMb1xBvBXEhaRCGEZEM="),
            ("randomuniquestring123", "1535617532", "", "JYDZ7e7Y36oeJJ3E5UB7tF9VBAwIv1B5HTPNw9iaV6Y="),
            ("randomuniquestring123", "1535617532", admin, "f/z2b5JaS85LH+eQLiOdUNQGKi9UmMOSX9K4GufWQos="),
        ] {
            assert_eq!(sign(nonce, timestamp, body), expected, "{nonce} {timestamp} {body}");
        }
    }

    #[test]
    fn the_key_is_decoded_and_the_hash_of_nothing_is_no_text() {
        let signed = sign("1535617532", "1535617532", "");
        // What a key taken as text, and what the hash of an empty body would give.
        assert_ne!(signed, "DRFE1eH7tB3AtUQ0f3s2qEDnFYNu8nolz/4L0pwvsOA=");
        assert_ne!(signed, "unmNWMoTxlhgEyDILs+pYRub+rqfi9qV9pvE5liH/kU=");
    }

    #[test]
    fn the_header_has_four_fields_and_a_nonce_of_its_own_each_time() {
        let value = header(PUBLIC, &private(), "n1", 1_535_617_532, b"").unwrap();
        let fields = value.expose().strip_prefix("Hmac ").unwrap().split(':').collect::<Vec<_>>();
        assert_eq!(fields[..3], [PUBLIC, "n1", "1535617532"]);
        assert_eq!(fields.len(), 4);
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert!(one != two && one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_private_key_that_is_no_base64_is_refused_without_repeating_it() {
        for bad in ["not base64 hunter2!", ""] {
            let error = header(PUBLIC, &Secret::new(bad.to_owned()), "n", 1, b"").err().unwrap();
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
