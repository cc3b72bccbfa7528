//! Creating a tenant at most once: the same intent as Qlik's, one POST that carries name and address, a binding.

use crate::model::address::{Address, Name};
use crate::model::host::Host;
use crate::model::imburse::{ListedTenant, PostalAddress, Standing};
use crate::model::record::{Binding, How, State};
use crate::model::untrusted::Untrusted;
use crate::plan::action::TenantRef;

use super::super::event::Failure;
use super::super::tenant::{Doubt, Made, Request, Undone, asked_again, at_most_once};
use super::super::world::World;

pub(in crate::apply) async fn create(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    host: &Host,
    name: &str,
    postal: &PostalAddress,
) -> Result<Made, Failure> {
    asked_again(world, address, async || create_once(world, address, account, host, name, postal).await).await
}

async fn create_once(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    host: &Host,
    name: &str,
    postal: &PostalAddress,
) -> Result<Made, Undone> {
    // Waited for before the intent, which would stand meanwhile, and be a doubt if the run was killed.
    world.imburse.turn_to_create(account).await.map_err(Failure::from)?;
    // Names are not unique: what is listed now is not ours, and a later list less this one is evidence for a person.
    let listed =
        world.imburse.reader().list_tenants(account).await.map_err(|error| Failure::from(error.unreadable()))?;
    let baseline: Vec<Untrusted> = listed.into_iter().map(|tenant| tenant.id).collect();
    let request = Request {
        account,
        place: host.as_str(),
        words: format!("POST https://{host}/account/tenants {name} of {account}"),
        baseline,
        doubt: Doubt {
            where_to_look: "look at the account's tenants in the vendor's client portal for one created just now, then one of:",
            what_it_is: "TENANT_ID",
        },
    };
    let made = at_most_once(
        world,
        address,
        request,
        async || world.imburse.create_tenant(account, name, postal).await,
        |made: &ListedTenant| {
            let binding = Binding {
                tenant_id: made.id.clone(),
                hostname: host.as_str().into(),
                account: account.clone(),
                how: How::Created,
                at: world.now(),
            };
            // Nothing is left to settle: name and address went with the POST.
            (State::Settled(binding), made.id.clone())
        },
    )
    .await?;
    let (detail, unusable) = match made.standing() {
        Standing::Usable => (format!("id {}", made.id), None),
        Standing::Pending => (
            format!("id {}; it waits for approval in the vendor's client portal", made.id),
            Some(format!("{address} waits for approval in the vendor's client portal")),
        ),
        Standing::Rejected | Standing::Deleted => (
            format!("id {}; the vendor says {}", made.id, made.status),
            Some(format!("{address} is not usable: the vendor says {}", made.status)),
        ),
    };
    Ok(Made { at: TenantRef { id: made.id, hostname: host.as_str().into() }, detail, unusable })
}
