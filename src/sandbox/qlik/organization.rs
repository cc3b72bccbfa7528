//! The console host: what an organization sees of all its tenants, in all regions.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::hosts::CONSOLE;
use super::list::{self, InBody, Page};
use super::reply::{Reply, bad_request, forbidden, not_found, problem, unauthorized};
use super::scim::{self, Attributes, Filter, Operator};
use super::tenants::datacenter;
use super::{Call, oauth, too_many};
use crate::model::secret::hex;
use crate::sandbox::state::{State, Subscription, Tenant};
use crate::sandbox::switches::{ConsoleLinks, Envelope};
use crate::sandbox::token::hash;

const EQ: &[Operator] = &[Operator::Eq];
const EQ_NE: &[Operator] = &[Operator::Eq, Operator::Ne];
const ORDERED: &[Operator] = &[Operator::Eq, Operator::Ne, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];
const ATTRIBUTES: &Attributes = &[
    ("subscriptionId", EQ),
    ("name", EQ),
    ("hostnames", EQ),
    ("id", EQ),
    ("originalId", EQ),
    ("regionCode", EQ_NE),
    ("status", EQ_NE),
    ("countryCode", EQ_NE),
    ("createdAt", ORDERED),
    ("updatedAt", ORDERED),
];

const SORTS: [&str; 8] =
    ["name", "regionCode", "countryCode", "hostnames", "createdAt", "updatedAt", "status", "subscriptionId"];

pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Reply {
    let path = call.segments();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["oauth", "token"]) => return oauth::token_at_console(state, call),
        ("POST", ["oauth", "revoke"]) => return oauth::revoke_at_console(state, call),
        _ => {}
    }
    let Some(client) = caller(state, call) else { return unauthorized() };
    let tier = if call.method == hyper::Method::GET { 1 } else { 2 };
    if let Some(refusal) = too_many(state, call, &client, tier) {
        return refusal;
    }
    let ["api", "core", "tenants", rest @ ..] = path.as_slice() else { return not_found() };
    let outcome = match (call.method.as_str(), rest) {
        ("GET", []) => list(state, call, None),
        ("GET", ["actions", "count"]) => count(state, call),
        ("POST", ["actions", "filter"]) => match serde_json::from_slice(call.body) {
            Ok(InBody { filter: Some(filter) }) => list(state, call, Some(filter)),
            Ok(InBody { filter: None }) | Err(_) => Err(bad_request("the body has a filter, and nothing else")),
        },
        ("GET", [id]) => get(state, call, id),
        _ => Err(not_found()),
    };
    outcome.unwrap_or_else(|refusal| refusal)
}

fn caller(state: &State, call: &Call<'_>) -> Option<String> {
    let hash = hash(call.bearer()?);
    let tokens = &state.main().organization.as_ref()?.tokens;
    tokens.get(&hash).filter(|token| token.expires > call.now).map(|token| token.client.clone())
}

/// ISO 3166, as the vendor has its regions.
fn country(region: &str) -> &'static str {
    match region {
        "jp" => "JP",
        "ap" => "AU",
        "sg" => "SG",
        "de" => "DE",
        "eu" => "IE",
        "uk" => "GB",
        _ => "US",
    }
}

fn shown(state: &State, subscription: &Subscription, tenant: &Tenant) -> Value {
    let status = if tenant.disabled { state.switches().console_disabled.as_str() } else { "active" };
    let mut item = json!({
        "id": tenant.id,
        "name": tenant.name,
        "hostnames": tenant.hostnames,
        "status": status,
        "regionCode": datacenter(&tenant.region),
        "countryCode": country(&tenant.region),
        "createdAt": format!("{:.3}", tenant.created),
        "updatedAt": format!("{:.3}", tenant.last_updated),
        "createdBy": "",
        "licenseNumber": subscription.licence_number,
        "subscriptionId": subscription.licence_number,
    });
    if let Some(purge) = tenant.purge_at {
        item["deletionStartsAt"] = json!(format!("{purge:.3}"));
    }
    item
}

/// What is remembered of a tenant that is gone.
pub(in crate::sandbox) fn tombstone(state: &State, tenant: &Tenant, now: jiff::Timestamp) -> Option<Value> {
    let mut item = shown(state, state.subscription(&tenant.subscription)?, tenant);
    item["status"] = json!("deleted");
    item["updatedAt"] = json!(format!("{now:.3}"));
    Some(item)
}

