//! `/api/v1/tenants`: made at the register host, read and settled at their own.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::patch::{self, Change};
use super::reply::{Reply, bad_request, forbidden, problem, unauthorized};
use super::{Call, too_many};
use crate::sandbox::state::{State, Tenant};
use crate::sandbox::switches::LocationForm;
use crate::sandbox::token::hash;

/// Two of the vendor's documents contradict each other about `ap` and `sg`; this is the API specification's table.
pub(super) fn datacenter(region: &str) -> &'static str {
    match region {
        "jp" => "ap-northeast-1",
        "ap" => "ap-southeast-1",
        "sg" => "ap-southeast-2",
        "de" => "eu-central-1",
        "eu" => "eu-west-1",
        "uk" => "eu-west-2",
        _ => "us-east-1",
    }
}

fn shown(tenant: &Tenant, self_host: &str) -> Value {
    let mut body = Map::new();
    body.extend(tenant.features().into_iter().map(|(name, value)| (name, Value::Bool(value))));
    let rest = json!({
        "id": tenant.id,
        "name": tenant.name,
        "hostnames": tenant.hostnames,
        "createdByUser": "",
        "datacenter": datacenter(&tenant.region),
        "region": tenant.region,
        "created": format!("{:.3}", tenant.created),
        "lastUpdated": format!("{:.3}", tenant.last_updated),
        "status": if tenant.disabled { "disabled" } else { "active" },
        "links": { "self": { "href": format!("https://{self_host}/api/v1/tenants/{}", tenant.id) } },
    });
    if let Value::Object(rest) = rest {
        body.extend(rest);
    }
    Value::Object(body)
}

/// A region-level client with its token, at the register host of its region.
pub(super) struct AtRegister {
    pub(super) subscription: String,
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
}

pub(super) fn at_register(state: &State, call: &Call<'_>, region: &str) -> Result<AtRegister, Reply> {
    let bearer = call.bearer().map(hash).ok_or_else(unauthorized)?;
    let mut here = state.subscriptions().filter(|subscription| subscription.region == region);
    let found = here.find_map(|one| one.register_tokens.get(&bearer).map(|token| (&one.id, token)));
    let (subscription, token) = found.filter(|(_, token)| token.expires > call.now).ok_or_else(unauthorized)?;
    let (client, scopes) = (token.client.clone(), token.scopes.clone());
    Ok(AtRegister { subscription: subscription.clone(), client, scopes })
}

