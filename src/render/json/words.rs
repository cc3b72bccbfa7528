//! The published words that every kind of action shares. They grow by addition only.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Create,
    Settle,
    Grant,
    MoveGroup,
    Trust,
    Mark,
    Renew,
    Reclaim,
    Keep,
    Drift,
    Wait,
    Refuse,
}

/// The tenant that an action needs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parent {
    Exists(Tenant),
    /// The address of the action that makes it.
    MadeBefore(String),
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) hostname: String,
}

/// As declared.
#[derive(Serialize, JsonSchema)]
pub(super) struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// Why a key is minted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    Missing,
    Dead {
        key_id: String,
        state: String,
    },
    /// A key that was never delivered needs a successor before it is revoked.
    Supersede {
        key_id: String,
    },
    /// `--remint`.
    Asked,
    /// `--replace`: this key works, and another takes its place.
    Replaced {
        key_id: String,
    },
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Letter {
    Undelivered,
    Delivered,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Adopted {
    No,
    /// Apply writes it into the ledger, for this account.
    ToRecord(String),
    Recorded,
}

/// How a time is described: RFC 3339, in UTC.
#[derive(JsonSchema)]
#[schemars(inline, transparent)]
#[expect(dead_code, reason = "a description for the schema; times are written by jiff")]
pub(super) struct Time(#[schemars(extend("format" = "date-time"))] String);
