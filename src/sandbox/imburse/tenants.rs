//! Tenants as their account sees them and as they see themselves: paged, made with a flat address, approved by people, never quite deleted.

use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::reply::{missing, refusal};
use super::shape;
use super::state::{Address, Standing, Tenant};
use super::switches::{Search, Shape};
use super::{Call, Reply};
use crate::sandbox::state::State;

/// Flat, and both names of the second line are taken: which one was sent is looked at before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    street_address: Option<String>,
    #[serde(default)]
    extended_address: Option<String>,
    #[serde(default)]
    extended_street_address: Option<String>,
    #[serde(default)]
    locality: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    post_code: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

/// Which names a path takes. Under `v2` only today's; before, both, as the documents of then and now have them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Current,
    Both,
}

impl Body {
    fn read(call: &Call<'_>, names: Names) -> Result<(String, Address), Reply> {
        let invalid = || refusal(call, 400, "BODY_IS_INVALID");
        let body: Self = serde_json::from_slice(call.body).map_err(|_| invalid())?;
        let old = body.extended_street_address.is_some();
        if old && (names == Names::Current || body.extended_address.is_some()) {
            return Err(invalid());
        }
        let name = body.name.filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| refusal(call, 400, "TENANT_NAME_IS_REQUIRED"))?;
        let address = Address {
            street_address: body.street_address,
            extended_address: body.extended_address.or(body.extended_street_address),
            locality: body.locality,
            region: body.region,
            post_code: body.post_code,
            country: body.country,
        };
        Ok((name, address))
    }
}

/// How a path reads and writes tenants.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) names: Names,
    pub(super) shape: Shape,
}

pub(super) fn list(state: &mut State, call: &Call<'_>, caller: &Caller, form: Form) -> Result<Reply, Reply> {
    let switches = state.switches().imburse.clone();
    let (mut from, mut take, mut search) = (0_usize, 20_usize, String::new());
    for (name, value) in call.query() {
        let number = value.parse::<usize>().ok();
        match (name.as_str(), number) {
            ("from", Some(number)) => from = number,
            ("take", Some(number)) if number > 0 => take = number.min(switches.max_take.max(1)),
            ("name", _) => search = value.to_lowercase(),
            _ => return Err(refusal(call, 400, "QUERY_IS_INVALID")),
        }
    }
    let fits = |tenant: &&Tenant| {
        let name = tenant.name.to_lowercase();
        let named = match switches.name_search {
            Search::Substring => name.contains(&search),
            Search::Prefix => name.starts_with(&search),
        };
        named && tenant.hidden_lists == 0 && (switches.lists_deleted || tenant.standing() != Standing::Deleted)
    };
    let mut found: Vec<&Tenant> = state.imburse.tenants_of(&caller.account).filter(fits).collect();
    found.sort_by(|a, b| (a.created, &a.tenant_id).cmp(&(b.created, &b.tenant_id)));
    let rows = found.len();
    let page = found.into_iter().skip(from).take(take);
    let results: Vec<Value> =
        page.map(|tenant| shape::tenant(tenant, &caller.account_id, form.shape, &switches)).collect();
    let first = usize::try_from(switches.first_page).unwrap_or_default();
    let body = json!({
        "currentPage": from / take + first,
        "pageCount": rows.div_ceil(take),
        "pageSize": take,
        "rowCount": rows,
        "results": results,
    });
    let hidden = state.imburse.tenants_of(&caller.account).filter(|tenant| tenant.hidden_lists > 0);
    let hidden: Vec<String> = hidden.map(|tenant| tenant.tenant_id.clone()).collect();
    for id in hidden {
        if let Some(tenant) = state.imburse.tenant_mut(&id) {
            tenant.hidden_lists -= 1;
        }
    }
    Ok(Reply::json(200, &body))
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller, form: Form) -> Result<Reply, Reply> {
    let (name, address) = Body::read(call, form.names)?;
    let switches = state.switches().imburse.clone();
    let nowhere = || refusal(call, 404, "ACCOUNT_NOT_FOUND");
    let account = state.imburse.account(&caller.account).ok_or_else(nowhere)?;
    if account.max_tenants >= 0 && state.imburse.usage(&account.slot) >= account.max_tenants {
        return Err(refusal(call, 400, "LICENSE_MAX_TENANTS_REACHED"));
    }
    let mut tenant = Tenant::new(account, name, address, &caller.public_key, call.now);
    tenant.hidden_lists = switches.tenant_list_lag;
    let body = shape::tenant(&tenant, &caller.account_id, form.shape, &switches);
    state.imburse.add_tenant(tenant);
    Ok(Reply::json(switches.tenant_created, &body))
}

/// A tenant of the caller's account, unless it is deleted and nobody is to see that.
fn find<'a>(state: &'a State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<&'a Tenant, Reply> {
    let tenant = state.imburse.tenant(id).filter(|tenant| tenant.account == caller.account);
    let seen = |tenant: &&Tenant| tenant.standing() != Standing::Deleted || state.switches().imburse.lists_deleted;
    tenant.filter(seen).ok_or_else(|| missing(state, call, "TENANT_NOT_FOUND"))
}

pub(super) fn get(state: &State, call: &Call<'_>, caller: &Caller, id: &str, form: Form) -> Result<Reply, Reply> {
    let tenant = find(state, call, caller, id)?;
    let body = shape::tenant(tenant, &caller.account_id, form.shape, &state.switches().imburse);
    Ok(Reply::json(200, &body))
}

pub(super) fn update(
    state: &mut State,
    call: &Call<'_>,
    caller: &Caller,
    id: &str,
    form: Form,
) -> Result<Reply, Reply> {
    let tenant = find(state, call, caller, id)?;
    if tenant.standing() == Standing::Deleted {
        return Err(missing(state, call, "TENANT_NOT_FOUND"));
    }
    let (name, address) = Body::read(call, form.names)?;
    if let Some(tenant) = state.imburse.tenant_mut(id) {
        (tenant.name, tenant.address) = (name, address);
    }
    Ok(Reply::empty(202))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
    let tenant = find(state, call, caller, id)?;
    if tenant.standing() == Standing::Deleted {
        return Err(missing(state, call, "TENANT_NOT_FOUND"));
    }
    // "A Tenant cannot be deleted once created", says the page that lists the function.
    if !state.switches().imburse.tenant_delete {
        return Err(refusal(call, 405, "SERVICE_UNAVAILABLE"));
    }
    if let Some(tenant) = state.imburse.tenant_mut(id) {
        tenant.deleted = Some((call.now, caller.public_key.clone()));
        tenant.ring.tokens.clear();
    }
    Ok(Reply::empty(204))
}
