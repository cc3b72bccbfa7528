//! What is read of Qlik Cloud. Reads may be repeated; what is incomplete is an error, never a shorter truth.

use std::collections::{BTreeMap, HashSet};

use serde::de::DeserializeOwned;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::live::{CallerLive, ConsentLive, KeyLimitsLive, KeyLive, LicenceLive, QlikTenantLive, RoleLive};
use crate::model::secret::Secret;
use crate::model::spec::Owner;
use crate::model::untrusted::Untrusted;

use super::super::http::{Answer, Exchange as _, ReadError, Trouble, is_segment, redirected_id};
use super::endpoints::{self, Endpoint};
use super::exchange::Call;
use super::pages::{LIMIT, MOST_PAGES, Page};
use super::{QlikReader, Who, wire};

/// Whose a key is, as the vendor says when it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedKey {
    pub user_id: Untrusted,
    pub tenant_id: Untrusted,
}

/// Where a list is asked for, and as whom.
pub(super) struct At<'a> {
    pub(super) account: &'a Name,
    pub(super) host: &'a Host,
    pub(super) who: Who,
}

impl QlikReader {
    /// The tenant at a host: by `id`, or the one that answers there.
    ///
    /// # Errors
    /// `NotFound` also where no token can be had because the vendor knows no tenant at this host.
    pub async fn tenant(&self, account: &Name, host: &Host, id: Option<&str>) -> Result<QlikTenantLive, ReadError> {
        let call = match id {
            Some(id) => self.call(account, host, Who::Client, &endpoints::TENANT, &[id])?,
            None => self.call(account, host, Who::Client, &endpoints::MY_TENANT, &[])?,
        };
        // Here alone "no such tenant" may already be the answer to the request for a token.
        self.bearer(&call).await?;
        let answer = self.get(&call).await?;
        let tenant: wire::TenantReply = match redirect(&call, &answer, "/api/v1/tenants")? {
            None => understand(&call, wire::parse(&answer.body, "a tenant"))?,
            Some(id) => {
                let call = self.call(account, host, Who::Client, &endpoints::TENANT, &[&id])?;
                let answer = self.get(&call).await?;
                let tenant: wire::TenantReply = understand(&call, wire::parse(&answer.body, "a tenant"))?;
                same_id(&call, &id, &tenant.id)?;
                tenant
            }
        };
        if let Some(id) = id {
            same_id(&call, id, &tenant.id)?;
        }
        Ok(tenant.live())
    }

    /// Every key of a tenant, by id.
    ///
    /// # Errors
    /// Also where the list could not be read to its end, or says two things of one key.
    pub async fn keys(&self, account: &Name, host: &Host) -> Result<BTreeMap<String, KeyLive>, ReadError> {
        let found: Vec<wire::KeyReply> = self
            .list(
                &At { account, host, who: Who::Client },
                &endpoints::KEYS_LIST,
                &[("sort", "+created")],
                "a list of keys",
                |key: &wire::KeyReply| &key.id,
            )
            .await?;
        let call = self.call(account, host, Who::Client, &endpoints::KEYS_LIST, &[])?;
        let mut keys = BTreeMap::new();
        for key in found {
            let key = understand(&call, key.live())?;
            // Entries move between pages while keys come and go; the same entry twice is harmless, a contradiction is not.
            if keys.get(&key.id).is_some_and(|known| *known != key) {
                let what = "the list says two different things of one key";
                return Err(ReadError::Trouble(call.trouble(what, "something changes it right now: run it again")));
            }
            keys.insert(key.id.clone(), key);
        }
        Ok(keys)
    }

    /// One key; `None` when the vendor says that there is none.
    ///
    /// # Errors
    /// Anything that leaves it open whether the key exists.
    pub async fn key(&self, account: &Name, host: &Host, id: &str) -> Result<Option<KeyLive>, ReadError> {
        let call = self.call(account, host, Who::Client, &endpoints::KEY, &[id])?;
        let answer = match self.get(&call).await {
            Err(ReadError::NotFound(_)) => return Ok(None),
            answer => answer?,
        };
        let key: wire::KeyReply = understand(&call, wire::parse(&answer.body, "a key"))?;
        same_id(&call, id, &key.id)?;
        understand(&call, key.live()).map(Some)
    }

    /// The tenant's limits on keys.
    ///
    /// # Errors
    /// As every read.
    pub async fn limits(&self, account: &Name, host: &Host, tenant_id: &str) -> Result<KeyLimitsLive, ReadError> {
        let call = self.call(account, host, Who::Client, &endpoints::LIMITS, &[tenant_id])?;
        let answer = self.get(&call).await?;
        let limits: wire::Limits = understand(&call, wire::parse(&answer.body, "a key configuration"))?;
        understand(&call, limits.live())
    }

