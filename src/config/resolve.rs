//! Files of desired state → one: merged, profiles applied, references checked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::desired::{File, Key, Shared, Tenant};
use super::diagnostic::{Faults, code};
use super::ignore;
use super::imburse;
use super::read::unknown_name;
use super::source::{At, Span};
use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::{AccountFacts, Declared, Desired, Ignore, SinkFacts};
use crate::model::host::Label;
use crate::model::settings::Settings;
use crate::model::spec::{QlikTenant, Spec};

type Items = BTreeMap<Address, Declared>;
type Named<T> = BTreeMap<Name, (Span, T)>;

/// Everything declared. Without settings, what refers to them is taken as it is.
pub(crate) fn items(files: Vec<File>, settings: Option<&Settings>, faults: &mut Faults<'_>) -> (Items, Vec<Ignore>) {
    let (mut profiles, mut tenants, mut ignore) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_imburse = Vec::new();
    for file in files {
        of_imburse.extend(file.imburse);
        ignore.extend(file.ignore);
        profiles.extend(file.profiles);
        tenants.extend(file.tenants);
    }
    let profiles = once(profiles, "profile", faults);
    let tenants = once(tenants, "tenant", faults);
    if let Some(settings) = settings {
        let shared = profiles.values().map(|(_, profile)| profile);
        for shared in shared.chain(tenants.values().map(|(_, tenant)| &tenant.shared)) {
            references(shared, settings, faults);
        }
    }
    let mut hosts = Hosts { settings, seen: HashMap::new() };
    let mut owners = BTreeSet::new();
    let mut items = Items::new();
    for (name, (at, tenant)) in &tenants {
        let profile = profile(tenant, &profiles, faults);
        let of_profile = profile.map(|(_, shared)| shared);
        let account = account(name, *at, tenant, profile, faults);
        let keys = keys(tenant, of_profile, faults);
        if let Some(account) = &account {
            hosts.claim(name, tenant, &account.value, faults);
            if let Some(settings) = settings {
                for (_, key) in keys.values() {
                    owner(key, &account.value, settings, &mut owners, faults);
                }
            }
        }
        let Some(account) = account else { continue };
        let address = Address::tenant(Vendor::Qlik, name.clone());
        for (key_name, (at, key)) in &keys {
            if let Some(spec) = &key.spec {
                let at = at.origin(faults.sources());
                items.insert(address.with_key((*key_name).clone()), Declared { spec: Spec::QlikKey(spec.clone()), at });
            }
        }
        let spec = Spec::QlikTenant(QlikTenant {
            account: account.value.clone(),
            display_name: tenant.display_name.clone(),
            alias: tenant.alias.as_ref().map(|alias| alias.value.clone()),
            adopt: tenant.adopt.as_ref().map(|adopt| adopt.value.clone()),
            api_key_limits: tenant
                .shared
                .api_key_limits
                .or_else(|| of_profile.and_then(|shared| shared.api_key_limits))
                .unwrap_or_default(),
            grants: tenant
                .shared
                .grants
                .clone()
                .or_else(|| of_profile.and_then(|shared| shared.grants.clone()))
                .unwrap_or_default(),
        });
        items.insert(address, Declared { spec, at: at.origin(faults.sources()) });
    }
    let of_imburse = once(of_imburse, "tenant", faults);
    imburse::items(of_imburse, settings, &mut items, faults);
    // A declaration at fault is not among the items, and would be missed here too.
    let ignore = if faults.is_clean() { ignore::check(ignore, &items, faults) } else { Vec::new() };
    (items, ignore)
}

