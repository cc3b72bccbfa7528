//! What a plan says of one object at Imburse, into its change.

use serde_json::{Value, json};

use crate::model::address::Address;
use crate::plan::action::{Adopted, Parent};
use crate::plan::imburse::action::{CreateKey, CreateTenant, Imburse, Keep, Mark, Reclaim};

use super::declared;
use super::document::{Importing, ResourceChange, Verb, full};
use super::sketch::{Draft, Sketch};

pub(super) fn add(draft: &mut Draft, address: &Address, action: &Imburse) {
    match action {
        Imburse::CreateTenant(create) => create_tenant(draft.sketch(Verb::Create), create),
        Imburse::CreateKey(create) => create_key(draft.sketch(Verb::Create), address, create),
        Imburse::Mark(Mark { account, tenant_id, public_key, name, roles }) => {
            let sketch = draft.sketch(Verb::Update);
            sketch.token();
            sketch.known("account", account.as_str());
            sketch.known("tenant_id", tenant_id.raw());
            sketch.known("id", public_key);
            sketch.known("roles", roles);
            sketch.becomes("name", json!(name.raw()));
            sketch.turn("delivered", json!(false), json!(true));
        }
        Imburse::Reclaim(reclaim) => draft.deposed.push(deposed(address, reclaim)),
        Imburse::Keep(kept) => keep(draft.sketch(Verb::NoOp), kept),
    }
}

fn create_tenant(sketch: &mut Sketch, create: &CreateTenant) {
    let CreateTenant { account, host, name, address, waits_for_approval } = create;
    sketch.becomes("account", json!(account));
    sketch.becomes("host", json!(host));
    sketch.becomes("display_name", json!(name));
    let parts = address.fields().into_iter().filter_map(|(field, part)| Some((field, part?)));
    sketch.becomes("address", parts.map(|(field, part)| (field.to_owned(), json!(part))).collect::<Value>());
    sketch.becomes("waits_for_approval", json!(waits_for_approval));
    sketch.unknown("id");
}

fn create_key(sketch: &mut Sketch, address: &Address, create: &CreateKey) {
    // Why it is made is for people.
    let CreateKey { account, parent, spec, why: _ } = create;
    sketch.token();
    sketch.unknown("id");
    sketch.unknown("token");
    if let Parent::Exists(tenant) = parent {
        sketch.becomes("tenant_id", json!(tenant.id.raw()));
    }
    sketch.becomes("tenant", json!(full(&address.parent())));
    sketch.becomes("account", json!(account));
    for (field, value) in declared::imburse_key(spec) {
        sketch.becomes(field, value);
    }
}

fn keep(sketch: &mut Sketch, keep: &Keep) {
    match keep {
        Keep::Tenant { id, name, host, adopted } => {
            sketch.known("id", id.raw());
            sketch.known("display_name", name.raw());
            sketch.known("host", host);
            match adopted {
                Adopted::No | Adopted::Recorded => {}
                Adopted::ToRecord { account } => {
                    sketch.known("account", account.as_str());
                    sketch.importing = Some(Importing { id: id.raw().to_owned() });
                }
            }
        }
        Keep::Key { public_key, sink, shape } => {
            sketch.token();
            sketch.known("id", public_key);
            sketch.known("deliver_to", sink.as_str());
            sketch.known("deliver_as", shape);
        }
        Keep::AdoptedKey { public_key } => {
            sketch.token();
            sketch.known("id", public_key);
        }
    }
}

fn deposed(address: &Address, reclaim: &Reclaim) -> ResourceChange {
    // Letter, order and who asked are how apply goes about it, not what is removed.
    let Reclaim { account, tenant_id, public_key, letter: _, after_delivery: _, asked: _ } = reclaim;
    let mut sketch = Sketch::new(Verb::Delete);
    sketch.token();
    sketch.known("account", account.as_str());
    sketch.known("tenant_id", tenant_id.raw());
    sketch.known("id", public_key);
    let mut change = sketch.finish(address);
    change.deposed = Some(public_key.clone());
    change.change.after = None;
    change.change.after_sensitive = json!(false);
    change
}
