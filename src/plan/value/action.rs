//! The contents of a plan. A plan is a complete value: nothing is left to choose at apply time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::place::Place;
use crate::model::untrusted::Untrusted;

use super::fact::Facts;
use super::finding::Finding;
use super::refusal::Refusal;

pub use super::key::{CreateKey, KeySpec, Mark, MarkOf, Reclaim, ReclaimOf, Renew};
pub use super::parent::{Adopted, Parent, TenantRef, WhyMint};
pub use super::tenant::{
    ByRole, CreateObject, CreateTenant, Grant, Keep, KeptTenant, KeyShape, MoveGroup, NewTenant, Permission, RoleStep,
    Settle, SettlePart, Trust,
};

/// All that is to be done, in the order of doing and printing: by address, and within an address by [`Action`]'s order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The time it was made for.
    pub now: Timestamp,
    /// One entry for each action. An object that is as declared has a [`Action::Keep`].
    pub actions: Vec<Planned>,
    /// The live facts that the actions rest on: part of the plan's hash.
    #[serde(default)]
    pub facts: Facts,
    /// Faults that no action mends. Like notices, they are no part of the hash.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Sentences for the reader, about which nothing is done.
    pub notices: Vec<Notice>,
    /// Checks that these credentials, or this way of running, could not make.
    pub unchecked: Vec<Unchecked>,
}

/// One action, the object it is for, and the place in desired state that caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The object that it is for.
    pub address: Address,
    /// The place in desired state that declares the object, or the part of it that caused the action.
    pub at: Place,
    /// The action.
    pub action: Action,
}

/// Everything that `apply` may do, and everything that it will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Creates a tenant, which costs a licence and is never repeated.
    CreateTenant(CreateTenant),
    /// Records that a tenant is another group's from now on. Nothing is sent.
    MoveGroup(MoveGroup),
    /// Sends name, alias and limits to a tenant that we made, once.
    Settle(Settle),
    /// Trusts the account's key client in a tenant.
    Trust(Trust),
    /// Makes an object of a tenant that is not there, as the declared owner of a key.
    #[serde(alias = "create_user")]
    CreateObject(CreateObject),
    /// Gives a declared permission that is missing.
    Grant(Grant),
    /// Marks our own key as delivered, because the sink holds it.
    Mark(Mark),
    /// Mints a key, delivers its secret and marks it.
    CreateKey(CreateKey),
    /// Mints a successor of a key that is due; the old one is left to expire.
    Renew(Renew),
    /// Revokes a key that we made and never delivered, after its successor was delivered, or one that a person named.
    Reclaim(Reclaim),
    /// Nothing: the object is as declared.
    Keep(Keep),
    /// Nothing: the object differs from its declaration, and people decide which of the two is right.
    Drift(Drift),
    /// Nothing for now: another run may still be at it.
    Wait(Wait),
    /// Nothing: it cannot be done safely, with a code and a way out.
    Refuse(Refusal),
}

/// The one field that only a look into a sink tells.
pub(in crate::plan) const SHAPE: &str = "deliver_as";

/// The differences of one object from its declaration. Apply changes none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The fields that differ. Never empty.
    pub fields: Vec<DriftField>,
    /// Commands or steps, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
    /// The action that would stand here if nobody had looked into the sink, since a plan that does not look is the same
    /// plan. `None` where none would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<Action>>,
}

impl Drift {
    /// Makes a drift without steps.
    pub fn of(fields: Vec<DriftField>) -> Self {
        Self { fields, next: Vec::new(), kept: None }
    }

    /// Returns the drift without what only a look into the sink tells, and without words. `None`: nothing would stand
    /// here.
    pub fn essence(&self) -> Option<Action> {
        let seen: Vec<DriftField> = self.fields.iter().filter(|field| field.field != SHAPE).cloned().collect();
        match (&self.kept, seen.is_empty()) {
            (kept, true) => kept.as_deref().cloned(),
            (_, false) => Some(Action::Drift(Self::of(seen))),
        }
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftField {
    /// The field's path in desired state: `display_name`, `alias`, `api_key_limits.max_expiry`, `description`.
    pub field: String,
    /// The value that desired state has.
    pub declared: String,
    /// The value that the vendor has, in words where it has none.
    pub live: Untrusted,
}

/// The reason for which a plan leaves an object to another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The run it waits for, where it is known.
    pub run: Option<String>,
    /// One sentence, lower case, without a full stop.
    pub why: String,
}

/// A sentence for the reader of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The object that it is about; `None` for the estate as a whole.
    pub address: Option<Address>,
    /// A place of its own, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// The sentence or sentences.
    pub text: Untrusted,
}

