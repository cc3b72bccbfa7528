//! What is declared of an object, in the members of the plan that made it: in every later plan they are the same, so that
//! a policy passes then as it did at first.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::imburse::{ImburseFacts, ImburseKey, ImburseTenant};
use crate::model::spec::{Grants, KeyLimits, ManageApiKeys, Owner, QlikKey, QlikTenant, RoleGrant, Spec};

use super::document::full;

pub(super) type Members = Vec<(&'static str, Value)>;

/// Of what is adopted, only what its declaration says: the rest was never ours to choose.
pub(super) fn members(desired: &Desired, address: &Address) -> Members {
    let Some(declared) = desired.items.get(address) else { return Vec::new() };
    match &declared.spec {
        Spec::QlikTenant(tenant) => qlik_tenant(desired, address, tenant),
        Spec::QlikKey(key) => of_key(desired, address, key.adopt.is_none().then(|| qlik_key(key))),
        Spec::ImburseTenant(tenant) => imburse_tenant(tenant, desired.imburse.get(&tenant.account)),
        Spec::ImburseKey(key) => of_key(desired, address, key.adopt.is_none().then(|| imburse_key(key))),
        #[cfg(test)]
        Spec::QlikSpace(space) => {
            of_key(desired, address, Some(vec![("name", json!(space.name)), ("type", json!(space.kind))]))
        }
    }
}

fn of_key(desired: &Desired, address: &Address, own: Option<Members>) -> Members {
    let tenant = address.parent();
    let account = desired.items.get(&tenant).and_then(|declared| declared.spec.account());
    let account = account.map(|account| ("account", json!(account)));
    account.into_iter().chain([("tenant", json!(full(&tenant)))]).chain(own.unwrap_or_default()).collect()
}

fn qlik_tenant(desired: &Desired, address: &Address, tenant: &QlikTenant) -> Members {
    let QlikTenant { account, display_name, alias, adopt, api_key_limits, grants } = tenant;
    let mut members = vec![("account", json!(account))];
    if let Some(facts) = desired.qlik.get(account) {
        members.push(("region", json!(facts.region.label.as_str())));
        members.extend(alias.as_ref().map(|alias| ("alias", json!(facts.region.host(alias)))));
    }
    members.extend(display_name.as_ref().map(|name| ("display_name", json!(name))));
    if api_key_limits.is_declared() {
        members.push(("api_key_limits", limits(*api_key_limits)));
    }
    members.extend(granted(desired, address, grants));
    if adopt.is_none() {
        members.push(("settled", json!(true)));
    }
    members
}

fn granted(desired: &Desired, address: &Address, grants: &Grants) -> Option<(&'static str, Value)> {
    let Grants { manage_api_keys, at: _ } = grants;
    let value = match manage_api_keys.as_ref()? {
        ManageApiKeys::Everyone => json!("everyone"),
        ManageApiKeys::Role(RoleGrant { name, key_owners, users, groups, also_allows }) => {
            let keys = desired.qlik_keys(address).filter(|(_, key, _)| *key_owners && key.adopt.is_none());
            let owners = keys.map(|(_, key, _)| key.owner.clone());
            let to: BTreeSet<Owner> = users.iter().cloned().map(Owner::User).chain(owners).collect();
            json!({ "role": name, "role_is": "there", "to": to.iter().map(Owner::word).collect::<Vec<_>>(), "to_groups": groups,
                "also_allows": also_allows })
        }
    };
    Some(("manage_api_keys", value))
}

pub(super) fn limits(limits: KeyLimits) -> Value {
    let KeyLimits { max_expiry, max_keys_per_user } = limits;
    json!({ "max_expiry": max_expiry.map(|limit| limit.to_string()), "max_keys_per_user": max_keys_per_user })
}

pub(super) fn qlik_key(key: &QlikKey) -> Members {
    // What an adopted key says of its maker is never minted.
    let QlikKey { description, owner, expires_in, renew_before, deliver_to, deliver_as, adopt: _ } = key;
    vec![
        ("description", json!(description)),
        ("owner", json!(owner.word())),
        ("expires_in", json!(expires_in.to_string())),
        ("expires_in_seconds", json!(expires_in.seconds())),
        ("renew_before", json!(renew_before.to_string())),
        ("deliver_to", json!(deliver_to)),
        ("deliver_as", json!(deliver_as)),
    ]
}

fn imburse_tenant(tenant: &ImburseTenant, facts: Option<&ImburseFacts>) -> Members {
    let ImburseTenant { account, display_name, address, adopt: _ } = tenant;
    let mut members = vec![("account", json!(account))];
    members.extend(facts.map(|facts| ("host", json!(facts.host))));
    members.extend(display_name.as_ref().map(|name| ("display_name", json!(name))));
    if let Some(address) = address {
        let parts = address.fields().into_iter().filter_map(|(field, part)| Some((field.to_owned(), json!(part?))));
        members.push(("address", parts.collect()));
    }
    members
}

pub(super) fn imburse_key(key: &ImburseKey) -> Members {
    // What an adopted key says is never made.
    let ImburseKey { name, roles, deliver_to, deliver_as, adopt: _ } = key;
    vec![
        ("name", json!(name)),
        ("roles", json!(roles)),
        ("deliver_to", json!(deliver_to)),
        ("deliver_as", json!(deliver_as)),
    ]
}
