//! Collections that are stored and listed, and nothing else: one table of fields, filters and rights for each.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::list::{self, Page};
use super::reply::{Reply, forbidden, problem_with_detail};
use super::scim::{self, Attributes};
use super::{Call, patch};
use crate::sandbox::people::Thing;
use crate::sandbox::random;
use crate::sandbox::state::{State, Tenant};

/// What is taken for a field's value.
pub(super) enum Form {
    Text,
    /// At most so many characters, and none of these.
    Name(usize, &'static str),
    Flag,
    Number,
    Object,
    Texts,
    OneOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
}

impl Form {
    fn takes(&self, value: &Value) -> bool {
        let texts = |takes: &dyn Fn(&str) -> bool| {
            value.as_array().is_some_and(|all| all.iter().all(|one| one.as_str().is_some_and(takes)))
        };
        match self {
            Self::Text => value.is_string(),
            Self::Name(most, never) => value.as_str().is_some_and(|text| {
                !text.trim().is_empty() && text.chars().count() <= *most && !text.chars().any(|one| never.contains(one))
            }),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_u64(),
            Self::Object => value.is_object(),
            Self::Texts => texts(&|_| true),
            Self::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::SomeOf(words) => {
                value.as_array().is_some_and(|all| !all.is_empty()) && texts(&|text| words.contains(&text))
            }
        }
    }
}

/// When a field is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It must be there when the thing is made.
    Required,
    Created,
    /// When it is made, and changed later.
    Both,
    /// Required, and changed later.
    Always,
    Changed,
}

pub(super) type Field = (&'static str, Form, When);

/// How a query parameter picks.
pub(super) enum Pick {
    Equal,
    Contains,
    /// One of several, with commas between them.
    AnyOf,
}

pub(super) struct Kind {
    /// Its place in the path of the API, below that of what it belongs to.
    pub(super) name: &'static str,
    /// What its codes of errors begin with.
    pub(super) code: &'static str,
    pub(super) fields: &'static [Field],
    /// No two of a collection have the same in all of these.
    pub(super) unique: &'static [&'static str],
    pub(super) picks: &'static [(&'static str, Pick)],
    /// What a `filter` may ask about, where there is one.
    pub(super) attributes: &'static Attributes,
    /// The first is the order of a list that nobody sorts.
    pub(super) sorts: &'static [&'static str],
    pub(super) ops: &'static [&'static str],
    /// 200 with what there is now, or 204.
    pub(super) changed: u16,
    /// Whether a list says how many there are.
    pub(super) counts: bool,
    /// What else must be so of a thing's fields.
    pub(super) check: fn(&Tenant, &Map<String, Value>) -> Result<(), &'static str>,
    /// Who may read one. Every change is for `TenantAdmin`.
    pub(super) readable: fn(&Tenant, &Caller, &str, &Thing) -> bool,
    /// Whether others hear 403 for the whole collection.
    pub(super) closed: bool,
    pub(super) shown: fn(&Seen<'_>) -> Value,
}

/// A thing, with what there is to say of it.
pub(super) struct Seen<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) caller: &'a Caller,
    pub(super) thing: &'a Thing,
    pub(super) id: &'a str,
    /// Where it is, as a URL.
    pub(super) place: String,
}

