//! The one room that changes the world. Emits events, prints nothing.
//!
//! A plan leaves nothing to choose. Its actions are taken tenant by tenant, tenants side by side; within a tenant one after
//! the other, in the plan's order. A failure stops only what depends on it.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::model::address::Address;
use crate::model::object::Object;
use crate::model::spec::{Owner, User};
use crate::plan::action::{
    Action, Adopted, CreateKey, CreateTenant, Keep, KeptTenant, KeySpec, MarkOf, NewTenant, Parent, Plan, Planned,
    ReclaimOf, Renew, TenantRef,
};

use delivery::{Delivery, Found};
use event::{Failure, Happened, Report, ReportLine, ReportOutcome, Step};
use seat::Seat;
use tenant::Made;
use world::World;

mod delivery;
pub mod event;
mod homes;
pub mod imburse;
mod key;
mod maker;
mod outcome;
mod people;
pub mod rehearse;
pub mod resolve;
mod seat;
mod settle;
mod tenant;
pub mod world;

/// Does what the plan says and reports what became of each action, in the plan's order.
pub async fn apply(plan: &Plan, world: &World<'_>) -> Report {
    let started = world.now();
    let mut tenants: BTreeMap<Address, Vec<(usize, &Planned)>> = BTreeMap::new();
    for (index, planned) in plan.actions.iter().enumerate() {
        tenants.entry(planned.address.parent()).or_default().push((index, planned));
    }
    let total = plan.actions.iter().filter(|planned| step_of(&planned.action).is_some()).count();
    (world.told)(0, total);
    let mut lines: Vec<(usize, ReportLine)> = stream::iter(tenants)
        .map(|(address, actions)| Course::of(world, address, total).run(actions))
        .buffer_unordered(world.parallelism.max(1))
        .map(|(lines, seat)| async move {
            if let Some(seat) = seat {
                seat.leave(world).await;
            }
            lines
        })
        .buffer_unordered(world.parallelism.max(1))
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    lines.sort_by_key(|(index, _)| *index);
    Report { started, lines: lines.into_iter().map(|(_, line)| line).collect(), stopped: (world.stop)() }
}

/// One tenant's actions being taken.
struct Course<'a> {
    world: &'a World<'a>,
    tenant: Address,
    /// Actions of the whole plan.
    total: usize,
    /// Known once it exists.
    at: Option<TenantRef>,
    /// The failed action that all keys, or the key client's, depend on.
    broken: Option<String>,
    untrusted: Option<String>,
    /// Owners who could not be made, and why nothing can be minted for them.
    unmade: Vec<(User, String)>,
    /// The outcome of delivering each key in this run.
    delivered: BTreeMap<Address, bool>,
    /// The leftovers of each key: its new key's metadata says that it was delivered over them.
    over: BTreeMap<Address, Vec<String>>,
}

impl<'a> Course<'a> {
    fn of(world: &'a World<'a>, tenant: Address, total: usize) -> Self {
        Self {
            world,
            tenant,
            total,
            at: None,
            broken: None,
            untrusted: None,
            unmade: Vec::new(),
            delivered: BTreeMap::new(),
            over: BTreeMap::new(),
        }
    }

    /// Takes the actions in order. Returns the outcome of each, and the place of their tenant at Qlik.
    async fn run(mut self, actions: Vec<(usize, &Planned)>) -> (Vec<(usize, ReportLine)>, Option<Seat>) {
        let mut lines = Vec::new();
        let mut seat = None;
        for (_, planned) in &actions {
            if let Some(id) = leftover(&planned.action) {
                self.over.entry(planned.address.clone()).or_default().push(id.to_owned());
            }
        }
        for (index, planned) in actions {
            let Some(step) = step_of(&planned.action) else { continue };
            let because = (self.world.stop)().or_else(|| self.blocked(planned));
            let outcome = match because {
                Some(because) => {
                    self.world.tell(&planned.address, step, Happened::Skipped { because: because.clone() });
                    ReportOutcome::Skipped { because }
                }
                None => self.take(planned, step).await,
            };
            self.world.count(self.total);
            lines.push((index, ReportLine { address: planned.address.clone(), step, outcome }));
            seat = seat.or_else(|| Seat::of(self.world.desired, self.at.as_ref(), &planned.action));
        }
        (lines, seat)
    }

