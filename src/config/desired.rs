//! One file of desired state as it was written: profiles and tenants, each value with its place.

use std::collections::BTreeMap;

use super::delivery;
use super::diagnostic::{Faults, code};
use super::group::{self, GroupOfFile};
use super::ignore;
use super::imburse;
use super::ours;
use super::people;
use super::profile::{self, Taking};
use super::read::{self, Fields, Keys};
use super::source::{At, Span};
use super::syntax::{Entry, Node};
use super::texts::sent;
use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::homes::{Homes, Shapes};
use crate::model::host::{Label, RESERVED};
use crate::model::marker::Marker;
use crate::model::spec::{Grants, KeyLimits, ManageApiKeys, Owner, QlikKey, Shape};

/// A minute: nothing shorter can be tried, delivered and read back in time.
const EXPIRES_IN_MIN: Duration = Duration::from_seconds(60);
/// Leaves room for the marker in what the vendor stores.
const DESCRIPTION_MAX: usize = 150;
const DISPLAY_NAME_MAX: usize = 255;
const KEY_ID_MAX: usize = 128;
const KEYS_PER_USER_MAX: u32 = 1000;

const ROOT: Keys = Keys { known: &["version", "group", "takes_from", "qlik", "imburse", "ignore"], later: &[] };
const QLIK: Keys = Keys { known: &["profiles", "tenants"], later: &[] };
const PROFILE: Keys = Keys { known: &["account", "api_key_limits", "grants", "api_keys"], later: &[] };
const TENANT: Keys = Keys {
    known: &[
        "account",
        "profile",
        "display_name",
        "alias",
        "adopt",
        "api_key_limits",
        "grants",
        "api_keys",
        "omit",
        "labels",
        #[cfg(test)]
        "spaces",
    ],
    later: &[],
};
const KEY: Keys = Keys {
    known: &["description", "owner", "expires_in", "renew_before", "deliver_to", "deliver_as", "adopt", "override"],
    later: &[],
};
const LIMITS: Keys = Keys { known: &["max_expiry", "max_keys_per_user"], later: &[] };
const GRANTS: Keys = Keys { known: &["manage_api_keys"], later: &[] };
const GRANTEES: Keys = Keys { known: &["everyone", "role"], later: &[] };
const OWNERS: Keys = Keys { known: &["client", "configured", "user"], later: &[] };
const ADOPT_TENANT: Keys = Keys { known: &["hostname"], later: &[] };
const ADOPT_KEY: Keys = Keys { known: &["key_id"], later: &[] };
const SHAPES: Keys = Keys { known: &["token", "env", "json", "qlik-cli", "stackone"], later: &[] };
const HOST_REST: &str = "comes from the account's region";
const NOTHING: Keys = Keys { known: &[], later: &[] };

/// One file.
#[derive(Default)]
pub(crate) struct File {
    pub(crate) group: GroupOfFile,
    pub(crate) profiles: Vec<(At<Name>, Shared)>,
    pub(crate) tenants: Vec<(At<Name>, DeclaredTenant)>,
    pub(crate) imburse: imburse::File,
    pub(crate) ignore: Vec<ignore::Entry>,
}

pub(crate) type Shared = profile::Shared<DeclaredKey, Policies>;

/// What a tenant is set up with.
pub(crate) struct Policies {
    pub(crate) api_key_limits: Option<KeyLimits>,
    pub(crate) grants: Option<Grants>,
}

pub(crate) struct DeclaredTenant {
    pub(crate) shared: Shared,
    pub(crate) taking: Taking,
    pub(crate) display_name: Option<String>,
    pub(crate) alias: Option<At<Label>>,
    pub(crate) adopt: Option<At<Label>>,
    pub(crate) labels: BTreeMap<Name, Name>,
    #[cfg(test)]
    pub(crate) spaces: Vec<(At<Name>, crate::model::object::Space)>,
}

pub(crate) struct DeclaredKey {
    overrides: Option<Span>,
    /// `None` where something in it is at fault.
    pub(crate) spec: Option<QlikKey>,
    deliver_to: Vec<At<Name>>,
    pub(crate) configured_owner: Option<At<Name>>,
}

