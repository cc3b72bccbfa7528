//! One declared tenant at Imburse, and what its keys stand on.

use crate::model::address::Address;
use crate::model::imburse::{ImburseFacts, ImburseTenant, TenantLive};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;

/// The tenant that keys are planned in.
pub(super) type Ground<'a> = crate::plan::ground::Ground<'a, TenantLive>;

/// One declared tenant.
#[derive(Clone, Copy)]
pub(in crate::plan) struct Imburse<'a> {
    pub(in crate::plan) scene: &'a Scene<'a>,
    pub(in crate::plan) address: &'a Address,
    pub(in crate::plan) spec: &'a ImburseTenant,
}

impl<'a> Imburse<'a> {
    pub(super) fn facts(&self) -> Result<&'a ImburseFacts, Refusal> {
        let account = &self.spec.account;
        self.scene.desired.imburse.get(account).ok_or_else(|| {
            let why = format!("settings have no account {account} of vendor imburse");
            Refusal::new(Code::Unreadable, why, "add it under accounts:")
        })
    }

    pub(super) fn read(&self) -> Option<&'a TenantLive> {
        self.scene.live.imburse.tenants.get(self.address)
    }
}
