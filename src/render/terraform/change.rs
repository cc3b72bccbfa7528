//! What a plan says of one object, gathered into one change: before, after, what is not known yet, what is sensitive.

use serde_json::{Value, json};

use crate::model::address::{Address, Vendor};
use crate::model::place::Place;
use crate::model::spec::Owner;
use crate::model::untrusted::Untrusted;
use crate::plan::action::{
    Action, Adopted, ByRole, CreateKey, CreateObject, CreateTenant, Drift, DriftField, Grant, Keep, KeptTenant,
    KeyShape, KeySpec, Mark, MarkOf, MoveGroup, NewTenant, Parent, Permission, Reclaim, ReclaimOf, Renew, RoleStep,
    Settle, SettlePart, TenantRef, Trust, Wait,
};
use crate::plan::finding::Finding;
use crate::plan::refusal::Refusal;
use crate::render::block::place;

use super::declared;
use super::document::{Check, CheckAddress, CheckInstance, Importing, Problem, ResourceChange, Status, Verb, full};
use super::sketch::{Draft, Sketch, put};

impl Draft {
    pub(super) fn add(&mut self, address: &Address, at: &Place, action: &Action) {
        match action {
            Action::CreateTenant(create) => self.create_tenant(create),
            Action::Settle(part) => self.settle(address, part),
            Action::MoveGroup(MoveGroup { from, to }) => {
                self.update().turn("group", json!(from.as_str()), json!(to.as_str()));
            }
            Action::Trust(Trust { account, parent }) => {
                let sketch = self.update();
                sketch.known("account", account.as_str());
                sketch.tenant(address, parent);
                sketch.turn("trusts_key_client", json!(false), json!(true));
            }
            Action::CreateObject(create) => self.objects.push(self::object(address, create)),
            Action::Grant(Grant { account, parent, what }) => {
                let sketch = self.update();
                sketch.known("account", account.as_str());
                sketch.tenant(address, parent);
                match what {
                    Permission::ManageApiKeysToEveryone => {
                        sketch.turn("manage_api_keys", Value::Null, json!("everyone"));
                    }
                    Permission::ManageApiKeysByRole(by) => sketch.becomes("manage_api_keys", self::by_role(by)),
                }
            }
            Action::Mark(mark) => self.mark(address, mark),
            Action::CreateKey(create) => self.create_key(address, create),
            // A request that makes something: a key is minted. The old one is not touched.
            Action::Renew(Renew { create, key_id, expires }) => {
                self.create_key(address, create);
                let sketch = self.sketch(Verb::Create);
                sketch.after.insert("replaces".into(), json!({ "id": key_id, "expires": expires }));
            }
            Action::Reclaim(reclaim) => self.deposed.push(deposed(address, reclaim)),
            Action::Keep(keep) => self.keep(address.vendor, keep),
            Action::Drift(drift) => self.drift = Some(self.drifted(address, drift)),
            Action::Wait(Wait { run, why }) => {
                let run = run.as_ref().map(|run| format!(" (run {run})")).unwrap_or_default();
                self.checks.push(check(address, Status::Unknown, format!("{why}{run}")));
            }
            Action::Refuse(Refusal { code, why, next }) => {
                let message = format!("{code}: {}; next: {} [{}]", why.raw(), next.join("; or: "), place(at));
                self.checks.push(check(address, Status::Fail, message));
            }
        }
    }

    /// More about an object that is made by this plan already, or a change of one that is there.
    fn update(&mut self) -> &mut Sketch {
        self.sketch(Verb::Update)
    }

    fn create_tenant(&mut self, create: &CreateTenant) {
        let CreateTenant { account, of } = create;
        let sketch = self.sketch(Verb::Create);
        sketch.becomes("account", json!(account));
        sketch.unknown("id");
        match of {
            NewTenant::Qlik { region } => {
                sketch.becomes("region", json!(region.label.as_str()));
                sketch.unknown("hostname");
            }
            NewTenant::Imburse { host, name, address, waits_for_approval } => {
                sketch.becomes("host", json!(host));
                sketch.becomes("display_name", json!(name));
                let parts = address.fields().into_iter().filter_map(|(field, part)| Some((field, part?)));
                let address: Value = parts.map(|(field, part)| (field.to_owned(), json!(part))).collect();
                sketch.becomes("address", address);
                sketch.becomes("waits_for_approval", json!(waits_for_approval));
            }
        }
    }

