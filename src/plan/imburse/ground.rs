//! One declared tenant, and what its keys stand on.

use crate::model::address::Address;
use crate::model::imburse::{ImburseTenant, TenantLive};
use crate::model::record::Record;

use super::super::action::TenantRef;
use super::super::scene::Scene;

/// What a tenant's keys stand on.
pub(super) enum Ground<'a> {
    Exists { at: TenantRef, live: &'a TenantLive, record: Option<&'a Record> },
    MadeBefore { waits_for_approval: bool },
    Refused,
    Waiting,
}

/// One declared tenant.
pub(super) struct Case<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) address: &'a Address,
    pub(super) spec: &'a ImburseTenant,
}
