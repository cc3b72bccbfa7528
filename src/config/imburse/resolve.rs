//! All that is declared of Imburse, joined: accounts and sinks checked, no tenant claimed twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::diagnostic::{Faults, code};
use super::super::group::Groups;
use super::super::homes::{self, Taken};
use super::super::profile::{self, Named, Profile, TakesProfile as _};
use super::super::read::unknown_name;
use super::super::source::{At, Span};
use super::{ADDRESS_EXAMPLE, DeclaredKey, DeclaredTenant, Shared};
use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::Declared;
use crate::model::imburse::{ImburseFacts, ImburseTenant};
use crate::model::likeness::folded;
use crate::model::settings::Settings;
use crate::model::spec::Spec;

type Items = BTreeMap<Address, Declared>;

/// What a plan needs to know of the accounts.
pub(crate) fn facts(settings: &Settings) -> BTreeMap<Name, ImburseFacts> {
    let facts = settings.imburse.iter().map(|(name, account)| {
        let facts = ImburseFacts {
            host: account.host.clone(),
            account_id: account.account_id.clone(),
            api: account.api,
            known_tenants: account.ignore_tenants.clone(),
        };
        (name.clone(), facts)
    });
    facts.collect()
}

/// The declared tenants and keys, into `items`. Without settings, what refers to them is taken as it is.
pub(crate) fn items(
    (profiles, tenants): (&Named<Shared>, Named<DeclaredTenant>),
    settings: Option<&Settings>,
    groups: &Groups,
    taken: &mut Taken,
    items: &mut Items,
    faults: &mut Faults<'_>,
) {
    if let Some(settings) = settings {
        let shared = profiles.values().map(|(_, profile)| profile);
        for shared in shared.chain(tenants.values().map(|(_, tenant)| &tenant.shared)) {
            references(shared, settings, faults);
        }
    }
    let mut claims = Claims { seen: HashMap::new() };
    let mut told = Told::default();
    for (name, (at, tenant)) in tenants {
        let profile = profile::find(&tenant.taking, profiles, faults);
        let account = profile::account(&name, at, &tenant.shared, &profile, faults);
        let keys = profile::keys(&tenant.shared, &tenant.taking, &profile, faults);
        let postal = match (&tenant.shared.more, &profile) {
            (Some(own), _) => Some(own.value.clone()),
            (None, Profile::Found(profile, Shared { more: None, .. })) => {
                if !tenant.adopts {
                    profile::missing(&name, at, "address", ADDRESS_EXAMPLE, profile, faults);
                }
                None
            }
            (None, Profile::Found(_, Shared { more: Some(inherited), .. })) => {
                if !tenant.adopts && told.addresses.insert(inherited.at) {
                    inherited.complete("", Some(at), faults);
                }
                Some(inherited.value.clone())
            }
            (None, Profile::None | Profile::AtFault) => None,
        };
        told.adopted_once(keys.values(), faults);
        let Some(account) = account else { continue };
        if let Some(adopt) = &tenant.adopt {
            claims.claim("tenant_id", &name, &account.value, adopt, faults);
        }
        if let Some(display) = &tenant.display_name {
            claims.claim("display_name", &name, &account.value, display, faults);
        }
        for (name_of_key, (_, key)) in &keys {
            let Some(settings) = settings else { continue };
            homes::each_its_own(key.deliver_to(), settings, faults);
            for sink in key.deliver_to() {
                taken.check((&name, name_of_key), sink, None, settings, faults);
            }
        }
        let address = Address::tenant(Vendor::Imburse, name.clone());
        for (key_name, (at, key)) in keys {
            if let Some(spec) = &key.spec {
                let spec = Spec::ImburseKey(spec.clone());
                items.insert(address.with_key(key_name.clone()), groups.declared(spec, at, faults));
            }
        }
        let spec = Spec::ImburseTenant(ImburseTenant {
            account: account.value,
            display_name: tenant.display_name.map(|name| name.value),
            address: postal,
            adopt: tenant.adopt.map(|id| id.value),
        });
        items.insert(address, Declared { labels: tenant.labels, ..groups.declared(spec, at, faults) });
    }
}

/// What is at fault in a profile is told once, however many tenants take from it.
#[derive(Default)]
struct Told {
    addresses: BTreeSet<Span>,
    keys: BTreeSet<(Span, Span)>,
}

impl Told {
    /// No two keys of one tenant may be the same key at the vendor.
    fn adopted_once<'k>(&mut self, keys: impl Iterator<Item = &'k (Span, &'k DeclaredKey)>, faults: &mut Faults<'_>) {
        let mut adopted: Vec<(&str, Span)> =
            keys.filter_map(|(at, key)| Some((key.spec.as_ref()?.adopt.as_deref()?, *at))).collect();
        adopted.sort_by_key(|(_, at)| *at);
        let mut first: HashMap<&str, Span> = HashMap::new();
        for (id, at) in adopted {
            let Some(before) = first.insert(id, at) else { continue };
            if self.keys.insert((before, at)) {
                let before = faults.place(before);
                faults
                    .add(code::SAME_ID, at, "two keys adopt one public key", "again here")
                    .also(before, "first here")
                    .help("declare each key once");
            }
        }
    }
}

/// Accounts and sinks that are named where they stand, once each, whether a profile is used or not.
fn references(shared: &Shared, settings: &Settings, faults: &mut Faults<'_>) {
    if let Some(account) = &shared.account
        && !settings.imburse.contains_key(&account.value)
    {
        let (message, help) = if settings.qlik.contains_key(&account.value) {
            let message = format!("account `{}` is not of vendor imburse", account.value);
            (message, unknown_name_among(settings))
        } else {
            let message = format!("no account in settings is called `{}`", account.value);
            (message, unknown_name(&account.value, settings.imburse.keys(), "accounts of imburse in settings:", faults))
        };
        faults.add(code::UNKNOWN_ACCOUNT, account.at, message, "not in settings").help(help);
    }
    profile::sinks(shared, settings, faults);
}

fn unknown_name_among(settings: &Settings) -> String {
    let known: Vec<&str> = settings.imburse.keys().map(Name::as_str).take(10).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("accounts of imburse in settings: {known}")
}

/// What only one tenant of an account may be: an id, and a name, by which an unrecorded tenant is found.
struct Claims {
    seen: HashMap<(&'static str, Name, String), (Name, Span)>,
}

impl Claims {
    fn claim(
        &mut self,
        noun: &'static str,
        tenant: &Name,
        account: &Name,
        claim: &At<String>,
        faults: &mut Faults<'_>,
    ) {
        // Names that differ as a hand slips are one name to whoever looks for the tenant.
        let is_name = noun == "display_name";
        let compared = if is_name { folded(&claim.value) } else { claim.value.clone() };
        let key = (noun, account.clone(), compared);
        if let Some((other, at)) = self.seen.get(&key) {
            let place = faults.place(*at);
            let but_for = if is_name { ", or one that differs in case or white space only" } else { "" };
            let message = format!("tenants `{other}` and `{tenant}` have the same `{noun}`{but_for}");
            faults.add(code::SAME_ID, claim.at, message, "again here").also(place, "first here").help(
                "a tenant that no ledger knows yet is found by its name, so each of an account has one of its own",
            );
            return;
        }
        self.seen.insert(key, (tenant.clone(), claim.at));
    }
}