    fn settle(&mut self, address: &Address, settle: &Settle) {
        let Settle { account, parent, parts } = settle;
        let sketch = self.update();
        sketch.known("account", account.as_str());
        sketch.tenant(address, parent);
        sketch.turn("settled", json!(false), json!(true));
        for part in parts {
            match part {
                SettlePart::Name(name) => sketch.becomes("display_name", json!(name)),
                SettlePart::Alias { label: _, host } => sketch.becomes("alias", json!(host)),
                SettlePart::Limits(limits) => sketch.becomes("api_key_limits", declared::limits(*limits)),
            }
        }
    }

    fn mark(&mut self, address: &Address, mark: &Mark) {
        let Mark { account, key_id, description, of } = mark;
        let sketch = self.update();
        sketch.token();
        sketch.known("account", account.as_str());
        sketch.known("id", key_id);
        match of {
            MarkOf::Qlik { parent, owner } => {
                sketch.there(address, parent);
                sketch.known("owner", owner.word());
                sketch.becomes("description", json!(description.raw()));
            }
            MarkOf::Imburse { tenant_id, roles } => {
                sketch.known("tenant_id", tenant_id.raw());
                sketch.known("roles", roles);
                sketch.becomes("name", json!(description.raw()));
            }
        }
        sketch.turn("delivered", json!(false), json!(true));
    }

    fn create_key(&mut self, address: &Address, create: &CreateKey) {
        // Why it is made is for people.
        let CreateKey { account, parent, spec, why: _, replaces: _ } = create;
        let sketch = self.sketch(Verb::Create);
        sketch.token();
        sketch.unknown("id");
        sketch.unknown("token");
        sketch.becomes("account", json!(account));
        let members = match spec {
            KeySpec::Qlik(spec) => {
                sketch.tenant(address, parent);
                declared::qlik_key(spec)
            }
            // All tenants are at one host there.
            KeySpec::Imburse(spec) => {
                if let Parent::Exists(tenant) = parent {
                    sketch.becomes("tenant_id", json!(tenant.id.raw()));
                }
                sketch.becomes("tenant", json!(full(&address.parent())));
                declared::imburse_key(spec)
            }
        };
        for (name, value) in members {
            sketch.becomes(name, value);
        }
    }

    fn keep(&mut self, vendor: Vendor, keep: &Keep) {
        let sketch = self.sketch(Verb::NoOp);
        match keep {
            Keep::Tenant { id, of, adopted } => {
                sketch.known("id", id.raw());
                match of {
                    KeptTenant::Qlik { hostname } => sketch.known("hostname", hostname.raw()),
                    KeptTenant::Imburse { name, host } => {
                        sketch.known("display_name", name.raw());
                        sketch.known("host", host);
                    }
                }
                match adopted {
                    Adopted::No | Adopted::Recorded => {}
                    Adopted::ToRecord { account } => {
                        sketch.known("account", account.as_str());
                        sketch.importing = Some(Importing { id: id.raw().to_owned() });
                    }
                }
            }
            Keep::Key { key_id, expires, sink, shape, also } => {
                let word = |shape: &KeyShape| match shape {
                    KeyShape::Qlik(shape) => shape.as_str(),
                    KeyShape::Imburse(shape) => shape.as_str(),
                };
                sketch.key(vendor, key_id, *expires);
                if also.is_empty() {
                    sketch.known("deliver_to", sink.as_str());
                    sketch.known("deliver_as", word(shape));
                } else {
                    let all = || std::iter::once((sink, shape)).chain(also);
                    sketch.known("deliver_to", json!(all().map(|(home, _)| home.as_str()).collect::<Vec<_>>()));
                    let shapes = all().map(|(home, shape)| (home.to_string(), json!(word(shape))));
                    sketch.known("deliver_as", shapes.collect::<Value>());
                }
            }
            Keep::AdoptedKey { key_id, expires } => sketch.key(vendor, key_id, *expires),
            Keep::Object(object) => {
                for (field, value) in object.fields() {
                    sketch.known(field, value);
                }
            }
        }
    }