impl profile::TakesProfile for DeclaredKey {
    fn overrides(&self) -> Option<Span> {
        self.overrides
    }

    fn deliver_to(&self) -> &[At<Name>] {
        &self.deliver_to
    }
}

/// Reads one file; what is at fault is recorded and left out.
pub(crate) fn file(index: usize, faults: &mut Faults<'_>) -> File {
    let mut file = File::default();
    let Some(root) = ours::parse(index, faults) else { return file };
    if !read::version(&root, faults) {
        return file;
    }
    let Some(root) = read::fields(&root, "the desired state", Span::top(index), &ROOT, faults) else { return file };
    root.require("version", "1", faults);
    file.group = group::of_file(&root, faults);
    file.ignore = root.get("ignore").map(|node| ignore::entries(node, faults)).unwrap_or_default();
    file.imburse = root.entry("imburse").map(|entry| imburse::file(entry, faults)).unwrap_or_default();
    let Some(qlik) = root.entry("qlik") else { return file };
    let Some(qlik) = read::fields(&qlik.value, "`qlik`", qlik.key_at, &QLIK, faults) else { return file };
    if let Some(node) = qlik.get("profiles") {
        file.profiles = profile::profiles(node, faults, |entry, what, faults| {
            let fields = read::fields(&entry.value, what, entry.key_at, &PROFILE, faults)?;
            Some(shared(&fields, what, faults))
        });
    }
    if let Some(tenants) = qlik.get("tenants") {
        for entry in read::map(tenants, "`tenants`", faults).unwrap_or_default() {
            let name = read::key_name(entry, "tenant", faults);
            let tenant = tenant(entry, faults);
            file.tenants.extend(name.zip(tenant));
        }
    }
    file
}

fn tenant(entry: &Entry, faults: &mut Faults<'_>) -> Option<DeclaredTenant> {
    let what = format!("tenant {}", faults.quote(&entry.key));
    let fields = read::fields(&entry.value, &what, entry.key_at, &TENANT, faults)?;
    let shared = shared(&fields, &what, faults);
    let taking = profile::taking(&fields, faults);
    let display_name = fields
        .get("display_name")
        .and_then(|node| sent(node, "`display_name`", DISPLAY_NAME_MAX, faults))
        .map(ToOwned::to_owned);
    let alias = fields.get("alias").and_then(|node| host(node, "`alias`", faults));
    let adopt = fields.get("adopt").and_then(|node| {
        let example = "{ hostname: xzoau8xi93gyfo0 }";
        let (_, entry) = read::choice(node, "`adopt` of a tenant", &ADOPT_TENANT, example, faults)?;
        host(&entry.value, "`hostname`", faults)
    });
    Some(DeclaredTenant {
        shared,
        taking,
        display_name,
        alias,
        adopt,
        labels: group::labels(&fields, faults),
        #[cfg(test)]
        spaces: spaces(&fields, faults),
    })
}

#[cfg(test)]
fn spaces(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Vec<(At<Name>, crate::model::object::Space)> {
    const SPACE: Keys = Keys { known: &["name", "type"], later: &[] };
    const TYPES: Keys = Keys { known: &["shared", "managed", "data"], later: &[] };
    let Some(node) = fields.get("spaces") else { return Vec::new() };
    let space = |entry: &Entry, faults: &mut Faults<'_>| {
        let at = read::key_name(entry, "space", faults)?;
        let what = format!("space {}", faults.quote(&entry.key));
        let fields = read::fields(&entry.value, &what, entry.key_at, &SPACE, faults)?;
        let name = sent(fields.require("name", "Finance", faults)?, "`name`", DISPLAY_NAME_MAX, faults)?.to_owned();
        let kind = read::word(fields.require("type", "shared", faults)?, "`type`", &TYPES, faults)?.to_owned();
        Some((at, crate::model::object::Space { name, kind }))
    };
    read::map(node, "`spaces`", faults).unwrap_or_default().iter().filter_map(|entry| space(entry, faults)).collect()
}

