//! The state as the control API shows it: everything but the secrets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::imburse;
use super::shelf::Shelf;
use super::state::{State, Tenant, Token};

pub(super) fn state(state: &State, now: Timestamp) -> Value {
    let subscriptions: Vec<Value> = state
        .subscriptions()
        .map(|one| {
            json!({
                "region": one.region,
                "source_tenant": one.source_label,
                "client": one.client.id,
                "key_client": one.key_client.id,
                "live_tokens": live(&one.register_tokens, now),
                "owners": one.owners.iter().map(|owner| json!({
                    "name": owner.name, "tenant": owner.tenant, "user": owner.user, "key": owner.key,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "now": now,
        "switches": state.switches(),
        "subscriptions": subscriptions,
        "organization": state.main().organization.as_ref().map(|one| json!({
            "client": one.client.id,
            "live_tokens": live(&one.tokens, now),
        })),
        "tenants": state.tenants().map(|one| tenant(one, now)).collect::<Vec<_>>(),
        "imburse": imburse::view(&state.imburse, &state.switches().imburse, now),
    })
}

fn live(tokens: &Shelf<Token>, now: Timestamp) -> usize {
    tokens.values().filter(|token| token.expires > now).count()
}

fn tenant(tenant: &Tenant, now: Timestamp) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "region": tenant.region,
        "hostnames": tenant.hostnames,
        "status": if tenant.disabled { "disabled" } else { "active" },
        "source": tenant.source,
        "created": tenant.created,
        "user_default": tenant.user_default,
        "consent": tenant.consent,
        "limits": tenant.limits,
        "live_tokens": live(&tenant.tokens, now),
        "users": tenant.users.values().map(|user| json!({
            "id": user.id,
            "name": user.name,
            "subject": user.subject,
            "email": user.email,
            "status": user.status,
            "clientId": user.client,
            "roles": user.roles,
            "groups": user.groups.iter().filter_map(|id| tenant.groups.get(id)).map(|group| &group.name)
                .collect::<Vec<_>>(),
            "scopes": user.scopes,
        })).collect::<Vec<_>>(),
        "groups": tenant.groups.values().map(|group| json!({
            "id": group.id,
            "name": group.name,
            "roles": group.roles,
        })).collect::<Vec<_>>(),
        "roles": tenant.roles.values().map(|role| json!({
            "id": role.id,
            "name": role.name,
            "scopes": role.scopes,
        })).collect::<Vec<_>>(),
        "keys": tenant.keys.values().map(|key| json!({
            "id": key.id,
            "description": key.description,
            "status": key.status(now),
            "sub": key.sub,
            "createdByUser": key.created_by,
            "created": key.created,
            "expiry": key.expiry,
        })).collect::<Vec<_>>(),
    })
}
