//! The exchange of a signature for an access token, under each of its three paths.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::hmac::Signed;
use super::reply::refusal;
use super::state::{Key, Ring, Standing};
use super::switches::Expires;
use super::{Call, Reply};
use crate::sandbox::state::State;

/// Where a key hangs.
#[derive(Clone)]
pub(super) enum Holder {
    /// By slot.
    Account(String),
    /// By id.
    Tenant(String),
}

impl Holder {
    fn ring<'a>(&self, state: &'a State) -> Option<&'a Ring> {
        match self {
            Self::Account(slot) => state.imburse.account(slot).map(|account| &account.ring),
            Self::Tenant(id) => state.imburse.tenant(id).map(|tenant| &tenant.ring),
        }
    }

    pub(super) fn ring_mut<'a>(&self, state: &'a mut State) -> Option<&'a mut Ring> {
        match self {
            Self::Account(slot) => state.imburse.account_mut(slot).map(|account| &mut account.ring),
            Self::Tenant(id) => state.imburse.tenant_mut(id).map(|tenant| &mut tenant.ring),
        }
    }
}

/// The key of this name at this host, with the account it belongs to, unless its tenant is of no use.
fn find<'a>(state: &'a State, host: &str, public_key: &str) -> Option<(Holder, &'a Key, String)> {
    for account in state.imburse.accounts().filter(|account| account.host == host) {
        if let Some(key) = account.ring.key(public_key) {
            return Some((Holder::Account(account.slot.clone()), key, account.account_id.clone()));
        }
    }
    for tenant in state.imburse.tenants() {
        let Some(account) = state.imburse.account(&tenant.account).filter(|account| account.host == host) else {
            continue;
        };
        let usable = match tenant.standing() {
            Standing::Pending | Standing::Approved => true,
            Standing::Rejected | Standing::Deleted => false,
        };
        if let Some(key) = tenant.ring.key(public_key).filter(|_| usable) {
            return Some((Holder::Tenant(tenant.tenant_id.clone()), key, account.account_id.clone()));
        }
    }
    None
}

pub(super) fn exchange(state: &mut State, call: &Call<'_>) -> Reply {
    match try_exchange(state, call) {
        Ok(reply) => reply,
        Err(code) => refusal(call, state.switches().imburse.identity_refusal, code),
    }
}

fn try_exchange(state: &mut State, call: &Call<'_>) -> Result<Reply, &'static str> {
    let value = call.authorization("hmac").ok_or("HMAC_IS_REQUIRED")?;
    let signed = Signed::read(value).ok_or("HMAC_IS_MALFORMED")?;
    // Who has not signed learns nothing: an unknown key and a wrong signature are one answer.
    let (holder, key, account_id) = find(state, call.host, signed.public_key).ok_or("HMAC_SIGNATURE_IS_INVALID")?;
    if !signed.verifies(&key.private_key, call.body) {
        return Err("HMAC_SIGNATURE_IS_INVALID");
    }
    let switches = &state.switches().imburse;
    if !signed.is_timely(call.now, switches.future_seconds) {
        return Err("HMAC_TIMESTAMP_IS_INVALID");
    }
    if holder.ring(state).is_some_and(|ring| ring.has_used(key, signed.nonce)) {
        return Err("HMAC_NONCE_ALREADY_USED");
    }
    let (form, life) = (switches.expires, SignedDuration::from_secs(i64::from(switches.token_seconds.max(1))));
    let expires = call.now.checked_add(life).unwrap_or(Timestamp::MAX);
    let public_key = key.public_key.clone();
    let mut claims = json!({
        "account": account_id, "sid": public_key, "role": key.roles, "jti": crate::sandbox::random::uuid(),
        "aud": "management-api", "iss": "https://openid.imbursepayments.com/", "exp": expires.as_second(),
    });
    if let Holder::Tenant(id) = &holder {
        claims["tenant"] = Value::from(id.as_str());
    }
    let token = call.signer.sign(&claims).map_err(|_| "INTERNAL_ERROR")?;
    let ring = holder.ring_mut(state).ok_or("INTERNAL_ERROR")?;
    ring.issue(&public_key, &token, call.now, expires);
    ring.use_up(&public_key, signed.nonce, call.now);
    let body = json!({ "accessToken": token, "expires": written(expires, form) });
    Ok(Reply::json(201, &body).with("cache-control", "no-store"))
}

/// The end of a token, in each of the forms that the documents print.
fn written(expires: Timestamp, form: Expires) -> Value {
    match form {
        Expires::Seconds => Value::from(expires.as_second()),
        Expires::Milliseconds => Value::from(expires.as_millisecond()),
        Expires::SecondsText => Value::from(expires.as_second().to_string()),
        Expires::MillisecondsText => Value::from(expires.as_millisecond().to_string()),
    }
}

/// The public key that a request says it comes from.
pub(super) fn claimed(call: &Call<'_>) -> Option<String> {
    Signed::read(call.authorization("hmac")?).map(|signed| signed.public_key.chars().take(64).collect())
}
