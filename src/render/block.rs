//! One action as words: what its first line says, and the labelled lines below it. Everything in a block is escaped.

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::host::Region;
use crate::model::imburse::{ImburseKey, PostalAddress};
use crate::model::marker::Letter;
use crate::model::place::Place;
use crate::model::spec::{KeyLimits, Owner, QlikKey};
use crate::model::untrusted::escape;
use crate::plan::action::{
    Action, Adopted, ByRole, CreateKey, CreateObject, CreateTenant, Drift, Grant, Keep, KeptTenant, KeySpec, Mark,
    MarkOf, MoveGroup, NewTenant, Parent, Permission, Planned, Reclaim, ReclaimOf, Renew, RoleStep, Settle, SettlePart,
    TenantRef, Trust, Wait, remaining,
};
use crate::plan::finding::Finding;
use crate::plan::refusal::Refusal;

use super::drift;
use super::layout::count;
use super::line::{Line, line, quote};
use super::style::Sign;
use super::why::why_mint;

/// An action, ready to be laid out.
pub(super) struct Block {
    pub(super) sign: Sign,
    pub(super) address: String,
    /// `create tenant`.
    pub(super) what: String,
    /// `desired.yaml:12`; empty where a finding has no place.
    pub(super) at: String,
    pub(super) lines: Vec<Line>,
}

impl Block {
    pub(super) fn of(planned: &Planned, now: Timestamp) -> Self {
        let Planned { address, at, action } = planned;
        let (what, lines) = describe(action, now);
        Self { sign: Sign::of(action), address: address.to_string(), what, at: place(at), lines }
    }

    /// A finding looks like what it stands beside: a refusal, that refuses nothing.
    pub(super) fn found(finding: &Finding) -> Self {
        let Finding { code, address, at, why, next } = finding;
        let mut lines = vec![line("why", why.to_string())];
        lines.extend(next.iter().map(|step| line("next", escape(step))));
        Self {
            sign: Sign::Drift,
            address: address.as_ref().map_or_else(|| "estate".to_owned(), ToString::to_string),
            what: format!("found, {code}"),
            at: at.as_ref().map(place).unwrap_or_default(),
            lines,
        }
    }
}

/// `desired.yaml:12`.
pub(super) fn place(at: &Place) -> String {
    let Place { file, line, column: _ } = at; // the column is for programs; people have editors that jump to lines
    format!("{}:{line}", escape(file))
}

fn describe(action: &Action, now: Timestamp) -> (String, Vec<Line>) {
    match action {
        Action::CreateTenant(create) => ("create tenant".into(), create_tenant(create)),
        Action::Settle(part) => ("set up tenant".into(), settle(part)),
        Action::MoveGroup(MoveGroup { from, to }) => {
            (format!("record as group {to}'s"), vec![line("from group", from.as_str())])
        }
        Action::Trust(trust) => ("trust the account's key client".into(), in_tenant(trust)),
        Action::CreateObject(part) => (format!("create {}", part.object.kind().word()), create_object(part)),
        Action::Grant(part) => ("grant a permission".into(), grant(part)),
        Action::Mark(part) => ("mark key as delivered".into(), mark(part)),
        Action::CreateKey(create) => ("create key".into(), create_key(create)),
        Action::Renew(part) => ("renew key".into(), renew(part, now)),
        Action::Reclaim(part) => (
            match (part.is_asked(), part.letter) {
                (true, _) => "delete a key that nobody uses",
                (false, Letter::Undelivered) => "revoke a key that was never delivered",
                (false, Letter::Delivered) => "revoke the key that is replaced",
            }
            .into(),
            reclaim(part),
        ),
        Action::Keep(kept) => keep(kept, now),
        // What is kept stands in the plan of somebody who does not look into the sink.
        Action::Drift(Drift { fields, next, kept: _ }) => {
            let mut lines: Vec<Line> = fields.iter().flat_map(drift::lines).collect();
            lines.extend(next.iter().map(|step| line("next", escape(step))));
            ("differs from its declaration".into(), lines)
        }
        Action::Wait(part) => ("wait".into(), wait(part)),
        Action::Refuse(refusal) => (format!("refused, {}", refusal.code), refuse(refusal)),
    }
}