fn shared(fields: &Fields<'_>, what: &str, faults: &mut Faults<'_>) -> Shared {
    let policies = Policies {
        api_key_limits: fields.entry("api_key_limits").and_then(|entry| limits(entry, faults)),
        grants: fields.entry("grants").and_then(|entry| grants(entry, faults)),
    };
    profile::shared(fields, what, policies, faults, key)
}

fn limits(entry: &Entry, faults: &mut Faults<'_>) -> Option<KeyLimits> {
    let fields = read::fields(&entry.value, "`api_key_limits`", entry.key_at, &LIMITS, faults)?;
    let max_expiry = fields.get("max_expiry").and_then(|node| read::duration(node, "`max_expiry`", faults));
    let max_keys_per_user = fields
        .get("max_keys_per_user")
        .and_then(|node| read::number(node, "`max_keys_per_user`", KEYS_PER_USER_MAX, faults));
    Some(KeyLimits { max_expiry, max_keys_per_user })
}

fn grants(entry: &Entry, faults: &mut Faults<'_>) -> Option<Grants> {
    let fields = read::fields(&entry.value, "`grants`", entry.key_at, &GRANTS, faults)?;
    let mut grants = Grants::default();
    if let Some(node) = fields.get("manage_api_keys")
        && let Some((kind, entry)) = read::choice(node, "`manage_api_keys`", &GRANTEES, "{ everyone: {} }", faults)
    {
        grants.at = Some(entry.key_at.place(faults.sources()));
        grants.manage_api_keys = Some(if kind == "everyone" {
            read::fields(&entry.value, "`everyone`", entry.key_at, &NOTHING, faults)?;
            ManageApiKeys::Everyone
        } else {
            ManageApiKeys::Role(people::role(entry, faults)?)
        });
    }
    Some(grants)
}

/// `of` is what the key belongs to.
fn key(entry: &Entry, of: &str, faults: &mut Faults<'_>) -> Option<DeclaredKey> {
    let what = format!("key {} of {of}", faults.quote(&entry.key));
    let fields = read::fields(&entry.value, &what, entry.key_at, &KEY, faults)?;
    let adopt = fields.get("adopt").map(|node| {
        let (_, entry) = read::choice(node, "`adopt` of a key", &ADOPT_KEY, "{ key_id: … }", faults)?;
        key_id(&entry.value, faults)
    });
    let adopted = adopt.is_some();
    let need = |key: &'static str, example: &str, faults: &mut Faults<'_>| {
        if adopted { fields.get(key) } else { fields.require(key, example, faults) }
    };
    // `None`: not written. `Some(None)`: written, and at fault.
    let description = need("description", "CI deploys", faults).map(|node| description(node, faults));
    let owner = need("owner", "{ client: {} }", faults).map(|node| owner(node, faults));
    let expires_in = need("expires_in", "P30D", faults).map(|node| expires_in(node, faults));
    let deliver_to = need("deliver_to", "files", faults).map(|node| delivery::to(node, faults));
    let expires_in = or(expires_in, adopted.then_some(Duration::from_seconds(86_400)));
    let renew_before = fields.get("renew_before").map(|node| renew_before(node, expires_in, faults));
    let sinks = deliver_to.clone().flatten().unwrap_or_default();
    let deliver_as = fields.get("deliver_as").map(|node| delivery::shapes(node, &sinks, shape, faults));
    let overrides = profile::overrides(&fields, faults);

    let (owner, configured_owner) = match owner {
        Some(Some((owner, configured))) => (Some(Some(owner)), configured),
        Some(None) => (Some(None), None),
        None => (None, None),
    };
    let whole = || {
        let expires_in = expires_in?;
        Some(QlikKey {
            description: or(description, adopted.then(String::new))?,
            owner: or(owner, adopted.then_some(Owner::Client))?,
            expires_in,
            renew_before: or(renew_before, Some(Duration::from_seconds(expires_in.seconds() / 4)))?,
            deliver_to: match deliver_to {
                Some(sinks) => delivery::homes(&sinks?)?,
                // Nothing of an adopted key is delivered.
                None => Homes::one(Name::parse("none").ok()?),
            },
            deliver_as: or(deliver_as, Some(Shapes::default()))?,
            adopt: or(adopt.map(|id| id.map(Some)), Some(None))?,
        })
    };
    Some(DeclaredKey { overrides, spec: whole(), deliver_to: sinks, configured_owner })
}

