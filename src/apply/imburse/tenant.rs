//! Creating a tenant at most once: the same intent as Qlik's, one POST that carries name and address, a binding.

use crate::model::address::Address;
use crate::model::imburse::Tenant;
use crate::model::record::{Binding, How, State};
use crate::model::untrusted::Untrusted;
use crate::plan::imburse::action::CreateTenant;

use super::super::event::Failure;
use super::super::tenant::{Doubt, Request, at_most_once};
use super::super::world::World;

pub(super) async fn create(world: &World<'_>, address: &Address, create: &CreateTenant) -> Result<Tenant, Failure> {
    let CreateTenant { account, host, name, address: postal, waits_for_approval: _ } = create;
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
    at_most_once(
        world,
        address,
        request,
        async || world.imburse.create_tenant(account, name, postal).await,
        |made: &Tenant| {
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
    .await
}
