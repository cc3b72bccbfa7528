//! What the stand-in remembers: subscriptions, clients, tenants, users, keys and access tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::imburse::Imburse;
pub(super) use super::people::{AutoAssign, Group, GroupSettings, Role, Seat, User};
use super::random;
use super::switches::Switches;

/// The format of the files that this program writes, and the latest that it reads.
pub(super) const FORMAT: u32 = 1;

fn first_format() -> u32 {
    1
}

/// What is kept in one file; each tenant has a file of its own, so that a request's cost does not grow with the estate.
#[derive(Serialize, Deserialize)]
pub(super) struct Main {
    /// Grows when an older program could not read the files any more. Before it was written it was 1.
    #[serde(default = "first_format")]
    pub(super) format: u32,
    #[serde(default)]
    pub(super) clock: Clock,
    #[serde(default)]
    pub(super) switches: Switches,
    #[serde(default)]
    pub(super) subscriptions: Vec<Subscription>,
    #[serde(default)]
    pub(super) organization: Option<Organization>,
}

impl Default for Main {
    fn default() -> Self {
        Self {
            format: FORMAT,
            clock: Clock::default(),
            switches: Switches::default(),
            subscriptions: Vec::new(),
            organization: None,
        }
    }
}

/// How the sandbox's time follows from the real one.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Clock {
    /// What was the sandbox's time when it was last set, and the real one.
    pub(super) anchor: Option<(Timestamp, Timestamp)>,
    /// Seconds that pass in one real second.
    pub(super) speed: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Self { anchor: None, speed: 1 }
    }
}

impl Clock {
    pub(super) fn now(&self, real: Timestamp) -> Timestamp {
        let Some((sandbox, since)) = self.anchor else { return real };
        let passed = real.duration_since(since);
        let passed = passed.checked_mul(i32::try_from(self.speed).unwrap_or(i32::MAX)).unwrap_or(passed);
        sandbox.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}

/// The customer: every subscription in this sandbox is theirs.
#[derive(Serialize, Deserialize)]
pub(super) struct Organization {
    pub(super) client: Client,
    pub(super) tokens: Vec<Token>,
    /// What the organization's list goes on saying about tenants that are gone.
    pub(super) deleted: Vec<serde_json::Value>,
}

/// One customer's contract in one region: a licence, a region-level client, a published client for keys.
#[derive(Serialize, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) source_label: String,
    pub(super) licence_number: String,
    pub(super) licence_key: String,
    pub(super) client: Client,
    pub(super) key_client: Client,
    pub(super) register_tokens: Vec<Token>,
    pub(super) owners: Vec<Owner>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

/// A person with a key of their own, made by seeding.
#[derive(Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) user: String,
    pub(super) key: String,
    pub(super) token: String,
}

/// An access token. Only its hash is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) hash: String,
    pub(super) client: String,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) subscription: String,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) hostnames: Vec<String>,
    pub(super) created: Timestamp,
    pub(super) last_updated: Timestamp,
    pub(super) disabled: bool,
    /// A disabled tenant is gone from then on.
    #[serde(default)]
    pub(super) purge_at: Option<Timestamp>,
    /// Lists of the organization that will not show this tenant yet.
    #[serde(default)]
    pub(super) hidden_lists: u32,
    /// The tenant a person made before any program ran; its settings follow the `source_…` switches.
    pub(super) source: bool,
    pub(super) features: BTreeMap<String, bool>,
    pub(super) users: BTreeMap<String, User>,
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Group>,
    /// The custom ones, by id.
    #[serde(default)]
    pub(super) roles: BTreeMap<String, Role>,
    /// By subject.
    #[serde(default)]
    pub(super) seats: BTreeMap<String, Seat>,
    #[serde(default)]
    pub(super) auto_assign: AutoAssign,
    #[serde(default)]
    pub(super) group_settings: GroupSettings,
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) tokens: Vec<Token>,
    /// Consent by client id; a client that is not listed is at the vendor's default, `required`.
    pub(super) consent: BTreeMap<String, String>,
    /// The scopes of the role `UserDefault`.
    pub(super) user_default: BTreeSet<String>,
    pub(super) limits: KeyLimits,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeyLimits {
    pub(super) max_keys_per_user: u64,
    pub(super) max_api_key_expiry: String,
    #[serde(rename = "scim_externalClient_expiry")]
    pub(super) scim_external_client_expiry: String,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            max_keys_per_user: 5,
            max_api_key_expiry: "PT24H".to_owned(),
            scim_external_client_expiry: "P365D".to_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) revoked: bool,
    pub(super) sub: String,
    pub(super) created_by: String,
    pub(super) created: Timestamp,
    pub(super) last_updated: Timestamp,
    pub(super) expiry: Timestamp,
    pub(super) token_hash: String,
    /// Lists that will not show this key yet.
    pub(super) hidden_lists: u32,
}

