//! All that is declared of Imburse, joined: accounts and sinks checked, no tenant claimed twice.

use std::collections::{BTreeMap, HashMap};

use super::super::diagnostic::{Faults, code};
use super::super::read::unknown_name;
use super::super::source::{At, Span};
use super::Tenant;
use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::Declared;
use crate::model::imburse::{ImburseFacts, ImburseTenant};
use crate::model::settings::Settings;
use crate::model::spec::Spec;

type Items = BTreeMap<Address, Declared>;

/// What a plan needs to know of the accounts.
pub(crate) fn facts(settings: &Settings) -> BTreeMap<Name, ImburseFacts> {
    let facts = settings.imburse.iter().map(|(name, account)| {
        let facts =
            ImburseFacts { host: account.host.clone(), account_id: account.account_id.clone(), api: account.api };
        (name.clone(), facts)
    });
    facts.collect()
}

/// The declared tenants and keys, into `items`. Without settings, what refers to them is taken as it is.
pub(crate) fn items(
    tenants: BTreeMap<Name, (Span, Tenant)>,
    settings: Option<&Settings>,
    items: &mut Items,
    faults: &mut Faults<'_>,
) {
    let mut claims = Claims { seen: HashMap::new() };
    for (name, (at, tenant)) in tenants {
        if let Some(settings) = settings {
            references(&tenant, settings, faults);
        }
        let Some(account) = &tenant.account else { continue };
        if let Some(adopt) = &tenant.adopt {
            claims.claim("tenant_id", &name, &account.value, adopt, faults);
        }
        if let Some(display) = &tenant.display_name {
            claims.claim("display_name", &name, &account.value, display, faults);
        }
        let address = Address::tenant(Vendor::Imburse, name.clone());
        let mut adopted: HashMap<String, Span> = HashMap::new();
        for (key_name, key) in &tenant.keys {
            let Some(spec) = &key.spec else { continue };
            if let Some(id) = &spec.adopt
                && let Some(first) = adopted.insert(id.clone(), key_name.at)
            {
                let first = faults.place(first);
                faults
                    .add(code::SAME_ID, key_name.at, "two keys adopt one public key", "again here")
                    .also(first, "first here")
                    .help("declare each key once");
            }
            let at = key_name.at.origin(faults.sources());
            items.insert(
                address.with_key(key_name.value.clone()),
                Declared { spec: Spec::ImburseKey(spec.clone()), at },
            );
        }
        if tenant.broken {
            continue;
        }
        let spec = Spec::ImburseTenant(ImburseTenant {
            account: account.value.clone(),
            display_name: tenant.display_name.map(|name| name.value),
            address: tenant.address,
            adopt: tenant.adopt.map(|id| id.value),
        });
        items.insert(address, Declared { spec, at: at.origin(faults.sources()) });
    }
}

fn references(tenant: &Tenant, settings: &Settings, faults: &mut Faults<'_>) {
    if let Some(account) = &tenant.account
        && !settings.imburse.contains_key(&account.value)
    {
        let (message, help) = if settings.accounts.contains_key(&account.value) {
            let message = format!("account `{}` is not of vendor imburse", account.value);
            (message, unknown_name_among(settings))
        } else {
            let message = format!("no account in settings is called `{}`", account.value);
            (message, unknown_name(&account.value, settings.imburse.keys(), "accounts of imburse in settings:"))
        };
        faults.add(code::UNKNOWN_ACCOUNT, account.at, message, "not in settings").help(help);
    }
    for (_, key) in &tenant.keys {
        if let Some(sink) = &key.deliver_to
            && !settings.sinks.contains_key(&sink.value)
        {
            let message = format!("no sink in settings is called `{}`", sink.value);
            let help = unknown_name(&sink.value, settings.sinks.keys(), "sinks in settings:");
            faults.add(code::UNKNOWN_SINK, sink.at, message, "not in settings").help(help);
        }
    }
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
        let key = (noun, account.clone(), claim.value.clone());
        if let Some((other, at)) = self.seen.get(&key) {
            let place = faults.place(*at);
            let message = format!("tenants `{other}` and `{tenant}` have the same `{noun}`");
            faults.add(code::SAME_ID, claim.at, message, "again here").also(place, "first here").help(
                "a tenant that no ledger knows yet is found by its name, so each of an account has one of its own",
            );
            return;
        }
        self.seen.insert(key, (tenant.clone(), claim.at));
    }
}
