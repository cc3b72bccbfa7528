//! `/api/v1/licenses/assignments`, `settings` and `consumption`: who of a tenant has which seat of the subscription.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::caller::Caller;
use super::licences::units;
use super::list::{self, Page};
use super::reply::{Reply, licence_problem};
use super::scim::{self, Attributes, Filter, Operator::Co, Operator::Eq, TIME};
use crate::sandbox::people::Seat;
use crate::sandbox::state::{State, Tenant};

fn invalid(title: &str) -> Reply {
    licence_problem(400, title)
}

fn tenant<'a>(state: &'a State, caller: &Caller) -> Result<&'a Tenant, Reply> {
    if !caller.admin {
        return Err(licence_problem(403, "Forbidden"));
    }
    state.tenant(&caller.tenant).ok_or_else(|| licence_problem(404, "Not found"))
}

const ATTRIBUTES: &Attributes = &[("subject", &[Eq, Co]), ("type", &[Eq]), ("created", TIME)];
const SORTS: [&str; 3] = ["subject", "type", "created"];

/// What both lists are asked: pages, whose cursor is called `page` and goes forward only, a filter and an order.
struct Question {
    page: Page,
    filter: Option<Filter>,
    sort: String,
    /// Only seats of people who are not in the tenant.
    orphans: bool,
}

fn question(call: &Call<'_>, limit_max: usize) -> Result<Question, Reply> {
    let page = Page::new("page", "").limited_to(limit_max);
    let mut asked = Question { page, filter: None, sort: "subject".to_owned(), orphans: false };
    for (name, value) in call.query() {
        match name.as_str() {
            "filter" => asked.filter = Some(scim::read(&value, ATTRIBUTES)?),
            "sort" => asked.sort = value,
            "orphans" => asked.orphans = value.eq_ignore_ascii_case("true"),
            other => asked.page.read(other, &value)?,
        }
    }
    Ok(asked)
}

pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    let found = tenant(state, caller).and_then(|tenant| {
        let Question { page, filter, sort, orphans } = question(call, 100)?;
        let value = |(subject, seat): &(&String, &Seat), attribute: &str| match attribute {
            "subject" => vec![(*subject).clone()],
            "type" => vec![seat.kind.clone()],
            "created" => vec![format!("{:.3}", seat.created)],
            _ => Vec::new(),
        };
        let is_orphan = |subject: &String| tenant.users.values().all(|user| user.subject != *subject);
        let mut seats: Vec<(&String, &Seat)> = tenant
            .seats
            .iter()
            .filter(|seat| filter.as_ref().is_none_or(|filter| filter.passes(&|name: &str| value(seat, name))))
            .filter(|(subject, _)| !orphans || is_orphan(subject))
            .collect();
        list::order(&mut seats, &sort, &SORTS, value)?;
        let shown = |(subject, seat): (&String, &Seat)| {
            let item = json!({
                "subject": subject, "type": seat.kind, "created": format!("{:.3}", seat.created), "excess": false,
            });
            (subject.clone(), item)
        };
        Ok(list::paged(state, call, &page, seats.into_iter().map(shown).collect()))
    });
    found.unwrap_or_else(|refusal| refusal)
}

/// Nobody opens an app here, so nothing is ever consumed.
pub(super) fn consumption(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    const NOTHING: &Attributes = &[("userId", &[Eq]), ("appId", &[Eq]), ("sessionStart", TIME), ("endTime", TIME)];
    let found = tenant(state, caller).and_then(|_| {
        let mut page = Page::new("page", "").limited_to(200);
        for (name, value) in call.query() {
            match name.as_str() {
                "filter" => drop(scim::read(&value, NOTHING)?),
                "sort" => {}
                other => page.read(other, &value)?,
            }
        }
        Ok(list::paged(state, call, &page, Vec::new()))
    });
    found.unwrap_or_else(|refusal| refusal)
}

pub(super) fn settings(state: &State, caller: &Caller) -> Reply {
    match tenant(state, caller) {
        Ok(tenant) => Reply::json(200, &shown_settings(tenant)),
        Err(refusal) => refusal,
    }
}

fn shown_settings(tenant: &Tenant) -> Value {
    json!({
        "autoAssignAnalyzer": tenant.auto_assign.analyzer,
        "autoAssignProfessional": tenant.auto_assign.professional,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    auto_assign_analyzer: Option<bool>,
    auto_assign_professional: Option<bool>,
}

pub(super) fn put_settings(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    if let Err(refusal) = tenant(state, caller) {
        return refusal;
    }
    let Ok(wanted) = serde_json::from_slice::<Settings>(call.body) else {
        return invalid("the body has autoAssignAnalyzer and autoAssignProfessional, and nothing else");
    };
    let Some(tenant) = state.tenant_mut(&caller.tenant) else { return licence_problem(404, "Not found") };
    let settings = &mut tenant.auto_assign;
    settings.analyzer = wanted.auto_assign_analyzer.unwrap_or(settings.analyzer);
    settings.professional = wanted.auto_assign_professional.unwrap_or(settings.professional);
    Reply::json(200, &shown_settings(tenant))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    subject: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    source_type: Option<String>,
    source_subject: Option<String>,
    /// Deprecated; older clients send them.
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "userId")]
    _user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    add: Option<Vec<Entry>>,
    delete: Option<Vec<Entry>>,
    update: Option<Vec<Entry>>,
}