    /// The role that everyone has.
    ///
    /// # Errors
    /// Also where the tenant lists no such role.
    pub async fn user_default(&self, account: &Name, host: &Host) -> Result<RoleLive, ReadError> {
        let query = [("filter", "name eq \"UserDefault\"")];
        let roles = self.roles(account, host, &query).await?;
        let Some(role) = roles.into_iter().find(wire::Role::is_user_default) else {
            let call = self.call(account, host, Who::Client, &endpoints::ROLES, &[])?;
            let next = "check in Administration, Manage users, Permissions, that User Default is there";
            return Err(ReadError::Trouble(call.trouble("the tenant lists no role UserDefault", next)));
        };
        let manages_api_keys = role.manages_api_keys();
        let (can_edit, also_allows) = (role.can_edit.unwrap_or(true), role.also_allows());
        Ok(RoleLive { id: role.id.into(), can_edit, manages_api_keys, also_allows, built_in: true })
    }

    /// Whether the account's key client is trusted in a tenant.
    ///
    /// # Errors
    /// As every read; `NotFound` where the tenant does not know the client.
    pub async fn consent(&self, account: &Name, host: &Host) -> Result<ConsentLive, ReadError> {
        let id = self.key_client_id(account).map_err(ReadError::Trouble)?;
        let call = self.call(account, host, Who::Client, &endpoints::CONSENT, &[id])?;
        let answer = self.get(&call).await?;
        let consent: wire::Consent = understand(&call, wire::parse(&answer.body, "a connection configuration"))?;
        Ok(consent.live())
    }

    /// Who a way of owning is in a tenant, and whether a role of its own lets it manage keys.
    ///
    /// # Errors
    /// As every read.
    pub async fn caller(&self, account: &Name, host: &Host, owner: &Owner) -> Result<CallerLive, ReadError> {
        let who = self.who(account, host, owner).await?;
        let call = self.call(account, host, who.clone(), &endpoints::ME, &[])?;
        let answer = self.get(&call).await?;
        let user: wire::User = match redirect(&call, &answer, "/api/v1/users")? {
            None => understand(&call, wire::parse(&answer.body, "a user"))?,
            Some(id) => {
                let call = self.call(account, host, who, &endpoints::USER, &[&id])?;
                let answer = self.get(&call).await?;
                understand(&call, wire::parse(&answer.body, "a user"))?
            }
        };
        // The roles are the administrator's to read.
        self.with_roles(account, host, user).await
    }

    /// A user with what its roles allow.
    pub(super) async fn with_roles(
        &self,
        account: &Name,
        host: &Host,
        user: wire::User,
    ) -> Result<CallerLive, ReadError> {
        let roles = if user.has_roles() { self.roles(account, host, &[]).await? } else { Vec::new() };
        Ok(user.live(&roles))
    }

    /// The state of the licence that creations are charged to.
    ///
    /// # Errors
    /// Also where the account names no source tenant.
    pub async fn licence(&self, account: &Name) -> Result<LicenceLive, ReadError> {
        let host = self.source(account).map_err(ReadError::Trouble)?;
        let call = self.call(account, &host, Who::Client, &endpoints::LICENCE_STATUS, &[])?;
        let answer = self.get(&call).await?;
        let status: wire::LicenceStatus = understand(&call, wire::parse(&answer.body, "a licence status"))?;
        Ok(status.live())
    }

    /// The signed key that creating a tenant needs. A secret.
    ///
    /// # Errors
    /// Also where the account names no source tenant, or that tenant shows no key.
    pub async fn licence_key(&self, account: &Name) -> Result<Secret, ReadError> {
        let host = self.source(account).map_err(ReadError::Trouble)?;
        let call = self.call(account, &host, Who::Client, &endpoints::LICENCE_OVERVIEW, &[])?;
        let answer = self.get(&call).await?;
        let overview: wire::LicenceOverview = understand(&call, wire::parse(&answer.body, "a licence overview"))?;
        if overview.licence_key.is_empty() {
            let next = "check that the source tenant's subscription allows several tenants, or ask Qlik";
            return Err(ReadError::Trouble(call.trouble("the licence overview holds no licence key", next)));
        }
        Ok(overview.licence_key)
    }

    /// Uses a key that was just minted.
    ///
    /// # Errors
    /// As every read; a refusal may also come from an IP rule.
    pub async fn try_key(&self, account: &Name, host: &Host, token: &Secret) -> Result<TriedKey, ReadError> {
        let known = self.account(account).map_err(ReadError::Trouble)?;
        let call = self.call(account, host, Who::NewKey, &endpoints::ME, &[])?;
        if !known.binds(&Who::NewKey, host) {
            let next = "check accounts and regions: a key goes to its own tenant only";
            return Err(ReadError::Trouble(call.trouble("the host is not of the account's region", next)));
        }
        let answer = self.get_as(&call, token).await?;
        let user: wire::User = match redirect(&call, &answer, "/api/v1/users")? {
            None => understand(&call, wire::parse(&answer.body, "a user"))?,
            Some(id) => {
                let call = self.call(account, host, Who::NewKey, &endpoints::USER, &[&id])?;
                let answer = self.get_as(&call, token).await?;
                understand(&call, wire::parse(&answer.body, "a user"))?
            }
        };
        Ok(TriedKey { user_id: user.id.into(), tenant_id: user.tenant_id.into() })
    }