    fn blocked(&self, planned: &Planned) -> Option<String> {
        if let Some(broken) = &self.broken {
            return Some(broken.clone());
        }
        match &planned.action {
            Action::CreateKey(create) => self.kept_from(create.spec.owner()),
            Action::Renew(renew) => self.kept_from(renew.create.spec.owner()),
            Action::Reclaim(reclaim) if reclaim.after_delivery => {
                let done = self.delivered.get(&planned.address).copied().unwrap_or(false);
                (!done).then(|| "its successor was not delivered".to_owned())
            }
            Action::Reclaim(_)
            | Action::CreateTenant(_)
            | Action::Settle(_)
            | Action::MoveGroup(_)
            | Action::Trust(_)
            | Action::CreateObject(_)
            | Action::Grant(_)
            | Action::Mark(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => None,
        }
    }

    fn over(&self, address: &Address) -> &[String] {
        self.over.get(address).map(Vec::as_slice).unwrap_or_default()
    }

    fn kept_from(&self, owner: Option<&Owner>) -> Option<String> {
        match owner? {
            Owner::Client => self.untrusted.clone(),
            Owner::Configured(_) => None,
            Owner::User(user) => {
                let unmade = self.unmade.iter().find(|(known, _)| known.key() == user.key());
                self.untrusted.clone().or_else(|| unmade.map(|(_, why)| why.clone()))
            }
        }
    }

    async fn take(&mut self, planned: &Planned, step: Step) -> ReportOutcome {
        let (world, address) = (self.world, &planned.address);
        world.begin(address, step);
        let result = match &planned.action {
            Action::CreateTenant(create) => self.create_tenant(address, create).await,
            Action::MoveGroup(part) => tenant::move_group(world, address, part).await,
            Action::Settle(settle) => match self.place(&settle.parent) {
                Ok(at) => settle::settle(world, address, settle, &at).await,
                Err(failure) => Err(failure),
            },
            Action::Trust(trust) => match self.place(&trust.parent) {
                Ok(at) => settle::trust(world, trust, &at).await,
                Err(failure) => Err(failure),
            },
            Action::CreateObject(create) => match self.place(&create.parent) {
                Ok(at) => people::create(world, create, &at).await,
                Err(failure) => Err(failure),
            },
            Action::Grant(grant) => match self.place(&grant.parent) {
                Ok(at) => settle::grant(world, address, grant, &at).await,
                Err(failure) => Err(failure),
            },
            Action::Keep(keep) => self.keep(address, keep).await,
            Action::Mark(mark) => match &mark.of {
                MarkOf::Qlik { parent, owner } => key::mark(world, mark, parent, owner).await,
                MarkOf::Imburse { tenant_id, roles } => imburse::key::mark(world, mark, tenant_id, roles).await,
            },
            Action::CreateKey(create) => self.mint(address, create, &Found::by(&create.why)).await,
            Action::Renew(renew) => self.renew(address, renew).await,
            Action::Reclaim(reclaim) => match &reclaim.of {
                ReclaimOf::Qlik { parent, owner, .. } => key::reclaim(world, address, reclaim, parent, owner).await,
                ReclaimOf::Imburse { tenant_id, .. } => imburse::key::reclaim(world, address, reclaim, tenant_id).await,
            },
            Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) => Ok(String::new()),
        };
        match result {
            Ok(detail) => {
                world.tell(address, step, Happened::Succeeded { detail: detail.as_str().into() });
                ReportOutcome::Done { detail: detail.into() }
            }
            Err(failure) => {
                self.remember(planned, address);
                world.tell(address, step, Happened::Failed(failure.clone()));
                ReportOutcome::Failed(failure)
            }
        }
    }

