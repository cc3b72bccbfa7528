//! What the stand-in remembers of Imburse: accounts, their tenants, keys with both halves, access tokens, used nonces.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::sandbox::random;
use crate::sandbox::shelf::{Kept, Shelf, with};
use crate::sandbox::token::hash;

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Address {
    pub(super) street_address: Option<String>,
    /// `extendedAddress` today, `extendedStreetAddress` in 2019.
    pub(super) extended_address: Option<String>,
    pub(super) locality: Option<String>,
    pub(super) region: Option<String>,
    pub(super) post_code: Option<String>,
    pub(super) country: Option<String>,
}

/// A key of an account or of a tenant. The private half is kept: signatures are made with it.
#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) identity: String,
    pub(super) name: String,
    pub(super) public_key: String,
    pub(super) private_key: String,
    pub(super) roles: Vec<String>,
    pub(super) created: Timestamp,
    /// Lists that will not show this key yet.
    #[serde(default)]
    pub(super) hidden_lists: u32,
}

impl Kept for Key {
    fn id(&self) -> String {
        self.public_key.to_ascii_lowercase()
    }
}

impl Key {
    pub(super) fn new(name: Option<String>, roles: Vec<String>, now: Timestamp) -> Self {
        Self {
            identity: random::uuid(),
            name: named(name),
            public_key: random::uuid(),
            private_key: random::private_key(),
            roles,
            created: now,
            hidden_lists: 0,
        }
    }
}

/// "A default name of `API Key` will be set."
pub(super) fn named(name: Option<String>) -> String {
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "API Key".to_owned())
}

/// An access token. Only its hash is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) hash: String,
    pub(super) public_key: String,
    pub(super) expires: Timestamp,
}

impl Kept for Token {
    fn id(&self) -> String {
        self.hash.clone()
    }
}

/// When a nonce was used.
impl Kept for Timestamp {}

/// What an account and a tenant have in common: keys, tokens that were given for them, and what they have signed with lately.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ring {
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    keys: Shelf<Key>,
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    pub(super) tokens: Shelf<Token>,
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    nonces: Shelf<Timestamp>,
}

impl Ring {
    /// What was known, with the change that stands here.
    fn replace(&mut self, known: Self) {
        with(&mut self.keys, known.keys);
        with(&mut self.tokens, known.tokens);
        with(&mut self.nonces, known.nonces);
    }

    fn mark(&mut self, all: bool) {
        self.keys.mark(all);
        self.tokens.mark(all);
        self.nonces.mark(all);
    }
}

/// A nonce is remembered so long, with its key. The vendor says only that one that was seen is blocked.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

impl Ring {
    /// In the order of making.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let mut keys: Vec<&Key> = self.keys.values().collect();
        keys.sort_by_key(|key| key.created);
        keys.into_iter()
    }

    pub(super) fn key(&self, public_key: &str) -> Option<&Key> {
        self.keys.get(&public_key.to_ascii_lowercase())
    }

    pub(super) fn key_mut(&mut self, public_key: &str) -> Option<&mut Key> {
        self.keys.get_mut(&public_key.to_ascii_lowercase())
    }

    pub(super) fn add(&mut self, key: Key) {
        self.keys.insert(key.id(), key);
    }

    /// A list was made: those that it did not show come nearer to being shown.
    pub(super) fn listed(&mut self) {
        self.keys.each_mut(|key| key.hidden_lists > 0).for_each(|key| key.hidden_lists -= 1);
    }

    /// The key that a bearer token was given for, where both are still good.
    pub(super) fn bearer(&self, hash: &str, now: Timestamp) -> Option<&Key> {
        let token = self.tokens.get(hash).filter(|token| token.expires > now)?;
        self.key(&token.public_key)
    }

    pub(super) fn has_used(&self, key: &Key, nonce: &str) -> bool {
        self.nonces.contains_key(&format!("{} {nonce}", key.id()))
    }

    pub(super) fn use_up(&mut self, key: &str, nonce: &str, now: Timestamp) {
        self.nonces.retain(|used| now.duration_since(*used) < MEMORY);
        self.nonces.insert(format!("{} {nonce}", key.to_ascii_lowercase()), now);
    }

    pub(super) fn issue(&mut self, public_key: &str, token: &str, now: Timestamp, expires: Timestamp) {
        self.tokens.retain(|token| token.expires > now);
        let token = Token { hash: hash(token), public_key: public_key.to_owned(), expires };
        self.tokens.insert(token.id(), token);
    }

    /// Takes a key and its tokens away. Whether it was there.
    pub(super) fn remove(&mut self, public_key: &str) -> bool {
        self.tokens.retain(|token| !token.public_key.eq_ignore_ascii_case(public_key));
        self.keys.remove(&public_key.to_ascii_lowercase()).is_some()
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::sandbox) struct Account {
    /// Ours: the vendor's id, at the host that the account lives on.
    pub(super) slot: String,
    pub(super) host: String,
    pub(super) account_id: String,
    pub(super) company: String,
    pub(super) approval_required: bool,
    pub(super) max_tenants: i64,
    pub(super) created: Timestamp,
    pub(super) ring: Ring,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Pending,
    Approved,
    Rejected,
    Deleted,
}

