//! Imburse Payments: accounts, tenants and their keys, in every generation of paths that the vendor has published.

mod account;
mod caller;
mod edit;
mod hmac;
mod identity;
mod keys;
mod reply;
mod seed;
mod shape;
mod state;
mod switches;
mod tenants;
mod view;

pub(super) use self::edit::{Edit, EditError};
pub(super) use self::reply::{problem, rate_limited};
pub(super) use self::seed::seed;
pub use self::seed::{SeedImburse, SeedImburseError, SeededImburse, SeededPair};
pub(super) use self::state::Imburse;
pub(super) use self::switches::Switches;
pub(super) use self::view::view;

use hyper::Method;

use self::caller::{Caller, Context};
use self::identity::Holder;
use self::keys::Keys;
use self::reply::refusal;
use self::switches::Shape;
use self::tenants::{Form, Names};
use super::call::Call;
use super::reply::Reply;
use super::state::State;
use super::token::hash;

/// `sandbox-api` and `api` are in the documents; customers with an endpoint of their own have another label.
pub(super) const DOMAIN: &str = "imbursepayments.com";

const READ: [&str; 2] = ["account-tenant-read", "account-admin"];
const WRITE: [&str; 2] = ["account-tenant-write", "account-admin"];
const ADMIN: [&str; 1] = ["account-admin"];
const OWN: [&str; 2] = ["tenant-management", "tenant-admin"];
const OWN_KEYS: [&str; 1] = ["tenant-admin"];

/// Answers one call. Everything a call changes is changed when this returns, or nothing is.
pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Reply {
    let path = call.segments();
    if let ("POST", ["v1" | "v2", "identity", "hmac"] | ["identity", "v1", "hmac", "management"]) =
        (call.method.as_str(), path.as_slice())
    {
        return identity::exchange(state, call);
    }
    let Some(caller) = caller::identify(state, call) else { return refusal(call, 401, "UNAUTHORIZED") };
    if let Some(wait) = over_the_rate(state, call, &caller.public_key) {
        return rate_limited(Some(wait), call.now);
    }
    match route(state, call, &caller, &path) {
        Ok(reply) | Err(reply) => reply,
    }
}

/// Who is asking, for the record: a public key.
pub(super) fn claimed(state: &State, call: &Call<'_>) -> Option<String> {
    if let Some(public_key) = identity::claimed(call) {
        return Some(public_key);
    }
    let hash = hash(call.bearer()?);
    let rings = state.imburse.accounts().map(|account| &account.ring);
    let mut rings = rings.chain(state.imburse.tenants().map(|tenant| &tenant.ring));
    rings.find_map(|ring| ring.tokens.get(&hash)).map(|token| token.public_key.clone())
}

/// What a call in a generation of paths is: its names, its shape, the headers it must have.
fn form_of(state: &State, version: &str) -> Form {
    match version {
        "v1" => Form { names: Names::Both, shape: state.switches().imburse.v1_shape },
        _ => Form { names: Names::Current, shape: Shape::Current },
    }
}

const OF_2019: Form = Form { names: Names::Both, shape: Shape::Of2019 };

fn route(state: &mut State, call: &Call<'_>, caller: &Caller, path: &[&str]) -> Result<Reply, Reply> {
    match path {
        // Until mid-2019 every path had the name of its API before it.
        ["management", "v1", "account", "tenants", rest @ ..] => {
            caller.enters(state, call, Context::AccountOf2019)?;
            tenants_of_account(state, call, caller, rest, OF_2019)
        }
        // The brief's own path of 2019; what comes with `keys` there is a tenant's own call.
        ["management", "v1", "tenant", id, "keys", rest @ ..] | ["v1", "tenant", id, "keys", rest @ ..]
            if *id != "keys" =>
        {
            caller.enters(state, call, Context::AccountOf2019)?;
            tenant_keys(state, call, caller, id, rest, Shape::Of2019)
        }
        [version @ ("v1" | "v2"), "account", rest @ ..] => {
            caller.enters(state, call, Context::Account)?;
            let form = form_of(state, version);
            match rest {
                [] => account_itself(state, call, caller, form.shape),
                ["keys", rest @ ..] => {
                    caller.may(call, &ADMIN)?;
                    keys(state, call, &Keys { holder: &caller.holder, shape: Shape::Current, caller }, rest)
                }
                ["tenants", rest @ ..] => tenants_of_account(state, call, caller, rest, form),
                _ => Err(nothing(call)),
            }
        }
        [version @ ("v1" | "v2"), "tenant", rest @ ..] => {
            caller.enters(state, call, Context::Tenant)?;
            let form = form_of(state, version);
            match rest {
                [] => own_tenant(state, call, caller, form),
                ["keys", rest @ ..] => {
                    caller.may(call, &OWN_KEYS)?;
                    keys(state, call, &Keys { holder: &caller.holder, shape: Shape::Current, caller }, rest)
                }
                _ => Err(nothing(call)),
            }
        }
        _ => Err(nothing(call)),
    }
}

