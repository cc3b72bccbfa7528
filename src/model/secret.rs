//! A value that must reach its destination and nothing else.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A credential or an API key's token. It cannot be printed, compared, cloned or serialized; its memory is wiped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the value over, so that its memory is wiped when it is dropped.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself: for a request's header or body, or a sink's file. Nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether there is no character in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the hash that may be shown and stored in its place.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.as_bytes())
    }
}

/// SHA-256 of a high-entropy secret or of the bytes that hold it, as 64 hexadecimal digits. Publishable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hashes the bytes with SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// Returns the 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