fn create_tenant(create: &CreateTenant) -> Vec<Line> {
    let CreateTenant { account, of } = create;
    let mut lines = vec![line("account", account.as_str())];
    match of {
        NewTenant::Qlik { region } => {
            lines.push(line("region", region_text(region)));
            lines.push(line("hostname", "(known after apply)"));
        }
        NewTenant::Imburse { host, name, address, waits_for_approval } => {
            lines.push(line("at", host.as_str()));
            lines.push(line("display_name", quote(name)));
            lines.push(line("address", one_line(address)));
            if *waits_for_approval == Some(true) {
                lines.push(line("approval", "it then waits for a person at the vendor"));
            }
            lines.push(line("id", "(known after apply)"));
        }
    }
    lines
}

fn one_line(address: &PostalAddress) -> String {
    let parts = address.fields().into_iter().filter_map(|(_, part)| part);
    parts.map(escape).collect::<Vec<_>>().join(", ")
}

fn settle(settle: &Settle) -> Vec<Line> {
    let Settle { account, parent, parts } = settle;
    let mut lines = vec![line("account", account.as_str()), parent_line(parent)];
    if parts.is_empty() {
        lines.push(line("record", "everything is as declared already; only the ledger is brought up to date"));
    }
    for part in parts {
        match part {
            SettlePart::Name(name) => lines.push(line("display_name", quote(name))),
            SettlePart::Alias { label, host } => {
                lines.push(line("alias", format!("{label} -> {}", escape(host))));
            }
            SettlePart::Limits(KeyLimits { max_expiry, max_keys_per_user }) => {
                lines.extend(max_expiry.map(|limit| line("api_key_limits.max_expiry", limit.to_string())));
                lines.extend(max_keys_per_user.map(|n| line("api_key_limits.max_keys_per_user", n.to_string())));
            }
        }
    }
    lines
}

fn in_tenant(trust: &Trust) -> Vec<Line> {
    let Trust { account, parent } = trust;
    vec![line("account", account.as_str()), parent_line(parent)]
}

fn grant(grant: &Grant) -> Vec<Line> {
    let Grant { account, parent, what } = grant;
    let mut lines = vec![line("account", account.as_str()), parent_line(parent)];
    match what {
        Permission::ManageApiKeysToEveryone => {
            lines.push(line("grant", "\"Manage API keys\" to everyone, through the user default"));
        }
        Permission::ManageApiKeysByRole(ByRole { role, step, to, groups, also_allows }) => {
            lines.push(line("grant", format!("\"Manage API keys\", through role {}", quote(role))));
            match step {
                RoleStep::Nothing => {}
                RoleStep::Make => lines.push(line("role", "made, with this permission only")),
                RoleStep::Extend => {
                    lines.push(line("role", "the permission is added to it, for everyone who has the role already"));
                }
            }
            if !also_allows.is_empty() {
                let all: Vec<String> = also_allows.iter().map(ToString::to_string).collect();
                lines.push(line("besides", format!("the role also allows: {}", all.join(", "))));
            }
            lines.extend(to.iter().map(|owner| line("to", holder_text(owner))));
            lines.extend(groups.iter().map(|group| line("to", format!("group {}", quote(group)))));
        }
    }
    lines
}

fn create_object(create: &CreateObject) -> Vec<Line> {
    let CreateObject { account, parent, object } = create;
    let mut lines = vec![line("account", account.as_str()), parent_line(parent)];
    lines.extend(object.fields().into_iter().filter_map(|(field, value)| Some(line(field, quote(value?)))));
    lines
}