impl Seen<'_> {
    /// The fields as they were said, beside what is there already.
    pub(super) fn say(&self, body: &mut Value) {
        if let Value::Object(body) = body {
            body.extend(self.thing.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

/// A collection: the things of a kind, in a tenant or below another thing.
pub(super) struct Collection {
    pub(super) kind: &'static Kind,
    /// What it is below: empty, or like `spaces/ID/`.
    pub(super) below: String,
}

impl Collection {
    pub(super) fn of(kind: &'static Kind) -> Self {
        Self { kind, below: String::new() }
    }

    pub(super) fn below(kind: &'static Kind, parent: &Kind, id: &str) -> Self {
        Self { kind, below: format!("{}/{id}/", parent.name) }
    }

    /// What its things have before their ids on the tenant's shelf.
    fn path(&self) -> String {
        format!("{}{}/", self.below, self.kind.name)
    }

    pub(super) fn problem(&self, status: u16, title: &str, detail: &str) -> Reply {
        problem_with_detail(status, &format!("{}-{status}", self.kind.code), title, detail)
    }

    pub(super) fn invalid(&self, detail: &str) -> Reply {
        self.problem(400, "Bad request", detail)
    }

    fn missing(&self) -> Reply {
        self.problem(404, "Not found", "There is no such thing")
    }

    /// The tenant, where the caller may read there, or change something.
    pub(super) fn tenant<'a>(&self, state: &'a State, caller: &Caller, change: bool) -> Result<&'a Tenant, Reply> {
        if !caller.admin && (change || self.kind.closed) {
            return Err(forbidden(&format!("only TenantAdmin may do this to {}", self.kind.name)));
        }
        let tenant = state.tenant(&caller.tenant).ok_or_else(|| self.missing())?;
        let parent = self.below.trim_end_matches('/');
        if parent.is_empty() || tenant.things.contains_key(parent) { Ok(tenant) } else { Err(self.missing()) }
    }

    pub(super) fn find<'a>(&self, tenant: &'a Tenant, caller: &Caller, id: &str) -> Result<&'a Thing, Reply> {
        let thing = tenant.things.get(&(self.path() + id)).filter(|_| !id.contains('/'));
        thing.filter(|thing| (self.kind.readable)(tenant, caller, id, thing)).ok_or_else(|| self.missing())
    }

    fn show(&self, call: &Call<'_>, tenant: &Tenant, caller: &Caller, id: &str, thing: &Thing) -> Value {
        let place = format!("https://{}/api/v1/{}{id}", call.host, self.path());
        (self.kind.shown)(&Seen { tenant, caller, thing, id, place })
    }

    /// What a caller has said, field by field.
    fn read(&self, body: &[u8], made: bool) -> Result<Map<String, Value>, Reply> {
        let body = serde_json::from_slice(body).map_err(|_| self.invalid("the body is not a JSON object"))?;
        let Value::Object(mut body) = body else { return Err(self.invalid("the body is not a JSON object")) };
        body.retain(|_, value| !value.is_null());
        for (name, value) in &body {
            self.check(name, value, made)?;
        }
        let required = |when: When| made && matches!(when, When::Required | When::Always);
        match self.kind.fields.iter().find(|(name, _, when)| required(*when) && !body.contains_key(*name)) {
            Some((name, ..)) => Err(self.invalid(&format!("{name} is required"))),
            None => Ok(body),
        }
    }

    fn check(&self, name: &str, value: &Value, made: bool) -> Result<(), Reply> {
        let said = |when: When| match when {
            When::Required | When::Created => made,
            When::Both | When::Always => true,
            When::Changed => !made,
        };
        match self.kind.fields.iter().find(|(known, _, when)| *known == name && said(*when)) {
            Some((_, form, _)) if form.takes(value) => Ok(()),
            Some(_) => Err(self.invalid(&format!("{name} has another form"))),
            None => Err(self.invalid(&format!("{name} is not taken here"))),
        }
    }

    /// Whether a thing may be there with these fields.
    fn fits(&self, tenant: &Tenant, id: &str, fields: &Map<String, Value>) -> Result<(), Reply> {
        (self.kind.check)(tenant, fields).map_err(|detail| self.invalid(detail))?;
        let same = |other: &Thing| self.kind.unique.iter().all(|name| other.fields.get(*name) == fields.get(*name));
        let path = self.path();
        let mut others = tenant.things.below(&path).filter(|(other, _)| *other != id);
        if !self.kind.unique.is_empty() && others.any(|(_, other)| same(other)) {
            return Err(self.problem(409, "Conflict", &format!("{} is taken", self.kind.unique.join(" and "))));
        }
        Ok(())
    }

    pub(super) fn list(&self, state: &State, call: &Call<'_>, caller: &Caller) -> Result<Reply, Reply> {
        let tenant = self.tenant(state, caller, false)?;
        let mut page = Page::new("next", "prev");
        let mut filter = None;
        let (mut sort, mut picks) = (self.kind.sorts.first().copied().unwrap_or_default().to_owned(), Vec::new());
        for (name, value) in call.query() {
            match self.kind.picks.iter().find(|(known, _)| *known == name) {
                Some((name, pick)) => picks.push((*name, pick, value)),
                None if name == "sort" => sort = value,
                None if name == "filter" && !self.kind.attributes.is_empty() => {
                    filter = Some(scim::read(&value, self.kind.attributes)?);
                }
                None if name == "totalResults" => page.count(&value)?,
                None => page.read(&name, &value)?,
            }
        }
        let text = |thing: &Thing, id: &str, name: &str| match name {
            "createdAt" | "created" => format!("{:.3}", thing.created),
            "updatedAt" => format!("{:.3}", thing.updated),
            "clientId" | "id" => id.to_owned(),
            "tenantId" => tenant.id.clone(),
            "createdByType" => "user".to_owned(),
            _ => match thing.fields.get(name) {
                Some(Value::String(text)) => text.clone(),
                other => other.map(Value::to_string).unwrap_or_default(),
            },
        };
        let picked = |id: &str, thing: &Thing| {
            picks.iter().all(|(name, pick, wanted)| {
                let has = text(thing, id, name);
                match pick {
                    Pick::Equal => has == *wanted,
                    Pick::Contains => has.to_lowercase().contains(&wanted.to_lowercase()),
                    Pick::AnyOf => wanted.split(',').any(|one| one == has),
                }
            })
        };
        let path = self.path();
        let readable = |id: &str, thing: &Thing| {
            (self.kind.readable)(tenant, caller, id, thing)
                && picked(id, thing)
                && filter.as_ref().is_none_or(|filter| filter.passes(&|name: &str| vec![text(thing, id, name)]))
        };
        let mut found: Vec<(&str, &Thing)> =
            tenant.things.below(&path).filter(|(id, thing)| readable(id, thing)).collect();
        list::order(&mut found, &sort, self.kind.sorts, |(id, thing), name| vec![text(thing, id, name)])?;
        let count = found.len();
        let items = found.into_iter().map(|(id, thing)| (id.to_owned(), self.show(call, tenant, caller, id, thing)));
        let reply = list::paged(state, call, &page, items.collect());
        if !self.kind.counts || reply.status != 200 {
            return Ok(reply);
        }
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        body["meta"] = json!({ "count": count });
        Ok(Reply::json(200, &body))
    }

    pub(super) fn get(&self, state: &State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
        let tenant = self.tenant(state, caller, false)?;
        let thing = self.find(tenant, caller, id)?;
        Ok(Reply::json(200, &self.show(call, tenant, caller, id, thing)))
    }

    /// Makes a thing, with what `more` adds to its fields; and says it, with what `more` says once.
    pub(super) fn create(
        &self,
        state: &mut State,
        call: &Call<'_>,
        caller: &Caller,
        more: impl FnOnce(&str, &mut Map<String, Value>) -> Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let tenant = self.tenant(state, caller, true)?;
        let mut fields = self.read(call.body, true)?;
        self.fits(tenant, "", &fields)?;
        let id = if self.kind.name == "oauth-clients" { random::hex_id() } else { random::object_id() };
        let once = more(&id, &mut fields);
        let thing = Thing {
            fields,
            created: call.now,
            updated: call.now,
            created_by: caller.user.clone(),
            updated_by: caller.user.clone(),
        };
        let mut body = self.show(call, tenant, caller, &id, &thing);
        if let Value::Object(body) = &mut body {
            body.extend(once);
        }
        if let Some(tenant) = state.tenant_mut(&caller.tenant) {
            tenant.things.insert(self.path() + &id, thing);
        }
        Ok(Reply::json(201, &body))
    }

    /// All changes or none.
    pub(super) fn patch(&self, state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
        let tenant = self.tenant(state, caller, true)?;
        let mut fields = self.find(tenant, caller, id)?.fields.clone();
        for change in patch::read(call)? {
            if !self.kind.ops.contains(&change.op.as_str()) {
                return Err(self.invalid(&format!("op is one of {}", self.kind.ops.join(", "))));
            }
            let mut way = change.path.trim_start_matches('/').split('/');
            let (name, within) = (way.next().unwrap_or_default(), way.next());
            if change.op == "remove" {
                self.check(name, fields.get(name).unwrap_or(&Value::Null), false)?;
                fields.remove(name);
            } else if let Some(within) = within {
                let known = fields.get(name).filter(|known| known.is_object());
                self.check(name, known.unwrap_or(&Value::Null), false)?;
                fields[name][within] = change.value;
            } else {
                self.check(name, &change.value, false)?;
                fields.insert(name.to_owned(), change.value);
            }
        }
        self.set(state, call, caller, id, fields)
    }

    /// The fields that are said change; the others stay.
    pub(super) fn put(&self, state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
        let tenant = self.tenant(state, caller, true)?;
        let mut fields = self.find(tenant, caller, id)?.fields.clone();
        fields.extend(self.read(call.body, false)?);
        self.set(state, call, caller, id, fields)
    }

    fn set(
        &self,
        state: &mut State,
        call: &Call<'_>,
        caller: &Caller,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<Reply, Reply> {
        self.fits(self.tenant(state, caller, true)?, id, &fields)?;
        let place = self.path() + id;
        let thing = state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.things.get_mut(&place));
        if let Some(thing) = thing {
            (thing.fields, thing.updated) = (fields, call.now);
            thing.updated_by.clone_from(&caller.user);
        }
        if self.kind.changed == 204 { Ok(Reply::empty(204)) } else { self.get(state, call, caller, id) }
    }

    /// What is below it goes with it.
    pub(super) fn delete(&self, state: &mut State, caller: &Caller, id: &str) -> Result<Reply, Reply> {
        self.find(self.tenant(state, caller, true)?, caller, id)?;
        if let Some(tenant) = state.tenant_mut(&caller.tenant) {
            let place = self.path() + id;
            tenant.things.remove_below(&format!("{place}/"));
            tenant.things.remove(&place);
        }
        Ok(Reply::empty(204))
    }
}
