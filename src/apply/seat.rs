//! Where a tenant at Qlik was worked on, and how it is left: its tokens ended and its connections closed, while others are worked on.

use crate::model::address::Name;
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::spec::Owner;
use crate::plan::action::{Action, MarkOf, Parent, ReclaimOf, Renew, TenantRef};

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
    /// `made`: where a tenant is that an earlier action made.
    pub(super) fn of(desired: &Desired, made: Option<&TenantRef>, action: &Action) -> Option<Self> {
        let found = |parent: &Parent| match parent {
            Parent::Exists(at) => Some(at.clone()),
            Parent::MadeBefore(_) => made.cloned(),
        };
        let (account, at, owner): (&Name, TenantRef, Option<&Owner>) = match action {
            Action::CreateTenant(create) => (&create.account, made.cloned()?, None),
            Action::Settle(settle) => (&settle.account, found(&settle.parent)?, None),
            Action::Trust(trust) => (&trust.account, found(&trust.parent)?, None),
            Action::CreateObject(create) => (&create.account, found(&create.parent)?, None),
            Action::Grant(grant) => (&grant.account, found(&grant.parent)?, None),
            Action::CreateKey(create) => (&create.account, found(&create.parent)?, create.spec.owner()),
            Action::Renew(Renew { create, .. }) => (&create.account, found(&create.parent)?, create.spec.owner()),
            Action::Mark(mark) => match &mark.of {
                MarkOf::Qlik { parent, owner } => (&mark.account, parent.clone(), Some(owner)),
                MarkOf::Imburse { .. } => return None,
            },
            Action::Reclaim(reclaim) => match &reclaim.of {
                ReclaimOf::Qlik { parent, owner, .. } => (&reclaim.account, parent.clone(), Some(owner)),
                ReclaimOf::Imburse { .. } => return None,
            },
            Action::MoveGroup(_) | Action::Keep(_) | Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) => {
                return None;
            }
        };
        // An account at Imburse is none of these.
        let host = host_of(desired, account, &at).ok()?;
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
