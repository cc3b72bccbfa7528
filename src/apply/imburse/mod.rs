//! Imburse Payments: what a plan says is done there, one action at a time.

mod key;
pub mod resolve;
mod tenant;

use crate::model::address::Address;
use crate::model::imburse::Standing;
use crate::plan::action::{Adopted, TenantRef};
use crate::plan::imburse::action::{Imburse, Keep};

use super::event::{Failure, Step};
use super::world::World;
use super::{Course, tenant as qlik};

/// Takes one action; says what a reader wants to know.
pub(super) async fn take(course: &mut Course<'_>, address: &Address, action: &Imburse) -> Result<String, Failure> {
    let world: &World<'_> = course.world;
    match action {
        Imburse::CreateTenant(create) => {
            let made = tenant::create(world, address, create).await?;
            course.at = Some(TenantRef { id: made.id.clone(), hostname: create.host.as_str().into() });
            Ok(match made.standing() {
                Standing::Usable => format!("id {}", made.id),
                Standing::Pending => {
                    course.broken = Some(format!("{address} waits for approval in the vendor's client portal"));
                    format!("id {}; it waits for approval in the vendor's client portal", made.id)
                }
                Standing::Rejected | Standing::Deleted => {
                    course.broken = Some(format!("{address} is not usable: the vendor says {}", made.status));
                    format!("id {}; the vendor says {}", made.id, made.status)
                }
            })
        }
        Imburse::CreateKey(create) => {
            let at = course.place(&create.parent)?;
            let minted = key::create(world, &course.tenant, address, create, course.over(address), &at).await;
            course.delivered.insert(address.clone(), minted.is_ok());
            minted
        }
        Imburse::Mark(mark) => key::mark(world, mark).await,
        Imburse::Reclaim(reclaim) => key::reclaim(world, address, reclaim).await,
        Imburse::Keep(Keep::Tenant { id, name: _, host, adopted: Adopted::ToRecord { account } }) => {
            qlik::record_adoption(world, address, account, id, &host.as_str().into())?;
            Ok(id.to_string())
        }
        Imburse::Keep(Keep::Tenant { .. } | Keep::Key { .. } | Keep::AdoptedKey { .. }) => Ok(String::new()),
    }
}

/// The leftover that an action is about.
pub(super) fn leftover(action: &Imburse) -> Option<&str> {
    match action {
        Imburse::Reclaim(reclaim) if !reclaim.asked => Some(&reclaim.public_key),
        Imburse::Reclaim(_)
        | Imburse::CreateTenant(_)
        | Imburse::CreateKey(_)
        | Imburse::Mark(_)
        | Imburse::Keep(_) => None,
    }
}

/// Why an action cannot be taken although its tenant is there.
pub(super) fn blocked(course: &Course<'_>, address: &Address, action: &Imburse) -> Option<String> {
    match action {
        Imburse::Reclaim(reclaim) if reclaim.after_delivery => {
            let done = course.delivered.get(address).copied().unwrap_or(false);
            (!done).then(|| "its successor was not delivered".to_owned())
        }
        Imburse::Reclaim(_)
        | Imburse::CreateTenant(_)
        | Imburse::CreateKey(_)
        | Imburse::Mark(_)
        | Imburse::Keep(_) => None,
    }
}

/// What a failure takes with it.
pub(super) fn broken(address: &Address, action: &Imburse) -> Option<String> {
    match action {
        Imburse::CreateTenant(_) => Some(format!("{address} was not created")),
        Imburse::Keep(_) => Some(format!("the adoption of {address} was not recorded")),
        Imburse::CreateKey(_) | Imburse::Mark(_) | Imburse::Reclaim(_) => None,
    }
}

pub(super) fn step_of(action: &Imburse) -> Option<Step> {
    match action {
        Imburse::CreateTenant(_) => Some(Step::CreateTenant),
        Imburse::CreateKey(_) => Some(Step::CreateKey),
        Imburse::Mark(_) => Some(Step::Mark),
        Imburse::Reclaim(_) => Some(Step::Reclaim),
        Imburse::Keep(_) => action.changes_something().then_some(Step::RecordAdoption),
    }
}