/// What a plan depends on, joined.
pub(crate) fn join((items, ignore): (Items, Vec<Ignore>), settings: &Settings) -> Desired {
    let accounts = settings.accounts.iter().map(|(name, account)| {
        let facts = AccountFacts {
            region: account.region.clone(),
            has_source_tenant: account.source_tenant.is_some(),
            has_key_client: account.key_client.is_some(),
            known_hosts: account
                .source_tenant
                .iter()
                .chain(&account.ignore_tenants)
                .map(|label| account.region.host(label))
                .collect(),
        };
        (name.clone(), facts)
    });
    let sinks = settings.sinks.iter().map(|(name, sink)| {
        let facts = SinkFacts {
            kind: sink.kind().to_owned(),
            hash: sink.hash(),
            compares_versions: sink.compares_versions(),
            local: sink.is_local(),
            hidden: sink.is_per_machine() && settings.ledger.is_shared(),
            blind: sink.is_blind(),
        };
        (name.clone(), facts)
    });
    Desired {
        items,
        accounts: accounts.collect(),
        imburse: imburse::facts(settings),
        sinks: sinks.collect(),
        limits: settings.limits,
        ignore,
    }
}

/// By name; a second declaration is a fault that names both places.
fn once<T>(all: Vec<(At<Name>, T)>, noun: &str, faults: &mut Faults<'_>) -> Named<T> {
    let mut named: Named<T> = BTreeMap::new();
    for (name, value) in all {
        if let Some((first, _)) = named.get(&name.value) {
            let first = faults.place(*first);
            let message = format!("{noun} `{}` is declared twice", name.value);
            faults
                .add(code::DECLARED_TWICE, name.at, message, "again here")
                .also(first, "first here")
                .help("files are merged, names are not: keep one, or rename one");
            continue;
        }
        named.insert(name.value, (name.at, value));
    }
    named
}

/// Accounts and sinks that are named where they stand, once each, whether a profile is used or not.
fn references(shared: &Shared, settings: &Settings, faults: &mut Faults<'_>) {
    if let Some(account) = &shared.account
        && !settings.accounts.contains_key(&account.value)
    {
        let other = settings.imburse.contains_key(&account.value);
        let message = match other {
            true => format!("account `{}` is not of vendor qlik", account.value),
            false => format!("no account in settings is called `{}`", account.value),
        };
        let help = unknown_name(&account.value, settings.accounts.keys(), "accounts in settings:");
        faults.add(code::UNKNOWN_ACCOUNT, account.at, message, "not in settings").help(help);
    }
    for (_, key) in &shared.keys {
        if let Some(sink) = &key.deliver_to
            && !settings.sinks.contains_key(&sink.value)
        {
            let message = format!("no sink in settings is called `{}`", sink.value);
            let help = unknown_name(&sink.value, settings.sinks.keys(), "sinks in settings:");
            faults.add(code::UNKNOWN_SINK, sink.at, message, "not in settings").help(help);
        }
    }
}

/// An owner belongs to an account, so a profile's key is checked once for each account that uses it.
fn owner(key: &Key, account: &Name, settings: &Settings, seen: &mut BTreeSet<(Span, Name)>, faults: &mut Faults<'_>) {
    let (Some(owner), Some(found)) = (&key.configured_owner, settings.accounts.get(account)) else { return };
    if found.owners.contains_key(&owner.value) || !seen.insert((owner.at, account.clone())) {
        return;
    }
    let message = format!("account `{account}` has no owner called `{}`", owner.value);
    let help = unknown_name(&owner.value, found.owners.keys(), "its owners in settings:");
    faults.add(code::UNKNOWN_OWNER, owner.at, message, "not in settings").help(help);
}

fn profile<'p>(
    tenant: &Tenant,
    profiles: &'p Named<Shared>,
    faults: &mut Faults<'_>,
) -> Option<(&'p Name, &'p Shared)> {
    let wanted = tenant.profile.as_ref()?;
    let found = profiles.get_key_value(&wanted.value).map(|(name, (_, shared))| (name, shared));
    if found.is_none() {
        let message = format!("no profile is called `{}`", wanted.value);
        let help = unknown_name(&wanted.value, profiles.keys(), "profiles:");
        faults.add(code::UNKNOWN_PROFILE, wanted.at, message, "not declared").help(help);
    }
    found
}

