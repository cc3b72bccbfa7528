//! The sink `azure-key-vault`: payload and metadata as one version of one secret. The vault compares nothing: whatever comes last is the
//! newest version.

mod call;
mod form;
mod login;

use std::sync::Arc;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::{Beside, Found, Holds, Unwritten};

/// The version of the vault's interface.
const API: &str = "api-version=7.4";

/// Secrets of one vault.
#[derive(Clone)]
pub struct AzureSink(Arc<Inner>);

struct Inner {
    settings: settings::AzureSink,
    hash: SinkHash,
    caller: Caller,
}

impl std::fmt::Debug for AzureSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AzureSink").field(&self.0.settings.vault).field(&self.0.settings.name).finish()
    }
}

impl AzureSink {
    pub(super) fn of(settings: &settings::AzureSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        format!("the secret {} in {}", self.name(address), self.0.settings.vault)
    }

    pub(super) async fn login(&self) -> Result<String, Unreadable> {
        self.0.caller.login().await
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        let seen = |entry, version| Seen::new(Some(entry), version);
        let unreadable = |why| seen(Observed::Unreadable(why), Version::Unknown);
        match self.read(address).await {
            Err(why) => unreadable(why),
            Ok(None) => seen(Observed::Absent, Version::Nothing),
            Ok(Some(Found { holds: Holds::Ours { entry, stored }, version, .. })) if entry.fingerprint == stored => {
                match of_key(address, *entry, &self.place(address)) {
                    Ok(entry) => seen(Observed::Present(entry), Version::Word(Untrusted::new(version))),
                    Err(why) => unreadable(why),
                }
            }
            Ok(Some(Found { holds: Holds::Ours { .. } | Holds::Stranger, .. })) => unreadable(self.stranger(address)),
        }
    }

    /// Writes nothing. What it may not ask, it says.
    pub(super) async fn preflight(&self, address: &Address) -> Writable {
        match self.may_write(address).await {
            Err(why) => Writable::No(why),
            // A vault tells of a right to write only whoever writes.
            Ok(()) => Writable::NotRefused(format!(
                "whether the identity may write {} (setSecret): the vault tells it only to a write",
                self.place(address)
            )),
        }
    }

    async fn may_write(&self, address: &Address) -> Result<(), Unreadable> {
        match self.read(address).await? {
            Some(Found { is_managed: true, .. }) => Err(self.managed(address)),
            Some(_) | None => Ok(()),
        }
    }