    pub(super) fn key_client_id(&self, account: &Name) -> Result<&str, Trouble> {
        let client = self.account(account)?.client(account, &Who::KeyClient)?;
        Ok(client.map(|client| client.id.expose()).unwrap_or_default())
    }

    fn source(&self, account: &Name) -> Result<Host, Trouble> {
        let known = self.account(account)?;
        known.source_tenant.as_ref().map(|label| known.region.host(label)).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("account {account} names no source tenant to read the licence from")),
            next: format!("add accounts.{account}.source_tenant to the settings"),
        })
    }

    pub(super) fn call<'a>(
        &'a self,
        account: &'a Name,
        host: &'a Host,
        who: Who,
        endpoint: &'static Endpoint,
        ids: &[&str],
    ) -> Result<Call<'a>, ReadError> {
        Call::new(account, self.seat(account, &who, host), who, endpoint, ids, &[]).map_err(ReadError::Trouble)
    }

    pub(super) async fn roles(
        &self,
        account: &Name,
        host: &Host,
        query: &[(&str, &str)],
    ) -> Result<Vec<wire::Role>, ReadError> {
        self.list(
            &At { account, host, who: Who::Client },
            &endpoints::ROLES,
            query,
            "a list of roles",
            |role: &wire::Role| &role.id,
        )
        .await
    }

    /// All pages, or an error.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        at: &At<'_>,
        endpoint: &'static Endpoint,
        query: &[(&str, &str)],
        what: &str,
        id: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, ReadError> {
        let At { account, host, who } = at;
        let limit = LIMIT.to_string();
        let mut all = Vec::new();
        let mut cursors = HashSet::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let mut query = query.to_vec();
            query.push(("limit", &limit));
            let this = cursor.take();
            if let Some(super::pages::Cursor { name, value }) = &this {
                query.push((name, value));
            }
            let call = Call::new(account, host, who.clone(), endpoint, &[], &query).map_err(ReadError::Trouble)?;
            let answer = self.get(&call).await?;
            let page: Page<T> = understand(&call, wire::parse(&answer.body, what))?;
            let incomplete = |what: &str| {
                ReadError::Trouble(call.trouble(
                    &format!("the list cannot be read to its end: {what}"),
                    "run it again; if it stays so, report it to the vendor: nothing is decided on part of a list",
                ))
            };
            if !page.data.iter().all(|entry| is_segment(id(entry))) {
                return Err(ReadError::Trouble(call.nonsense("the list holds an entry without a proper id")));
            }
            let next = page.next().map_err(|what| incomplete(&what))?;
            let repeats = !page.data.is_empty() && page.data.iter().all(|entry| seen.contains(id(entry)));
            if repeats && next.is_some() {
                return Err(incomplete("a page came twice"));
            }
            seen.extend(page.data.iter().map(|entry| id(entry).to_owned()));
            all.extend(page.data);
            let Some(next) = next else { return Ok(all) };
            if !cursors.insert(next.clone()) {
                return Err(incomplete("a cursor came twice"));
            }
            cursor = Some(next);
        }
        let call = self.call(account, host, who.clone(), endpoint, &[])?;
        Err(ReadError::Trouble(call.nonsense("the list has more pages than any tenant's")))
    }
}

pub(super) fn understand<T>(call: &Call<'_>, read: Result<T, String>) -> Result<T, ReadError> {
    read.map_err(|what| ReadError::Trouble(call.nonsense(&what)))
}

/// The id that a documented redirect leads to; `None` when the reply is the object itself.
fn redirect(call: &Call<'_>, answer: &Answer, prefix: &str) -> Result<Option<String>, ReadError> {
    if !matches!(answer.head.status, 300..=399) {
        return Ok(None);
    }
    let id = answer.head.location.as_deref().and_then(|to| redirected_id(&call.target, to, prefix));
    id.map(Some).ok_or_else(|| {
        let what = "it redirects elsewhere than to an object on the same host, and that is not followed";
        let next = "check the host name: use the tenant's own, not a vanity address or a proxy's sign-in page";
        ReadError::Trouble(call.trouble(what, next))
    })
}

pub(super) fn same_id(call: &Call<'_>, asked: &str, got: &str) -> Result<(), ReadError> {
    if asked == got {
        Ok(())
    } else {
        Err(ReadError::Trouble(call.nonsense("the reply is about another id than was asked for")))
    }
}
