//! Tenants that nobody manages here, at either vendor.

use super::action::Plan;
use super::scene::Scene;
use super::{imburse, qlik};

/// Returns whether there are any.
pub(super) fn any(scene: &Scene) -> bool {
    qlik::unmanaged::any(scene) || imburse::unmanaged::any(scene)
}

/// `--unmanaged`: each of them, by account. `scene` is of what was read, nothing of it assumed.
pub(super) fn notices(scene: &Scene, plan: &mut Plan) {
    qlik::unmanaged::notices(scene, plan);
    imburse::unmanaged::notices(scene, plan);
}
