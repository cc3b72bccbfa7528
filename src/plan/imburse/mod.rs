//! Imburse Payments: tenants by record, adoption or exact name in the account's list; keys by sink and marker.

pub(super) mod assume;
mod create;
pub(super) mod explain;
pub(super) mod facts;
mod found;
mod ground;
mod key;
mod licence;
pub(super) mod listed;
mod tenant;
pub(super) mod unmanaged;

use super::action::Plan;
use super::scene::Scene;
use ground::Imburse;

/// Every declared tenant with its keys, and then what concerns an account as a whole.
pub(super) fn plan(scene: &Scene, plan: &mut Plan) {
    let mut own = Plan::empty(plan.now);
    for (address, spec, at) in scene.desired.imburse_tenants() {
        super::tenant::plan(&Imburse { scene, address, spec }, at, &mut own);
    }
    licence::hold(scene, &mut own);
    plan.actions.append(&mut own.actions);
    plan.findings.append(&mut own.findings);
    plan.notices.append(&mut own.notices);
    plan.unchecked.append(&mut own.unchecked);
}