/// Who is given a role.
fn holder_text(owner: &Owner) -> String {
    match owner {
        Owner::Client => "the account's key client".into(),
        Owner::Configured(name) => format!("owner {name}"),
        Owner::User(user) => format!("user with {user}"),
    }
}

fn mark(mark: &Mark) -> Vec<Line> {
    let Mark { account, key_id, description, of } = mark;
    let mut lines = vec![line("account", account.as_str())];
    let text = match of {
        MarkOf::Qlik { parent, owner } => {
            lines.extend([tenant_line(parent), line("owner", owner_text(owner))]);
            "description"
        }
        // The roles go with it as they are: the vendor takes both or neither.
        MarkOf::Imburse { tenant_id, roles: _ } => {
            lines.push(line("tenant", tenant_id.to_string()));
            "name"
        }
    };
    lines.extend([line("key", escape(key_id)), line(text, quote(description.raw()))]);
    lines
}

fn create_key(create: &CreateKey) -> Vec<Line> {
    let CreateKey { account, parent, spec, why, replaces } = create;
    let mut lines = vec![line("account", account.as_str())];
    // What an adopted key says of its maker is never minted, so `adopt` is empty here by the planner's rules.
    match spec {
        KeySpec::Qlik(QlikKey { description, owner, expires_in, renew_before, deliver_to, deliver_as, adopt: _ }) => {
            lines.extend([
                parent_line(parent),
                line("description", quote(description)),
                line("owner", owner_text(owner)),
                line("expires in", format!("{expires_in}, renewed {renew_before} before")),
                line("deliver to", homes_text(deliver_to, |home| deliver_as.of(home).as_str())),
            ]);
        }
        KeySpec::Imburse(ImburseKey { name, roles, deliver_to, deliver_as, adopt: _ }) => {
            let roles = roles.iter().map(|role| escape(role)).collect::<Vec<_>>().join(", ");
            lines.extend([
                match parent {
                    Parent::Exists(tenant) => line("tenant", tenant.id.to_string()),
                    Parent::MadeBefore(address) => line("tenant", format!("{address}, made by this plan")),
                },
                line("name", quote(name)),
                line("roles", roles),
                line("deliver to", homes_text(deliver_to, |home| deliver_as.of(home).as_str())),
            ]);
        }
    }
    match replaces.as_slice() {
        [] => lines.extend(why_mint(why).map(|why| line("why", why))),
        several => {
            let ids: Vec<String> = several.iter().map(|id| escape(id)).collect();
            lines.push(line("replaces", format!("{}, which did not reach all sinks", ids.join(", "))));
        }
    }
    lines
}

/// Where a secret goes, and as what: `files as env`, or `files as env, vault as token`.
fn homes_text(homes: &Homes, shape: impl Fn(&Name) -> &'static str) -> String {
    homes.iter().map(|home| format!("{home} as {}", shape(home))).collect::<Vec<_>>().join(", ")
}

fn renew(renew: &Renew, now: Timestamp) -> Vec<Line> {
    let Renew { create, key_id, expires } = renew;
    let left = remaining(now, *expires);
    let mut lines = vec![line("due", format!("key {} expires {expires}, in {left}", escape(key_id)))];
    lines.extend(create_key(create));
    lines
}

fn reclaim(reclaim: &Reclaim) -> Vec<Line> {
    // The letter is in the first line.
    let Reclaim { account, key_id, letter: _, after_delivery, of } = reclaim;
    let when = match (reclaim.is_asked(), after_delivery) {
        (true, _) => "asked for with --reclaim",
        (false, true) => "after this plan has delivered its successor",
        (false, false) => "now; another key is in the sink",
    };
    let mut lines = vec![line("account", account.as_str())];
    match of {
        ReclaimOf::Qlik { parent, owner, created, expires } => {
            let ends = expires.map(|at| format!(", ends {at}")).unwrap_or_default();
            let made = created.map(|at| format!(", minted {at}")).unwrap_or_default() + &ends;
            let key = line("key", format!("{}{made}", escape(key_id)));
            lines.extend([tenant_line(parent), line("owner", owner_text(owner)), key]);
        }
        ReclaimOf::Imburse { tenant_id, asked: _ } => {
            lines.extend([line("tenant", tenant_id.to_string()), line("key", escape(key_id))]);
        }
    }
    lines.push(line("when", when));
    lines
}

