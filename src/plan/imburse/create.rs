//! The checks before a tenant is created: ledger, sinks, the account's list of tenants, its licence and its key's
//! roles.

use crate::model::address::Address;
use crate::model::group::Group;
use crate::model::imburse::{AccountDetails, AccountRead, ImburseFacts, ListedTenant, Standing};
use crate::model::live::{LedgerFacts, Observed};
use crate::model::untrusted::{Untrusted, escape};

use super::super::action::{Notice, Plan, Unchecked};
use super::super::create::{has_space, not_made_before, refuse_forgetful};
use super::super::refusal::{Code, Refusal};
use super::super::scene::Scene;
use super::super::{recorded, rename};
use super::ground::Imburse;

pub(super) fn may_create(
    case: &Imburse<'_>,
    facts: &ImburseFacts,
    name: &str,
    ledger: Option<&LedgerFacts>,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let Imburse { scene, address, spec } = *case;
    let account = &spec.account;
    refuse_forgetful(scene.live)?;
    has_space(ledger)?;
    rename::refuse(scene, address)?;
    not_made_before(scene, scene.desired.imburse_keys(address).map(|(key, _, _)| key), ledger)?;
    let live = scene.live.imburse.accounts.get(account);
    match live.and_then(|live| live.tenants.as_ref()) {
        Some(Observed::Present(_)) => {
            of_that_name(case, name)?;
            of_a_name_like_it(case, name)?;
        }
        Some(Observed::Unreadable(unreadable)) => return Err(unreadable.into()),
        Some(Observed::Absent) | None => {
            return Err(Refusal::new(
                Code::Unreadable,
                format!("the tenants of account {account} were not listed"),
                "plan again",
            ));
        }
    }
    match live.and_then(|live| live.account.as_ref()) {
        Some(AccountRead::Present(found)) => {
            may_write(case, found)?;
            if found.account_id.raw().eq_ignore_ascii_case(&facts.account_id) {
                approval(address, found, plan);
                return Ok(());
            }
            Err(Refusal::new(
                Code::Unreadable,
                format!(
                    "the account key answers for account {}, and settings say {}",
                    found.account_id, facts.account_id
                ),
                format!("correct accounts.{account}.account_id in settings, or name that account's own key"),
            ))
        }
        Some(AccountRead::Unreadable(unreadable)) => Err(unreadable.into()),
        Some(AccountRead::Forbidden(_)) | None => {
            let why = match live.and_then(|live| live.account.as_ref()) {
                Some(_) => format!(" (the key of account {account} is not account-admin)"),
                None => String::new(),
            };
            let what = format!(
                "the licence's headroom, whether new tenants wait for approval, and whether the account key may create \
                 tenants{why}"
            );
            plan.unchecked.push(Unchecked { address: address.clone(), what });
            Ok(())
        }
    }
}

/// Names are not unique at the vendor, and strangers may create too: one of the same name may be this one, and only a person
/// can tell.
fn of_that_name(case: &Imburse<'_>, name: &str) -> Result<(), Refusal> {
    let Imburse { scene, address, spec } = *case;
    let same: Vec<&ListedTenant> = scene
        .estate
        .imburse
        .like(&spec.account, name)
        .iter()
        .copied()
        .filter(|tenant| tenant.name.raw() == name && !scene.estate.imburse.accounts_for(&tenant.id))
        .collect();
    match same.as_slice() {
        [] => Ok(()),
        [one] if one.standing() == Standing::Rejected => {
            Err(rejected(one).or("or declare another display_name: the vendor keeps a rejected tenant and its name"))
        }
        [one] => Err(Refusal::new(
            Code::FoundByName,
            format!("the account has a tenant of the same name (id {}), and the ledger does not know it", one.id),
            format!("if it is {address}: adopt: {{ tenant_id: {} }}", escape(one.id.raw())),
        )
        .or("if it is another tenant: declare another display_name")),
        several => {
            let ids: Vec<String> = several.iter().map(|tenant| tenant.id.to_string()).collect();
            Err(Refusal::new(
                Code::SeveralOfOneName,
                format!("the account has {} tenants of the same name: {}", several.len(), ids.join(", ")),
                "say which of them it is: adopt: { tenant_id: ID }",
            )
            .or("if it is none of them: declare another display_name"))
        }
    }
}

