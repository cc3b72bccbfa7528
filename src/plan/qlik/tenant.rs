//! How one declared tenant at Qlik, and its keys, are planned.

use std::collections::BTreeMap;

use crate::model::address::{Address, Name};
use crate::model::clock::rough;
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::live::{ClockLive, KeyLive, LedgerFacts, LedgerLive, Observed, TenantLive, TenantRead};
use crate::model::object::Object;
use crate::model::place::Place;
use crate::model::record::{Binding, Intent, Record, State};
use crate::model::run::Life;
use crate::model::spec::QlikKey;

use crate::plan::action::{
    Action, CreateTenant, DriftField, KeyShape, KeySpec, MarkOf, NewTenant, Parent, Plan, ReclaimOf, Settle, TenantRef,
    Wait,
};
use crate::plan::deliver::named;
use crate::plan::key::{Policy, QLIK};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::{Scene, push};
use crate::plan::stop::Stop;
use crate::plan::vendor::{Asks, On, TenantRules};

use super::ground::{Case, Ground, Qlik};
use super::slots::Slots;
use super::{compare, create, found, headroom, key, objects, renewable, role, standing};

impl<'a> TenantRules<'a> for Qlik<'a> {
    type Live = TenantLive;
    type Listed = KeyLive;
    type Declared = QlikKey;
    type Room = Slots;

    const POLICY: &'static Policy = &QLIK;

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
        if let Some(clock) = self.scene.live.clocks.get(self.address).filter(|clock| !clock.is_believed()) {
            return Err(astray(clock).into());
        }
        if let Some(TenantLive { tenant: TenantRead::Present(present), .. }) = self.read()
            && let Some(all) = self.scene.estate.twice.get(&present.id)
        {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            return Err(Refusal::new(
                Code::SameTenantTwice,
                format!("{} lead to one tenant, {}; a tenant has one address", all.join(" and "), present.id),
                "remove all but one of them from desired state, or correct their `adopt:`",
            )
            .into());
        }
        Ok(())
    }

    fn unrecorded(
        &self,
        ledger: Option<&'a LedgerFacts>,
        record: Option<&'a Record>,
        own: &mut Vec<Action>,
        _plan: &mut Plan,
    ) -> Result<Ground<'a>, Stop> {
        let Self { scene, address, spec } = *self;
        let region = &self.facts()?.region;
        if let Some(label) = &spec.adopt {
            return found::adopt(scene, address, spec, region.host(label), self.read(), record, own);
        }
        create::may_create(scene, address, spec, ledger)?;
        let of = NewTenant::Qlik { region: region.clone() };
        own.push(Action::CreateTenant(CreateTenant { account: spec.account.clone(), of }));
        own.push(Action::Settle(settle(self, Parent::MadeBefore(address.clone()), None)?));
        Ok(Ground::MadeBefore { waits_for_approval: false })
    }

    fn bound(&self, record: &'a Record, binding: &'a Binding, own: &mut Vec<Action>) -> Result<Ground<'a>, Stop> {
        let Self { scene, address, spec } = *self;
        let life = |run| match &scene.live.ledger {
            LedgerLive::Present(facts) => facts.life(run),
            LedgerLive::Missing { .. } => Life::Proven,
        };
        let settling = match &record.state {
            State::Settling(settling) => Some((&settling.run, life(&settling.run))),
            State::Free | State::Pending(_) | State::Bound(_) | State::Settled(_) => None,
        };
        if let Some((run, Life::Alive)) = settling {
            let why = "another run is setting up this tenant".into();
            return Err(Stop::Wait(Wait { run: Some(run.to_string()), why }));
        }
        let region = &self.facts()?.region;
        let live = found::bound(address, spec, region, binding, self.read())?;
        let at = TenantRef { id: binding.tenant_id.clone(), hostname: binding.hostname.clone() };
        if let State::Settled(_) = &record.state {
            compare::drift(spec, region, live, own);
        } else {
            let settle = settle(self, Parent::Exists(at.clone()), Some(live))?;
            if let Some((run, Life::OverByClock)) = settling.filter(|_| !settle.parts.is_empty()) {
                return Err(Refusal::new(
                    Code::SettlingInDoubt,
                    format!("run {run} began to set it up, is over by the clock, and not everything is as declared"),
                    format!("qlik-apply resolve {address} --settle   (once that run's machine is known to be gone)"),
                )
                .into());
            }
            own.push(Action::Settle(settle));
        }
        Ok(Ground::Exists { at, live, record: Some(record) })
    }

    fn in_doubt(&self, intent: &Intent) -> Refusal {
        let (address, Intent { date, region, .. }) = (self.address, intent);
        Refusal::new(
            Code::TenantInDoubt,
            format!(
                "a run asked for this tenant at {date} in region {region} and did not learn the outcome; there may be one already"
            ),
            "look at the tenants of your subscription in My Qlik for one created at that time, then one of:",
        )
        .or(format!("qlik-apply resolve {address} --adopt HOSTNAME   (it is there)"))
        .or(format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"))
    }

    fn kept(&self, live: &'a TenantLive, record: Option<&Record>) -> Option<Action> {
        compare::kept(live, record)
    }

    fn room(&self, ground: &Ground<'a>, own: &mut Vec<Action>) -> Slots {
        match ground {
            Ground::MadeBefore { .. } => {
                compare::grant(self.spec, Parent::MadeBefore(self.address.clone()), None, own);
            }
            Ground::Exists { at, live, .. } => compare::grant(self.spec, Parent::Exists(at.clone()), Some(live), own),
            Ground::Refused | Ground::Waiting => {}
        }
        Slots::new(self.scene, self.spec, ground, own)
    }

    fn keys(&self) -> impl Iterator<Item = (&'a Address, &'a QlikKey)> {
        self.scene.desired.qlik_keys(self.address).map(|(address, key, _)| (address, key))
    }

    fn complete(&self, at: &Place, ground: &Ground<'a>, slots: &Slots, own: &mut Vec<Action>, keys: &mut Plan) {
        let Self { scene, address, spec } = *self;
        own.extend(slots.trust(spec, address, ground).map(Action::Trust));
        objects::missing(self, ground, slots, own);
        #[cfg(test)]
        objects::spaces(self, ground, keys);
        own.extend(match role::grant(scene, address, spec, ground, slots) {
            Ok(grant) => grant.map(Action::Grant),
            Err(refusal) => Some(Action::Refuse(refusal)),
        });
        renewable::hold(scene, address, at, ground, slots.limits(), keys);
    }

    fn later(&self, ground: &Ground<'a>, slots: &Slots, plan: &mut Plan) {
        role::later(self.spec, self.address, ground, slots, plan);
    }

    fn cause<'p>(&self, action: &Action, slots: &'p Slots) -> Option<&'p Place>
    where
        'a: 'p,
    {
        match action {
            // What made it necessary is the key's line.
            Action::CreateObject(create) => match &create.object {
                Object::User(user) => slots.cause(user),
                #[cfg(test)]
                Object::Space(_) => None,
            },
            Action::Grant(_) => self.spec.grants.at.as_ref(),
            Action::CreateTenant(_)
            | Action::Settle(_)
            | Action::MoveGroup(_)
            | Action::Trust(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Reclaim(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => None,
        }
    }

    fn listed(live: &'a TenantLive) -> Option<&'a Observed<BTreeMap<String, KeyLive>>> {
        live.keys.as_ref()
    }

    fn asks(&self, spec: &'a QlikKey, live: &'a TenantLive) -> Asks<'a, KeyLive> {
        key::asks(spec, live)
    }

    fn spec(&self, spec: &QlikKey) -> KeySpec {
        KeySpec::Qlik(spec.clone())
    }

    fn shape(&self, spec: &QlikKey, home: &Name) -> KeyShape {
        KeyShape::Qlik(spec.deliver_as.of(home))
    }

    fn deliver_to(spec: &'a QlikKey) -> &'a Homes {
        &spec.deliver_to
    }

    fn renew_before(spec: &QlikKey) -> Option<Duration> {
        Some(spec.renew_before)
    }

    fn adopts(spec: &'a QlikKey) -> Option<&'a str> {
        spec.adopt.as_deref()
    }

    fn adopted(&self, address: &'a Address, _: &'a QlikKey, id: &str, live: &'a TenantLive, plan: &mut Plan) {
        push(plan, self.scene, address, key::adopted(self.scene, live, id));
    }

    fn note(&self, _: &Address, _: &QlikKey, _: &mut Plan) {}

    fn refuses(&self, on: &On<'a, '_, Self>) -> Option<Refusal> {
        headroom::owner_changed(&Case::of(on))
    }

    fn leave(&self, on: &On<'a, '_, Self>, key: &KeyLive, why: &str, plan: &mut Plan) {
        plan.notices.push(named(&QLIK, on.address, key, &format!("left to expire: {why}")));
    }

    fn free(&self, slots: &mut Slots, spec: &QlikKey) {
        slots.free(spec);
    }

    fn may_make(&self, on: &On<'a, '_, Self>, slots: &mut Slots, unchecked: &mut Vec<String>) -> Result<(), Refusal> {
        headroom::may_mint(&Case::of(on), slots, unchecked)
    }

    fn mark(&self, at: &TenantRef, spec: &QlikKey, _: &KeyLive) -> MarkOf {
        MarkOf::Qlik { parent: at.clone(), owner: spec.owner.clone() }
    }

    fn reclaim(&self, at: &TenantRef, spec: &QlikKey, key: &KeyLive, _asked: bool) -> ReclaimOf {
        ReclaimOf::Qlik { parent: at.clone(), owner: spec.owner.clone(), created: key.created, expires: key.expiry }
    }

    fn drift(&self, address: &Address, spec: &QlikKey, good: &KeyLive) -> Vec<DriftField> {
        key::drift(self.scene, address, spec, good)
    }

    fn stands(&self, on: &On<'a, '_, Self>, slots: &Slots, good: &KeyLive, plan: &mut Plan) {
        standing::find(&Case::of(on), slots, good, plan);
    }
}

/// Plans the settings that are still to be sent to a tenant that was made here.
fn settle(tenant: &Qlik, parent: Parent, live: Option<&TenantLive>) -> Result<Settle, Refusal> {
    let region = &tenant.facts()?.region;
    let (present, limits) = (live.and_then(compare::present), live.and_then(compare::limits));
    let parts = compare::settle_parts(tenant.spec, region, present, limits);
    Ok(Settle { account: tenant.spec.account.clone(), parent, parts })
}

/// Refuses to judge keys by a clock that is far off: every key would be due, or none. By another clock than its own,
/// keys that still live would be renewed.
fn astray(clock: &ClockLive) -> Refusal {
    let way = if clock.ahead > 0 { "ahead of" } else { "behind" };
    Refusal::new(
        Code::ClockAstray,
        format!("the clock of {} is {} {way} the other hosts' clocks", clock.host, rough(clock.ahead)),
        "if a proxy or gateway of yours answers in its place, set its clock; else tell the vendor, and run this again",
    )
    .or("qlik-plan --at TIME shows the plan of a time that you give")
}
