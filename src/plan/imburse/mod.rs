//! Imburse Payments: tenants by record, adoption or exact name in the account's list; keys by sink and marker.

pub mod action;
pub(super) mod assume;
mod create;
pub(super) mod explain;
pub(super) mod facts;
mod found;
mod key;
mod licence;
mod tenant;
pub(super) mod unmanaged;

use crate::model::address::Address;
use crate::model::imburse::{ImburseTenant, TenantLive};
use crate::model::record::Record;

use super::action::{Plan, TenantRef};
use super::scene::Scene;

/// Every declared tenant with its keys, and then what concerns an account as a whole.
pub(super) fn plan(scene: &Scene, plan: &mut Plan) {
    let mut own = Plan::empty(plan.now);
    for (address, spec, at) in scene.desired.imburse_tenants() {
        tenant::plan(scene, address, spec, at, &mut own);
    }
    licence::hold(scene, &mut own);
    plan.actions.append(&mut own.actions);
    plan.findings.append(&mut own.findings);
    plan.notices.append(&mut own.notices);
    plan.unchecked.append(&mut own.unchecked);
}

/// What a tenant's keys stand on.
enum Ground<'a> {
    Exists { at: TenantRef, live: &'a TenantLive, record: Option<&'a Record> },
    MadeBefore { waits_for_approval: bool },
    Refused,
    Waiting,
}

/// One declared tenant.
struct Case<'a> {
    scene: &'a Scene<'a>,
    address: &'a Address,
    spec: &'a ImburseTenant,
}
