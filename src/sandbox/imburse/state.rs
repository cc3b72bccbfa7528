//! What the stand-in remembers of Imburse: accounts, their tenants, keys with both halves, access tokens, used nonces.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::random;
use crate::sandbox::token::hash;

/// The folders of the state directory: accounts, tenants.
pub(in crate::sandbox) const PARTS: [&str; 2] = ["imburse-accounts", "imburse-tenants"];

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
    /// What it has signed with lately, and when.
    #[serde(default)]
    pub(super) nonces: Vec<(String, Timestamp)>,
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
            nonces: Vec::new(),
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

/// What an account and a tenant have in common: keys, and tokens that were given for them.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Ring {
    /// In the order of making.
    pub(super) keys: Vec<Key>,
    pub(super) tokens: Vec<Token>,
}

impl Ring {
    pub(super) fn key(&self, public_key: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.public_key.eq_ignore_ascii_case(public_key))
    }

    pub(super) fn key_mut(&mut self, public_key: &str) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.public_key.eq_ignore_ascii_case(public_key))
    }

    /// The key that a bearer token was given for, where both are still good.
    pub(super) fn bearer(&self, hash: &str, now: Timestamp) -> Option<&Key> {
        let token = self.tokens.iter().find(|token| token.hash == hash && token.expires > now)?;
        self.key(&token.public_key)
    }

    pub(super) fn issue(&mut self, public_key: &str, token: &str, now: Timestamp, expires: Timestamp) {
        self.tokens.retain(|token| token.expires > now);
        self.tokens.push(Token { hash: hash(token), public_key: public_key.to_owned(), expires });
    }

    /// Takes a key and its tokens away. Whether it was there.
    pub(super) fn remove(&mut self, public_key: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| !key.public_key.eq_ignore_ascii_case(public_key));
        self.tokens.retain(|token| !token.public_key.eq_ignore_ascii_case(public_key));
        self.keys.len() < before
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

/// All accounts and tenants, with what is not saved yet.
#[derive(Default)]
pub(in crate::sandbox) struct Imburse {
    accounts: BTreeMap<String, Account>,
    tenants: BTreeMap<String, Tenant>,
    changed: BTreeSet<Changed>,
}

/// One object whose file is to be written anew.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sandbox) enum Changed {
    Account(String),
    Tenant(String),
}

impl Changed {
    pub(in crate::sandbox) fn part(&self) -> &'static str {
        let [accounts, tenants] = PARTS;
        match self {
            Self::Account(_) => accounts,
            Self::Tenant(_) => tenants,
        }
    }

    pub(in crate::sandbox) fn id(&self) -> &str {
        match self {
            Self::Account(id) | Self::Tenant(id) => id,
        }
    }
}

impl Imburse {
    /// A tenant whose account is not there is nobody's, and left out.
    pub(in crate::sandbox) fn new(accounts: Vec<Account>, tenants: Vec<Tenant>) -> Self {
        let accounts: BTreeMap<_, _> = accounts.into_iter().map(|one| (one.slot.clone(), one)).collect();
        let tenants = tenants.into_iter().filter(|tenant| accounts.contains_key(&tenant.account));
        let tenants = tenants.map(|one| (one.tenant_id.clone(), one)).collect();
        Self { accounts, tenants, changed: BTreeSet::new() }
    }

    pub(in crate::sandbox) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    pub(in crate::sandbox) fn next_changed(&self) -> Option<Changed> {
        self.changed.first().cloned()
    }

    /// The file's bytes; `None` for what is gone. Our own types always have a JSON form.
    pub(in crate::sandbox) fn content(&self, changed: &Changed) -> Option<Vec<u8>> {
        match changed {
            Changed::Account(slot) => self.accounts.get(slot).map(|one| serde_json::to_vec(one).unwrap_or_default()),
            Changed::Tenant(id) => self.tenants.get(id).map(|one| serde_json::to_vec(one).unwrap_or_default()),
        }
    }

    pub(in crate::sandbox) fn saved(&mut self, changed: &Changed) {
        self.changed.remove(changed);
    }

    pub(in crate::sandbox) fn clear(&mut self) {
        self.changed.extend(self.accounts.keys().cloned().map(Changed::Account));
        self.changed.extend(self.tenants.keys().cloned().map(Changed::Tenant));
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
        let account = self.accounts.get_mut(slot)?;
        self.changed.insert(Changed::Account(slot.to_owned()));
        Some(account)
    }

    pub(super) fn add_account(&mut self, account: Account) {
        self.changed.insert(Changed::Account(account.slot.clone()));
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
        let id = id.to_ascii_lowercase();
        let tenant = self.tenants.get_mut(&id)?;
        self.changed.insert(Changed::Tenant(id));
        Some(tenant)
    }

    pub(super) fn add_tenant(&mut self, tenant: Tenant) {
        self.changed.insert(Changed::Tenant(tenant.tenant_id.clone()));
        self.tenants.insert(tenant.tenant_id.clone(), tenant);
    }

    /// As if it had never been: for edits by hand only.
    pub(super) fn remove_tenant(&mut self, id: &str) {
        self.changed.insert(Changed::Tenant(id.to_owned()));
        self.tenants.remove(id);
    }

    /// How many of the licence's places are taken.
    pub(super) fn usage(&self, slot: &str) -> i64 {
        i64::try_from(self.tenants_of(slot).filter(|tenant| tenant.counts()).count()).unwrap_or(i64::MAX)
    }
}