fn keep(keep: &Keep, now: Timestamp) -> (String, Vec<Line>) {
    let text = match keep {
        Keep::Tenant { id, of, adopted } => {
            let (short, there) = match of {
                KeptTenant::Qlik { hostname } => (hostname, format!("{hostname} ({id})")),
                KeptTenant::Imburse { name, host } => (id, format!("{} ({id}) at {host}", quote(name.raw()))),
            };
            match adopted {
                Adopted::No => format!("tenant {short}"),
                Adopted::Recorded => format!("tenant {short}, adopted"),
                Adopted::ToRecord { account } => {
                    let record = line("record", "in the ledger; nothing is sent");
                    let lines = vec![line("account", account.as_str()), line("tenant", there), record];
                    return ("adopt tenant".into(), lines);
                }
            }
        }
        // Its id and shape are for programs; what is as declared should fit a line.
        Keep::Key { key_id: _, expires, sink, shape: _, also } => {
            let homes = Homes::of(std::iter::once(sink).chain(also.keys()).cloned());
            let homes = homes.map_or_else(|| sink.to_string(), |homes| homes.to_string());
            format!("key in {homes}{}", until(*expires, now))
        }
        Keep::AdoptedKey { key_id, expires } => {
            format!("key {}, adopted{}", escape(key_id), until(*expires, now))
        }
        Keep::Object(object) => object.kind().word().to_owned(),
    };
    (text, Vec::new())
}

fn until(expires: Option<Timestamp>, now: Timestamp) -> String {
    expires.map(|at| format!(", {} left", rough(remaining(now, at)))).unwrap_or_default()
}

/// Days where there are days, else hours, else minutes; rounded down.
fn rough(left: Duration) -> String {
    let whole = |unit: u64| usize::try_from(left.seconds() / unit).unwrap_or(usize::MAX);
    match (whole(86_400), whole(3_600), whole(60)) {
        (0, 0, minutes) => count(minutes, "minute"),
        (0, hours, _) => count(hours, "hour"),
        (days, _, _) => count(days, "day"),
    }
}

fn wait(wait: &Wait) -> Vec<Line> {
    let Wait { run, why } = wait;
    let mut lines = vec![line("why", escape(why))];
    lines.extend(run.as_ref().map(|run| line("run", escape(run))));
    lines
}

fn refuse(refusal: &Refusal) -> Vec<Line> {
    // The code stands in the first line.
    let Refusal { code: _, why, next } = refusal;
    let mut lines = vec![line("why", why.to_string())];
    lines.extend(next.iter().map(|step| line("next", escape(step))));
    lines
}

fn parent_line(parent: &Parent) -> Line {
    match parent {
        Parent::Exists(tenant) => tenant_line(tenant),
        Parent::MadeBefore(address) => {
            line("tenant", format!("{address}, made by this plan (hostname known after apply)"))
        }
    }
}

fn tenant_line(tenant: &TenantRef) -> Line {
    let TenantRef { id, hostname } = tenant;
    line("tenant", format!("{hostname} ({id})"))
}

fn region_text(region: &Region) -> String {
    let Region { label, domain } = region;
    format!("{label}.{}", escape(domain))
}

pub(super) fn owner_text(owner: &Owner) -> String {
    match owner {
        Owner::Client => "the account's key client".into(),
        Owner::Configured(name) => format!("{name}, with its own key"),
        Owner::User(user) => format!("user with {user}, by impersonation"),
    }
}
