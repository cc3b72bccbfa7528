//! What a tenant's keys stand on, and one key on it.

use crate::model::address::Address;
use crate::model::live::{LedgerFacts, LedgerLive, TenantLive};
use crate::model::record::Record;
use crate::model::spec::{QlikKey, QlikTenant};

use super::action::{Parent, TenantRef, Trust, Wait};
use super::refusal::Refusal;
use super::scene::Scene;

/// What a tenant's keys stand on.
pub(super) enum Ground<'a> {
    Exists { at: TenantRef, live: &'a TenantLive, record: Option<&'a Record> },
    MadeBefore,
    Refused,
    Waiting,
}

/// Why a tenant cannot be acted on now.
pub(super) enum Stop {
    Refuse(Refusal),
    Wait(Wait),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// One key that is being planned, and what it stands between.
pub(super) struct Case<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) tenant: &'a Address,
    pub(super) tenant_spec: &'a QlikTenant,
    pub(super) address: &'a Address,
    pub(super) spec: &'a QlikKey,
    pub(super) ground: &'a Ground<'a>,
}

pub(super) fn trust_in(spec: &QlikTenant, parent: Parent) -> Trust {
    Trust { account: spec.account.clone(), parent }
}

/// Whether a record's key facts can be judged at all.
pub(super) fn record_of<'a>(scene: &Scene<'a>, address: &Address) -> Option<(&'a LedgerFacts, &'a Record)> {
    match &scene.live.ledger {
        LedgerLive::Present(facts) => facts.records.get(address).map(|record| (facts, record)),
        LedgerLive::Missing { .. } => None,
    }
}
