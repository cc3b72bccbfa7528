//! Imburse Payments: accounts, their key pairs and the hosts these are bound to.

mod clock;
mod endpoints;
mod exchange;
mod sign;
#[cfg(all(test, feature = "sandbox"))]
mod tests;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{AccountRead, Api, Key, PostalAddress, Tenant};
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::http::{
    BuildError, Deed, Exchange as _, Line, NetworkOptions, Outcome, ReadError, RejectionKind, Trouble, Wire, is_segment,
};
use endpoints::Endpoint;
use exchange::{Call, Tokens};

/// One account: where it is, and its secrets.
pub struct Account {
    pub host: Host,
    pub account_id: String,
    pub api: Api,
    /// An identifier, and kept as a secret all the same: it comes from a reference.
    pub public_key: Secret,
    /// Base64, as the vendor prints it.
    pub private_key: Secret,
}

/// A key that was just made, with its secret.
pub struct MintedKey {
    pub public_key: String,
    /// As the vendor says it, the marker in it.
    pub name: Untrusted,
    pub roles: BTreeSet<Untrusted>,
    pub private_key: Secret,
}

/// What a new key says of itself, asked with a token of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedKey {
    /// Whether its tenant's own list of keys has it. `None`: it works, and its roles do not let it see the list.
    pub lists_itself: Option<bool>,
}

/// The wire to Imburse, for one run.
pub struct Imburse {
    line: Line,
    tokens: Tokens,
    accounts: BTreeMap<Name, Account>,
}

/// Entries that are asked for at once; how many the vendor gives is its own affair.
const TAKE: &str = "100";
/// The vendor's own default, for a server that takes no more.
const TAKE_LESS: &str = "20";
/// A list of more pages is a loop.
const MOST_PAGES: usize = 5_000;

impl Imburse {
    /// Makes the wire. Nothing is sent yet. Signatures carry this machine's time until the host that they are for has told its own.
    ///
    /// # Errors
    /// A proxy or certificate that cannot be used.
    pub fn new(
        network: NetworkOptions,
        accounts: BTreeMap<Name, Account>,
        parallelism: usize,
    ) -> Result<Self, BuildError> {
        let line = Line::new(Wire::new(&network, parallelism)?);
        Ok(Self { line, tokens: Tokens::default(), accounts })
    }