    /// The vault takes whatever it is given, so what stands there is read once more just before.
    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<(), Put> {
        let seen = match version {
            Version::Nothing => None,
            Version::Word(word) => Some(word.raw()),
            Version::Unknown => return Err(Put::Refused(self.stranger(address))),
            Version::Payload(_) | Version::Number(_) | Version::Unseen => {
                let why = format!("what stands at {} was not looked at", self.place(address));
                return Err(Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written")));
            }
        };
        let beside = match (self.read(address).await.map_err(Put::Refused)?, seen) {
            (None, None) => Beside::default(),
            (Some(found), Some(seen)) if found.version == seen => found.beside(),
            (Some(_) | None, _) => return Err(Put::Conflict),
        };
        let body = form::version(payload.bytes(), entry, &beside, entry.expiry)
            .map_err(|why| Put::Refused(self.unwritten(address, &why)))?;
        match self.0.caller.write(&format!("/secrets/{}?{API}", self.name(address)), &body).await {
            Came::Done(_) => Ok(()),
            Came::NotSent(why) => Err(Put::Refused(why)),
            Came::Lost(why) => Err(Put::Unknown(why)),
            Came::Refused(refusal) => {
                let why = self.refused(address, &refusal);
                // A request that timed out there may have been begun.
                Err(match refusal.status {
                    300..=499 if refusal.status != 408 => Put::Refused(why),
                    _ => Put::Unknown(why),
                })
            }
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.read(address).await {
            Err(why) => ReadBack::Unreadable(why),
            Ok(None) => ReadBack::Absent,
            Ok(Some(Found { holds: Holds::Ours { entry: found, stored }, .. })) if found.fingerprint == stored => {
                if *found == *entry {
                    return ReadBack::Same;
                }
                let id = Untrusted::from(found.key_id.as_str());
                ReadBack::Other(format!("{} holds the key with the id {id}", self.place(address)))
            }
            Ok(Some(Found { holds: Holds::Ours { .. } | Holds::Stranger, .. })) => {
                ReadBack::Other(format!("{} holds something that qlik-plan did not write", self.place(address)))
            }
        }
    }

    /// The newest version at a key's name; `None` where nothing is.
    async fn read(&self, address: &Address) -> Result<Option<Found>, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask(&format!("/secrets/{}?{API}", self.name(address))).await {
            Came::Done(body) => form::found(&body).map(Some).ok_or_else(|| caller.unknown_form()),
            Came::Refused(Refusal { status: 404, fault, .. }) if fault.code == "SecretNotFound" => {
                self.deleted(address).await.map_or(Ok(None), Err)
            }
            Came::Refused(Refusal { status: 404, .. }) => Err(caller.unknown_form()),
            Came::Refused(refusal) => Err(self.refused(address, &refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// Why nothing can be written where nothing is: what was there was deleted, and its name is kept. Whoever may not ask is told by
    /// the write.
    async fn deleted(&self, address: &Address) -> Option<Unreadable> {
        match self.0.caller.ask(&format!("/deletedsecrets/{}?{API}", self.name(address))).await {
            Came::Done(body) => Some(self.recoverable(address, form::purged(&body))),
            Came::Refused(_) | Came::NotSent(_) | Came::Lost(_) => None,
        }
    }

    fn recoverable(&self, address: &Address, gone: Option<jiff::Timestamp>) -> Unreadable {
        let until = gone.map(|at| format!(" until {at}")).unwrap_or_default();
        unreadable(
            format!("{} was deleted and can be recovered{until}; its name is kept so long", self.place(address)),
            format!(
                "bring it back: {}; or, if nobody needs what it held: {}",
                self.az("recover", address),
                self.az("purge", address)
            ),
        )
    }

    fn refused(&self, address: &Address, refusal: &Refusal) -> Unreadable {
        let caller = &self.0.caller;
        let next = match (refusal.status, refusal.fault.inner.as_str()) {
            (409, "ObjectIsDeletedButRecoverable") => return self.recoverable(address, None),
            (409, "ObjectIsBeingDeleted" | "ObjectIsBeingRecovered") => {
                "run this again in a minute: somebody is deleting or recovering it".to_owned()
            }
            (403, "SecretDisabled") => {
                format!("enable the newest version: {} --enabled true", self.az("set-attributes", address))
            }
            (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => return caller.odd(refusal),
            (403, "ForbiddenByPolicy") => {
                "a policy of Azure's refuses it; `az policy state list` tells which".to_owned()
            }
            (403, _) => format!("allow this identity {}", self.0.settings.rights()),
            (_, _) => return caller.odd(refusal),
        };
        unreadable(format!("{}, of {}", caller.words(refusal), self.place(address)), next)
    }

    fn managed(&self, address: &Address) -> Unreadable {
        unreadable(
            format!("{} belongs to a certificate, and the vault itself writes it", self.place(address)),
            "give the sink another `name` in settings",
        )
    }

    fn stranger(&self, address: &Address) -> Unreadable {
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            format!(
                "move what is there away; if nobody needs it or a version before it: {}, then {}",
                self.az("delete", address),
                self.az("purge", address)
            ),
        )
    }

    fn unwritten(&self, address: &Address, why: &Unwritten) -> Unreadable {
        match why {
            Unwritten::NoJson => unreadable(
                "the payload does not become JSON",
                "report this as a defect of qlik-plan; nothing was written",
            ),
            Unwritten::TooManyTags(ours) => unreadable(
                format!(
                    "{} would have more than 15 tags, which is the most that a secret may have",
                    self.place(address)
                ),
                format!("take off tags of others until {ours} are free; nothing was written"),
            ),
        }
    }

    fn az(&self, verb: &str, address: &Address) -> String {
        let (vault, name) = (self.0.settings.vault_name(), self.name(address));
        format!("az keyvault secret {verb} --vault-name {vault} --name {name}")
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.path(address)
    }
}

#[cfg(test)]
mod tests;
