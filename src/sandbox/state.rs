//! What the stand-in remembers: subscriptions, clients and tenants, with the indexes over them.

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::imburse::Imburse;
pub(super) use super::people::{Group, Role, User};
use super::shelf::{Kept, Shelf, with};
use super::switches::Switches;
pub(super) use super::tenant::{Key, Tenant, Token};

/// What there is once. Tenants, subscriptions and the other vendor's objects are on shelves of their own.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Main {
    #[serde(default)]
    pub(super) clock: Clock,
    #[serde(default)]
    pub(super) switches: Switches,
    #[serde(default)]
    pub(super) organization: Option<Organization>,
}

impl Kept for Main {
    fn follow(&mut self, change: Self) {
        let known = std::mem::replace(self, change);
        if let (Some(known), Some(organization)) = (known.organization, &mut self.organization) {
            with(&mut organization.tokens, known.tokens);
            with(&mut organization.deleted, known.deleted);
        }
    }

    fn mark(&mut self, all: bool) {
        if let Some(organization) = &mut self.organization {
            organization.tokens.mark(all);
            organization.deleted.mark(all);
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
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) tokens: Shelf<Token>,
    /// What the organization's list goes on saying about tenants that are gone.
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) deleted: Shelf<serde_json::Value>,
}

impl Kept for serde_json::Value {
    fn id(&self) -> String {
        self["id"].as_str().unwrap_or_default().to_owned()
    }
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
    #[serde(default, skip_serializing_if = "Shelf::is_saved")]
    pub(super) register_tokens: Shelf<Token>,
    pub(super) owners: Vec<Owner>,
}

impl Subscription {
    /// A new tenant of it, which is not there yet.
    pub(super) fn tenant(&self, now: Timestamp) -> Tenant {
        Tenant::new((&self.id, &self.region), now)
    }
}

impl Kept for Subscription {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn follow(&mut self, change: Self) {
        let known = std::mem::replace(self, change);
        with(&mut self.register_tokens, known.register_tokens);
    }

    fn mark(&mut self, all: bool) {
        self.register_tokens.mark(all);
    }
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

/// Everything, with the indexes; what has changed since it was last saved says so itself.
#[derive(Default)]
pub(super) struct State {
    main: Main,
    main_changed: bool,
    subscriptions: Shelf<Subscription>,
    tenants: Shelf<Tenant>,
    hosts: HashMap<String, String>,
    /// How many tenants each subscription has.
    counts: HashMap<String, usize>,
    /// No tenant is due before.
    next_purge: Option<Timestamp>,
    pub(super) imburse: Imburse,
    /// The window that runs, by place, user and tier: when it began, and how many requests were in it. Not worth saving.
    pub(super) rates: HashMap<(String, String, u8), (Timestamp, u64)>,
}

/// One line of the journal, as it is read: what is there is set, and nothing is said of the rest.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Change {
    pub(super) main: Option<Main>,
    pub(super) subscriptions: Shelf<Subscription>,
    pub(super) tenants: Shelf<Tenant>,
    pub(super) imburse: Imburse,
    /// What was there when the journal was written anew ends with this line.
    pub(super) whole: bool,
}

/// The same line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    main: Option<&'a Main>,
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    subscriptions: &'a Shelf<Subscription>,
    #[serde(skip_serializing_if = "Shelf::is_saved")]
    tenants: &'a Shelf<Tenant>,
    #[serde(skip_serializing_if = "Imburse::is_saved")]
    imburse: &'a Imburse,
}

impl State {
    pub(super) fn follow(&mut self, change: Change) {
        if let Some(main) = change.main {
            self.main.follow(main);
        }
        self.subscriptions.follow(change.subscriptions);
        self.tenants.follow(change.tenants);
        self.imburse.follow(change.imburse);
    }

    /// Once everything was read.
    pub(super) fn index(&mut self) {
        for tenant in self.tenants.values() {
            self.hosts.extend(tenant.hostnames.iter().map(|host| (host.clone(), tenant.id.clone())));
            *self.counts.entry(tenant.subscription.clone()).or_default() += 1;
        }
        self.next_purge = self.tenants.values().filter_map(|tenant| tenant.purge_at).min();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subscriptions.len() + self.tenants.len() == 0 && self.imburse.is_empty()
    }

    /// What has changed, as a line of the journal.
    pub(super) fn change(&self, to: &mut impl Write) -> io::Result<()> {
        let main = self.main_changed.then_some(&self.main);
        let line = Line { main, subscriptions: &self.subscriptions, tenants: &self.tenants, imburse: &self.imburse };
        serde_json::to_writer(&mut *to, &line)?;
        to.write_all(b"\n")
    }