fn account(
    name: &Name,
    at: Span,
    tenant: &Tenant,
    profile: Option<(&Name, &Shared)>,
    faults: &mut Faults<'_>,
) -> Option<At<Name>> {
    let own = tenant.shared.account.clone();
    let found = own.or_else(|| profile.and_then(|(_, shared)| shared.account.clone()));
    let profile_at_fault = tenant.profile.is_some() && profile.is_none();
    if found.is_none() && !tenant.names_account && !profile_at_fault {
        let help = match profile {
            Some((profile, _)) => format!("add `account: NAME` here or to profile `{profile}`"),
            None => "add `account: NAME`, one of the accounts in settings".to_owned(),
        };
        faults.add(code::MISSING, at, format!("tenant `{name}` says no `account`"), "`account` is missing").help(help);
    }
    found
}

/// The tenant's keys: its profile's, less what it omits, and its own.
fn keys<'k>(
    tenant: &'k Tenant,
    profile: Option<&'k Shared>,
    faults: &mut Faults<'_>,
) -> BTreeMap<&'k Name, (Span, &'k Key)> {
    let inherited = profile.map(|shared| shared.keys.as_slice()).unwrap_or_default();
    let mut keys: BTreeMap<&Name, (Span, &Key)> =
        inherited.iter().map(|(name, key)| (&name.value, (name.at, key))).collect();
    // Where the profile itself is at fault, nothing can be said of what it holds.
    let judge = profile.is_some() || tenant.profile.is_none();
    for omitted in &tenant.omit {
        if keys.remove(&omitted.value).is_none() && judge {
            let message = format!("`omit` names `{}`, and the profile has no such key", omitted.value);
            let names = inherited.iter().map(|(name, _)| &name.value);
            let help = match profile {
                Some(_) => unknown_name(&omitted.value, names, "the profile's keys:"),
                None => "this tenant has no profile; leave `omit` out".to_owned(),
            };
            faults.add(code::OMIT, omitted.at, message, "nothing to omit").help(help);
        }
    }
    for (name, key) in &tenant.shared.keys {
        let omitted = tenant.omit.iter().any(|omitted| omitted.value == name.value);
        match (keys.get(&name.value), key.overrides) {
            (Some((inherited, _)), None) => {
                let inherited = faults.place(*inherited);
                let message = format!("key `{}` is already in the profile", name.value);
                faults
                    .add(code::OVERRIDE, name.at, message, "declared again here")
                    .also(inherited, "in the profile")
                    .help("say `override: true` in it to replace the profile's key as a whole, or rename it");
            }
            (None, Some(at)) if judge && !omitted => {
                let message = format!("key `{}` overrides nothing: the profile has no such key", name.value);
                faults.add(code::OVERRIDE, at, message, "overrides nothing").help("leave `override` out");
            }
            (Some(_), Some(_)) | (None, Some(_) | None) => {}
        }
        keys.insert(&name.value, (name.at, key));
    }
    keys
}

/// The hostnames and aliases that tenants claim in each region.
struct Hosts<'s> {
    settings: Option<&'s Settings>,
    seen: HashMap<(String, &'static str, Label), (Name, Span)>,
}

impl Hosts<'_> {
    fn claim(&mut self, tenant: &Name, spec: &Tenant, account: &Name, faults: &mut Faults<'_>) {
        let region = self.settings.and_then(|settings| settings.accounts.get(account)).map(|account| &account.region);
        // Without settings nobody knows which accounts share a region.
        let region = region.map_or_else(|| format!("account {account}"), |region| region.register().to_string());
        for (noun, code, claim) in
            [("alias", code::SAME_ALIAS, &spec.alias), ("hostname", code::SAME_HOSTNAME, &spec.adopt)]
        {
            let Some(claim) = claim else { continue };
            let key = (region.clone(), noun, claim.value.clone());
            if let Some((other, at)) = self.seen.get(&key) {
                let place = faults.place(*at);
                let message = format!("tenants `{other}` and `{tenant}` have the same {noun} `{}`", claim.value);
                faults
                    .add(code, claim.at, message, "again here")
                    .also(place, "first here")
                    .help(format!("one {noun} is one tenant's within a region"));
                continue;
            }
            self.seen.insert(key, (tenant.clone(), claim.at));
        }
    }
}