#[derive(Serialize, Deserialize)]
pub(in crate::sandbox) struct Tenant {
    pub(super) tenant_id: String,
    /// The account's slot.
    pub(super) account: String,
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) created: Timestamp,
    pub(super) created_by: String,
    /// Whether somebody has to approve it before it is of use.
    pub(super) needs_approval: bool,
    #[serde(default)]
    pub(super) approved: Option<(Timestamp, String)>,
    #[serde(default)]
    pub(super) rejected: Option<(Timestamp, String)>,
    #[serde(default)]
    pub(super) rejection_reason: Option<String>,
    #[serde(default)]
    pub(super) deleted: Option<(Timestamp, String)>,
    /// Lists that will not show this tenant yet.
    #[serde(default)]
    pub(super) hidden_lists: u32,
    pub(super) ring: Ring,
}

impl Tenant {
    pub(super) fn new(account: &Account, name: String, address: Address, by: &str, now: Timestamp) -> Self {
        Self {
            tenant_id: random::uuid(),
            account: account.slot.clone(),
            name,
            address,
            created: now,
            created_by: by.to_owned(),
            needs_approval: account.approval_required,
            approved: None,
            rejected: None,
            rejection_reason: None,
            deleted: None,
            hidden_lists: 0,
            ring: Ring::default(),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        if self.deleted.is_some() {
            Standing::Deleted
        } else if self.rejected.is_some() {
            Standing::Rejected
        } else if self.needs_approval && self.approved.is_none() {
            Standing::Pending
        } else {
            Standing::Approved
        }
    }

    /// Whether it takes one of the licence's places.
    pub(super) fn counts(&self) -> bool {
        match self.standing() {
            Standing::Pending | Standing::Approved => true,
            Standing::Rejected | Standing::Deleted => false,
        }
    }
}

impl Kept for Account {
    fn id(&self) -> String {
        self.slot.clone()
    }

    fn follow(&mut self, change: Self) {
        let known = std::mem::replace(self, change);
        self.ring.replace(known.ring);
    }

    fn mark(&mut self, all: bool) {
        self.ring.mark(all);
    }
}

impl Kept for Tenant {
    fn id(&self) -> String {
        self.tenant_id.clone()
    }

    fn follow(&mut self, change: Self) {
        let known = std::mem::replace(self, change);
        self.ring.replace(known.ring);
    }

    fn mark(&mut self, all: bool) {
        self.ring.mark(all);
    }
}

/// All accounts and tenants.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct Imburse {
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    pub(in crate::sandbox) accounts: Shelf<Account>,
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    pub(in crate::sandbox) tenants: Shelf<Tenant>,
}

impl Imburse {
    pub(in crate::sandbox) fn is_saved(&self) -> bool {
        self.accounts.is_saved() && self.tenants.is_saved()
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.accounts.len() + self.tenants.len() == 0
    }

    pub(in crate::sandbox) fn follow(&mut self, change: Self) {
        self.accounts.follow(change.accounts);
        self.tenants.follow(change.tenants);
    }

    pub(in crate::sandbox) fn mark(&mut self, all: bool) {
        self.accounts.mark(all);
        self.tenants.mark(all);
    }

    /// Everything, line by line: what is said of one vendor stands below its name.
    pub(in crate::sandbox) fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.accounts.write(&["imburse", "accounts"], to)?;
        self.tenants.write(&["imburse", "tenants"], to)
    }

    pub(in crate::sandbox) fn clear(&mut self) {
        self.accounts.clear();
        self.tenants.clear();
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    pub(super) fn account(&self, slot: &str) -> Option<&Account> {
        self.accounts.get(slot)
    }

    pub(super) fn account_mut(&mut self, slot: &str) -> Option<&mut Account> {
        self.accounts.get_mut(slot)
    }

    pub(super) fn add_account(&mut self, account: Account) {
        self.accounts.insert(account.slot.clone(), account);
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    pub(super) fn tenants_of<'a>(&'a self, slot: &'a str) -> impl Iterator<Item = &'a Tenant> {
        self.tenants.values().filter(move |tenant| tenant.account == slot)
    }

    pub(super) fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(&id.to_ascii_lowercase())
    }

    pub(super) fn tenant_mut(&mut self, id: &str) -> Option<&mut Tenant> {
        self.tenants.get_mut(&id.to_ascii_lowercase())
    }

    pub(super) fn add_tenant(&mut self, tenant: Tenant) {
        self.tenants.insert(tenant.tenant_id.clone(), tenant);
    }

    /// As if it had never been: for edits by hand only.
    pub(super) fn remove_tenant(&mut self, id: &str) {
        self.tenants.remove(id);
    }

    /// How many of the licence's places are taken.
    pub(super) fn usage(&self, slot: &str) -> i64 {
        i64::try_from(self.tenants_of(slot).filter(|tenant| tenant.counts()).count()).unwrap_or(i64::MAX)
    }
}
