//! One declared tenant at Qlik, what its keys stand on, and one key on it.

use crate::model::address::Address;
use crate::model::desired::QlikFacts;
use crate::model::live::TenantLive;
use crate::model::spec::{QlikKey, QlikTenant};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;
use crate::plan::vendor::On;

/// The tenant that keys are planned in.
pub(super) type Ground<'a> = crate::plan::ground::Ground<'a, TenantLive>;

/// One declared tenant.
#[derive(Clone, Copy)]
pub(in crate::plan) struct Qlik<'a> {
    pub(in crate::plan) scene: &'a Scene<'a>,
    pub(in crate::plan) address: &'a Address,
    pub(in crate::plan) spec: &'a QlikTenant,
}

/// One key that is being planned, and what it stands between.
pub(super) struct Case<'a, 'g> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) tenant: &'a Address,
    pub(super) tenant_spec: &'a QlikTenant,
    pub(super) address: &'a Address,
    pub(super) spec: &'a QlikKey,
    pub(super) ground: &'g Ground<'a>,
}

impl<'a> Qlik<'a> {
    pub(super) fn facts(&self) -> Result<&'a QlikFacts, Refusal> {
        let account = &self.spec.account;
        self.scene.desired.qlik.get(account).ok_or_else(|| {
            Refusal::new(Code::Unreadable, format!("settings have no account {account}"), "add it under accounts:")
        })
    }

    pub(super) fn read(&self) -> Option<&'a TenantLive> {
        self.scene.live.qlik.tenants.get(self.address)
    }
}

impl<'a, 'g> Case<'a, 'g> {
    pub(super) fn of(on: &On<'a, 'g, Qlik<'a>>) -> Self {
        let On { tenant: Qlik { scene, address: tenant, spec: tenant_spec }, address, declared: spec, ground } = *on;
        Self { scene, tenant, tenant_spec, address, spec, ground }
    }
}
