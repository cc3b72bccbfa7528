//! A tenant that exists: adopted by declaration, or bound by the ledger. Is it there, usable, and as declared?

use crate::model::address::Address;
use crate::model::imburse::{ImburseFacts, ListedTenant, Standing, TenantLive, TenantRead};
use crate::model::record::{Binding, How, Record};
use crate::model::untrusted::Untrusted;

use super::super::action::{Action, Adopted, Drift, DriftField, Keep, KeptTenant, TenantRef, Wait};
use super::super::refusal::{Code, Refusal};
use super::super::stop::Stop;
use super::create::rejected;
use super::ground::{Ground, Imburse};

pub(super) fn adopt<'a>(
    case: &Imburse<'a>,
    account: &ImburseFacts,
    id: &str,
    record: Option<&'a Record>,
    actions: &mut Vec<Action>,
) -> Result<Ground<'a>, Stop> {
    let Imburse { address, spec, .. } = *case;
    let not_found = |why: &Untrusted| {
        Refusal::new(
            Code::AdoptionNotFound,
            format!("`adopt:` names tenant {id}, and {why}"),
            "correct the tenant_id, or remove `adopt:` to have a tenant created",
        )
    };
    let Some(live) = case.read() else { return Err(not_found(&"it was not read".into()).into()) };
    match &live.tenant {
        TenantRead::Present(present) => {
            match present.standing() {
                Standing::Deleted => return Err(not_found(&"it was deleted".into()).into()),
                Standing::Rejected => return Err(rejected(present).into()),
                Standing::Pending => return Err(pending(present)),
                Standing::Usable => {}
            }
            if let Some(other) = bound_elsewhere(case, &present.id) {
                return Err(Refusal::new(
                    Code::SameTenantTwice,
                    format!("`adopt:` names tenant {id}, which is bound to {other} in the ledger"),
                    format!("declare it as {other}, or remove `adopt:`"),
                )
                .or(format!("if {other} was renamed: qlik-apply ledger mv {other} {address}"))
                .into());
            }
            let to_record = Adopted::ToRecord { account: spec.account.clone() };
            actions.push(keep(present, account, to_record));
            actions.extend(drift(case, present));
            let at = TenantRef { id: present.id.clone(), hostname: account.host.as_str().into() };
            Ok(Ground::Exists { at, live, record })
        }
        TenantRead::Gone(unreadable) => Err(not_found(&unreadable.why).into()),
        TenantRead::Nowhere => Err(not_found(&"it was not read".into()).into()),
        TenantRead::Unreadable(unreadable) => Err(Refusal::from(unreadable).into()),
    }
}

