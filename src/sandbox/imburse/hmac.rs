//! `Authorization: Hmac publicKey:nonce:timestamp:signature`: read, checked and verified as the vendor's samples make it.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

/// Requests "older than 5 minutes" are refused.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// The four fields as they were sent.
pub(super) struct Signed<'a> {
    pub(super) public_key: &'a str,
    pub(super) nonce: &'a str,
    /// Signed as this text; its number may have decimals.
    pub(super) timestamp: &'a str,
    signature: &'a str,
}

impl<'a> Signed<'a> {
    /// What stands behind the scheme: exactly four fields, and three that are not empty before the signature.
    pub(super) fn read(value: &'a str) -> Option<Self> {
        let mut fields = value.split(':');
        let signed = Self {
            public_key: fields.next()?,
            nonce: fields.next()?,
            timestamp: fields.next()?,
            signature: fields.next()?,
        };
        let whole = [signed.public_key, signed.nonce, signed.timestamp].iter().all(|field| !field.is_empty());
        (whole && fields.next().is_none()).then_some(signed)
    }

    /// Whether the signature is that of this key over this body. Method, host, path and query are not signed.
    pub(super) fn verifies(&self, private_key: &str, body: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (STANDARD.decode(private_key), STANDARD.decode(self.signature)) else {
            return false;
        };
        // Of no body the hash is no text, not the hash of nothing.
        let body_hash =
            if body.is_empty() { String::new() } else { STANDARD.encode(digest::digest(&digest::SHA256, body)) };
        let signed = format!("{}:{}:{}:{body_hash}", self.public_key, self.nonce, self.timestamp);
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes(), &signature).is_ok()
    }

    /// Whether it was signed within the last five minutes, and no more than `ahead` seconds in the future.
    pub(super) fn is_timely(&self, now: Timestamp, ahead: u32) -> bool {
        let Some(signed) = seconds(self.timestamp) else { return false };
        let age = now.duration_since(signed);
        age <= WINDOW && -age <= SignedDuration::from_secs(i64::from(ahead))
    }
}

/// Seconds since the epoch, with decimals where the client's language has them.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 15 {
        return None;
    }
    let nanoseconds: String = decimals.chars().chain("000000000".chars()).take(9).collect();
    Timestamp::new(whole.parse().ok()?, nanoseconds.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";
    const PRIVATE: &str = "AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=";

    fn verifies(nonce: &str, timestamp: &str, body: &str, signature: &str) -> bool {
        let value = format!("{PUBLIC}:{nonce}:{timestamp}:{signature}");
        Signed::read(&value).unwrap().verifies(PRIVATE, body.as_bytes())
    }

    #[test]
    fn what_the_vendors_own_samples_sign_verifies() {
        let admin = r#"{"name":"Admin Key","roles":["tenant-admin"]}"#;
        for (nonce, timestamp, body, signature) in [
            ("1535617532", "1535617532", "", "S/lWhfyxgV1KBRq5+jHV8ozSy8PGs0/L6zRspDLMoh8="),
            ("1591966347.566", "1591966347.566", "", "+8UI2R3McUZ0EzcjF74QT3UCNSOaf8af4XmcLh8Gtig="),
            ("1535617532", "1535617532", admin, "77FIJV3KpwPrEPqVq90SUIb42m4OvsilVGGagQjQgGk="),
            ("1535617532", "1535617532", "{\"name\":\"Zürich ✓\"}", "jECw4uml4C/uUcfO26aIDOAGHMb1xBvBXEhaRCGEZEM="),
            ("randomuniquestring123", "1535617532", "", "JYDZ7e7Y36oeJJ3E5UB7tF9VBAwIv1B5HTPNw9iaV6Y="),
            ("randomuniquestring123", "1535617532", admin, "f/z2b5JaS85LH+eQLiOdUNQGKi9UmMOSX9K4GufWQos="),
        ] {
            assert!(verifies(nonce, timestamp, body, signature), "{signature}");
        }
    }

    #[test]
    fn a_key_taken_as_text_and_a_hash_of_nothing_do_not_verify() {
        for wrong in ["DRFE1eH7tB3AtUQ0f3s2qEDnFYNu8nolz/4L0pwvsOA=", "unmNWMoTxlhgEyDILs+pYRub+rqfi9qV9pvE5liH/kU="] {
            assert!(!verifies("1535617532", "1535617532", "", wrong), "{wrong}");
        }
        assert!(!verifies("1535617532", "1535617532.0", "", "S/lWhfyxgV1KBRq5+jHV8ozSy8PGs0/L6zRspDLMoh8="));
    }

    #[test]
    fn four_fields_and_no_other_number() {
        for bad in ["", "a:b:c", "a:b:c:d:e", ":b:c:d", "a::c:d", "a:b::d", "{asd3=}"] {
            assert!(Signed::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn five_minutes_old_is_the_oldest_and_now_the_newest() {
        let at = |text: &str, ahead| {
            let signed = Signed { public_key: "", nonce: "", timestamp: text, signature: "" };
            signed.is_timely(Timestamp::from_second(1_000_000_000).unwrap(), ahead)
        };
        assert!(at("1000000000", 0) && at("999999700", 0) && at("999999700.000", 0) && at("999999999.566", 0));
        assert!(!at("999999699", 0) && !at("999999699.999", 0) && !at("1000000001", 0) && !at("1000000000.001", 0));
        assert!(at("1000000030", 30) && !at("1000000031", 30));
        for bad in ["", "soon", "-1", "1e9", "+1000000000", "1000000000.", ".5", "1000000000000", "1_000_000_000"] {
            assert!(!at(bad, 60), "{bad}");
        }
    }
}
