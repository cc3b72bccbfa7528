//! What is kept of a token: its hash.

use sha2::{Digest as _, Sha256};

use crate::model::secret::hex;

pub(super) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
