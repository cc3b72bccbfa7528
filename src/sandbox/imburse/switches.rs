//! Imburse's documents are silent or contradict each other here: the choices, each with the stricter reading as default.

use serde::{Deserialize, Serialize};

/// Every field is documented in `docs/sandbox.md`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct Switches {
    pub(super) expires: Expires,
    pub(super) token_seconds: u32,
    pub(super) future_seconds: u32,
    pub(super) identity_refusal: u16,
    pub(super) not_found: u16,
    pub(super) account_header: bool,
    pub(super) v1_shape: Shape,
    pub(super) tenant_created: u16,
    pub(super) tenant_delete: bool,
    pub(super) lists_deleted: bool,
    pub(super) approves_itself: bool,
    pub(super) keys_before_approval: bool,
    pub(super) key_update: bool,
    pub(super) unknown_roles: bool,
    pub(super) words: Words,
    pub(super) name_search: Search,
    pub(super) first_page: u32,
    pub(super) max_take: usize,
    pub(super) tenant_list_lag: u32,
    pub(super) key_list_lag: u32,
    pub(super) rate_per_minute: u32,
}

/// How `expires` of a token is written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expires {
    Seconds,
    Milliseconds,
    SecondsText,
    MillisecondsText,
}

/// Which generation's names and members answers under `/v1/account` have.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Shape {
    #[serde(rename = "current")]
    Current,
    #[serde(rename = "2019")]
    Of2019,
}

/// The words of a tenant's `status`, which nobody has published.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Words {
    Title,
    Upper,
    /// One word for every tenant: only `statusDetails` tells them apart.
    Same,
}

/// What `name=` of a list finds.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Search {
    Substring,
    Prefix,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            expires: Expires::Seconds,
            token_seconds: 3_600,
            future_seconds: 0,
            identity_refusal: 400,
            not_found: 404,
            account_header: true,
            v1_shape: Shape::Current,
            tenant_created: 201,
            tenant_delete: true,
            lists_deleted: true,
            approves_itself: true,
            keys_before_approval: false,
            key_update: true,
            unknown_roles: false,
            words: Words::Title,
            name_search: Search::Substring,
            first_page: 0,
            max_take: 100,
            tenant_list_lag: 0,
            key_list_lag: 0,
            // As for Qlik: a stand-in that waits helps nobody. The vendor publishes no number.
            rate_per_minute: 1_000_000,
        }
    }
}