    /// Nothing is done about it: the change keeps what is live, and the drift tells both.
    fn drifted(&mut self, address: &Address, drift: &Drift) -> ResourceChange {
        let mut told = Sketch::new(Verb::Update);
        let sketch = self.sketch(Verb::NoOp);
        for DriftField { field, declared, live } in &drift.fields {
            put(&mut told.before, field, json!(declared));
            put(&mut told.after, field, json!(live.raw()));
            put(&mut sketch.before, field, json!(live.raw()));
            put(&mut sketch.after, field, json!(live.raw()));
        }
        told.finish(address)
    }
}

fn deposed(address: &Address, reclaim: &Reclaim) -> ResourceChange {
    // Letter and order are how apply goes about it, not what is removed.
    let Reclaim { account, key_id, letter: _, after_delivery: _, of } = reclaim;
    let mut sketch = Sketch::new(Verb::Delete);
    sketch.token();
    sketch.known("account", account.as_str());
    sketch.known("id", key_id);
    match of {
        ReclaimOf::Qlik { parent, owner, created, expires } => {
            sketch.there(address, parent);
            sketch.known("owner", owner.word());
            sketch.known("created", created);
            if let Some(expires) = expires {
                sketch.known("expires", expires);
            }
        }
        // Who asked is how apply goes about it.
        ReclaimOf::Imburse { tenant_id, asked: _ } => sketch.known("tenant_id", tenant_id.raw()),
    }
    let mut change = sketch.finish(address);
    change.deposed = Some(key_id.clone());
    change.change.after = None;
    change.change.after_sensitive = json!(false);
    change
}

fn object(address: &Address, create: &CreateObject) -> ResourceChange {
    let CreateObject { account, parent, object } = create;
    let mut sketch = Sketch::new(Verb::Create);
    sketch.unknown("id");
    sketch.after.insert("account".into(), json!(account));
    match parent {
        Parent::Exists(TenantRef { id, hostname }) => {
            sketch.after.insert("tenant_id".into(), json!(id.raw()));
            sketch.after.insert("hostname".into(), json!(hostname.raw()));
        }
        Parent::MadeBefore(made) => {
            sketch.after.insert("tenant".into(), json!(full(made)));
        }
    }
    for (field, value) in object.fields() {
        sketch.after.insert(field.into(), json!(value));
    }
    sketch.finish(address).for_object(object)
}

fn by_role(by: &ByRole) -> Value {
    let ByRole { role, step, to, groups, also_allows } = by;
    let step = match step {
        RoleStep::Nothing => "there",
        RoleStep::Make => "made",
        RoleStep::Extend => "extended",
    };
    let also: Vec<&str> = also_allows.iter().map(Untrusted::raw).collect();
    let to: Vec<String> = to.iter().map(Owner::word).collect();
    json!({ "role": role, "role_is": step, "to": to, "to_groups": groups, "also_allows": also })
}

fn check(address: &Address, status: Status, message: String) -> Check {
    let place = CheckAddress { kind: "resource", to_display: full(address) };
    let instance = CheckInstance { address: place.clone(), status, problems: vec![Problem { message }] };
    Check { address: place, status, instances: vec![instance] }
}

/// Nothing is refused for it, so it is a check and not a check of the resource.
pub(super) fn found(finding: &Finding) -> Check {
    let Finding { code, address, at, why, next } = finding;
    let name = format!("check.{}", code.to_string().to_ascii_lowercase());
    let place = CheckAddress { kind: "check", to_display: name };
    let object = address.as_ref().map(|address| format!("{}: ", full(address))).unwrap_or_default();
    let at = at.as_ref().map(|at| format!(" [{}]", self::place(at))).unwrap_or_default();
    let message = format!("{object}{code}: {}; next: {}{at}", why.raw(), next.join("; or: "));
    let instance = CheckInstance { address: place.clone(), status: Status::Fail, problems: vec![Problem { message }] };
    Check { address: place, status: Status::Fail, instances: vec![instance] }
}

/// Of a run that came to no plan.
pub(super) fn failed_run(message: &str, next: &[String]) -> Check {
    let place = CheckAddress { kind: "check", to_display: "check.plan".to_owned() };
    let problem = Problem { message: format!("{message}; next: {}", next.join("; or: ")) };
    let instance = CheckInstance { address: place.clone(), status: Status::Fail, problems: vec![problem] };
    Check { address: place, status: Status::Fail, instances: vec![instance] }
}