/// Everything that is on the list by now, oldest first: tenants of every subscription, and those that are gone where
/// a switch says so.
fn items(state: &State) -> Vec<Value> {
    let mut tenants: Vec<&Tenant> = state.tenants().filter(|tenant| tenant.hidden_lists == 0).collect();
    tenants.sort_by_key(|tenant| (tenant.created, &tenant.id));
    let present = tenants.into_iter().filter_map(|tenant| {
        state.subscription(&tenant.subscription).map(|subscription| shown(state, subscription, tenant))
    });
    let gone = state.main().organization.iter().flat_map(|organization| organization.deleted.values()).cloned();
    if state.switches().console_lists_deleted { gone.chain(present).collect() } else { present.collect() }
}

fn values(item: &Value, attribute: &str) -> Vec<String> {
    let attribute = if attribute == "originalId" { "id" } else { attribute };
    match &item[attribute] {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// The reference calls `subscriptionId` required in a filter, and another customer's is forbidden.
fn read_filter(state: &State, text: &str) -> Result<Filter, Reply> {
    let filter = scim::read(text, ATTRIBUTES)?;
    let comparisons = filter.comparisons();
    let named = || comparisons.iter().filter(|(attribute, _)| *attribute == "subscriptionId");
    let owned = |id: &str| state.subscriptions().any(|one| one.licence_number == id);
    if named().any(|(_, id)| !owned(id)) {
        return Err(forbidden("the subscription is not one of this organization"));
    }
    let binding = |part: &Filter| part.comparisons().iter().all(|(attribute, _)| *attribute == "subscriptionId");
    if state.switches().console_needs_subscription && !filter.conjuncts().iter().any(binding) {
        return Err(bad_request("filter: subscriptionId is required"));
    }
    Ok(filter)
}

/// A cursor is an id of the list's own, not of the tenant.
fn cursor(item: &Value) -> String {
    let id = item["id"].as_str().unwrap_or_default();
    hex(&Sha256::digest(format!("organization/{id}"))).chars().take(24).collect()
}

fn list(state: &mut State, call: &Call<'_>, in_body: Option<String>) -> Result<Reply, Reply> {
    let mut page = Page::new("next", "prev").limited_from_nothing();
    let (mut filter, mut sort) = (in_body.clone(), None);
    for (name, value) in call.query() {
        match name.as_str() {
            "filter" if in_body.is_none() => filter = Some(value),
            "sort" => sort = Some(value),
            "totalResults" => page.count(&value)?,
            other => page.read(other, &value)?,
        }
    }
    let filter = filter.map(|text| read_filter(state, &text)).transpose()?;
    let mut found = items(state);
    found.retain(|item| filter.as_ref().is_none_or(|filter| filter.passes(&|name: &str| values(item, name))));
    if let Some(sort) = sort {
        list::order(&mut found, &sort, &SORTS, values)?;
    }
    let page = match state.switches().console_links {
        ConsoleLinks::Api => page.linking("https://api.qlikcloud.com/core/tenants", "next"),
        ConsoleLinks::Offset => page.linking("https://console.qlikcloud.com/api/core/tenants", "offset"),
    };
    let reply = list::paged(state, call, &page, found.into_iter().map(|item| (cursor(&item), item)).collect());
    let lagging: Vec<String> = state.tenants().filter(|one| one.hidden_lists > 0).map(|one| one.id.clone()).collect();
    for id in lagging {
        if let Some(tenant) = state.tenant_mut(&id) {
            tenant.hidden_lists -= 1;
        }
    }
    Ok(reply)
}

fn count(state: &State, call: &Call<'_>) -> Result<Reply, Reply> {
    let filter = call.query().find(|(name, _)| name == "filter").map(|(_, value)| value);
    let filter = read_filter(state, &filter.ok_or_else(|| bad_request("filter: subscriptionId is required"))?)?;
    let total = items(state).iter().filter(|item| filter.passes(&|name: &str| values(item, name))).count();
    Ok(Reply::json(200, &json!({ "total": total })))
}

fn get(state: &State, call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    let item = items(state).into_iter().find(|item| item["id"] == id);
    let item = item.ok_or_else(|| problem(404, "TENANTS-8", "Not found"))?;
    let own = format!("https://{CONSOLE}{}", call.path);
    Ok(Reply::json(
        200,
        &match state.switches().console_get {
            Envelope::List => json!({ "data": [item], "links": { "self": { "href": own } } }),
            Envelope::Plain => item,
        },
    ))
}
