//! The sink `stackone`: an account that is linked at StackOne gets the new key in place of the old one. What it holds, nobody reads.

mod form;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::Unreadable;
use crate::model::marker::SinkHash;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::wire::{Answer, Reply, Wire};
use super::{Put, Version, unreadable};

use self::form::Account;

/// The word that StackOne has for an account that works.
const ACTIVE: &str = "active";

/// Linked accounts of one project.
#[derive(Clone)]
pub struct StackOneSink(Arc<Inner>);

struct Inner {
    settings: settings::StackOneSink,
    hash: SinkHash,
    wire: Result<Wire, String>,
    api_key: Result<Secret, Unreadable>,
}

impl std::fmt::Debug for StackOneSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StackOneSink").field(&self.0.settings.endpoint).finish()
    }
}

impl StackOneSink {
    pub(super) fn of(settings: &settings::StackOneSink, hash: SinkHash, mut access: Access) -> Self {
        let missing = || Err(unreadable("StackOne's API key was not read", "report this as a defect of qlik-plan"));
        let api_key = access.token.take().unwrap_or_else(missing);
        let wire = Wire::new(settings.endpoint.clone(), &access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, wire, api_key }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        match self.0.settings.accounts.get(&address.tenant) {
            Some(id) => format!("the account {id} of StackOne"),
            None => format!("the account of {} at StackOne", address.tenant),
        }
    }

    /// Writes nothing. The account is there and is one of the right provider; whether it may be changed, only a change tells.
    pub(super) async fn preflight(&self, address: &Address) -> Result<String, Unreadable> {
        let id = self.id(address)?;
        let found = self.account(id).await?;
        let wanted = &self.0.settings.provider;
        if !found.provider.eq_ignore_ascii_case(wanted) {
            let provider = self.redacted(&found.provider, &[]);
            return Err(unreadable(
                format!(
                    "the account {id} of StackOne is linked to {provider} and not to {wanted}: a key of Qlik's would go to somebody else's connector"
                ),
                format!(
                    "correct `accounts` in settings; if this is the connector that you mean, say `provider: {provider}`"
                ),
            ));
        }
        Ok(format!("whether StackOne's API key may change the account {id}: StackOne tells it only to a change"))
    }

