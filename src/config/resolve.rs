//! Files of desired state → one: merged, profiles applied, references checked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::desired::{DeclaredKey, DeclaredTenant, File, Shared};
use super::diagnostic::{Faults, code};
use super::group::Groups;
use super::homes::{self, Taken};
use super::ignore;
use super::imburse;
use super::profile::{self, Named, TakesProfile as _};
use super::read::unknown_name;
use super::size::Size;
use super::source::{At, Span};
use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::{Declared, Desired, Ignore, QlikFacts, SinkFacts};
use crate::model::host::Label;
use crate::model::selection::Selection;
use crate::model::settings::{Limits, Settings};
use crate::model::spec::{QlikTenant, Spec};

type Items = BTreeMap<Address, Declared>;

/// Everything that files declare.
#[derive(Default)]
pub(crate) struct Merged {
    pub(crate) items: Items,
    ignore: Vec<Ignore>,
    groups: Groups,
}

/// Everything declared. Without settings, what refers to them is taken as it is.
pub(crate) fn items(files: Vec<File>, settings: Option<&Settings>, faults: &mut Faults<'_>) -> Merged {
    let (mut profiles, mut tenants, mut ignore) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_imburse = imburse::File::default();
    let groups = Groups::of(files.iter().map(|file| &file.group));
    for file in files {
        of_imburse.profiles.extend(file.imburse.profiles);
        of_imburse.tenants.extend(file.imburse.tenants);
        ignore.extend(file.ignore);
        profiles.extend(file.profiles);
        tenants.extend(file.tenants);
    }
    let profiles = once(profiles, "profile", faults);
    let tenants = once(tenants, "tenant", faults);
    let profiles_of_imburse = once(of_imburse.profiles, "profile", faults);
    let tenants_of_imburse = once(of_imburse.tenants, "tenant", faults);
    let mut size = Size::default();
    size.add(tenants.values().map(|(at, tenant)| (*at, &tenant.taking, &tenant.shared)), &profiles);
    size.add(
        tenants_of_imburse.values().map(|(at, tenant)| (*at, &tenant.taking, &tenant.shared)),
        &profiles_of_imburse,
    );
    if !size.fits(settings.map_or(Limits::default(), |settings| settings.limits).objects, faults) {
        return Merged::default();
    }
    if let Some(settings) = settings {
        let shared = profiles.values().map(|(_, profile)| profile);
        for shared in shared.chain(tenants.values().map(|(_, tenant)| &tenant.shared)) {
            references(shared, settings, faults);
        }
    }
    let mut hosts = Hosts { settings, seen: HashMap::new() };
    let mut owners = BTreeSet::new();
    let mut taken = Taken::default();
    let mut items = Items::new();
    for (name, (at, tenant)) in &tenants {
        let profile = profile::find(&tenant.taking, &profiles, faults);
        let account = profile::account(name, *at, &tenant.shared, &profile, faults);
        let keys = profile::keys(&tenant.shared, &tenant.taking, &profile, faults);
        if let Some(account) = &account {
            hosts.claim(name, tenant, &account.value, faults);
            if let Some(settings) = settings {
                for (name_of_key, (_, key)) in &keys {
                    owner(key, &account.value, settings, &mut owners, faults);
                    let Some(spec) = &key.spec else { continue };
                    homes::each_its_own(key.deliver_to(), settings, faults);
                    for sink in key.deliver_to() {
                        let shape = spec.deliver_as.of(&sink.value);
                        taken.check((name, name_of_key), sink, Some(shape), settings, faults);
                    }
                }
            }
        }
        let Some(account) = account else { continue };
        let address = Address::tenant(Vendor::Qlik, name.clone());
        for (key_name, (at, key)) in &keys {
            if let Some(spec) = &key.spec {
                let spec = Spec::QlikKey(spec.clone());
                items.insert(address.with_key((*key_name).clone()), groups.declared(spec, *at, faults));
            }
        }
        #[cfg(test)]
        for (space_name, space) in &tenant.spaces {
            let spec = Spec::QlikSpace(space.clone());
            items.insert(address.with_space(space_name.value.clone()), groups.declared(spec, space_name.at, faults));
        }
        let own = &tenant.shared.more;
        let inherited = profile.get().map(|shared| &shared.more);
        let spec = Spec::QlikTenant(QlikTenant {
            account: account.value.clone(),
            display_name: tenant.display_name.clone(),
            alias: tenant.alias.as_ref().map(|alias| alias.value.clone()),
            adopt: tenant.adopt.as_ref().map(|adopt| adopt.value.clone()),
            api_key_limits: own
                .api_key_limits
                .or_else(|| inherited.and_then(|shared| shared.api_key_limits))
                .unwrap_or_default(),
            grants: own
                .grants
                .clone()
                .or_else(|| inherited.and_then(|shared| shared.grants.clone()))
                .unwrap_or_default(),
        });
        items.insert(address, Declared { labels: tenant.labels.clone(), ..groups.declared(spec, *at, faults) });
    }
    let imburse = (&profiles_of_imburse, tenants_of_imburse);
    imburse::items(imburse, settings, &groups, &mut taken, &mut items, faults);
    // A declaration at fault is not among the items, and would be missed here too.
    let ignore = if faults.is_clean() { ignore::check(ignore, &items, faults) } else { Vec::new() };
    Merged { items, ignore, groups }
}

