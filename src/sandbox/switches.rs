//! Where the documents are silent or a test wants trouble: the choices a person can change while the stand-in runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Every field is documented in `docs/sandbox.md`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Switches {
    pub(super) bot_may_mint: bool,
    pub(super) impersonation: bool,
    pub(super) impersonation_may_mint: bool,
    pub(super) key_client_trustable: bool,
    pub(super) source_permission: bool,
    pub(super) source_max_expiry: String,
    pub(super) permission_loss_kills_keys: bool,
    pub(super) licence_quota: usize,
    pub(super) quota_reached: bool,
    pub(super) token_cap: usize,
    pub(super) tenants_me_location: LocationForm,
    pub(super) alias_taken: BTreeSet<String>,
    pub(super) patch_meta_array: bool,
    pub(super) list_lag: u32,
    pub(super) hostile_next: bool,
    pub(super) disabled: BTreeMap<String, bool>,
    pub(super) rate_tier_1: u32,
    pub(super) rate_tier_2: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LocationForm {
    Relative,
    Absolute,
    /// Another host: a client that follows it with its token has lost the token.
    Foreign,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bot_may_mint: true,
            impersonation: true,
            impersonation_may_mint: true,
            key_client_trustable: true,
            source_permission: true,
            source_max_expiry: "PT24H".to_owned(),
            permission_loss_kills_keys: true,
            // The vendor speaks of "tens of thousands" of tenants.
            licence_quota: 10_000,
            quota_reached: false,
            token_cap: 100,
            tenants_me_location: LocationForm::Relative,
            alias_taken: BTreeSet::new(),
            patch_meta_array: false,
            list_lag: 0,
            hostile_next: false,
            disabled: BTreeMap::new(),
            // The vendor's numbers are 1000 and 100 a minute; a stand-in that waits as long as the vendor helps nobody.
            rate_tier_1: 1_000_000,
            rate_tier_2: 1_000_000,
        }
    }
}
