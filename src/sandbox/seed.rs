//! What is there before the first request: subscriptions, their clients, source tenants, people with keys.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::imburse::{self, SeedImburse, SeedImburseError, SeededImburse};
use super::jwt::{SignError, Signer};
use super::random;
use super::shelf::Shelf;
use super::state::{Client, Key, Organization, Owner, State, Subscription, User};
use super::token::hash;

/// What to make sure of. Asking twice changes nothing and answers the same.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    #[serde(default)]
    pub accounts: Vec<SeedAccount>,
    #[serde(default)]
    pub imburse: Vec<SeedImburse>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedAccount {
    pub region: String,
    /// The label of the source tenant: `mycorp` is reached as `mycorp.<region>.qlikcloud.com`.
    pub source_tenant: String,
    /// Credentials to use where the sandbox has chosen none yet; by default it chooses.
    #[serde(default)]
    pub client: Option<SeededClient>,
    #[serde(default)]
    pub key_client: Option<SeededClient>,
    /// People with a key of their own, by a name that the seeding side chooses.
    #[serde(default)]
    pub owners: Vec<SeedOwner>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedOwner {
    pub name: String,
    /// The label of the tenant they live in.
    pub tenant: String,
}

/// The credentials that belong to what was asked for, in the order it was asked in.
#[derive(Serialize, Deserialize)]
pub struct Seeded {
    pub accounts: Vec<SeededAccount>,
    pub imburse: Vec<SeededImburse>,
}

#[derive(Serialize, Deserialize)]
pub struct SeededAccount {
    pub region: String,
    /// A host name.
    pub source_tenant: String,
    pub client: SeededClient,
    pub key_client: SeededClient,
    /// The same for every account: one organization has them all.
    pub organization_client: SeededClient,
    pub owners: Vec<SeededOwner>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededClient {
    pub id: String,
    pub secret: String,
}

#[derive(Serialize, Deserialize)]
pub struct SeededOwner {
    pub name: String,
    /// A host name.
    pub tenant: String,
    pub user_id: String,
    /// An API key of theirs that lasts ten years.
    pub token: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("{0} is not the name of a region or tenant: lower-case letters, digits and hyphens")]
    Name(String),
    #[error("a key for a seeded person could not be signed")]
    Sign,
    #[error(transparent)]
    Imburse(#[from] SeedImburseError),
}

impl From<SignError> for SeedError {
    fn from(SignError: SignError) -> Self {
        Self::Sign
    }
}

/// Ten years: longer than any test's clock is moved.
const SEEDED_KEY_LIFE: SignedDuration = SignedDuration::from_hours(24 * 3652);

pub(super) fn seed(state: &mut State, signer: &Signer, seed: &Seed, now: Timestamp) -> Result<Seeded, SeedError> {
    let accounts = seed.accounts.iter().map(|account| ensure(state, signer, account, now));
    let accounts = accounts.collect::<Result<_, _>>()?;
    let imburse = seed.imburse.iter().map(|account| imburse::seed(state, account, now));
    Ok(Seeded { accounts, imburse: imburse.collect::<Result<_, _>>()? })
}

fn label(text: &str) -> Result<(), SeedError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain && !text.is_empty() && text.len() <= 63 { Ok(()) } else { Err(SeedError::Name(text.to_owned())) }
}

fn ensure(
    state: &mut State,
    signer: &Signer,
    account: &SeedAccount,
    now: Timestamp,
) -> Result<SeededAccount, SeedError> {
    label(&account.region)?;
    label(&account.source_tenant)?;
    let known = state.subscriptions().find(|subscription| {
        subscription.region == account.region && subscription.source_label == account.source_tenant
    });
    let id = match known {
        Some(subscription) => subscription.id.clone(),
        None => subscribe(state, signer, account, now)?,
    };
    // Also where the subscription is known: its source tenant may have been purged by hand.
    tenant(state, &id, &account.source_tenant, now);
    let organization_client = organization(state);
    let mut owners = Vec::with_capacity(account.owners.len());
    for owner in &account.owners {
        label(&owner.tenant)?;
        owners.push(person(state, signer, &id, owner, now)?);
    }
    let Some(subscription) = state.subscription(&id) else { return Err(SeedError::Name(id)) };
    let shown = |client: &Client| SeededClient { id: client.id.clone(), secret: client.secret.clone() };
    Ok(SeededAccount {
        region: account.region.clone(),
        source_tenant: format!("{}.{}.qlikcloud.com", account.source_tenant, account.region),
        client: shown(&subscription.client),
        key_client: shown(&subscription.key_client),
        organization_client,
        owners,
    })
}

fn organization(state: &mut State) -> SeededClient {
    if let Some(known) = &state.main().organization {
        return SeededClient { id: known.client.id.clone(), secret: known.client.secret.clone() };
    }
    let client = Client { id: random::hex_id(), secret: random::secret() };
    let shown = SeededClient { id: client.id.clone(), secret: client.secret.clone() };
    let organization = Organization { client, tokens: Shelf::default(), deleted: Shelf::default() };
    state.main_mut().organization = Some(organization);
    shown
}

fn subscribe(state: &mut State, signer: &Signer, account: &SeedAccount, now: Timestamp) -> Result<String, SeedError> {
    let id = random::hex_id();
    let number = random::licence_number();
    let claims =
        json!({ "jti": random::uuid(), "license": number, "iss": "qlik.sandbox/licenses", "iat": now.as_second() });
    let client = |given: &Option<SeededClient>| match given {
        Some(given) => Client { id: given.id.clone(), secret: given.secret.clone() },
        None => Client { id: random::hex_id(), secret: random::secret() },
    };
    let subscription = Subscription {
        id: id.clone(),
        region: account.region.clone(),
        source_label: account.source_tenant.clone(),
        licence_number: number,
        licence_key: signer.sign(&claims)?,
        client: client(&account.client),
        key_client: client(&account.key_client),
        register_tokens: Shelf::default(),
        owners: Vec::new(),
    };
    state.subscribe(subscription);
    Ok(id)
}

/// The tenant of this label, made as a person would have made it: with an alias, and the permission to have API keys.
fn tenant(state: &mut State, subscription: &str, label: &str, now: Timestamp) -> Option<String> {
    let subscription = state.subscription(subscription)?;
    let host = format!("{label}.{}.qlikcloud.com", subscription.region);
    if let Some(tenant) = state.tenant_at(&host) {
        return Some(tenant.id.clone());
    }
    let mut tenant = subscription.tenant(now);
    tenant.source = label == subscription.source_label;
    tenant.name = label.to_owned();
    tenant.hostnames.push(host);
    let switches = state.switches();
    if !tenant.source || switches.source_permission {
        tenant.user_default.insert("api-keys".to_owned());
    }
    if tenant.source {
        tenant.limits.max_api_key_expiry = switches.source_max_expiry.clone();
    }
    let id = tenant.id.clone();
    state.add(tenant);
    Some(id)
}

fn person(
    state: &mut State,
    signer: &Signer,
    subscription: &str,
    owner: &SeedOwner,
    now: Timestamp,
) -> Result<SeededOwner, SeedError> {
    let nowhere = || SeedError::Name(owner.tenant.clone());
    let home = tenant(state, subscription, &owner.tenant, now).ok_or_else(nowhere)?;
    let host = {
        let region = &state.subscription(subscription).ok_or_else(nowhere)?.region;
        format!("{}.{region}.qlikcloud.com", owner.tenant)
    };
    let known = state.subscription(subscription).ok_or_else(nowhere)?;
    let known = known.owners.iter().find(|known| known.name == owner.name && known.tenant == home);
    if let Some(known) = known {
        return Ok(SeededOwner {
            name: owner.name.clone(),
            tenant: host,
            user_id: known.user.clone(),
            token: known.token.clone(),
        });
    }
    let (user, id) = (random::object_id(), random::uuid());
    let expiry = now.checked_add(SEEDED_KEY_LIFE).unwrap_or(Timestamp::MAX);
    let claims = json!({
        "jti": id, "sub": user, "subType": "user", "tenantId": home, "aud": "qlik.api",
        "iss": "qlik.api/api-keys", "iat": now.as_second(), "exp": expiry.as_second(),
    });
    let token = signer.sign(&claims)?;
    let tenant = state.tenant_mut(&home).ok_or_else(nowhere)?;
    let mut member = User::new(&owner.name, &format!("sandbox|{}", owner.name), now);
    member.id.clone_from(&user);
    let key = Key {
        id: id.clone(),
        description: format!("{}'s own key", owner.name),
        revoked: false,
        sub: user.clone(),
        created_by: user.clone(),
        created: now,
        last_updated: now,
        expiry,
        token_hash: hash(&token),
        hidden_lists: 0,
    };
    tenant.users.insert(user.clone(), member);
    tenant.keys.insert(id.clone(), key);
    let kept = Owner { name: owner.name.clone(), tenant: home, user: user.clone(), key: id, token: token.clone() };
    state.subscription_mut(subscription).ok_or_else(nowhere)?.owners.push(kept);
    Ok(SeededOwner { name: owner.name.clone(), tenant: host, user_id: user, token })
}