/// What a plan depends on, joined.
pub(crate) fn join(Merged { items, ignore, groups }: Merged, settings: &Settings) -> Desired {
    let accounts = settings.qlik.iter().map(|(name, account)| {
        let facts = QlikFacts {
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
            late: sink.takes_what_is_late(),
            blind: sink.is_blind(),
            half_blind: false,
        };
        (name.clone(), facts)
    });
    Desired {
        items,
        passed_over: Items::new(),
        other_shards: Items::new(),
        selection: Selection::default(),
        groups: groups.read,
        qlik: accounts.collect(),
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
        && !settings.qlik.contains_key(&account.value)
    {
        let other = settings.imburse.contains_key(&account.value);
        let message = match other {
            true => format!("account `{}` is not of vendor qlik", account.value),
            false => format!("no account in settings is called `{}`", account.value),
        };
        let help = unknown_name(&account.value, settings.qlik.keys(), "accounts in settings:", faults);
        faults.add(code::UNKNOWN_ACCOUNT, account.at, message, "not in settings").help(help);
    }
    profile::sinks(shared, settings, faults);
}

/// An owner belongs to an account, so a profile's key is checked once for each account that uses it.
fn owner(
    key: &DeclaredKey,
    account: &Name,
    settings: &Settings,
    seen: &mut BTreeSet<(Span, Name)>,
    faults: &mut Faults<'_>,
) {
    let (Some(owner), Some(found)) = (&key.configured_owner, settings.qlik.get(account)) else { return };
    if found.owners.contains_key(&owner.value) || !seen.insert((owner.at, account.clone())) {
        return;
    }
    let message = format!("account `{account}` has no owner called `{}`", owner.value);
    let help = unknown_name(&owner.value, found.owners.keys(), "its owners in settings:", faults);
    faults.add(code::UNKNOWN_OWNER, owner.at, message, "not in settings").help(help);
}

/// The hostnames and aliases that tenants claim in each region.
struct Hosts<'s> {
    settings: Option<&'s Settings>,
    seen: HashMap<(String, &'static str, Label), (Name, Span)>,
}

impl Hosts<'_> {
    fn claim(&mut self, tenant: &Name, spec: &DeclaredTenant, account: &Name, faults: &mut Faults<'_>) {
        let region = self.settings.and_then(|settings| settings.qlik.get(account)).map(|account| &account.region);
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