impl Key {
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        if self.revoked {
            "revoked"
        } else if self.expiry <= now {
            "expired"
        } else {
            "active"
        }
    }
}

impl Tenant {
    /// A tenant as it is right after the vendor made it: no alias, no people, nobody may have API keys.
    pub(super) fn new(subscription: &Subscription, now: Timestamp) -> Self {
        let label = random::hostname();
        Self {
            id: random::tenant_id(),
            subscription: subscription.id.clone(),
            region: subscription.region.clone(),
            hostnames: vec![format!("{label}.{}.qlikcloud.com", subscription.region)],
            name: label,
            created: now,
            last_updated: now,
            disabled: false,
            purge_at: None,
            hidden_lists: 0,
            source: false,
            features: [
                ("autoAssignCreateSharedSpacesRoleToProfessionals", true),
                ("autoAssignPrivateAnalyticsContentCreatorRoleToProfessionals", true),
                ("autoAssignDataServicesContributorRoleToProfessionals", true),
                ("enableAnalyticCreation", false),
                ("enableAppOpeningFeedback", false),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            seats: BTreeMap::new(),
            auto_assign: AutoAssign::default(),
            group_settings: GroupSettings::default(),
            keys: BTreeMap::new(),
            tokens: Vec::new(),
            consent: BTreeMap::new(),
            user_default: BTreeSet::new(),
            limits: KeyLimits::default(),
        }
    }

    pub(super) fn host(&self) -> &str {
        self.hostnames.first().map_or("", String::as_str)
    }
}

/// Everything, with the indexes and with what has changed since it was last saved.
#[derive(Default)]
pub(super) struct State {
    main: Main,
    tenants: BTreeMap<String, Tenant>,
    hosts: HashMap<String, String>,
    pub(super) changed: Changed,
    pub(super) imburse: Imburse,
    /// The window that runs, by place, user and tier: when it began, and how many requests were in it. Not worth saving.
    pub(super) rates: HashMap<(String, String, u8), (Timestamp, u64)>,
}

#[derive(Default)]
pub(super) struct Changed {
    pub(super) main: bool,
    pub(super) tenants: BTreeSet<String>,
}

impl State {
    pub(super) fn new(main: Main, tenants: impl IntoIterator<Item = Tenant>, imburse: Imburse) -> Self {
        let mut state = Self { main, imburse, ..Self::default() };
        for tenant in tenants {
            state.add(tenant);
        }
        state.changed = Changed::default();
        state
    }

    /// Whether there is anything that is not saved yet.
    pub(super) fn has_changed(&self) -> bool {
        self.changed.main || !self.changed.tenants.is_empty() || self.imburse.has_changed()
    }

    pub(super) fn main(&self) -> &Main {
        &self.main
    }

    pub(super) fn main_mut(&mut self) -> &mut Main {
        self.changed.main = true;
        &mut self.main
    }

    pub(super) fn switches(&self) -> &Switches {
        &self.main.switches
    }

    pub(super) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.main.subscriptions.iter().find(|subscription| subscription.id == id)
    }

    pub(super) fn subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.main_mut().subscriptions.iter_mut().find(|subscription| subscription.id == id)
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    pub(super) fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    pub(super) fn tenant_mut(&mut self, id: &str) -> Option<&mut Tenant> {
        let tenant = self.tenants.get_mut(id)?;
        self.changed.tenants.insert(id.to_owned());
        Some(tenant)
    }

    pub(super) fn tenant_at(&self, host: &str) -> Option<&Tenant> {
        self.tenants.get(self.hosts.get(host)?)
    }

    pub(super) fn add(&mut self, tenant: Tenant) {
        self.changed.tenants.insert(tenant.id.clone());
        self.hosts.extend(tenant.hostnames.iter().map(|host| (host.clone(), tenant.id.clone())));
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.changed.tenants.insert(id.to_owned());
        self.tenants.remove(id);
        self.hosts.retain(|_, owner| owner != id);
    }

    /// Sets the one alias a tenant may have. The one before is free for anybody from then on.
    pub(super) fn set_alias(&mut self, id: &str, alias: &str) {
        let Some(tenant) = self.tenants.get_mut(id) else { return };
        self.changed.tenants.insert(id.to_owned());
        for old in tenant.hostnames.drain(1..) {
            self.hosts.remove(&old);
        }
        tenant.hostnames.push(alias.to_owned());
        self.hosts.insert(alias.to_owned(), id.to_owned());
    }
}