/// One label, and none of those at which the vendor has services of its own: a credential would be tried there.
fn host(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<At<Label>> {
    let label = read::label(node, what, HOST_REST, faults)?;
    if RESERVED.contains(&label.value.as_str()) {
        let message = format!("{what}: `{}` is a host of the vendor's own, where no tenant is", label.value);
        faults.add(code::LABEL, node.at, message, "reserved").help("name the tenant, as in `acme` or `acme-analytics`");
        return None;
    }
    Some(label)
}

/// What was read, or the default where nothing was written.
fn or<T>(read: Option<Option<T>>, default: Option<T>) -> Option<T> {
    match read {
        Some(read) => read,
        None => default,
    }
}

fn description(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = sent(node, "`description`", DESCRIPTION_MAX, faults)?;
    if Marker::is_in(text) {
        let message = "`description` holds what begins like this program's own marker";
        faults.add(code::TEXT, node.at, message, "`[qp1:` is reserved").help("leave `[qp1:` out");
        return None;
    }
    Some(text.to_owned())
}

/// An owner, and the place of its name where it is one of the settings'.
fn owner(node: &Node, faults: &mut Faults<'_>) -> Option<(Owner, Option<At<Name>>)> {
    let (kind, entry) = read::choice(node, "`owner`", &OWNERS, "{ client: {} }", faults)?;
    if kind == "client" {
        read::fields(&entry.value, "`client`", entry.key_at, &NOTHING, faults)?;
        return Some((Owner::Client, None));
    }
    if kind == "user" {
        return people::owner(entry, faults).map(|user| (Owner::User(user), None));
    }
    let name = read::name(&entry.value, "`configured`", faults)?;
    Some((Owner::Configured(name.value.clone()), Some(name)))
}

fn expires_in(node: &Node, faults: &mut Faults<'_>) -> Option<Duration> {
    let duration = read::duration(node, "`expires_in`", faults)?;
    if duration < EXPIRES_IN_MIN {
        let message = format!("`expires_in` is {duration}; at least {EXPIRES_IN_MIN} is taken");
        faults.add(code::DURATION, node.at, message, "too short").help("most keys live for days, as in `P7D`");
        return None;
    }
    Some(duration)
}

fn renew_before(node: &Node, expires_in: Option<Duration>, faults: &mut Faults<'_>) -> Option<Duration> {
    let duration = read::duration(node, "`renew_before`", faults)?;
    if let Some(expires_in) = expires_in
        && duration >= expires_in
    {
        let quarter = Duration::from_seconds(expires_in.seconds() / 4);
        let message =
            format!("`renew_before` is {duration}, and the key expires in {expires_in}: it would always be due");
        faults
            .add(code::RENEWAL, node.at, message, "not shorter than `expires_in`")
            .help(format!("say less than {expires_in}; left out, it is a quarter: {quarter}"));
        return None;
    }
    Some(duration)
}

fn shape(node: &Node, faults: &mut Faults<'_>) -> Option<Shape> {
    let word = read::word(node, "`deliver_as`", &SHAPES, faults)?;
    Shape::ALL.iter().find(|(name, _)| *name == word).map(|(_, shape)| *shape)
}

/// It becomes part of a request's path, so nothing but what ids consist of.
fn key_id(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`key_id`", faults)?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if text.is_empty() || text.len() > KEY_ID_MAX || !text.bytes().all(fits) {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`key_id` is no key's id", "letters, digits, `-` and `_`")
            .help("the id, as the tenant's list of API keys shows it; not the key itself");
        return None;
    }
    Some(text.to_owned())
}
