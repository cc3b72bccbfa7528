//! Resolves the references in settings to secrets, for the accounts that this run uses. Names what is missing, never a value.

mod imburse;
pub(super) mod program;
pub(super) mod proof;
mod reference;
pub(super) mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Name, Vendor};
use crate::model::desired::Desired;
use crate::model::live::Unreadable;
use crate::model::secret::Secret;
use crate::model::settings::{self, Client, Reference, Settings};
use crate::model::spec::Owner;
use crate::provider::imburse::Account;
use crate::provider::qlik::{Credentials, OwnerKey};

use super::exit::Problem;

use self::reference::{Missing, read};
use self::text::Carried;

/// What a run needs of each account.
pub(super) struct Needs {
    /// At Qlik, with the owners that mint.
    qlik: BTreeMap<Name, BTreeSet<Owner>>,
    imburse: BTreeSet<Name>,
}

/// The secrets of the accounts that a run uses.
pub(super) struct Resolved {
    pub(super) qlik: BTreeMap<Name, Credentials>,
    pub(super) imburse: BTreeMap<Name, Account>,
}

impl Needs {
    /// Every account that a tenant names, with the owners that its keys name.
    pub(super) fn of(desired: &Desired) -> Self {
        let mut needs: BTreeMap<Name, BTreeSet<Owner>> = BTreeMap::new();
        for (address, tenant, _) in desired.qlik_tenants() {
            let owners = needs.entry(tenant.account.clone()).or_default();
            owners.extend(
                desired.qlik_keys(address).filter(|(_, k, _)| k.adopt.is_none()).map(|(_, k, _)| k.owner.clone()),
            );
        }
        let imburse = desired.imburse_tenants().map(|(_, tenant, _)| tenant.account.clone()).collect();
        Self { qlik: needs, imburse }
    }

    /// No account.
    pub(super) fn none() -> Self {
        Self { qlik: BTreeMap::new(), imburse: BTreeSet::new() }
    }

    /// And this account, whoever declares something of it.
    pub(super) fn and_account(mut self, vendor: Vendor, account: &Name) -> Self {
        match vendor {
            Vendor::Qlik => drop(self.qlik.entry(account.clone()).or_default()),
            Vendor::Imburse => drop(self.imburse.insert(account.clone())),
        }
        self
    }

    pub(super) fn of_account(account: &Name, owners: impl IntoIterator<Item = Owner>) -> Self {
        let qlik = BTreeMap::from([(account.clone(), owners.into_iter().collect())]);
        Self { qlik, imburse: BTreeSet::new() }
    }

