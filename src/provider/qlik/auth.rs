//! Access tokens: one per host and client, fetched once however many ask, kept while the host is worked on, ended as it is left.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{Exchange as _, ReadError, Trouble};
use super::exchange::Call;
use super::tokens::{Bearer, Token, TokenKey, Tokens};
use super::{Lookup, QlikReader, Who, endpoints, wire};

#[derive(Serialize)]
struct Grant<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_lookup: Option<UserLookup<'a>>,
}

/// On whose behalf.
#[derive(Serialize)]
struct UserLookup<'a> {
    field: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Revocation<'a> {
    token: &'a str,
    token_type_hint: &'static str,
}

/// What became of the run's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    pub done: usize,
    /// They end by themselves, after six hours at most.
    pub failed: usize,
}

impl Tokens {
    /// Forgets a token that was refused, unless another task has fetched a newer one.
    pub(super) async fn drop_token(&self, call: &Call<'_>, bearer: &Bearer) {
        let slot = self.slot(&key_of(call));
        let mut slot = slot.lock().await;
        if bearer.serial == Some(slot.serial) {
            slot.token = None;
        }
    }
}

fn key_of(call: &Call<'_>) -> TokenKey {
    (call.account.clone(), call.who.clone(), call.host.clone())
}

impl QlikReader {
    /// The credential for a call, once it is certain that it may go to that host.
    pub(super) async fn bearer(&self, call: &Call<'_>) -> Result<Bearer, ReadError> {
        let asked_at = Instant::now();
        let account = self.account(call.account).map_err(ReadError::Trouble)?;
        if !account.binds(&call.who, call.host) {
            return Err(ReadError::Trouble(Trouble {
                why: Untrusted::new(format!("{} is no host of account {}'s region", call.host, call.account)),
                next: "check accounts and regions: a credential goes to its own region only".to_owned(),
            }));
        }
        let Some(client) = account.client(call.account, &call.who).map_err(ReadError::Trouble)? else {
            return self.owner_key(call).map_err(ReadError::Trouble);
        };
        let slot = self.tokens.slot(&key_of(call));
        let mut slot = slot.lock().await;
        if let Some(token) = slot.token.as_ref().filter(|token| Instant::now() < token.refresh_at) {
            return Ok(Bearer { secret: Arc::clone(&token.secret), serial: Some(slot.serial) });
        }
        if let Some((_, error)) = slot.failed.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(error.clone());
        }
        match self.fetch(call, &client.id, &client.secret).await {
            Ok(token) => {
                let secret = Arc::clone(&token.secret);
                slot.serial += 1;
                slot.token = Some(token);
                slot.failed = None;
                Ok(Bearer { secret, serial: Some(slot.serial) })
            }
            Err(error) => {
                slot.token = None;
                slot.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// An owner's own key goes to its own tenant only.
    fn owner_key(&self, call: &Call<'_>) -> Result<Bearer, Trouble> {
        let place = call.who.place(call.account);
        let Who::Owner(owner) = &call.who else {
            return Err(call.trouble("it needs a key of its own", "report it with this sentence"));
        };
        let (home, key) = self.account(call.account)?.owners.get(owner).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("account {} has no owner {owner}", call.account)),
            next: format!("add accounts.{}.owners.{owner} to the settings", call.account),
        })?;
        if home != call.host {
            return Err(Trouble {
                why: Untrusted::new(format!(
                    "the API key in {place} belongs to {home}, and {} is another host",
                    call.host
                )),
                next: format!(
                    "if it is the same tenant, write `tenant: {}` there; else use another owner",
                    call.host.label()
                ),
            });
        }
        Ok(Bearer { secret: Arc::clone(key), serial: None })
    }

    async fn fetch(&self, call: &Call<'_>, id: &Secret, secret: &Secret) -> Result<Token, ReadError> {
        let user_lookup = match &call.who {
            Who::User(Lookup::Id(value)) => Some(UserLookup { field: "userId", value }),
            Who::User(Lookup::Subject(value)) => Some(UserLookup { field: "subject", value }),
            Who::Client | Who::KeyClient | Who::Organization | Who::Owner(_) | Who::NewKey => None,
        };
        let (endpoint, grant_type, scope) = match user_lookup {
            Some(_) => (&endpoints::IMPERSONATE, "urn:qlik:oauth:user-impersonation", Some("user_default")),
            None => (&endpoints::TOKEN, "client_credentials", None),
        };
        let ask =
            Call::new(call.account, call.host, call.who.clone(), endpoint, &[], &[]).map_err(ReadError::Trouble)?;
        let grant = Grant { client_id: id.expose(), client_secret: secret.expose(), grant_type, scope, user_lookup };
        let body = json(&grant);
        let answer = self.patient(&ask, None, Some(&body), &[secret]).await?;
        let nonsense = |what: String| ReadError::Trouble(ask.nonsense(&what));
        let reply = wire::TokenReply::read(&answer.body).map_err(nonsense)?;
        // Eighty per cent, by our own steady clock.
        let life = Duration::from_secs(reply.life(answer.head.date).min(86_400)).mul_f64(0.8);
        let secret = Arc::new(reply.access_token);
        let mut fetched = self.tokens.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.push((key_of(call), Arc::clone(&secret)));
        Ok(Token { secret, refresh_at: Instant::now() + life })
    }

    /// At the end of a run: ends what tokens are left. What fails is counted and nothing more; tokens end by themselves.
    pub async fn revoke_tokens(&self) -> Revoked {
        let mut revoked = Revoked::default();
        let leaving = futures_util::stream::iter(self.tokens.hosts());
        let leaving = leaving.map(|(account, host)| async move { self.leave(&account, &host).await });
        let mut left = leaving.buffer_unordered(self.line.wire.parallelism);
        while let Some(more) = left.next().await {
            revoked.done += more.done;
            revoked.failed += more.failed;
        }
        revoked
    }

    /// Ends an account's tokens for one host, one after the other over the connection that is there, and closes that: this run
    /// has no more business there, while other hosts are worked on.
    pub async fn leave(&self, account: &Name, host: &Host) -> Revoked {
        let leaves = |key: &TokenKey| key.0 == *account && key.2 == *host;
        self.tokens.slots.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| !leaves(key));
        let fetched: Vec<(TokenKey, Arc<Secret>)> = self
            .tokens
            .fetched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extract_if(.., |(key, _)| leaves(key))
            .collect();
        let mut revoked = Revoked::default();
        for ((account, who, host), token) in fetched {
            let done = match Call::new(&account, &host, who, &endpoints::REVOKE_TOKEN, &[], &[]) {
                Ok(call) => {
                    let body = json(&Revocation { token: token.expose(), token_type_hint: "access_token" });
                    self.patient(&call, None, Some(&body), &[&token]).await.is_ok()
                }
                Err(_) => false,
            };
            if done {
                revoked.done += 1;
            } else {
                revoked.failed += 1;
            }
        }
        self.pause(host);
        revoked
    }

    /// Closes the connections to a host that is worked on again later.
    pub fn pause(&self, host: &Host) {
        self.line.wire.leave(host.as_str());
    }

    /// The same for the host that an owner's own key belongs to, which may be another name of a tenant's.
    pub fn pause_owner(&self, account: &Name, owner: &Name) {
        let home = self.accounts.get(account).and_then(|account| account.owners.get(owner));
        if let Some((home, _)) = home {
            self.pause(home);
        }
    }
}

/// A request's body. These structs always serialize; were it ever otherwise, an empty body would be refused.
pub(super) fn json<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(value).unwrap_or_default())
}