pub(super) fn create(state: &mut State, call: &Call<'_>, region: &str) -> Reply {
    let caller = match at_register(state, call, region) {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let Some(subscription) = state.subscription(&caller.subscription) else { return unauthorized() };
    if !caller.scopes.iter().any(|scope| scope == "tenants:create") {
        return forbidden("the token lacks the scope tenants:create");
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(call.body) else {
        return bad_request("the body is not a JSON object");
    };
    if body.keys().any(|name| name != "licenseKey" && name != "datacenter") {
        return bad_request("only licenseKey and datacenter are taken");
    }
    let Some(licence) = body.get("licenseKey").and_then(Value::as_str).filter(|key| !key.is_empty()) else {
        return problem(400, "TENANTS-21", "Missing licenseKey property");
    };
    if body.get("datacenter").is_some_and(|wanted| wanted != datacenter(region)) {
        return bad_request("datacenter is not one of this region");
    }
    if licence != subscription.licence_key {
        return problem(403, "TENANTS-23", "Invalid license error");
    }
    let switches = state.switches();
    let count = state.count(&subscription.id);
    if switches.quota_reached || count >= switches.licence_quota {
        return problem(403, "TENANTS-22", "License quota limit reached");
    }
    let mut tenant = subscription.tenant(call.now);
    tenant.hidden_lists = switches.console_lag;
    if let Some(refusal) = too_many(state, call, &caller.client, 2) {
        return refusal;
    }
    let body = shown(&tenant, call.host);
    state.add(tenant);
    Reply::json(201, &body)
}

pub(super) fn me(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    let path = format!("/api/v1/tenants/{}", caller.tenant);
    Reply::found(
        302,
        match state.switches().tenants_me_location {
            LocationForm::Relative => path,
            LocationForm::Absolute => format!("https://{}{path}", call.host),
            LocationForm::Foreign => format!("https://collector.example{path}"),
        },
    )
}

pub(super) fn get(state: &State, caller: &Caller, id: &str) -> Reply {
    match state.tenant(&caller.tenant).filter(|tenant| tenant.id == id) {
        Some(tenant) => Reply::json(200, &shown(tenant, tenant.host())),
        None => problem(404, "TENANTS-8", "Not found"),
    }
}

/// The shape that this one error has: no status, no trace, and a `meta` that is an object or a list.
fn refused(state: &State, pointer: &str, code: &str, title: &str) -> Reply {
    let meta = json!({ "code": code, "title": title });
    let meta = if state.switches().patch_meta_array { json!([meta]) } else { meta };
    let error = json!({
        "code": "TENANTS-10",
        "title": "Invalid PATCH request",
        "meta": meta,
        "source": { "pointer": pointer },
    });
    Reply::json(400, &json!({ "errors": [error] }))
}

/// All changes or none.
pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    if !caller.admin {
        return forbidden("only TenantAdmin may change a tenant");
    }
    let Some(tenant) = state.tenant(&caller.tenant).filter(|tenant| tenant.id == id) else {
        return problem(404, "TENANTS-8", "Not found");
    };
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let (mut name, mut alias, mut features) = (None, None, tenant.features());
    for Change { op, path, value } in changes {
        if op != "replace" {
            return refused(state, &path, "TENANTS-11", "Only replace is supported");
        }
        match (path.as_str(), value) {
            ("/name", Value::String(text)) if !text.trim().is_empty() => name = Some(text),
            ("/hostnames/1", Value::String(text)) => match check_alias(state, tenant, &text) {
                Ok(host) => alias = Some(host),
                Err((code, title)) => return refused(state, &path, code, title),
            },
            (path, Value::Bool(value)) if features.contains_key(path.trim_start_matches('/')) => {
                features.insert(path.trim_start_matches('/').to_owned(), value);
            }
            (path, _) => return refused(state, path, "TENANTS-12", "The path or its value is not allowed"),
        }
    }
    if let Some(tenant) = state.tenant_mut(id) {
        tenant.features = features;
        tenant.last_updated = call.now;
        if let Some(name) = name {
            tenant.name = name;
        }
    }
    if let Some(alias) = alias {
        state.set_alias(id, &alias);
    }
    Reply::empty(204)
}

/// The host in lower case, where this tenant may have it as its alias.
pub(in crate::sandbox) fn check_alias(
    state: &State,
    tenant: &Tenant,
    wanted: &str,
) -> Result<String, (&'static str, &'static str)> {
    let host = wanted.to_ascii_lowercase();
    let Some(label) = host.strip_suffix(&format!(".{}.qlikcloud.com", tenant.region)) else {
        return Err(("TENANTS-13", "Hostname should be a subdomain of the region's domain"));
    };
    if !(3..=63).contains(&label.len()) {
        return Err(("TENANTS-14", "Subdomain should be between 3 and 63 characters"));
    }
    let plain = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || label.starts_with('-') || label.ends_with('-') {
        return Err(("TENANTS-15", "Subdomain should have letters, digits and inner hyphens only"));
    }
    let taken = &state.switches().alias_taken;
    let elsewhere = state.tenant_at(&host).is_some_and(|other| other.id != tenant.id);
    let system = tenant.host() == host;
    let reserved = ["register", "console", "api"].contains(&label);
    if elsewhere || system || reserved || taken.contains(label) || taken.contains(&host) {
        return Err(("TENANTS-16", "Hostname is already in use"));
    }
    Ok(host)
}
