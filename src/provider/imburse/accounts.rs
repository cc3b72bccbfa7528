//! Accounts: where they are, and their secrets.

use crate::model::host::Host;
use crate::model::imburse::Api;
use crate::model::secret::Secret;

/// One account: where it is, and its secrets.
pub struct Account {
    pub host: Host,
    pub account_id: String,
    pub api: Api,
    /// An identifier, and kept as a secret all the same: it comes from a reference.
    pub public_key: Secret,
    /// Base64, as the vendor prints it.
    pub private_key: Secret,
}
