//! How one declared tenant at Imburse, and its keys, are planned.

use std::collections::BTreeMap;

use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::imburse::{AccountRead, ImburseKey, ListedKey, TenantLive};
use crate::model::live::{LedgerFacts, Observed};
use crate::model::place::Place;
use crate::model::record::{Binding, Intent, Record};
use crate::plan::action::{
    Action, CreateTenant, DriftField, KeyShape, KeySpec, MarkOf, NewTenant, Plan, ReclaimOf, TenantRef,
};
use crate::plan::key::{IMBURSE, Policy};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;
use crate::plan::stop::Stop;
use crate::plan::vendor::{Asks, On, TenantRules};

use super::ground::{Ground, Imburse};
use super::{create, found, key};

impl<'a> TenantRules<'a> for Imburse<'a> {
    type Live = TenantLive;
    type Listed = ListedKey;
    type Declared = ImburseKey;
    /// Keys share nothing: a tenant may have any number.
    type Room = ();

    const POLICY: &'static Policy = &IMBURSE;

    fn scene(&self) -> &'a Scene<'a> {
        self.scene
    }

    fn address(&self) -> &'a Address {
        self.address
    }

    fn account(&self) -> &'a Name {
        &self.spec.account
    }

    fn sound(&self) -> Result<(), Stop> {
        self.facts()?;
        Ok(())
    }

    fn unrecorded(
        &self,
        ledger: Option<&'a LedgerFacts>,
        record: Option<&'a Record>,
        own: &mut Vec<Action>,
        plan: &mut Plan,
    ) -> Result<Ground<'a>, Stop> {
        let (spec, facts) = (self.spec, self.facts()?);
        if let Some(id) = &spec.adopt {
            return found::adopt(self, facts, id, record, own);
        }
        let Some(name) = &spec.display_name else {
            return Err(Refusal::new(
                Code::Unreadable,
                "it says no display_name, by which it would be found or made",
                "add display_name:",
            )
            .into());
        };
        create::may_create(self, facts, name, ledger, plan)?;
        let account = self.scene.live.imburse.accounts.get(&spec.account).and_then(|live| live.account.as_ref());
        let waits_for_approval = match account {
            Some(AccountRead::Present(account)) => Some(account.tenant_creation_approval_required),
            Some(AccountRead::Forbidden(_) | AccountRead::Unreadable(_)) | None => None,
        };
        let of = NewTenant::Imburse {
            host: facts.host.clone(),
            name: name.clone(),
            address: spec.address.clone().unwrap_or_default(),
            waits_for_approval,
        };
        own.push(Action::CreateTenant(CreateTenant { account: spec.account.clone(), of }));
        Ok(Ground::MadeBefore { waits_for_approval: waits_for_approval == Some(true) })
    }

    /// Only `settled` is ever written: name and address go with the one POST.
    fn bound(&self, record: &'a Record, binding: &'a Binding, own: &mut Vec<Action>) -> Result<Ground<'a>, Stop> {
        found::bound(self, self.facts()?, binding, Some(record), own)
    }

    fn in_doubt(&self, intent: &Intent) -> Refusal {
        let address = self.address;
        Refusal::new(
            Code::TenantInDoubt,
            format!(
                "a run asked for this tenant at {} at {} and did not learn the outcome; there may be one already",
                intent.date, intent.region
            ),
            format!("qlik-apply resolve {address}   (lists what the account has that it had not before)"),
        )
        .or(format!("qlik-apply resolve {address} --adopt TENANT_ID   (it is there)"))
        .or(format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"))
    }

    fn kept(&self, live: &'a TenantLive, record: Option<&Record>) -> Option<Action> {
        found::kept(self, live, record)
    }

    fn room(&self, _: &Ground<'a>, _: &mut Vec<Action>) {}

    fn keys(&self) -> impl Iterator<Item = (&'a Address, &'a ImburseKey)> {
        self.scene.desired.imburse_keys(self.address).map(|(address, key, _)| (address, key))
    }

    fn complete(&self, _: &Place, _: &Ground<'a>, (): &(), _: &mut Vec<Action>, _: &mut Plan) {}

    fn later(&self, _: &Ground<'a>, (): &(), _: &mut Plan) {}

    fn cause<'p>(&self, _: &Action, (): &'p ()) -> Option<&'p Place>
    where
        'a: 'p,
    {
        None
    }

    fn listed(live: &'a TenantLive) -> Option<&'a Observed<BTreeMap<String, ListedKey>>> {
        live.keys.as_ref()
    }

    fn asks(&self, spec: &'a ImburseKey, live: &'a TenantLive) -> Asks<'a, ListedKey> {
        key::asks(self, spec, live)
    }

    fn spec(&self, spec: &ImburseKey) -> KeySpec {
        KeySpec::Imburse(spec.clone())
    }

    fn shape(&self, spec: &ImburseKey, home: &Name) -> KeyShape {
        KeyShape::Imburse(spec.deliver_as.of(home))
    }

    fn deliver_to(spec: &'a ImburseKey) -> &'a Homes {
        &spec.deliver_to
    }

    fn renew_before(_: &ImburseKey) -> Option<Duration> {
        None
    }

    fn adopts(spec: &'a ImburseKey) -> Option<&'a str> {
        spec.adopt.as_deref()
    }

    fn adopted(&self, address: &'a Address, spec: &'a ImburseKey, id: &str, live: &'a TenantLive, plan: &mut Plan) {
        key::adopted(self.scene, address, spec, id, live, plan);
    }

    fn note(&self, address: &Address, spec: &ImburseKey, plan: &mut Plan) {
        key::roles(address, spec, plan);
    }

    fn refuses(&self, _: &On<'a, '_, Self>) -> Option<Refusal> {
        None
    }

    fn leave(&self, on: &On<'a, '_, Self>, key: &ListedKey, why: &str, plan: &mut Plan) {
        key::leave(self.scene, on.address, on.declared, key, why, plan);
    }

    fn free(&self, (): &mut (), _: &ImburseKey) {}

    fn may_make(&self, _: &On<'a, '_, Self>, (): &mut (), _: &mut Vec<String>) -> Result<(), Refusal> {
        Ok(())
    }

    fn mark(&self, at: &TenantRef, _: &ImburseKey, key: &ListedKey) -> MarkOf {
        MarkOf::Imburse { tenant_id: at.id.clone(), roles: key.roles.clone() }
    }

    fn reclaim(&self, at: &TenantRef, _: &ImburseKey, _: &ListedKey, asked: bool) -> ReclaimOf {
        ReclaimOf::Imburse { tenant_id: at.id.clone(), asked }
    }

    fn drift(&self, address: &Address, spec: &ImburseKey, good: &ListedKey) -> Vec<DriftField> {
        key::drift(self.scene, address, spec, good)
    }

    fn stands(&self, _: &On<'a, '_, Self>, (): &(), _: &ListedKey, _: &mut Plan) {}
}
