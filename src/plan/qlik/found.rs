//! A tenant that exists: adopted by declaration, or bound by the ledger. Is it there, and is it the one that is meant?

use crate::model::address::Address;
use crate::model::host::{Host, Region};
use crate::model::live::{QlikTenantLive, TenantLive, TenantRead};
use crate::model::record::{Binding, Record};
use crate::model::spec::QlikTenant;
use crate::model::untrusted::Untrusted;

use super::compare::drift;
use super::ground::Ground;
use crate::plan::action::{Action, Adopted, Keep, KeptTenant, TenantRef};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;
use crate::plan::stop::Stop;

pub(super) fn adopt<'a>(
    scene: &Scene<'a>,
    address: &Address,
    spec: &QlikTenant,
    host: Host,
    read: Option<&'a TenantLive>,
    record: Option<&'a Record>,
    actions: &mut Vec<Action>,
) -> Result<Ground<'a>, Stop> {
    let not_found = |why: &Untrusted| {
        Refusal::new(
            Code::AdoptionNotFound,
            format!("`adopt:` names {host}, and {why}"),
            "correct the hostname (the first label of the tenant's own address), or remove `adopt:` to have a tenant created",
        )
    };
    let live = match read {
        Some(live) => live,
        None => return Err(not_found(&"it was not read".into()).into()),
    };
    match &live.tenant {
        TenantRead::Present(present) => {
            active(present)?;
            let owner = bound_elsewhere(scene, address, &present.id);
            if let Some(other) = owner {
                return Err(Refusal::new(
                    Code::SameTenantTwice,
                    format!("`adopt:` names {host}, which is tenant {} and bound to {other} in the ledger", present.id),
                    format!("declare it as {other}, or remove `adopt:`"),
                )
                .or(format!("if {other} was renamed: qlik-apply ledger mv {other} {address}"))
                .into());
            }
            let Some(hostname) = present.hostnames.first().filter(|host| of_account(scene, spec, host)) else {
                return Err(not_found(&"the tenant there names no hostname of this account's region".into()).into());
            };
            let at = TenantRef { id: present.id.clone(), hostname: hostname.clone() };
            actions.push(Action::Keep(Keep::Tenant {
                id: present.id.clone(),
                of: KeptTenant::Qlik { hostname: hostname.clone() },
                adopted: Adopted::ToRecord { account: spec.account.clone() },
            }));
            if let Some(region) = scene.desired.qlik.get(&spec.account).map(|account| &account.region) {
                drift(spec, region, live, actions);
            }
            Ok(Ground::Exists { at, live, record })
        }
        TenantRead::Gone(unreadable) => Err(not_found(&unreadable.why).into()),
        TenantRead::Nowhere | TenantRead::ByAlias(_) => Err(not_found(&"it was not read".into()).into()),
        TenantRead::Disabled => Err(disabled(&host.to_string()).into()),
        TenantRead::Other { found } => Err(not_found(&format!("tenant {found} answers there").into()).into()),
        TenantRead::Unreadable(unreadable) => Err(Refusal::from(unreadable).into()),
    }
}

fn of_account(scene: &Scene, spec: &QlikTenant, host: &Untrusted) -> bool {
    scene.desired.qlik.get(&spec.account).is_some_and(|account| account.region.accept(host.raw()).is_some())
}

/// Returns another address whose record binds this tenant.
fn bound_elsewhere<'a>(scene: &Scene<'a>, address: &Address, id: &Untrusted) -> Option<&'a Address> {
    scene.estate.bound_to(id).iter().copied().find(|other| *other != address)
}

/// A bound tenant, if it is there and the one that was bound.
pub(super) fn bound<'a>(
    address: &Address,
    spec: &QlikTenant,
    region: &Region,
    binding: &Binding,
    read: Option<&'a TenantLive>,
) -> Result<&'a TenantLive, Refusal> {
    if region.accept(binding.hostname.raw()).is_none() {
        return Err(Refusal::new(
            Code::OtherRegion,
            format!(
                "it is bound to {}, which is not in region {} of account {}",
                binding.hostname, region.label, spec.account
            ),
            format!(
                "name the account that it was created with ({}); a tenant does not move between regions",
                binding.account
            ),
        ));
    }
    let Some(live) = read else {
        return Err(Refusal::new(Code::Unreadable, "it was not read", "plan again"));
    };
    match &live.tenant {
        TenantRead::Present(present) => {
            if present.id != binding.tenant_id {
                return Err(other_tenant(binding, &present.id));
            }
            active(present)?;
            if let Some(label) = &spec.adopt {
                let host = region.host(label);
                if !present.hostnames.iter().any(|known| known.raw().eq_ignore_ascii_case(host.as_str())) {
                    return Err(Refusal::new(
                        Code::AdoptionConflict,
                        format!("`adopt:` names {host}, and the ledger binds it to {}", binding.hostname),
                        format!("correct or remove `adopt:`; {address} stays bound to {}", binding.hostname),
                    ));
                }
            }
            Ok(live)
        }
        TenantRead::Gone(unreadable) => Err(Refusal::new(
            Code::TenantGone,
            format!("it is bound to {}, and {}", binding.hostname, unreadable.why),
            unreadable.next.clone(),
        )
        .or("if it was deleted on purpose, remove it from desired state; it is never created anew by itself")),
        TenantRead::Disabled => Err(disabled(&binding.hostname.to_string())),
        TenantRead::Other { found } => Err(other_tenant(binding, found)),
        TenantRead::Nowhere | TenantRead::ByAlias(_) => {
            Err(Refusal::new(Code::Unreadable, "it was not read", "plan again"))
        }
        TenantRead::Unreadable(unreadable) => Err(unreadable.into()),
    }
}

fn other_tenant(binding: &Binding, found: &Untrusted) -> Refusal {
    Refusal::new(
        Code::OtherTenant,
        format!("it is bound to tenant {} at {}, where tenant {found} answers", binding.tenant_id, binding.hostname),
        "restore the ledger's record, or ask Qlik support: a system hostname does not move",
    )
}

fn active(present: &QlikTenantLive) -> Result<(), Refusal> {
    match present.status.raw() {
        "active" | "" => Ok(()),
        _ => Err(Refusal::new(
            Code::TenantDisabled,
            format!("the tenant is there with status {}", present.status),
            "reactivate it (tenants/actions/reactivate at the register host), or remove it from desired state",
        )),
    }
}

fn disabled(host: &str) -> Refusal {
    Refusal::new(
        Code::TenantDisabled,
        format!("{host} answers TENANT_DISABLED: it was deactivated and will be purged"),
        "reactivate it before its purge date (tenants/actions/reactivate at the register host)",
    )
    .or("or remove it from desired state; it is never created anew by itself")
}
