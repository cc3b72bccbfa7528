//! `qlik-plan doctor --scopes`: the least rights that a desired state needs, credential by credential. Nothing is asked.

use std::collections::BTreeSet;

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::settings::{self, Account, Settings, StoreService, VaultAuth};
use crate::model::spec::{Owner, QlikKey, QlikTenant};

/// A credential of the settings, and the rights that it needs, each with the reason.
struct Rights {
    /// As settings name it, and what kind of credential it is.
    of: String,
    needs: Vec<(String, String)>,
}

/// Rights for all that is declared, and for the ledger and the sinks that it uses.
pub(super) fn text(desired: &Desired, settings: &Settings) -> String {
    let mut all = Vec::new();
    for (name, account) in &settings.qlik {
        all.extend(qlik(name, account, desired));
    }
    for name in settings.imburse.keys() {
        all.extend(imburse(name, desired));
    }
    all.extend(ledger(&settings.ledger));
    let used: BTreeSet<&Name> = desired.deliveries().flat_map(|(_, homes)| homes.iter()).collect();
    let used = settings.sinks.iter().filter(|(name, _)| used.contains(name));
    all.extend(used.flat_map(|(name, sink)| of_sink(name, sink)));
    if all.is_empty() {
        return "Nothing is declared with an account of these settings, so no right is needed.\n".to_owned();
    }
    let told = all.into_iter().map(|Rights { of, needs }| {
        let needs: String = needs.iter().map(|(right, why)| format!("  {right}\n      {why}\n")).collect();
        format!("\n{of}\n{needs}")
    });
    ["The least rights for this desired state:\n".to_owned()].into_iter().chain(told).collect()
}

fn qlik(name: &Name, account: &Account, desired: &Desired) -> Vec<Rights> {
    let tenants: Vec<(&Address, &QlikTenant)> =
        desired.qlik_tenants().filter(|(_, tenant, _)| tenant.account == *name).map(|(at, one, _)| (at, one)).collect();
    if tenants.is_empty() {
        return Vec::new();
    }
    let keys: Vec<&QlikKey> = tenants
        .iter()
        .flat_map(|(address, _)| desired.qlik_keys(address))
        .map(|(_, key, _)| key)
        .filter(|key| key.adopt.is_none())
        .collect();
    let mut all = vec![client(name, &tenants)];
    all.extend(key_client(name, &keys));
    if account.organization_client.is_some() {
        let right = "scope cloud-console.tenants:read".to_owned();
        let why = "to list the tenants of the subscription; the Service Account Owner makes it in the cloud console";
        let of = format!("accounts.{name}.organization_client: an organization-level OAuth client");
        all.push(Rights { of, needs: vec![(right, why.to_owned())] });
    }
    let owners: BTreeSet<&Name> = keys
        .iter()
        .filter_map(|key| match &key.owner {
            Owner::Configured(owner) => Some(owner),
            Owner::Client | Owner::User(_) => None,
        })
        .collect();
    all.extend(owners.into_iter().map(|owner| Rights {
        of: format!("accounts.{name}.owners.{owner}.api_key: an API key of that user"),
        needs: vec![(
            "permission \"Manage API keys\" (scope api-keys)".to_owned(),
            minted(&keys, |key| matches!(&key.owner, Owner::Configured(of) if of == owner)),
        )],
    }));
    all
}

fn client(name: &Name, tenants: &[(&Address, &QlikTenant)]) -> Rights {
    let new = tenants.iter().filter(|(_, tenant)| tenant.adopt.is_none()).count();
    let mut needs = Vec::new();
    if new > 0 {
        needs.push((
            "scope tenants:create".to_owned(),
            format!("to create {}; only a region-level client has it", counted(new, "tenant")),
        ));
    }
    let mut why = vec!["to read keys, limits, users and roles"];
    let mut also = |is_needed: bool, what| why.extend(is_needed.then_some(what));
    also(new > 0, "to set name and alias of new tenants, and to trust the key client there");
    also(tenants.iter().any(|(_, tenant)| tenant.api_key_limits.is_declared()), "to set limits on API keys");
    also(tenants.iter().any(|(_, tenant)| tenant.grants.manage_api_keys.is_some()), "to grant \"Manage API keys\"");
    needs.push((
        format!("role TenantAdmin (scope admin_classic) in {}", counted(tenants.len(), "tenant")),
        why.join("; "),
    ));
    let kind = if new > 0 { "the region-level OAuth client" } else { "an OAuth client" };
    Rights { of: format!("accounts.{name}.client: {kind}"), needs }
}

fn key_client(name: &Name, keys: &[&QlikKey]) -> Option<Rights> {
    let by_client = |key: &QlikKey| matches!(key.owner, Owner::Client);
    let for_users = |key: &QlikKey| matches!(key.owner, Owner::User(_));
    let mut needs = Vec::new();
    if keys.iter().any(|key| by_client(key)) {
        needs.push(("grant type client_credentials, scope user_default".to_owned(), minted(keys, by_client)));
        needs.push((
            "permission \"Manage API keys\" (scope api-keys) for its own user in each of these tenants".to_owned(),
            "API keys are made by who will own them".to_owned(),
        ));
    }
    if keys.iter().any(|key| for_users(key)) {
        needs.push((
            "grant type urn:qlik:oauth:user-impersonation, scope user_default (type Web)".to_owned(),
            format!("{}, each as the user who owns it", minted(keys, for_users)),
        ));
        needs.push((
            "permission \"Manage API keys\" (scope api-keys) for these users".to_owned(),
            "API keys are made by who will own them".to_owned(),
        ));
    }
    let of = format!("accounts.{name}.key_client: a tenant-level OAuth client, published to the region and trusted");
    (!needs.is_empty()).then_some(Rights { of, needs })
}

