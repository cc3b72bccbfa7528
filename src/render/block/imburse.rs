//! An action at Imburse as words.

use crate::model::imburse::{ImburseKey, PostalAddress};
use crate::model::marker::Letter;
use crate::model::untrusted::escape;
use crate::plan::action::{Adopted, Parent};
use crate::plan::imburse::action::{CreateKey, CreateTenant, Imburse, Keep, Mark, Reclaim};

use super::super::line::{Line, line, quote};
use super::super::why::why_mint;

pub(super) fn describe(action: &Imburse) -> (String, Vec<Line>) {
    match action {
        Imburse::CreateTenant(create) => ("create tenant".into(), create_tenant(create)),
        Imburse::CreateKey(create) => ("create key".into(), create_key(create)),
        Imburse::Mark(part) => ("mark key as delivered".into(), mark(part)),
        Imburse::Reclaim(part) => (
            match (part.asked, part.letter) {
                (true, _) => "delete a key that nobody uses",
                (false, Letter::Undelivered) => "revoke a key that was never delivered",
                (false, Letter::Delivered) => "revoke the key that is replaced",
            }
            .into(),
            reclaim(part),
        ),
        Imburse::Keep(kept) => keep(kept),
    }
}

fn create_tenant(create: &CreateTenant) -> Vec<Line> {
    let CreateTenant { account, host, name, address, waits_for_approval } = create;
    let mut lines =
        vec![line("account", account.as_str()), line("at", host.as_str()), line("display_name", quote(name))];
    lines.push(line("address", one_line(address)));
    if *waits_for_approval == Some(true) {
        lines.push(line("approval", "it then waits for a person at the vendor"));
    }
    lines.push(line("id", "(known after apply)"));
    lines
}

fn one_line(address: &PostalAddress) -> String {
    let parts = address.fields().into_iter().filter_map(|(_, part)| part);
    parts.map(escape).collect::<Vec<_>>().join(", ")
}

fn create_key(create: &CreateKey) -> Vec<Line> {
    let CreateKey { account, parent, spec, why } = create;
    // An adopted key is never made.
    let ImburseKey { name, roles, deliver_to, deliver_as, adopt: _ } = spec;
    let roles = roles.iter().map(|role| escape(role)).collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        line("account", account.as_str()),
        parent_line(parent),
        line("name", quote(name)),
        line("roles", roles),
        line("deliver to", format!("{deliver_to} as {deliver_as}")),
    ];
    lines.extend(why_mint(why).map(|why| line("why", why)));
    lines
}

fn mark(mark: &Mark) -> Vec<Line> {
    // The roles go with it as they are: the vendor takes both or neither.
    let Mark { account, tenant_id, public_key, name, roles: _ } = mark;
    vec![
        line("account", account.as_str()),
        line("tenant", tenant_id.to_string()),
        line("key", escape(public_key)),
        line("name", quote(name.raw())),
    ]
}

fn reclaim(reclaim: &Reclaim) -> Vec<Line> {
    // The letter is in the first line.
    let Reclaim { account, tenant_id, public_key, letter: _, after_delivery, asked } = reclaim;
    let when = match (asked, after_delivery) {
        (true, _) => "asked for with --reclaim",
        (false, true) => "after this plan has delivered its successor",
        (false, false) => "now; another key is in the sink",
    };
    vec![
        line("account", account.as_str()),
        line("tenant", tenant_id.to_string()),
        line("key", escape(public_key)),
        line("when", when),
    ]
}

fn keep(keep: &Keep) -> (String, Vec<Line>) {
    let text = match keep {
        Keep::Tenant { id, name, host, adopted } => match adopted {
            Adopted::No => format!("tenant {id}"),
            Adopted::Recorded => format!("tenant {id}, adopted"),
            Adopted::ToRecord { account } => {
                let tenant = line("tenant", format!("{} ({id}) at {host}", quote(name.raw())));
                let record = line("record", "in the ledger; nothing is sent");
                return ("adopt tenant".into(), vec![line("account", account.as_str()), tenant, record]);
            }
        },
        // Its id and shape are for programs; what is as declared should fit a line.
        Keep::Key { public_key: _, sink, shape: _ } => format!("key in {sink}"),
        Keep::AdoptedKey { public_key } => format!("key {}, adopted", escape(public_key)),
    };
    (text, Vec::new())
}

fn parent_line(parent: &Parent) -> Line {
    match parent {
        Parent::Exists(tenant) => line("tenant", tenant.id.to_string()),
        Parent::MadeBefore(address) => line("tenant", format!("{address}, made by this plan")),
    }
}
