//! What is read of Imburse. Reads may be repeated; what is incomplete is an error, never a shorter truth.

use std::collections::BTreeMap;

use crate::model::address::Name;
use crate::model::imburse::{AccountRead, ListedKey, ListedTenant};
use crate::model::secret::Secret;

use super::super::http::{Exchange as _, ReadError, RejectionKind, is_segment};
use super::exchange::Call;
use super::{ImburseReader, endpoints, wire};

/// What a new key says of itself, asked with a token of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedKey {
    /// Whether its tenant's own list of keys has it. `None`: it works, and its roles do not let it see the list.
    pub lists_itself: Option<bool>,
}

/// Entries that are asked for at once; how many the vendor gives is its own affair.
const TAKE: &str = "100";
/// The vendor's own default, for a server that takes no more.
const TAKE_LESS: &str = "20";
/// A list of more pages is a loop.
const MOST_PAGES: usize = 5_000;

impl ImburseReader {
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

    async fn read_account(&self, account: &Name) -> Result<crate::model::imburse::AccountDetails, ReadError> {
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
    pub async fn list_tenants(&self, account: &Name) -> Result<Vec<ListedTenant>, ReadError> {
        let mut take = TAKE;
        let mut found: BTreeMap<String, ListedTenant> = BTreeMap::new();
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
            for tenant in page.results.into_iter().map(wire::TenantReply::live) {
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
    pub async fn get_tenant(&self, account: &Name, tenant_id: &str) -> Result<ListedTenant, ReadError> {
        let call = self.call(account, &endpoints::TENANT, &[tenant_id]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let tenant: wire::TenantReply = call.understand(wire::parse(&answer.body, "a tenant"))?;
        same(&call, tenant_id, &tenant.tenant_id)?;
        Ok(tenant.live())
    }

    /// A tenant's keys by public key, markers taken out of their names (`Key::new`).
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn list_keys(&self, account: &Name, tenant_id: &str) -> Result<BTreeMap<String, ListedKey>, ReadError> {
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
    pub async fn get_key(&self, account: &Name, tenant_id: &str, public_key: &str) -> Result<ListedKey, ReadError> {
        let call = self.call(account, &endpoints::KEY, &[tenant_id, public_key]).map_err(ReadError::Trouble)?;
        let answer = self.get(&call).await?;
        let key: wire::KeyReply = call.understand(wire::parse(&answer.body, "a key"))?;
        same(&call, public_key, &key.public_key)?;
        Ok(key.live())
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
}

/// Ids are UUIDs, and the vendor's own documents write them in either case.
fn same(call: &Call<'_>, asked: &str, got: &str) -> Result<(), ReadError> {
    if asked.eq_ignore_ascii_case(got) {
        Ok(())
    } else {
        Err(ReadError::Trouble(call.nonsense("the reply is about another id than was asked for")))
    }
}