    /// Everything, line by line.
    pub(super) fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.main.mark(true);
        let none = Self::default();
        let all = Line {
            main: Some(&self.main),
            subscriptions: &none.subscriptions,
            tenants: &none.tenants,
            imburse: &none.imburse,
        };
        serde_json::to_writer(&mut *to, &all)?;
        to.write_all(b"\n")?;
        self.subscriptions.write(&["subscriptions"], to)?;
        self.tenants.write(&["tenants"], to)?;
        self.imburse.write(to)?;
        to.write_all(b"{\"whole\":true}\n")?;
        self.saved();
        Ok(())
    }

    pub(super) fn saved(&mut self) {
        self.main_changed = false;
        self.main.mark(false);
        self.subscriptions.mark(false);
        self.tenants.mark(false);
        self.imburse.mark(false);
    }

    /// Whether there is anything that is not saved yet.
    pub(super) fn has_changed(&self) -> bool {
        self.main_changed || !self.subscriptions.is_saved() || !self.tenants.is_saved() || !self.imburse.is_saved()
    }

    pub(super) fn main(&self) -> &Main {
        &self.main
    }

    pub(super) fn main_mut(&mut self) -> &mut Main {
        self.main_changed = true;
        &mut self.main
    }

    pub(super) fn switches(&self) -> &Switches {
        &self.main.switches
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values()
    }

    pub(super) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.get(id)
    }

    pub(super) fn subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(id)
    }

    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        self.subscriptions.insert(subscription.id.clone(), subscription);
    }

    /// The clients of this id, of whatever kind.
    pub(super) fn clients_mut(&mut self, id: &str) -> Vec<&mut Client> {
        self.main_changed = true;
        let organization = self.main.organization.as_mut().map(|organization| &mut organization.client);
        let of = |one: &Subscription| one.client.id == id || one.key_client.id == id;
        let clients = self.subscriptions.each_mut(of).flat_map(|one| [&mut one.client, &mut one.key_client]);
        clients.chain(organization).filter(|client| client.id == id).collect()
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// How many tenants a subscription has.
    pub(super) fn count(&self, subscription: &str) -> usize {
        self.counts.get(subscription).copied().unwrap_or_default()
    }

    pub(super) fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    pub(super) fn tenant_mut(&mut self, id: &str) -> Option<&mut Tenant> {
        self.tenants.get_mut(id)
    }

    pub(super) fn tenant_at(&self, host: &str) -> Option<&Tenant> {
        self.tenants.get(self.hosts.get(host)?)
    }

    pub(super) fn add(&mut self, tenant: Tenant) {
        self.hosts.extend(tenant.hostnames.iter().map(|host| (host.clone(), tenant.id.clone())));
        *self.counts.entry(tenant.subscription.clone()).or_default() += 1;
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(tenant) = self.tenants.remove(id) else { return };
        for host in &tenant.hostnames {
            self.hosts.remove(host);
        }
        if let Some(count) = self.counts.get_mut(&tenant.subscription) {
            *count -= 1;
        }
    }

    /// As if the folder were new.
    pub(super) fn reset(&mut self) {
        *self.main_mut() = Main::default();
        self.subscriptions.clear();
        self.tenants.clear();
        self.imburse.clear();
        self.hosts.clear();
        self.counts.clear();
        self.rates.clear();
    }

    /// Switches a tenant off. It is gone from `purge` on.
    pub(super) fn deactivate(&mut self, id: &str, purge: Timestamp) -> Option<&mut Tenant> {
        let tenant = self.tenants.get_mut(id)?;
        (tenant.disabled, tenant.purge_at) = (true, Some(purge));
        self.next_purge = Some(self.next_purge.map_or(purge, |next| next.min(purge)));
        Some(tenant)
    }

    /// The tenants whose time is over.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<String> {
        if self.next_purge.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let ends = |tenant: &Tenant| tenant.purge_at.filter(|_| tenant.disabled);
        self.next_purge = self.tenants().filter_map(ends).filter(|at| *at > now).min();
        self.tenants()
            .filter(|tenant| ends(tenant).is_some_and(|at| at <= now))
            .map(|tenant| tenant.id.clone())
            .collect()
    }

    /// Sets the one alias a tenant may have. The one before is free for anybody from then on.
    pub(super) fn set_alias(&mut self, id: &str, alias: &str) {
        let Some(tenant) = self.tenants.get_mut(id) else { return };
        for old in tenant.hostnames.drain(1..) {
            self.hosts.remove(&old);
        }
        tenant.hostnames.push(alias.to_owned());
        self.hosts.insert(alias.to_owned(), id.to_owned());
    }
}
