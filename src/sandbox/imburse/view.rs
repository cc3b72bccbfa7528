//! Imburse's state as the control API shows it: everything but private keys and tokens.

use serde_json::{Value, json};

use super::shape;
use super::state::{Imburse, Ring};
use super::switches::{Shape, Switches};

pub(in crate::sandbox) fn view(imburse: &Imburse, switches: &Switches, now: jiff::Timestamp) -> Value {
    let accounts = imburse.accounts().map(|account| {
        let mut tenants: Vec<_> = imburse.tenants_of(&account.slot).collect();
        tenants.sort_by(|a, b| (a.created, &a.tenant_id).cmp(&(b.created, &b.tenant_id)));
        let tenants = tenants.into_iter().map(|tenant| {
            let mut shown = shape::tenant(tenant, &account.account_id, Shape::Current, switches);
            // The sandbox's own word, whatever the switch makes of it on the wire.
            shown["standing"] = Value::from(match tenant.standing() {
                super::state::Standing::Pending => "pending",
                super::state::Standing::Approved => "approved",
                super::state::Standing::Rejected => "rejected",
                super::state::Standing::Deleted => "deleted",
            });
            shown["keys"] = keys(&tenant.ring);
            shown["liveTokens"] = live(&tenant.ring, now);
            shown
        });
        json!({
            "host": account.host,
            "accountId": account.account_id,
            "approvalRequired": account.approval_required,
            "maxTenants": account.max_tenants,
            "tenantUsage": imburse.usage(&account.slot),
            "keys": keys(&account.ring),
            "liveTokens": live(&account.ring, now),
            "tenants": tenants.collect::<Vec<_>>(),
        })
    });
    json!({ "accounts": accounts.collect::<Vec<_>>() })
}

fn live(ring: &Ring, now: jiff::Timestamp) -> Value {
    Value::from(ring.tokens.values().filter(|token| token.expires > now).count())
}

fn keys(ring: &Ring) -> Value {
    let shown = ring.keys().map(|key| {
        json!({
            "identity": key.identity,
            "name": key.name,
            "publicKey": key.public_key,
            "roles": key.roles,
            "created": key.created,
        })
    });
    shown.collect()
}