/// 207 whatever became of each: every entry has a status of its own.
pub(super) fn change(state: &mut State, call: &Call<'_>, caller: &Caller, verb: &str) -> Reply {
    if let Err(refusal) = tenant(state, caller) {
        return refusal;
    }
    let entries = match (verb, serde_json::from_slice::<Change>(call.body)) {
        ("add", Ok(Change { add: Some(entries), delete: None, update: None }))
        | ("delete", Ok(Change { add: None, delete: Some(entries), update: None }))
        | ("update", Ok(Change { add: None, delete: None, update: Some(entries) })) => entries,
        _ => return invalid(&format!("the body has {verb}, a list, and nothing else")),
    };
    let outcome = |entry: &Entry| match verb {
        "add" => add(state, call, caller, entry),
        "delete" => delete(state, caller, entry),
        _ => update(state, call, caller, entry),
    };
    let data: Vec<Value> = entries.iter().map(outcome).collect();
    Reply::json(207, &json!({ "data": data }))
}

fn done(entry: &Entry, status: u16) -> Value {
    let mut item = json!({ "status": status, "subject": entry.subject });
    for (name, value) in
        [("type", &entry.kind), ("sourceType", &entry.source_type), ("sourceSubject", &entry.source_subject)]
    {
        if let Some(value) = value {
            item[name] = json!(value);
        }
    }
    item
}

fn refused(entry: &Entry, status: u16, code: &str, title: &str) -> Value {
    let mut item = done(entry, status);
    item["code"] = json!(code);
    item["title"] = json!(title);
    item
}

fn full(entry: &Entry) -> Value {
    refused(entry, 403, "LICENSES-011", "No available allotment error, No available allotment.")
}

fn nobody(entry: &Entry) -> Value {
    refused(entry, 404, "LICENSES-016", "Assignment not found.")
}

fn kind(entry: &Entry) -> Result<&str, Value> {
    let named = entry.kind.as_deref().filter(|kind| ["professional", "analyzer"].contains(kind));
    named.ok_or_else(|| refused(entry, 400, "LICENSES-400", "type is professional or analyzer"))
}

/// Whether the subscription has a seat of this kind left, over all its tenants.
fn has_room(state: &State, caller: &Caller, kind: &str) -> bool {
    let subscription = state.tenant(&caller.tenant).map(|tenant| tenant.subscription.as_str());
    subscription.is_some_and(|id| {
        let (all, used) = units(state, id, kind);
        used < all
    })
}

fn add(state: &mut State, call: &Call<'_>, caller: &Caller, entry: &Entry) -> Value {
    let kind = match kind(entry) {
        Ok(kind) => kind.to_owned(),
        Err(refusal) => return refusal,
    };
    if state.tenant(&caller.tenant).is_some_and(|tenant| tenant.seats.contains_key(&entry.subject)) {
        return refused(entry, 409, "LICENSES-409", "The user has an assignment already.");
    }
    if !has_room(state, caller, &kind) {
        return full(entry);
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.seats.insert(entry.subject.clone(), Seat { kind, created: call.now });
    }
    done(entry, 201)
}

fn delete(state: &mut State, caller: &Caller, entry: &Entry) -> Value {
    let wanted = kind(entry).ok();
    let held = state.tenant(&caller.tenant).and_then(|tenant| tenant.seats.get(&entry.subject));
    if held.is_none_or(|seat| wanted != Some(seat.kind.as_str())) {
        return nobody(entry);
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.seats.remove(&entry.subject);
    }
    done(entry, 200)
}

/// Another kind of seat for the same person, or the same seat for another.
fn update(state: &mut State, call: &Call<'_>, caller: &Caller, entry: &Entry) -> Value {
    let holder = entry.source_subject.as_ref().unwrap_or(&entry.subject).clone();
    let held = state.tenant(&caller.tenant).and_then(|tenant| tenant.seats.get(&holder));
    let Some(held) = held.filter(|seat| entry.source_type.as_ref().is_none_or(|kind| *kind == seat.kind)) else {
        return nobody(entry);
    };
    let (old, created) = (held.kind.clone(), held.created);
    let new = match entry.kind.is_some().then(|| kind(entry)) {
        None => old.clone(),
        Some(Ok(kind)) => kind.to_owned(),
        Some(Err(refusal)) => return refusal,
    };
    if new != old && !has_room(state, caller, &new) {
        return full(entry);
    }
    let moved = holder != entry.subject;
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.seats.remove(&holder);
        let created = if moved { call.now } else { created };
        tenant.seats.insert(entry.subject.clone(), Seat { kind: new, created });
    }
    done(entry, if moved { 201 } else { 200 })
}