    /// Notes which later actions a failure takes with it. A settling that failed takes none: keys use the tenant's own
    /// host.
    fn remember(&mut self, planned: &Planned, address: &Address) {
        match &planned.action {
            Action::CreateTenant(_) => self.broken = Some(format!("{address} was not created")),
            Action::MoveGroup(_) => self.broken = Some(format!("{address} is still another group's")),
            Action::Keep(_) => self.broken = Some(format!("the adoption of {address} was not recorded")),
            Action::Trust(_) => self.untrusted = Some(format!("the key client is not trusted in {address}")),
            Action::CreateObject(create) => match &create.object {
                Object::User(user) => self.unmade.push((user.clone(), format!("the owner ({user}) was not made"))),
                // Nothing depends on it.
                #[cfg(test)]
                Object::Space(_) => {}
            },
            Action::Grant(_) => {
                self.broken = Some(format!("the permission to manage API keys is missing in {address}"))
            }
            Action::Settle(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Reclaim(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => {}
        }
    }

    fn place(&self, parent: &Parent) -> Result<TenantRef, Failure> {
        match parent {
            Parent::Exists(at) => Ok(at.clone()),
            Parent::MadeBefore(tenant) => self
                .at
                .clone()
                .ok_or_else(|| Failure::new(format!("{tenant} was not made in this run"), "qlik-apply again")),
        }
    }

    async fn keep(&mut self, address: &Address, keep: &Keep) -> Result<String, Failure> {
        match keep {
            Keep::Tenant { id, of, adopted: Adopted::ToRecord { account } } => {
                let hostname = match of {
                    KeptTenant::Qlik { hostname } => hostname.clone(),
                    KeptTenant::Imburse { name: _, host } => host.as_str().into(),
                };
                tenant::record_adoption(self.world, address, account, id, &hostname).await?;
                Ok(match of {
                    KeptTenant::Qlik { .. } => hostname.to_string(),
                    KeptTenant::Imburse { .. } => id.to_string(),
                })
            }
            Keep::Tenant { .. } | Keep::Key { .. } | Keep::AdoptedKey { .. } | Keep::Object(_) => Ok(String::new()),
        }
    }

    async fn create_tenant(&mut self, address: &Address, create: &CreateTenant) -> Result<String, Failure> {
        let made = match &create.of {
            NewTenant::Qlik { region } => tenant::create(self.world, address, &create.account, region).await?,
            NewTenant::Imburse { host, name, address: postal, waits_for_approval: _ } => {
                imburse::tenant::create(self.world, address, &create.account, host, name, postal).await?
            }
        };
        let Made { at, detail, unusable } = made;
        self.at = Some(at);
        self.broken = unusable.or(self.broken.take());
        Ok(detail)
    }

    async fn renew(&mut self, address: &Address, renew: &Renew) -> Result<String, Failure> {
        self.mint(address, &renew.create, &Found::Key(&renew.key_id)).await
    }

    async fn mint(&mut self, address: &Address, create: &CreateKey, found: &Found<'_>) -> Result<String, Failure> {
        let at = self.place(&create.parent)?;
        let (over, replaces) = (self.over(address), create.replaces.as_slice());
        let delivery = Delivery { world: self.world, tenant: &self.tenant, address, found, over, replaces, at: &at };
        let minted = match &create.spec {
            KeySpec::Qlik(spec) => key::create(&delivery, &create.account, spec).await,
            KeySpec::Imburse(spec) => imburse::key::create(&delivery, &create.account, spec).await,
        };
        self.delivered.insert(address.clone(), minted.is_ok());
        minted
    }
}

/// The leftover that an action is about. The plan names it only once its run is over, or its sink refuses what comes late.
fn leftover(action: &Action) -> Option<&str> {
    match action {
        Action::Reclaim(reclaim) if !reclaim.is_asked() => Some(&reclaim.key_id),
        Action::Reclaim(_)
        | Action::CreateTenant(_)
        | Action::Settle(_)
        | Action::MoveGroup(_)
        | Action::Trust(_)
        | Action::CreateObject(_)
        | Action::Grant(_)
        | Action::Mark(_)
        | Action::CreateKey(_)
        | Action::Renew(_)
        | Action::Keep(_)
        | Action::Drift(_)
        | Action::Wait(_)
        | Action::Refuse(_) => None,
    }
}

/// Returns the name of an action while it is done; `None` where there is nothing to do.
fn step_of(action: &Action) -> Option<Step> {
    match action {
        Action::CreateTenant(_) => Some(Step::CreateTenant),
        Action::MoveGroup(_) => Some(Step::MoveGroup),
        Action::Settle(_) => Some(Step::Settle),
        Action::Trust(_) => Some(Step::Trust),
        Action::CreateObject(create) => Some(Step::CreateObject(create.object.kind())),
        Action::Grant(_) => Some(Step::Grant),
        Action::Mark(_) => Some(Step::Mark),
        Action::CreateKey(_) => Some(Step::CreateKey),
        Action::Renew(_) => Some(Step::RenewKey),
        Action::Reclaim(_) => Some(Step::Reclaim),
        Action::Keep(Keep::Tenant { adopted: Adopted::ToRecord { .. }, .. }) => Some(Step::RecordAdoption),
        Action::Keep(_) | Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) => None,
    }
}
