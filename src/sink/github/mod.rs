//! The sink `github-actions`: secrets that are sealed here and opened by GitHub alone. What one holds, nobody reads; that it is there and
//! when it was changed, GitHub tells.

mod call;
mod form;
mod seal;

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::address::Address;
use crate::model::live::{Observed, Unreadable};
use crate::model::marker::SinkHash;
use crate::model::settings::{self, GitHubOwner};
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::{Put, Seen, Version, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::PublicKey;

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The most that a secret may hold.
const LARGEST: usize = 48 * 1024;

/// Secrets of one repository, environment or organization.
#[derive(Clone)]
pub struct GitHubSink(Arc<Inner>);

struct Inner {
    settings: settings::GitHubSink,
    hash: SinkHash,
    caller: Caller,
}

impl std::fmt::Debug for GitHubSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GitHubSink").field(&self.0.settings.server).field(&self.0.settings.of).finish()
    }
}

impl GitHubSink {
    pub(super) fn of(settings: &settings::GitHubSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        let settings::GitHubSink { server, of, .. } = &self.0.settings;
        format!("the secret {} of {of} at {server}", self.name(address))
    }

    /// That nothing is there can be known; what is there cannot. A change of it can be seen.
    pub(super) async fn look(&self, address: &Address) -> Seen {
        match self.changed(address).await {
            // Whoever may not look is told in the preflight.
            Err(_) => Seen::new(None, Version::Unknown),
            Ok(None) => Seen::new(Some(Observed::Absent), Version::Nothing),
            Ok(Some(changed)) => Seen::new(None, Version::Word(Untrusted::new(changed))),
        }
    }

    /// Writes nothing. What may be read is read; whether a secret may be written, only a write tells.
    pub(super) async fn preflight(&self, address: &Address) -> Result<String, Unreadable> {
        if !seal::IS_BUILT_IN {
            return Err(not_built_in());
        }
        self.public_key().await?;
        self.changed(address).await?;
        Ok(format!("whether the token may write {}: GitHub tells it only to a write", self.place(address)))
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
    ) -> Result<Option<Untrusted>, Put> {
        let seen = match version {
            Version::Nothing => None,
            Version::Word(word) => Some(word.raw()),
            Version::Unknown | Version::Payload(_) | Version::Number(_) | Version::Unseen => {
                let why = format!("whether {} is there was not looked at", self.place(address));
                return Err(Put::Refused(unreadable(why, "run this again; nothing was written")));
            }
        };
        if payload.bytes().len() > LARGEST {
            let why = format!(
                "the payload for {address} is larger than 48 KiB, which is the most that a secret of GitHub holds"
            );
            return Err(Put::Refused(unreadable(why, "deliver it elsewhere; nothing was written")));
        }
        let mut key = self.public_key().await.map_err(Put::Refused)?;
        // It compares nothing, so this is looked at as late as may be.
        let before = self.changed(address).await.map_err(Put::Refused)?;
        if before.as_deref() != seen {
            return Err(Put::Conflict);
        }
        for is_last in [false, true] {
            let refusal = match self.write(address, &key, payload).await.map_err(Put::Refused)? {
                Came::Done(_) => return Ok(self.after(address).await),
                Came::NotSent(why) => return Err(Put::Refused(why)),
                Came::Lost(why) => return Err(Put::Unknown(self.with_trace(address, before.as_deref(), why).await)),
                Came::Refused(refusal) => refusal,
            };
            match refusal.code {
                // It was sealed for a key that is replaced by now: nobody can open it, and it was refused. So it is sealed anew, once.
                400 | 409 | 422 if !is_last => {
                    let next = self.public_key().await.map_err(Put::Refused)?;
                    if next.id == key.id {
                        return Err(Put::Refused(self.0.caller.odd(&refusal)));
                    }
                    key = next;
                }
                300..=407 | 409..=499 => return Err(Put::Refused(self.0.caller.odd(&refusal))),
                // A request that timed out there may have been begun.
                _ => {
                    let why = self.0.caller.odd(&refusal);
                    return Err(Put::Unknown(self.with_trace(address, before.as_deref(), why).await));
                }
            }
        }
        Err(Put::Refused(unreadable("GitHub replaced its public key twice", "run this again; nothing was written")))
    }

    async fn write(&self, address: &Address, key: &PublicKey, payload: &Payload) -> Result<Came, Unreadable> {
        let sealed = seal::seal(key.key, payload.bytes()).ok_or_else(|| match seal::IS_BUILT_IN {
            true => unreadable("there is no randomness to seal a secret with", "run this again; nothing was written"),
            false => not_built_in(),
        })?;
        let body = form::sealed(&sealed, key, &self.0.settings.of).ok_or_else(|| {
            unreadable("the secret does not become JSON", "report this as a defect of qlik-plan; nothing was written")
        })?;
        Ok(self.0.caller.write(&self.path(address), body).await)
    }

    /// A secret that was taken is there.
    async fn after(&self, address: &Address) -> Option<Untrusted> {
        match self.changed(address).await {
            Ok(Some(_)) => None,
            Ok(None) => Some(Untrusted::new(format!("GitHub took it, and has no {} now", self.place(address)))),
            Err(why) => Some(Untrusted::new(format!(
                "GitHub took it, and does not tell whether it is there: {}",
                why.why.raw()
            ))),
        }
    }

    /// What GitHub shows after a request that nobody knows the end of. It is no proof: another may have written, and what is not there may
    /// still come.
    async fn with_trace(&self, address: &Address, before: Option<&str>, why: Unreadable) -> Unreadable {
        let trace = match self.changed(address).await {
            Ok(Some(now)) if Some(now.as_str()) != before => format!("GitHub shows that it was changed at {now}"),
            Ok(Some(_) | None) => "GitHub shows no change of it so far".to_owned(),
            Err(_) => return why,
        };
        let Unreadable { why, next, credentials } = why;
        Unreadable { why: Untrusted::new(format!("{}; {trace}", why.raw())), next, credentials }
    }

    /// When the secret was changed last; `None` where there is none, which only whoever may see the others is told.
    async fn changed(&self, address: &Address) -> Result<Option<String>, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask(&self.path(address)).await {
            Came::Done(body) => form::updated_at(&body).map(Some).ok_or_else(|| caller.unknown_form()),
            Came::Refused(Refusal { code: 404, .. }) => self.public_key().await.map(|_| None),
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    async fn public_key(&self) -> Result<PublicKey, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask(&format!("{}/public-key", self.secrets())).await {
            Came::Done(body) => PublicKey::of(&body).ok_or_else(|| caller.unknown_form()),
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.of(address)
    }

    fn secrets(&self) -> String {
        let base = self.0.settings.base();
        match &self.0.settings.of {
            GitHubOwner::Repository(repository) => format!("{base}/repos/{repository}/actions/secrets"),
            GitHubOwner::Environment { repository, environment } => {
                format!("{base}/repos/{repository}/environments/{}/secrets", utf8_percent_encode(environment, SEGMENT))
            }
            GitHubOwner::Organization { name, .. } => format!("{base}/orgs/{name}/actions/secrets"),
        }
    }

    fn path(&self, address: &Address) -> String {
        format!("{}/{}", self.secrets(), self.name(address))
    }
}

fn not_built_in() -> Unreadable {
    unreadable(
        "this qlik-plan was built without `github-actions`, and cannot seal secrets for GitHub",
        "take a released program, or build it with `--features github-actions`",
    )
}

#[cfg(test)]
mod tests;
