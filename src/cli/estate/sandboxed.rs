//! The sandbox in the place of the real cloud: every credential replaced by its own.

use std::collections::BTreeMap;

use crate::cli::credentials::{Needs, Resolved};
use crate::cli::exit::Problem;
use crate::cli::sandbox::{self, Attached};
use crate::model::address::Name;
use crate::model::host::Label;
use crate::model::secret::Secret;
use crate::model::settings::Settings;
use crate::model::spec::Owner;
use crate::net::Proxy;
use crate::provider::imburse;
use crate::provider::qlik::{Credentials, OwnerKey};
use crate::sandbox::{Seed, SeedAccount, SeedImburse, SeedOwner};

use super::super::declared::{SANDBOX_STATE, working_directory};

pub(super) async fn attach() -> Result<Attached, Problem> {
    let state = working_directory()?.join(SANDBOX_STATE);
    sandbox::attach(&state).await.map_err(|error| {
        Problem::new(format!("the sandbox could not be started: {error}"), format!("look at {}", state.display()))
    })
}

pub(super) fn proxy(attached: &Attached) -> Result<Proxy, Problem> {
    Proxy::read(attached.proxy(), "the sandbox's", "")
        .map_err(|error| Problem::new(format!("the sandbox's own proxy cannot be used: {error}"), "please report this"))
}

pub(super) async fn seed(attached: &Attached, settings: &Settings, needs: &Needs) -> Result<Resolved, Problem> {
    let mut names = Vec::new();
    let mut accounts = Vec::new();
    for name in needs.accounts() {
        let Some(account) = settings.qlik.get(name) else { continue };
        let owners = needs.owners(name).into_iter().flatten().filter_map(|owner| match owner {
            Owner::Client | Owner::User(_) => None,
            Owner::Configured(owner) => account
                .owners
                .get(owner)
                .map(|configured| SeedOwner { name: owner.to_string(), tenant: configured.tenant.to_string() }),
        });
        // The sandbox needs some tenant to hold the licence, even where settings name none.
        let source = account.source_tenant.as_ref().map_or_else(|| "source".to_owned(), Label::to_string);
        accounts.push(SeedAccount {
            region: account.region.label.to_string(),
            source_tenant: source,
            client: None,
            key_client: None,
            owners: owners.collect(),
        });
        names.push((name, account));
    }
    let mut of_imburse = Vec::new();
    for name in needs.imburse() {
        let Some(account) = settings.imburse.get(name) else { continue };
        let (host, account_id) = (account.host.to_string(), Some(account.account_id.clone()));
        of_imburse.push((name, account, SeedImburse { host, account_id, key: None }));
    }
    let imburse = of_imburse.iter().map(|(_, _, seed)| seed.clone()).collect();
    let seeded = attached.seed(&Seed { accounts, imburse }).await.map_err(|error| {
        Problem::new(format!("the sandbox could not be prepared: {error}"), "remove .qlik-sandbox to start over")
    })?;
    let mut credentials = BTreeMap::new();
    for ((name, account), seeded) in names.into_iter().zip(seeded.accounts) {
        let owners = seeded
            .owners
            .into_iter()
            .filter_map(|seeded| {
                let owner = Name::parse(&seeded.name).ok()?;
                let tenant = account.owners.get(&owner)?.tenant.clone();
                Some((owner, OwnerKey { tenant, api_key: Secret::new(seeded.token) }))
            })
            .collect();
        let key_client = account
            .key_client
            .is_some()
            .then(|| (Secret::new(seeded.key_client.id), Secret::new(seeded.key_client.secret)));
        let organization_client = account
            .organization_client
            .is_some()
            .then(|| (Secret::new(seeded.organization_client.id), Secret::new(seeded.organization_client.secret)));
        credentials.insert(
            name.clone(),
            Credentials {
                client_id: Secret::new(seeded.client.id),
                client_secret: Secret::new(seeded.client.secret),
                key_client,
                organization_client,
                owners,
            },
        );
    }
    let imburse = of_imburse.into_iter().zip(seeded.imburse).map(|((name, account, _), seeded)| {
        let account = imburse::Account {
            host: account.host.clone(),
            account_id: account.account_id.clone(),
            api: account.api,
            public_key: Secret::new(seeded.key.public_key),
            private_key: Secret::new(seeded.key.private_key),
        };
        (name.clone(), account)
    });
    Ok(Resolved { qlik: credentials, imburse: imburse.collect() })
}