fn account_itself(state: &mut State, call: &Call<'_>, caller: &Caller, shape: Shape) -> Result<Reply, Reply> {
    caller.may(call, &ADMIN)?;
    match call.method.as_str() {
        "GET" => account::get(state, call, caller, shape),
        "PUT" => account::update(state, call, caller),
        _ => Err(nothing(call)),
    }
}

fn tenants_of_account(
    state: &mut State,
    call: &Call<'_>,
    caller: &Caller,
    path: &[&str],
    form: Form,
) -> Result<Reply, Reply> {
    if let [id, "keys", rest @ ..] = path {
        return tenant_keys(state, call, caller, id, rest, Shape::Current);
    }
    caller.may(call, if call.method == Method::GET { &READ } else { &WRITE })?;
    match (call.method.as_str(), path) {
        ("GET", []) => tenants::list(state, call, caller, form),
        ("POST", []) => tenants::create(state, call, caller, form),
        ("GET", [id]) => tenants::get(state, call, caller, id, form),
        ("PUT", [id]) => tenants::update(state, call, caller, id, form),
        ("DELETE", [id]) => tenants::delete(state, call, caller, id),
        _ => Err(nothing(call)),
    }
}

fn tenant_keys(
    state: &mut State,
    call: &Call<'_>,
    caller: &Caller,
    id: &str,
    path: &[&str],
    shape: Shape,
) -> Result<Reply, Reply> {
    caller.may(call, if call.method == Method::GET { &READ } else { &WRITE })?;
    keys(state, call, &Keys { holder: &Holder::Tenant(id.to_ascii_lowercase()), shape, caller }, path)
}

fn own_tenant(state: &mut State, call: &Call<'_>, caller: &Caller, form: Form) -> Result<Reply, Reply> {
    caller.may(call, &OWN)?;
    let Holder::Tenant(id) = &caller.holder else { return Err(nothing(call)) };
    match call.method.as_str() {
        "GET" => tenants::get(state, call, caller, id, form),
        "PUT" => tenants::update(state, call, caller, id, form),
        _ => Err(nothing(call)),
    }
}

fn keys(state: &mut State, call: &Call<'_>, keys: &Keys<'_>, path: &[&str]) -> Result<Reply, Reply> {
    match (call.method.as_str(), path) {
        ("GET", []) => keys.list(state, call),
        ("POST", []) => keys.create(state, call),
        ("GET", [key]) => keys.get(state, call, key),
        ("PUT", [key]) => keys.update(state, call, key),
        ("DELETE", [key]) => keys.delete(state, call, key),
        _ => Err(nothing(call)),
    }
}

/// A path that nobody serves.
fn nothing(call: &Call<'_>) -> Reply {
    refusal(call, 404, "ENDPOINT_NOT_FOUND")
}

/// Seconds to wait, where a key has asked too often within a minute.
fn over_the_rate(state: &mut State, call: &Call<'_>, public_key: &str) -> Option<i64> {
    let allowed = u64::from(state.switches().imburse.rate_per_minute);
    let window = state.rates.entry((call.host.to_owned(), public_key.to_owned(), 0)).or_insert((call.now, 0));
    let passed = call.now.duration_since(window.0).as_secs();
    if !(0..60).contains(&passed) {
        *window = (call.now, 0);
    }
    if window.1 >= allowed {
        // A client waits in real seconds, however fast the sandbox's clock runs.
        let speed = i64::from(state.main().clock.speed.max(1));
        return Some(((60 - passed).clamp(1, 60) + speed - 1) / speed);
    }
    window.1 += 1;
    None
}