/// A bound tenant, if it is there and usable.
pub(super) fn bound<'a>(
    case: &Imburse<'a>,
    account: &ImburseFacts,
    binding: &Binding,
    record: Option<&'a Record>,
    actions: &mut Vec<Action>,
) -> Result<Ground<'a>, Stop> {
    let Imburse { address, spec, .. } = *case;
    if !binding.is_at(&account.host) {
        return Err(Refusal::new(
            Code::OtherRegion,
            format!(
                "it is bound to tenant {} at {}, and account {} is at {}",
                binding.tenant_id, binding.hostname, spec.account, account.host
            ),
            format!("name the account that it was created with ({}); a tenant does not move", binding.account),
        )
        .into());
    }
    if let Some(id) = spec.adopt.as_ref().filter(|id| !id.eq_ignore_ascii_case(binding.tenant_id.raw())) {
        return Err(Refusal::new(
            Code::AdoptionConflict,
            format!("`adopt:` names tenant {id}, and the ledger binds it to {}", binding.tenant_id),
            format!("correct or remove `adopt:`; {address} stays bound to {}", binding.tenant_id),
        )
        .into());
    }
    if let Some(other) = bound_elsewhere(case, &binding.tenant_id) {
        return Err(Refusal::new(
            Code::SameTenantTwice,
            format!("{address} and {other} lead to one tenant, {}; a tenant has one address", binding.tenant_id),
            "remove all but one of them from desired state, and `qlik-apply ledger forget` the other",
        )
        .into());
    }
    let Some(live) = case.read() else {
        return Err(Refusal::new(Code::Unreadable, "it was not read", "plan again").into());
    };
    match &live.tenant {
        TenantRead::Present(present) if present.id != binding.tenant_id => Err(Refusal::new(
            Code::OtherTenant,
            format!("it is bound to tenant {}, and the vendor answers with tenant {}", binding.tenant_id, present.id),
            "restore the ledger's record, or ask the vendor's support",
        )
        .into()),
        TenantRead::Present(present) => {
            match present.standing() {
                Standing::Deleted => return Err(deleted(binding, present).into()),
                Standing::Rejected => return Err(rejected(present).into()),
                Standing::Pending => return Err(pending(present)),
                Standing::Usable => {}
            }
            actions.extend(drift(case, present));
            let at = TenantRef { id: present.id.clone(), hostname: binding.hostname.clone() };
            Ok(Ground::Exists { at, live, record })
        }
        TenantRead::Gone(unreadable) => Err(Refusal::new(
            Code::TenantGone,
            format!("it is bound to tenant {}, and {}", binding.tenant_id, unreadable.why),
            unreadable.next.clone(),
        )
        .or("if it was deleted on purpose, remove it from desired state; it is never created anew by itself")
        .into()),
        TenantRead::Nowhere => Err(Refusal::new(Code::Unreadable, "it was not read", "plan again").into()),
        TenantRead::Unreadable(unreadable) => Err(Refusal::from(unreadable).into()),
    }
}

/// Returns the action for a recorded tenant that is as declared.
pub(super) fn kept(case: &Imburse<'_>, live: &TenantLive, record: Option<&Record>) -> Option<Action> {
    let TenantRead::Present(present) = &live.tenant else { return None };
    let account = case.scene.desired.imburse.get(&case.spec.account)?;
    let adopted = match record.and_then(|record| record.state.binding()).map(|binding| binding.how) {
        Some(How::Adopted) => Adopted::Recorded,
        Some(How::Created | How::Resolved) | None => Adopted::No,
    };
    Some(keep(present, account, adopted))
}

fn keep(present: &ListedTenant, account: &ImburseFacts, adopted: Adopted) -> Action {
    let of = KeptTenant::Imburse { name: present.name.clone(), host: account.host.clone() };
    Action::Keep(Keep::Tenant { id: present.id.clone(), of, adopted })
}

fn drift(case: &Imburse<'_>, present: &ListedTenant) -> Option<Action> {
    let mut fields = Vec::new();
    if let Some(name) = case.spec.display_name.as_ref().filter(|name| present.name.raw() != *name) {
        fields.push(DriftField { field: "display_name".into(), declared: name.clone(), live: present.name.clone() });
    }
    for (field, declared) in case.spec.address.iter().flat_map(|address| address.fields()) {
        if let (Some(declared), Some(live)) = (declared, present.address.field(field))
            && live.raw() != declared
        {
            let field = format!("address.{field}");
            fields.push(DriftField { field, declared: declared.to_owned(), live: live.clone() });
        }
    }
    (!fields.is_empty()).then(|| Action::Drift(Drift::of(fields)))
}

fn pending(present: &ListedTenant) -> Stop {
    Stop::Wait(Wait {
        run: None,
        why: format!("tenant {} waits for approval in the vendor's client portal", present.id),
    })
}

fn deleted(binding: &Binding, present: &ListedTenant) -> Refusal {
    let when = present.details.deleted_on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
    Refusal::new(
        Code::TenantGone,
        format!("it is bound to tenant {}, which was deleted{when}", binding.tenant_id),
        "ask the vendor's support whether it can be restored",
    )
    .or("if it was deleted on purpose, remove it from desired state; it is never created anew by itself")
}

/// Returns another address whose record binds this tenant.
fn bound_elsewhere<'a>(case: &Imburse<'a>, id: &Untrusted) -> Option<&'a Address> {
    let Imburse { scene, address, .. } = *case;
    scene.estate.bound_to(id).iter().copied().find(|other| *other != address)
}
