//! Where the documents are silent or a test wants trouble: the choices a person can change while the stand-in runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::imburse;

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
    pub(super) users_me_status: u16,
    pub(super) users_see_users: bool,
    pub(super) strict_scopes: bool,
    pub(super) roles_order: RolesOrder,
    pub(super) alias_taken: BTreeSet<String>,
    pub(super) patch_meta_array: bool,
    pub(super) list_lag: u32,
    pub(super) hostile_next: bool,
    pub(super) last_page: LastPage,
    pub(super) page_cap: usize,
    pub(super) console_lag: u32,
    pub(super) console_links: ConsoleLinks,
    pub(super) console_get: Envelope,
    pub(super) console_disabled: ConsoleDisabled,
    pub(super) console_needs_subscription: bool,
    pub(super) console_lists_deleted: bool,
    pub(super) disabled: BTreeMap<String, bool>,
    pub(super) rate_tier_1: u32,
    pub(super) rate_tier_2: u32,
    pub(super) rate_window_seconds: u32,
    pub(super) rate_tenant_wide: bool,
    pub(super) imburse: imburse::Switches,
}

/// How a list says that there is no next page.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LastPage {
    Absent,
    Null,
    /// A link to nowhere.
    Empty,
}

/// The order of roles where a request names none.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RolesOrder {
    /// The vendor's own scripts take `TenantAdmin` from the first page.
    AdminsFirst,
    Name,
}

/// The two forms that the documents show for the links of the organization's list.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ConsoleLinks {
    /// Another host, another path.
    Api,
    /// The right host, with a parameter that the call does not have.
    Offset,
}

/// One tenant from the organization: in a list of one, as the reference has it, or plain.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Envelope {
    List,
    Plain,
}

/// What the organization calls a tenant that its own host calls disabled.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ConsoleDisabled {
    Deactivated,
    Disabled,
}

impl ConsoleDisabled {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Disabled => "disabled",
        }
    }
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
            // As the reference has it; 302 is what it has for `tenants/me`.
            users_me_status: 301,
            users_see_users: true,
            strict_scopes: false,
            roles_order: RolesOrder::AdminsFirst,
            alias_taken: BTreeSet::new(),
            patch_meta_array: false,
            list_lag: 0,
            hostile_next: false,
            last_page: LastPage::Absent,
            page_cap: 1000,
            console_lag: 0,
            console_links: ConsoleLinks::Api,
            console_get: Envelope::List,
            console_disabled: ConsoleDisabled::Deactivated,
            console_needs_subscription: true,
            console_lists_deleted: false,
            disabled: BTreeMap::new(),
            // The vendor's numbers are 1000 and 100 a minute; a stand-in that waits as long as the vendor helps nobody.
            rate_tier_1: 1_000_000,
            rate_tier_2: 1_000_000,
            rate_window_seconds: 300,
            rate_tenant_wide: false,
            imburse: imburse::Switches::default(),
        }
    }
}