    /// What StackOne says of an account that does not work; nothing where it works, or where nobody can tell.
    pub(super) async fn trouble(&self, address: &Address) -> Option<Untrusted> {
        let id = self.id(address).ok()?;
        self.account(id).await.ok().and_then(|account| self.words_of(id, &account, &[]))
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
    ) -> Result<Option<Untrusted>, Put> {
        if *version != Version::Unseen {
            let why = format!("{} cannot be looked into, and somebody did", self.place(address));
            return Err(Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was delivered")));
        }
        let id = self.id(address).map_err(Put::Refused)?;
        let body = form::update(payload.bytes(), &self.0.settings.fields).ok_or_else(|| {
            let why = format!("the payload for {address} is not in the shape that {} takes", self.place(address));
            Put::Refused(unreadable(why, "say `deliver_as: stackone`; nothing was delivered"))
        })?;
        let refusal = match self.change(id, body, &[payload.token()]).await {
            Came::Done(_) => return Ok(self.after(id, payload.token()).await),
            Came::NotSent(why) => return Err(Put::Refused(why)),
            Came::Lost(why) => return Err(Put::Unknown(why)),
            Came::Refused(refusal) => refusal,
        };
        let why = self.refused(id, &refusal);
        // A request that timed out there may have been begun.
        Err(match refusal.status {
            300..=499 if refusal.status != 408 => Put::Refused(why),
            _ => Put::Unknown(why),
        })
    }

    /// What StackOne says of the account with the new key in it.
    async fn after(&self, id: &str, token: &[u8]) -> Option<Untrusted> {
        match self.account(id).await {
            Ok(account) => self.words_of(id, &account, &[token]),
            Err(why) => Some(Untrusted::new(format!(
                "StackOne took it, and does not tell how the account is: {}",
                why.why.raw()
            ))),
        }
    }

    fn words_of(&self, id: &str, account: &Account, secrets: &[&[u8]]) -> Option<Untrusted> {
        if account.status == ACTIVE {
            return None;
        }
        let told: Vec<String> = account.reasons().map(|reason| self.redacted(reason, secrets)).collect();
        let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
        let status = self.redacted(&account.status, secrets);
        Some(Untrusted::new(format!("StackOne says that the account {id} is {status}{told}")))
    }

    async fn account(&self, id: &str) -> Result<Account, Unreadable> {
        let (wire, headers) = self.way()?;
        match self.came(wire.ask(Method::GET, &format!("/accounts/{id}"), &headers, None).await, &[]) {
            Came::Done(body) => Account::of(&body).ok_or_else(|| {
                unreadable(
                    format!("{} answers in a form that is not known", self.0.settings.endpoint),
                    "check `endpoint` in settings: StackOne's API belongs there",
                )
            }),
            Came::Refused(refusal) => Err(self.refused(id, &refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// Sends a change once.
    async fn change(&self, id: &str, body: Zeroizing<Vec<u8>>, secrets: &[&[u8]]) -> Came {
        let (wire, mut headers) = match self.way() {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.came(wire.send(Method::PATCH, &format!("/accounts/{id}"), headers, Some(body)).await, secrets)
    }

    fn way(&self) -> Result<(&Wire, HeaderMap), Unreadable> {
        let endpoint = &self.0.settings.endpoint;
        let wire = self
            .0
            .wire
            .as_ref()
            .map_err(|why| unreadable(format!("{endpoint} cannot be reached: {why}"), "correct it in settings"))?;
        let key = self.0.api_key.as_ref().map_err(Clone::clone)?;
        // The API key is the user's name, and there is no password.
        let user = Zeroizing::new(format!("{}:", key.expose()));
        let basic = Zeroizing::new(format!("Basic {}", *Zeroizing::new(STANDARD.encode(user.as_bytes()))));
        let mut basic = HeaderValue::from_str(&basic)
            .map_err(|_| unreadable("StackOne's API key becomes no header", "export it again"))?;
        basic.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        Ok((wire, HeaderMap::from_iter([(AUTHORIZATION, basic), (ACCEPT, json)])))
    }

    fn came(&self, reply: Reply, secrets: &[&[u8]]) -> Came {
        let endpoint = &self.0.settings.endpoint;
        let out_of_reach = |why: String| {
            unreadable(format!("{endpoint}: {why}"), format!("check that this machine reaches {endpoint}"))
        };
        match reply {
            Reply::Answered(Answer { status: 200..=299, body, .. }) => Came::Done(body),
            Reply::Answered(Answer { status, body, wait }) => {
                let words = self.redacted(&form::message(&body), secrets);
                let words = if words.is_empty() { String::new() } else { format!(": {words}") };
                Came::Refused(Refusal { status, words: format!("{endpoint} answers {status}{words}"), wait })
            }
            Reply::NotSent(why) => Came::NotSent(out_of_reach(why)),
            Reply::Lost(why) => Came::Lost(out_of_reach(why)),
        }
    }

    fn refused(&self, id: &str, refusal: &Refusal) -> Unreadable {
        let Refusal { status, words, wait } = refusal;
        let key = self.0.settings.api_key.place();
        let next = match (status, wait) {
            (401, _) => format!("give {key} an API key of StackOne that lives"),
            (403, _) => format!(
                "give {key} an API key of the project of account {id}, with the right to read and update accounts"
            ),
            (404, _) => {
                format!("check the account {id} under `accounts` in settings, and that {key} is of its project")
            }
            (412, _) => "enable the integration at StackOne, then run this again".to_owned(),
            (300..=399, _) => "name the host that answers as `endpoint`: secrets do not follow".to_owned(),
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (_, None) => "see the account at StackOne, then run this again".to_owned(),
        };
        Unreadable { why: words.clone().into(), next, credentials: *status == 401 }
    }

    fn id(&self, address: &Address) -> Result<&str, Unreadable> {
        self.0.settings.accounts.get(&address.tenant).map(String::as_str).ok_or_else(|| {
            unreadable(
                format!("settings name no account of StackOne for the tenant {}", address.tenant),
                format!("add `{}` with the account's id under `accounts` of the sink", address.tenant),
            )
        })
    }

    /// What StackOne says, for a message.
    fn redacted(&self, text: &str, secrets: &[&[u8]]) -> String {
        let key = self.0.api_key.as_ref().map(|key| key.expose().as_bytes()).unwrap_or_default();
        let secrets: Vec<&[u8]> = secrets.iter().copied().chain([key]).collect();
        said(text.as_bytes(), &secrets, Speaker::Other).raw().to_owned()
    }
}

/// What came of one request.
enum Came {
    Done(Zeroizing<Vec<u8>>),
    Refused(Refusal),
    /// It never left.
    NotSent(Unreadable),
    Lost(Unreadable),
}

/// An answer that is no success.
struct Refusal {
    status: u16,
    /// For a message.
    words: String,
    /// It asks to be left alone for so many seconds.
    wait: Option<u64>,
}

#[cfg(test)]
mod tests;