    /// The time by the vendors' clocks.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.line.wire.server_time()
    }

    /// Seconds that the vendor's clock is ahead of this machine's, once a token was fetched. Signatures are corrected by it.
    pub fn clock_skew(&self) -> Option<i64> {
        let hosts =
            self.accounts.values().filter_map(|account| self.line.wire.clocks.ahead_of_machine(account.host.as_str()));
        hosts.max_by_key(|ahead| ahead.saturating_abs())
    }

    /// The time that a signature for a host carries, in seconds since 1970.
    fn time_at(&self, host: &Host) -> i64 {
        self.line.wire.clocks.second_at(host.as_str())
    }

    /// Requests that may have reached the vendor.
    pub fn requests_sent(&self) -> u64 {
        self.line.wire.requests_sent()
    }

    /// `GET /account`; a 403 is `Forbidden`. Where it can be read, also `GET /account/keys/{own}` for the key's roles.
    pub async fn account(&self, account: &Name) -> AccountRead {
        match self.read_account(account).await {
            Ok(found) => AccountRead::Present(found),
            Err(error) => match &error {
                ReadError::Rejected(refusal) if refusal.kind == RejectionKind::Forbidden => {
                    AccountRead::Forbidden(error.unreadable())
                }
                ReadError::Rejected(_)
                | ReadError::Unauthorized(_)
                | ReadError::Disabled(_)
                | ReadError::NotFound(_)
                | ReadError::Trouble(_) => AccountRead::Unreadable(error.unreadable()),
            },
        }
    }

    async fn read_account(&self, account: &Name) -> Result<crate::model::imburse::Account, ReadError> {
        let call = self.call(account, &endpoints::ACCOUNT, &[]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let found: wire::AccountReply = call.understand(wire::parse(&answer.body, "an account"))?;
        let own = call.account.public_key.expose();
        // Worth knowing, and nothing depends on it.
        let key_roles = match self.call(account, &endpoints::ACCOUNT_KEY, &[own]) {
            Ok(call) => self.get(&call).await.ok().and_then(|answer| {
                wire::parse::<wire::KeyReply>(&answer.body, "a key").ok().map(wire::KeyReply::roles)
            }),
            Err(_) => None,
        };
        let mut found = found.live();
        found.key_roles = key_roles;
        Ok(found)
    }

    /// Every tenant of the account, all pages, whatever their status.
    ///
    /// # Errors
    /// Why the list could not be read to its end.
    pub async fn list_tenants(&self, account: &Name) -> Result<Vec<Tenant>, ReadError> {
        let mut take = TAKE;
        let mut found: BTreeMap<String, Tenant> = BTreeMap::new();
        let mut order = Vec::new();
        let mut from = 0_usize;
        for _ in 0..MOST_PAGES {
            let start = from.to_string();
            let known = self.known(account).map_err(ReadError::Trouble)?;
            let query = [("from", start.as_str()), ("take", take)];
            let call = Call::new(account, known, &endpoints::TENANTS, &[], &query).map_err(ReadError::Trouble)?;
            let page: wire::Page = match self.get(&call).await {
                // How many may be asked for at once is not published.
                Err(ReadError::Rejected(refusal))
                    if refusal.kind == RejectionKind::Invalid && from == 0 && take == TAKE =>
                {
                    take = TAKE_LESS;
                    continue;
                }
                answer => call.understand(wire::parse(&answer?.body, "a page of tenants"))?,
            };
            let incomplete = |what: &str| {
                let next =
                    "run it again; if it stays so, report it to the vendor: nothing is decided on part of a list";
                ReadError::Trouble(call.trouble(&format!("the list cannot be read to its end: {what}"), next))
            };
            if !page.results.iter().all(|tenant| is_segment(&tenant.tenant_id)) {
                return Err(ReadError::Trouble(call.nonsense("the list holds a tenant without a proper id")));
            }
            from += page.results.len();
            let ended = page.results.is_empty() || from >= page.row_count;
            for tenant in page.results.into_iter().map(wire::Tenant::live) {
                let id = tenant.id.raw().to_owned();
                match found.get(&id) {
                    // Entries move between pages while others come and go; a contradiction is another matter.
                    Some(known) if *known != tenant => {
                        return Err(incomplete("it says two different things of one tenant"));
                    }
                    Some(_) => {}
                    None => {
                        order.push(id.clone());
                        found.insert(id, tenant);
                    }
                }
            }
            if ended {
                if found.len() < page.row_count {
                    return Err(incomplete("it has fewer tenants than it counts"));
                }
                return Ok(order.into_iter().filter_map(|id| found.remove(&id)).collect());
            }
        }
        let call = self.call(account, &endpoints::TENANTS, &[]).map_err(ReadError::Trouble)?;
        Err(ReadError::Trouble(call.nonsense("the list has more pages than any account's")))
    }

    /// One tenant by its id. `ReadError::NotFound` for 404 and for 400 with a `*_NOT_FOUND`.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn get_tenant(&self, account: &Name, tenant_id: &str) -> Result<Tenant, ReadError> {
        let call = self.call(account, &endpoints::TENANT, &[tenant_id]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let tenant: wire::Tenant = call.understand(wire::parse(&answer.body, "a tenant"))?;
        same(&call, tenant_id, &tenant.tenant_id)?;
        Ok(tenant.live())
    }

    /// Makes a tenant, in one single request on its own connection that nothing repeats.
    pub async fn create_tenant(&self, account: &Name, name: &str, address: &PostalAddress) -> Outcome<Tenant> {
        let call = self.call(account, &endpoints::CREATE_TENANT, &[]);
        let api = call.as_ref().map(|call| call.account.api).unwrap_or_default();
        let body = json(&wire::NewTenant::new(name, address, api));
        self.change(call, Some(&body), Deed::CreateTenant, |body| {
            let tenant: wire::Tenant = wire::parse(body, "a tenant")?;
            if is_segment(&tenant.tenant_id) {
                return Ok(tenant.live());
            }
            let id = Untrusted::new(tenant.tenant_id.chars().take(80).collect::<String>());
            Err(format!("a tenant was made, and its id {id} is not of Imburse's kind"))
        })
        .await
    }

    /// A tenant's keys by public key, markers taken out of their names (`Key::new`).
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn list_keys(&self, account: &Name, tenant_id: &str) -> Result<BTreeMap<String, Key>, ReadError> {
        let call = self.call(account, &endpoints::KEYS, &[tenant_id]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let list: wire::Keys = call.understand(wire::parse(&answer.body, "a list of keys"))?;
        let mut keys = BTreeMap::new();
        for key in list.keys.into_iter().map(wire::KeyReply::live) {
            if !is_segment(&key.public_key) {
                return Err(ReadError::Trouble(call.nonsense("the list holds a key without a proper public key")));
            }
            if keys.get(&key.public_key).is_some_and(|known| *known != key) {
                let what = "the list says two different things of one key";
                return Err(ReadError::Trouble(call.trouble(what, "something changes it right now: run it again")));
            }
            keys.insert(key.public_key.clone(), key);
        }
        Ok(keys)
    }

    /// One key by its public key. `ReadError::NotFound` as in `get_tenant`.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn get_key(&self, account: &Name, tenant_id: &str, public_key: &str) -> Result<Key, ReadError> {
        let call = self.call(account, &endpoints::KEY, &[tenant_id, public_key]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let key: wire::KeyReply = call.understand(wire::parse(&answer.body, "a key"))?;
        same(&call, public_key, &key.public_key)?;
        Ok(key.live())
    }

    /// Makes a key: one POST, its own connection. `name` carries the marker.
    pub async fn create_key(
        &self,
        account: &Name,
        tenant_id: &str,
        name: &str,
        roles: &BTreeSet<String>,
    ) -> Outcome<MintedKey> {
        let call = self.call(account, &endpoints::CREATE_KEY, &[tenant_id]);
        let body = json(&wire::NewKey { name, roles });
        self.change(call, Some(&body), Deed::CreateKey, |body| {
            let minted: wire::Minted = wire::parse(body, "a new key")?;
            if !is_segment(&minted.public_key) {
                return Err("a key was made, and its public key is not of Imburse's kind".to_owned());
            }
            if minted.private_key.is_empty() {
                return Err(format!("key {} was made, and came without its private key", minted.public_key));
            }
            let roles = minted.roles();
            let wire::Minted { public_key, private_key, name, .. } = minted;
            Ok(MintedKey { public_key, name, roles, private_key })
        })
        .await
    }

    /// `PUT {name, roles}`: always both, for nobody documents what leaving one out means.
    pub async fn rename_key(
        &self,
        account: &Name,
        tenant_id: &str,
        public_key: &str,
        name: &str,
        roles: &BTreeSet<String>,
    ) -> Outcome<()> {
        let call = self.call(account, &endpoints::UPDATE_KEY, &[tenant_id, public_key]);
        let body = json(&wire::NewKey { name, roles });
        self.change(call, Some(&body), Deed::Change, |_| Ok(())).await
    }

    /// Deletes a key. What is not there is deleted.
    pub async fn delete_key(&self, account: &Name, tenant_id: &str, public_key: &str) -> Outcome<()> {
        let call = self.call(account, &endpoints::DELETE_KEY, &[tenant_id, public_key]);
        self.change(call, None, Deed::Remove, |_| Ok(())).await
    }

    /// Gets a token for a new key itself and, where its roles allow it, lists its tenant's own keys.
    ///
    /// # Errors
    /// `Unauthorized` where the vendor refuses the key itself (401, or the exchange's 400).
    pub async fn try_key(
        &self,
        account: &Name,
        tenant_id: &str,
        public_key: &str,
        private_key: &Secret,
    ) -> Result<TriedKey, ReadError> {
        let exchange = self.call(account, &endpoints::TOKEN, &[]).map_err(ReadError::Trouble)?.by_new_key(tenant_id);
        let (token, _) = self.exchange(&exchange, public_key, private_key).await?;
        let call = self.call(account, &endpoints::OWN_KEYS, &[]).map_err(ReadError::Trouble)?.by_new_key(tenant_id);
        let lists_itself = match self.get_as(&call, &token).await {
            Ok(answer) => {
                let list: wire::Keys = call.understand(wire::parse(&answer.body, "a list of keys"))?;
                Some(list.keys.iter().any(|key| key.public_key.eq_ignore_ascii_case(public_key)))
            }
            Err(ReadError::Rejected(refusal)) if refusal.kind == RejectionKind::Forbidden => None,
            Err(error) => return Err(error),
        };
        Ok(TriedKey { lists_itself })
    }

    fn known(&self, name: &Name) -> Result<&Account, Trouble> {
        self.accounts.get(name).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("there is no account {name}")),
            next: format!("add accounts.{name} to the settings"),
        })
    }

    fn call<'a>(&'a self, name: &'a Name, endpoint: &'static Endpoint, ids: &[&str]) -> Result<Call<'a>, Trouble> {
        Call::new(name, self.known(name)?, endpoint, ids, &[])
    }
}

/// Ids are UUIDs, and the vendor's own documents write them in either case.
fn same(call: &Call<'_>, asked: &str, got: &str) -> Result<(), ReadError> {
    if asked.eq_ignore_ascii_case(got) {
        Ok(())
    } else {
        Err(ReadError::Trouble(call.nonsense("the reply is about another id than was asked for")))
    }
}

/// A request's body. These structs always serialize; were it ever otherwise, an empty body would be refused.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