impl Notice {
    /// Makes a notice about one object.
    pub fn of(address: &Address, text: impl Into<Untrusted>) -> Self {
        Self { address: Some(address.clone()), at: None, text: text.into() }
    }

    /// Says that the unmanaged tenants of an account could not be read.
    pub(in crate::plan) fn unmanaged_unknown(account: &Name, why: &str, next: &str) -> Self {
        Self::general(format!("which tenants of account {account} are unmanaged is not known: {why}; {next}"))
    }

    /// Makes a notice about the estate as a whole.
    pub fn general(text: impl Into<Untrusted>) -> Self {
        Self { address: None, at: None, text: text.into() }
    }
}

/// A check that a plan could not make. The action stands, and apply may meet a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// The object whose action was not checked.
    pub address: Address,
    /// The check that was left out, in words, and why.
    pub what: String,
}

impl Plan {
    /// Makes a plan without actions.
    pub fn empty(now: Timestamp) -> Self {
        Self {
            now,
            actions: Vec::new(),
            facts: Facts::new(),
            findings: Vec::new(),
            notices: Vec::new(),
            unchecked: Vec::new(),
        }
    }

    /// Returns whether `apply` has anything to send or to record.
    pub fn has_work(&self) -> bool {
        self.actions.iter().any(|planned| planned.action.changes_something())
    }

    /// Returns whether at least one action is refused.
    pub fn has_refusals(&self) -> bool {
        self.actions.iter().any(|planned| matches!(planned.action, Action::Refuse(_)))
    }

    /// Returns whether at least one object differs from its declaration.
    pub fn has_drift(&self) -> bool {
        self.actions.iter().any(|planned| matches!(planned.action, Action::Drift(_)))
    }

    /// Returns whether something differs or was found. Such a plan is not clean, however little there is to do.
    pub fn is_amiss(&self) -> bool {
        self.has_drift() || !self.findings.is_empty()
    }
}

impl Action {
    /// The tenant that it needs, where it may be one that the same plan makes.
    pub fn parent(&self) -> Option<&Parent> {
        match self {
            Self::Settle(settle) => Some(&settle.parent),
            Self::Trust(trust) => Some(&trust.parent),
            Self::CreateObject(create) => Some(&create.parent),
            Self::Grant(grant) => Some(&grant.parent),
            Self::CreateKey(create) => Some(&create.parent),
            Self::Renew(renew) => Some(&renew.create.parent),
            Self::CreateTenant(_)
            | Self::MoveGroup(_)
            | Self::Mark(_)
            | Self::Reclaim(_)
            | Self::Keep(_)
            | Self::Drift(_)
            | Self::Wait(_)
            | Self::Refuse(_) => None,
        }
    }

    /// Returns whether `apply` sends a request for it that changes something, or writes a record.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::CreateTenant(_)
            | Self::MoveGroup(_)
            | Self::Settle(_)
            | Self::Trust(_)
            | Self::CreateObject(_)
            | Self::Grant(_)
            | Self::Mark(_)
            | Self::CreateKey(_)
            | Self::Renew(_)
            | Self::Reclaim(_)
            | Self::Keep(Keep::Tenant { adopted: Adopted::ToRecord { .. }, .. }) => true,
            Self::Keep(Keep::Tenant { .. } | Keep::Key { .. } | Keep::AdoptedKey { .. } | Keep::Object(_))
            | Self::Drift(_)
            | Self::Wait(_)
            | Self::Refuse(_) => false,
        }
    }
}

/// Returns the time that a key still lives, for sentences. It is zero once the key has ended.
pub fn remaining(now: Timestamp, until: Timestamp) -> Duration {
    Duration::from_seconds(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0))
}
