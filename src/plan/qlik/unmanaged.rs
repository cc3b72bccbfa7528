//! Tenants of a Qlik organization that nobody manages here: a reason not to create another.

use crate::model::address::{Address, Name};
use crate::model::likeness::folded;
use crate::model::live::{ListedTenant, Observed, QlikTenantLive};
use crate::model::spec::QlikTenant;

use crate::plan::action::{Notice, Plan};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;

/// The number of tenants that are named in one sentence; the rest is counted.
const NAMED: usize = 5;

/// Active tenants of the account's region that nobody manages here.
fn unmanaged<'a>(scene: &Scene<'a>, account: &Name) -> &'a [&'a ListedTenant] {
    scene.estate.qlik.unmanaged.get(account).map(Vec::as_slice).unwrap_or_default()
}

/// Creation is refused while a tenant exists that may be the one: found by its alias, or by nobody's claim.
pub(super) fn refuse_creation(scene: &Scene, address: &Address, spec: &QlikTenant) -> Result<(), Refusal> {
    let listed = scene.live.qlik.accounts.get(&spec.account).and_then(|live| live.organization.as_ref());
    if let Some(Observed::Unreadable(unreadable)) = listed {
        return Err(unreadable.into());
    }
    refuse_a_name_like_it(scene, address, spec)?;
    let unmanaged = unmanaged(scene, &spec.account);
    if let (Some(label), Some(facts)) = (&spec.alias, scene.desired.qlik.get(&spec.account)) {
        let alias = facts.region.host(label);
        if let Some(found) = unmanaged.iter().find(|tenant| tenant.has_host(alias.as_str())) {
            return Err(found_by_alias(address, alias.as_str(), &found.id, &found.hostname()));
        }
    }
    if unmanaged.is_empty() {
        return Ok(());
    }
    let rest = unmanaged.len().saturating_sub(NAMED);
    let mut names: Vec<String> =
        unmanaged.iter().take(NAMED).map(|tenant| format!("{} ({})", tenant.hostname(), tenant.name)).collect();
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    Err(Refusal::new(
        Code::UnmanagedTenant,
        format!(
            "the organization has tenants that nothing here accounts for, and one of them may be this one: {}",
            names.join(", ")
        ),
        "if one of them is this tenant: adopt: { hostname: … }",
    )
    .or(format!("if they are nobody's concern here: accounts.{}.ignore_tenants in settings", spec.account)))
}

/// The organization lists a tenant of this name, but for case or white space, that is recorded and no longer declared.
fn refuse_a_name_like_it(scene: &Scene, address: &Address, spec: &QlikTenant) -> Result<(), Refusal> {
    let Some(name) = &spec.display_name else { return Ok(()) };
    match scene.estate.qlik.undeclared_names.get(&(&spec.account, folded(name))) {
        Some((other, tenant)) if !scene.wishes.new.contains(address) => Err(Refusal::new(
            Code::Renamed,
            format!(
                "its name is that of {other} (\"{}\"), which is recorded and no longer declared; was it renamed?",
                tenant.name
            ),
            format!("qlik-apply ledger mv {other} {address}   (it was renamed: nothing is created, its keys stay)"),
        )
        .or(format!("qlik-apply --new {address}   (it is another tenant, and is to be created)"))),
        Some(_) | None => Ok(()),
    }
}

/// A tenant that only its alias leads to.
pub(super) fn found_by_alias(
    address: &Address,
    alias: &str,
    id: &crate::model::untrusted::Untrusted,
    hostname: &crate::model::untrusted::Untrusted,
) -> Refusal {
    let label = hostname.raw().split('.').next().unwrap_or_default();
    Refusal::new(
        Code::FoundByAlias,
        format!("a tenant answers at its alias {alias} (id {id}, {hostname}) and the ledger does not know it"),
        format!("if it is {address}: adopt: {{ hostname: {} }}", crate::model::untrusted::escape(label)),
    )
    .or("if it is another tenant: declare another alias")
}

/// The same for what was found at the alias itself.
pub(super) fn refuse_found(scene: &Scene, address: &Address, spec: &QlikTenant, found: &QlikTenantLive) -> Refusal {
    let alias = spec.alias.as_ref().zip(scene.desired.qlik.get(&spec.account));
    let alias = alias.map(|(label, facts)| facts.region.host(label).to_string()).unwrap_or_default();
    let hostname = found.hostnames.first().cloned().unwrap_or_default();
    found_by_alias(address, &alias, &found.id, &hostname)
}

/// Returns whether there are any.
pub(in crate::plan) fn any(scene: &Scene) -> bool {
    scene.desired.qlik.keys().any(|account| !unmanaged(scene, account).is_empty())
}

/// Each of them, by account; and of which account nobody can tell.
pub(in crate::plan) fn notices(scene: &Scene, plan: &mut Plan) {
    for account in scene.desired.qlik.keys() {
        let listed = scene.live.qlik.accounts.get(account).and_then(|live| live.organization.as_ref());
        if let Some(Observed::Unreadable(unreadable)) = listed {
            plan.notices.push(Notice::unmanaged_unknown(account, &unreadable.why.to_string(), &unreadable.next));
        }
        for tenant in unmanaged(scene, account) {
            let created = tenant.created.map(|at| format!(", created {at:.0}")).unwrap_or_default();
            let text = format!(
                "unmanaged in account {account}: {} ({}, id {}{created})",
                tenant.hostname(),
                tenant.name,
                tenant.id
            );
            plan.notices.push(Notice { address: None, at: None, text: text.into() });
        }
    }
}
