//! Where a tenant at Qlik was worked on, and how it is left: its tokens ended and its connections closed, while others are worked on.

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::spec::Owner;
use crate::plan::action::{Action, Parent, TenantRef};

use super::Course;
use super::outcome::host_of;
use super::world::World;

pub(super) struct Seat {
    account: Name,
    host: Host,
    /// Whose own key was used.
    owner: Option<Name>,
}

impl Seat {
    /// Where an action sends its requests; `None` where it sends none to a tenant at Qlik, or there is no such tenant yet.
    pub(super) fn of(course: &Course<'_>, action: &Action) -> Option<Self> {
        let (account, at, owner): (&Name, &TenantRef, Option<&Owner>) = match action {
            Action::CreateTenant(create) => (&create.account, course.at.as_ref()?, None),
            Action::Settle(settle) => (&settle.account, course.found(&settle.parent)?, None),
            Action::Trust(trust) => (&trust.account, course.found(&trust.parent)?, None),
            Action::CreateUser(create) => (&create.account, course.found(&create.parent)?, None),
            Action::Grant(grant) => (&grant.account, course.found(&grant.parent)?, None),
            Action::Mark(mark) => (&mark.account, &mark.parent, Some(&mark.owner)),
            Action::CreateKey(create) => (&create.account, course.found(&create.parent)?, Some(&create.spec.owner)),
            Action::Renew(renew) => {
                let create = &renew.create;
                (&create.account, course.found(&create.parent)?, Some(&create.spec.owner))
            }
            Action::Reclaim(reclaim) => (&reclaim.account, &reclaim.parent, Some(&reclaim.owner)),
            Action::Keep(_) | Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) | Action::Imburse(_) => {
                return None;
            }
        };
        let host = host_of(course.world.desired, account, at).ok()?;
        let owner = match owner {
            Some(Owner::Configured(name)) => Some(name.clone()),
            Some(Owner::Client | Owner::User(_)) | None => None,
        };
        Some(Self { account: account.clone(), host, owner })
    }

    /// Where the run ends, its own end does this for all, within a time.
    pub(super) async fn leave(self, world: &World<'_>) {
        let qlik = world.qlik.reader();
        if let Some(owner) = &self.owner {
            qlik.pause_owner(&self.account, owner);
        }
        match (world.stop)() {
            Some(_) => qlik.pause(&self.host),
            None => drop(qlik.leave(&self.account, &self.host).await),
        }
    }
}

impl Course<'_> {
    fn found<'c>(&'c self, parent: &'c Parent) -> Option<&'c TenantRef> {
        match parent {
            Parent::Exists(at) => Some(at),
            Parent::MadeBefore(_) => self.at.as_ref(),
        }
    }
}