fn minted(keys: &[&QlikKey], of: impl Fn(&QlikKey) -> bool) -> String {
    format!("to mint, renew and revoke {}", counted(keys.iter().filter(|key| of(key)).count(), "key"))
}

fn imburse(name: &Name, desired: &Desired) -> Option<Rights> {
    let tenants = desired.imburse_tenants().filter(|(_, tenant, _)| tenant.account == *name).count();
    (tenants > 0).then(|| Rights {
        of: format!("accounts.{name}: the account key of Imburse"),
        needs: vec![(
            "the whole account".to_owned(),
            format!(
                "to read and create {} and their keys; an account key has no smaller rights",
                counted(tenants, "tenant")
            ),
        )],
    })
}

fn ledger(ledger: &settings::Ledger) -> Option<Rights> {
    let settings::Ledger::ObjectStore(store) = ledger else { return None };
    let needs = match &store.service {
        StoreService::S3 { .. } => vec![
            (format!("s3:ListBucket on {}", store.bucket), "to list the records".to_owned()),
            (
                format!("s3:GetObject, s3:PutObject, s3:DeleteObject on {}/*", within(store)),
                "to keep the records, and to tidy up what ended runs left".to_owned(),
            ),
        ],
        StoreService::Azure { .. } => vec![(
            format!("role Storage Blob Data Contributor on the container {}", store.bucket),
            "to list, read, write and delete the records".to_owned(),
        )],
        StoreService::Gcs => vec![(
            format!("role roles/storage.objectUser on the bucket {}", store.bucket),
            "to list, read, write and delete the records".to_owned(),
        )],
    };
    Some(Rights { of: format!("ledger: {}", store.url()), needs })
}

fn within(store: &settings::ObjectStore) -> String {
    if store.prefix.is_empty() { store.bucket.clone() } else { format!("{}/{}", store.bucket, store.prefix) }
}

fn of_sink(name: &Name, sink: &settings::Sink) -> Option<Rights> {
    match sink {
        settings::Sink::Vault(vault) => Some(Rights {
            of: match &vault.auth {
                VaultAuth::Token(_) => format!("sinks.{name}.token: a token of {}", vault.address),
                VaultAuth::Login(login) => {
                    let (word, role, mount) = (login.word(), login.role(), &login.mount);
                    format!("sinks.{name}.login.{word}: {role} at auth/{mount} of {}", vault.address)
                }
            },
            needs: vec![(vault.policy(), "to store keys and to see what is stored; and the policy default".to_owned())],
        }),
        settings::Sink::Aws(aws) => {
            let mut needs = vec![(aws.rights(), "to store keys and to see what is stored".to_owned())];
            if let Some(key) = &aws.kms_key_id {
                needs.push((
                    format!("kms:Decrypt and kms:GenerateDataKey on {key}"),
                    "to encrypt what is stored".to_owned(),
                ));
            }
            Some(Rights { of: format!("sinks.{name}: the credentials for AWS"), needs })
        }
        settings::Sink::Kubernetes(kubernetes) => Some(Rights {
            of: format!("sinks.{name}.token: a token of the cluster"),
            needs: vec![(kubernetes.rights(), "to store keys and to see what is stored".to_owned())],
        }),
        settings::Sink::Azure(azure) => Some(Rights {
            of: format!("sinks.{name}: the identity that logs in to Azure"),
            needs: vec![(azure.rights(), "to store keys and to see what is stored".to_owned())],
        }),
        settings::Sink::GitLab(gitlab) => Some(Rights {
            of: format!("sinks.{name}.token: an access token of {}", gitlab.server),
            needs: vec![(gitlab.rights(), "to store keys and to see what is stored".to_owned())],
        }),
        settings::Sink::Gcp(gcp) => Some(Rights {
            of: format!("sinks.{name}: the credentials for Google"),
            needs: vec![(gcp.rights(), "to store keys and to see what is stored".to_owned())],
        }),
        settings::Sink::GitHub(github) => Some(Rights {
            of: format!("sinks.{name}.token: a token of {}", github.server),
            needs: vec![(github.rights(), "to store keys and to see whether a secret is there".to_owned())],
        }),
        settings::Sink::StackOne(stackone) => Some(Rights {
            of: format!("sinks.{name}.api_key: an API key of {}", stackone.endpoint),
            needs: vec![(
                "to read and update accounts of the project".to_owned(),
                "to put keys into them and to see how they are".to_owned(),
            )],
        }),
        settings::Sink::File { directory, .. } => Some(Rights {
            of: format!("sinks.{name}: {}", directory.display()),
            needs: vec![("write access to this folder".to_owned(), "files are made with mode 0600".to_owned())],
        }),
        // Programs know what they need.
        settings::Sink::Command(_) => None,
    }
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
