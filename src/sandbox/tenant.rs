//! One tenant: what it is, who is in it, their keys and tokens.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::people::{AutoAssign, Group, GroupSettings, Role, Seat, Thing, User};
use super::random;
use super::shelf::{Kept, Shelf, with};

/// An access token. Only its hash is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) hash: String,
    pub(super) client: String,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires: Timestamp,
}

impl Kept for Token {
    fn id(&self) -> String {
        self.hash.clone()
    }
}

impl Kept for User {}
impl Kept for Group {}
impl Kept for Role {}
impl Kept for Seat {}
impl Kept for Key {}
impl Kept for Thing {}

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
    /// Those that somebody has set.
    pub(super) features: BTreeMap<String, bool>,
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) users: Shelf<User>,
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) groups: Shelf<Group>,
    /// The custom ones, by id.
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) roles: Shelf<Role>,
    /// By subject.
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) seats: Shelf<Seat>,
    #[serde(default)]
    pub(super) auto_assign: AutoAssign,
    #[serde(default)]
    pub(super) group_settings: GroupSettings,
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) keys: Shelf<Key>,
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) tokens: Shelf<Token>,
    /// By where they are in the API's paths: `spaces/ID`, `spaces/ID/assignments/ID`.
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) things: Shelf<Thing>,
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
    pub(super) fn new((subscription, region): (&str, &str), now: Timestamp) -> Self {
        let label = random::hostname();
        Self {
            id: random::tenant_id(),
            subscription: subscription.to_owned(),
            region: region.to_owned(),
            hostnames: vec![format!("{label}.{region}.qlikcloud.com")],
            name: label,
            created: now,
            last_updated: now,
            disabled: false,
            purge_at: None,
            hidden_lists: 0,
            source: false,
            features: BTreeMap::new(),
            users: Shelf::default(),
            groups: Shelf::default(),
            roles: Shelf::default(),
            seats: Shelf::default(),
            auto_assign: AutoAssign::default(),
            group_settings: GroupSettings::default(),
            keys: Shelf::default(),
            tokens: Shelf::default(),
            things: Shelf::default(),
            consent: BTreeMap::new(),
            user_default: BTreeSet::new(),
            limits: KeyLimits::default(),
        }
    }

    pub(super) fn host(&self) -> &str {
        self.hostnames.first().map_or("", String::as_str)
    }

    pub(super) fn features(&self) -> BTreeMap<String, bool> {
        let mut all = FEATURES.map(|(name, value)| (name.to_owned(), value)).into();
        BTreeMap::extend(&mut all, self.features.clone());
        all
    }
}

/// What a tenant has from the start.
const FEATURES: [(&str, bool); 5] = [
    ("autoAssignCreateSharedSpacesRoleToProfessionals", true),
    ("autoAssignPrivateAnalyticsContentCreatorRoleToProfessionals", true),
    ("autoAssignDataServicesContributorRoleToProfessionals", true),
    ("enableAnalyticCreation", false),
    ("enableAppOpeningFeedback", false),
];

impl Kept for Tenant {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn follow(&mut self, change: Self) {
        let known = std::mem::replace(self, change);
        with(&mut self.users, known.users);
        with(&mut self.groups, known.groups);
        with(&mut self.roles, known.roles);
        with(&mut self.seats, known.seats);
        with(&mut self.keys, known.keys);
        with(&mut self.tokens, known.tokens);
        with(&mut self.things, known.things);
    }

    fn mark(&mut self, all: bool) {
        self.users.mark(all);
        self.groups.mark(all);
        self.roles.mark(all);
        self.seats.mark(all);
        self.keys.mark(all);
        self.tokens.mark(all);
        self.things.mark(all);
    }
}