/// A name that differs from a tenant's only as a hand slips (case, white space, another form of a letter), or that a recorded
/// tenant has which is declared under another address no more: a tenant cannot be deleted, so a person says that it is new.
fn of_a_name_like_it(case: &Imburse<'_>, name: &str) -> Result<(), Refusal> {
    let Imburse { scene, address, spec } = *case;
    if scene.wishes.new.contains(address) {
        return Ok(());
    }
    let Some(one) = scene.estate.imburse.like(&spec.account, name).first() else { return Ok(()) };
    let new = format!("qlik-apply --new {address}   (it is another tenant, and is to be created)");
    let bound = scene.estate.imburse.bound_to(&one.id);
    match bound {
        Some(other) if elsewhere(scene, other).is_some() => Err(Refusal::new(
            Code::FoundByName,
            format!(
                "its name is that of {other} ({}), which is recorded as a tenant of group {}",
                shown(one),
                elsewhere(scene, other).unwrap_or_default()
            ),
            "declare another display_name",
        )
        .or(new)),
        Some(other) if !scene.desired.declares(other) => Err(Refusal::new(
            Code::Renamed,
            format!(
                "its name is that of {other} ({}), which is recorded and no longer declared; was it renamed?",
                shown(one)
            ),
            format!("qlik-apply ledger mv {other} {address}   (it was renamed: nothing is created, its keys stay)"),
        )
        .or(new)),
        Some(other) => Err(Refusal::new(
            Code::FoundByName,
            format!("its name is that of {other} ({}), which is declared too, but for case or white space", shown(one)),
            format!("remove one of {address} and {other}   (they are one tenant)"),
        )
        .or(new)),
        None => Err(Refusal::new(
            Code::FoundByName,
            format!(
                "the account has a tenant whose name is the same but for case or white space ({}, id {})",
                shown(one),
                one.id
            ),
            format!("if it is {address}: adopt: {{ tenant_id: {} }}", escape(one.id.raw())),
        )
        .or(new)),
    }
}

/// The group of a recorded tenant that this run has not read and so knows nothing of.
fn elsewhere(scene: &Scene, other: &Address) -> Option<Group> {
    let group = &recorded::record(scene, other)?.group;
    (!scene.desired.declares(other) && !scene.desired.groups.contains_key(group)).then(|| group.clone())
}

/// Writes a name in quotes, so that a space at its end is seen.
fn shown(tenant: &ListedTenant) -> String {
    format!("\"{}\"", tenant.name)
}

pub(super) fn rejected(tenant: &ListedTenant) -> Refusal {
    let when = tenant.details.rejected_on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
    let why = tenant.details.rejection_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Refusal::new(
        Code::TenantRejected,
        format!("the vendor's approval of tenant {} was rejected{when}{why}", tenant.id),
        "ask whoever approves tenants in the vendor's client portal, or remove it from desired state",
    )
}

/// Checks the account key's own roles, where the account shows them.
fn may_write(case: &Imburse<'_>, found: &AccountDetails) -> Result<(), Refusal> {
    let Some(roles) = &found.key_roles else { return Ok(()) };
    let may = |role: &Untrusted| matches!(role.raw(), "account-admin" | "account-tenant-write");
    if roles.iter().any(may) {
        return Ok(());
    }
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    Err(Refusal::new(
        Code::NoAccountRole,
        format!("the account key has the roles {}, and none of them creates tenants", roles.join(", ")),
        format!("name a key with account-tenant-write or account-admin: accounts.{}.account_key", case.spec.account),
    ))
}

fn approval(address: &Address, found: &AccountDetails, plan: &mut Plan) {
    if found.tenant_creation_approval_required {
        plan.notices.push(Notice {
            address: Some(address.clone()),
            at: None,
            text: "the account asks for approval of new tenants: it will wait there for a person, and its keys come \
                   with a later run"
                .into(),
        });
    }
}
