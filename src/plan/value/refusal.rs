//! Why a plan will not act on an object, and the way out. Codes are stable: scripts and pages refer to them, and findings have
//! them too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::live::Unreadable;
use crate::model::untrusted::Untrusted;

/// The reason for which a plan does not act on an object, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code, which scripts and pages refer to.
    pub code: Code,
    /// One sentence, lower case, without a full stop.
    pub why: Untrusted,
    /// Commands or steps, best first. Never empty.
    pub next: Vec<String>,
}

impl Refusal {
    /// Makes a refusal with the first step to take.
    pub fn new(code: Code, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code, why: Untrusted::new(why), next: vec![next.into()] }
    }

    /// Adds another step.
    #[must_use]
    pub fn or(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a refusal: `QP02…` ledger and tenants, `QP03…` keys, `QP04…` limits and licences, `QP05…` reviewed plans;
        /// `QP06…` findings, which refuse nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the code as it is printed, such as `QP0201`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// There is no ledger, and this is no place to take that for a new estate.
    LedgerMissing = "QP0201",
    /// A sink holds a key of another ledger.
    ForeignLedger = "QP0202",
    /// A creation's outcome is unknown, and its run is over.
    TenantInDoubt = "QP0203",
    /// A run began settling, is over, and what it sent is not all there.
    SettlingInDoubt = "QP0204",
    /// The bound tenant is gone.
    TenantGone = "QP0205",
    /// The tenant is disabled.
    TenantDisabled = "QP0206",
    /// Another tenant answers at the bound host.
    OtherTenant = "QP0207",
    /// The adopted tenant was not found.
    AdoptionNotFound = "QP0208",
    /// `adopt:` names another tenant than the ledger's record.
    AdoptionConflict = "QP0209",
    /// One live tenant at two addresses.
    SameTenantTwice = "QP0210",
    /// Something could not be read.
    Unreadable = "QP0211",
    /// The account moved to another region than the record's.
    OtherRegion = "QP0212",
    /// Nothing can be created without a source tenant.
    NoSourceTenant = "QP0213",
    /// Another object that this one depends on is refused or waits.
    Depends = "QP0214",
    /// Unattended, creating needs a ledger that outlives the machine and lies in no work tree.
    LedgerNotDurable = "QP0215",

    /// A tenant answers at the declared alias, and nothing binds it.
    FoundByAlias = "QP0216",
    /// The organization has an active tenant that nothing here accounts for.
    UnmanagedTenant = "QP0217",
    /// The declared name is close to one that is bound and no longer declared.
    Renamed = "QP0218",
    /// The vendor refused credentials.
    CredentialsRefused = "QP0219",
    /// The disk of the ledger is nearly full.
    LedgerNearlyFull = "QP0220",
    /// The clock of the tenant's host differs too much from the others' to judge keys by it.
    ClockAstray = "QP0221",
    /// The ledger has the tenant as another group's.
    OtherGroup = "QP0222",

    /// Several live tenants have the declared name, and nothing says which is meant.
    SeveralOfOneName = "QP0230",
    /// A tenant of the declared name is there, and nothing binds it.
    FoundByName = "QP0231",
    /// The vendor's approval of the tenant was rejected.
    TenantRejected = "QP0232",
    /// The account's own credentials may not create tenants.
    NoAccountRole = "QP0233",

    /// A key is marked delivered, lives, and is not in the sink.
    DeliveredElsewhere = "QP0301",
    /// A live key of the same description carries no marker of ours.
    UnmarkedKey = "QP0302",
    /// No spare slot to supersede or create.
    NoHeadroom = "QP0303",
    /// The key would live longer than the tenant allows.
    ExpiryTooLong = "QP0304",
    /// The owner may not manage API keys.
    NoPermission = "QP0305",
    /// Settings name no credentials for the owner.
    NoOwnerCredentials = "QP0306",
    /// The sink cannot take it.
    SinkRefuses = "QP0307",
    /// The adopted key is not live.
    AdoptedKeyGone = "QP0308",
    /// The owner changed: the key in the sink belongs to somebody else.
    OwnerChanged = "QP0309",
    /// The configured owner's key belongs to another tenant.
    OwnerElsewhere = "QP0310",

    /// The declared owner is not there, and nobody can be made of what is declared.
    OwnerMissing = "QP0311",
    /// The declared owner is there and not active.
    OwnerInactive = "QP0312",
    /// A grant names a user or a group who is not there.
    GranteeMissing = "QP0313",
    /// Git tracks the files of a delivered secret.
    SecretTracked = "QP0314",
    /// The role of a grant allows more than the permission.
    GrantsMore = "QP0315",
    /// Several keys have the declared name and no marker of ours.
    SeveralKeys = "QP0330",
    /// A leftover that does not expire and cannot be revoked safely.
    LeftoverKey = "QP0331",
    /// A key that is to be replaced is not marked as delivered, so that it would be taken for a leftover.
    MarkMissing = "QP0332",

    /// More creations than `limits:` allows.
    OverLimit = "QP0401",
    /// The licence does not allow a tenant.
    Licence = "QP0402",
    /// Nobody has rehearsed whether keys can be minted.
    NotRehearsed = "QP0403",
    /// The rehearsal failed.
    RehearsalFailed = "QP0404",

    /// The object is no longer as it was reviewed.
    Moved = "QP0501",
    /// The object is not part of what was reviewed.
    NotReviewed = "QP0502",

    /// Bound in the ledger, and no longer declared.
    Undeclared = "QP0601",
    /// An owner's limit of keys leaves no room for successors.
    NoRoomToRenew = "QP0602",
    /// A key of ours that never expires lives outside its sink.
    OutsideItsSink = "QP0610",
    /// Desired state lies where it was looked for, and was not read.
    NotRead = "QP0620",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<&Unreadable> for Refusal {
    fn from(unreadable: &Unreadable) -> Self {
        Self {
            code: if unreadable.credentials { Code::CredentialsRefused } else { Code::Unreadable },
            why: unreadable.why.clone(),
            next: vec![unreadable.next.clone()],
        }
    }
}