    pub(super) fn owners(&self, account: &Name) -> Option<&BTreeSet<Owner>> {
        self.qlik.get(account)
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = &Name> {
        self.qlik.keys()
    }

    pub(super) fn imburse(&self) -> impl Iterator<Item = &Name> {
        self.imburse.iter()
    }
}

/// Reads every credential that is needed, or says of each that is missing where it should be.
pub(super) fn resolve(settings: &Settings, needs: &Needs) -> Result<Resolved, Problem> {
    let mut missing = Vec::new();
    let found = look(settings, needs, &mut missing);
    if missing.is_empty() {
        return Ok(found);
    }
    let rendered = missing.iter().map(|(what, _)| format!("error: {what}")).collect::<Vec<_>>().join("\n");
    Err(Problem {
        message: missing.iter().map(|(what, _)| what.clone()).collect::<Vec<_>>().join("; "),
        next: missing.into_iter().map(|(_, next)| next).collect(),
        rendered: Some(rendered),
        faults: None,
        outcome: crate::render::Outcome::Credentials,
    })
}

/// What is missing of what is needed, and what to do about each.
pub(super) fn missing(settings: &Settings, needs: &Needs) -> Missing {
    let mut missing = Vec::new();
    // Whatever can be read is wiped at once.
    drop(look(settings, needs, &mut missing));
    missing
}

fn look(settings: &Settings, needs: &Needs, missing: &mut Missing) -> Resolved {
    let mut resolved = BTreeMap::new();
    for name in needs.accounts() {
        let Some(account) = settings.qlik.get(name) else { continue };
        if let Some(credentials) = account_credentials(name, account, needs, missing) {
            resolved.insert(name.clone(), credentials);
        }
    }
    let mut of_imburse = BTreeMap::new();
    for name in needs.imburse() {
        let Some(account) = settings.imburse.get(name) else { continue };
        of_imburse.extend(imburse::account(name, account, missing).map(|account| (name.clone(), account)));
    }
    Resolved { qlik: resolved, imburse: of_imburse }
}

fn account_credentials(
    name: &Name,
    account: &settings::Account,
    needs: &Needs,
    missing: &mut Missing,
) -> Option<Credentials> {
    let owners = needs.owners(name)?;
    let client = read_client(&format!("accounts.{name}.client"), &account.client, missing);
    let mut key_client = None;
    if owners.iter().any(Owner::needs_key_client)
        && let Some(client) = &account.key_client
    {
        key_client = read_client(&format!("accounts.{name}.key_client"), client, missing);
    }
    let mut organization_client = None;
    if let Some(client) = &account.organization_client {
        organization_client = read_client(&format!("accounts.{name}.organization_client"), client, missing);
    }
    let mut own = BTreeMap::new();
    for owner in owners {
        let Owner::Configured(owner) = owner else { continue };
        let Some(configured) = account.owners.get(owner) else { continue };
        let what = format!("accounts.{name}.owners.{owner}.api_key");
        if let Some(api_key) = read(&what, &configured.api_key, Carried::Header, missing) {
            own.insert(owner.clone(), OwnerKey { tenant: configured.tenant.clone(), api_key });
        }
    }
    let (client_id, client_secret) = client?;
    Some(Credentials { client_id, client_secret, key_client, organization_client, owners: own })
}

fn read_client(what: &str, client: &Client, missing: &mut Missing) -> Option<(Secret, Secret)> {
    let id = read(&format!("{what}.id"), &client.id, Carried::Body, missing);
    let secret = read(&format!("{what}.secret"), &client.secret, Carried::Body, missing);
    id.zip(secret)
}

/// What is missing of the sinks' tokens, and what to do about each.
pub(super) fn missing_of_sinks(settings: &Settings) -> Missing {
    let mut missing = Vec::new();
    for (name, sink) in &settings.sinks {
        match sink {
            // Whatever can be read is wiped at once.
            settings::Sink::Vault(vault) => match &vault.auth {
                settings::VaultAuth::Token(token) => {
                    drop(read(&field_of(name, "token"), token, Carried::Header, &mut missing));
                }
                settings::VaultAuth::Login(login) => proof::missing(name, login, &mut missing),
            },
            settings::Sink::StackOne(stackone) => {
                drop(read(&field_of(name, "api_key"), &stackone.api_key, Carried::Header, &mut missing));
            }
            settings::Sink::Kubernetes(kubernetes) => {
                drop(read(&field_of(name, "token"), &kubernetes.token, Carried::Header, &mut missing));
            }
            settings::Sink::GitLab(gitlab) => {
                drop(read(&field_of(name, "token"), &gitlab.token, Carried::Header, &mut missing));
            }
            settings::Sink::GitHub(github) => {
                drop(read(&field_of(name, "token"), &github.token, Carried::Header, &mut missing));
            }
            settings::Sink::File { .. }
            | settings::Sink::Command(_)
            | settings::Sink::Aws(_)
            | settings::Sink::Azure(_)
            | settings::Sink::Gcp(_) => {}
        }
    }
    missing
}

fn field_of(sink: &Name, field: &str) -> String {
    format!("sinks.{sink}.{field}")
}

/// What a variable holds that other programs read too; `None` where it holds nothing.
///
/// # Errors
/// It holds something that is no credential, in words that do not repeat it.
pub(super) fn variable(name: &str) -> Result<Option<String>, String> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let value = text::credential(value.into_encoded_bytes(), Carried::Header, text::Ends::Exact);
    value.map(|value| Some(value.expose().to_owned())).map_err(|why| format!("{name} {why}"))
}

/// A sink's token or key. Where it is missing, that is said when the sink is used: a plan may do without.
pub(super) fn of_sink(sink: &Name, field: &str, reference: &Reference) -> Result<Secret, Unreadable> {
    let mut missing = Vec::new();
    read(&field_of(sink, field), reference, Carried::Header, &mut missing).ok_or_else(|| {
        let (why, next) = missing.pop().unwrap_or_default();
        Unreadable { why: why.into(), next, credentials: false }
    })
}
