//! The sink `gcp-secret-manager`: a payload is a version of a secret, and becomes the one that readers take, by an alias, together with its
//! metadata and only in place of what was looked at.

mod call;
mod form;
mod login;

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::settings::{self, GcpSink as Settings};
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::{Found, Unwritten};

/// The permissions on a secret that is there. That to make one is a project's, and no secret tells of it.
const NEEDED: [&str; 4] = [
    "secretmanager.secrets.get",
    "secretmanager.secrets.update",
    "secretmanager.versions.access",
    "secretmanager.versions.add",
];

/// Secrets of one project.
#[derive(Clone)]
pub struct GcpSink(Arc<Inner>);

struct Inner {
    settings: settings::GcpSink,
    hash: SinkHash,
    caller: Caller,
}

/// What stands at a name.
struct There {
    found: Found,
    holds: Holds,
}

enum Holds {
    /// No version that anybody could read.
    Nothing,
    Ours {
        entry: Box<SinkEntry>,
        /// Of the payload as it stands there.
        stored: Fingerprint,
    },
    /// Not written by us, or changed since.
    Stranger,
}

impl std::fmt::Debug for GcpSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GcpSink").field(&self.0.settings.project).field(&self.0.settings.name).finish()
    }
}

impl GcpSink {
    pub(super) fn of(settings: &settings::GcpSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        format!("the secret {} of {}", self.name(address), self.0.settings.parent())
    }

    pub(super) async fn login(&self) -> Result<String, Unreadable> {
        self.0.caller.login().await
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        let seen = |entry, version| Seen::new(Some(entry), version);
        let unreadable = |why| seen(Observed::Unreadable(why), Version::Unknown);
        let (found, holds) = match self.read(address).await {
            Err(why) => return unreadable(why),
            Ok(None) => return seen(Observed::Absent, Version::Nothing),
            Ok(Some(There { found, holds })) => (found, holds),
        };
        let entry = match holds {
            Holds::Nothing => Ok(Observed::Absent),
            Holds::Ours { entry, stored } if entry.fingerprint == stored => {
                of_key(address, *entry, &self.place(address)).map(Observed::Present)
            }
            Holds::Ours { .. } | Holds::Stranger => Err(self.stranger(address)),
        };
        match entry {
            Ok(entry) => Seen { until: found.expire_time, ..seen(entry, Version::Word(Untrusted::new(found.etag))) },
            Err(why) => unreadable(why),
        }
    }

    /// What is in the way of those who read `latest`: Google moves it with every version, whatever was delivered.
    pub(super) async fn trouble(&self, address: &Address) -> Option<Untrusted> {
        let found = self.found(address).await.ok()??;
        let number = found.number()?;
        let (latest, _) = self.described(address, "latest").await.ok()??;
        (latest != number).then(|| {
            let alias = Settings::ALIAS;
            Untrusted::new(format!(
                "in {} the alias {alias} names version {number}, and `latest` is version {latest}: whoever reads `latest` does not read what was delivered",
                self.place(address)
            ))
        })
    }

    /// Writes nothing. What it may not ask, it says.
    pub(super) async fn preflight(&self, address: &Address) -> Writable {
        match self.may_write(address).await {
            Err(why) => Writable::No(why),
            Ok(None) => Writable::Yes,
            Ok(Some(untold)) => Writable::NotRefused(untold),
        }
    }

    async fn may_write(&self, address: &Address) -> Result<Option<String>, Unreadable> {
        if self.read(address).await?.is_none() {
            return Ok(Some(format!(
                "whether the credentials may make {} (secretmanager.secrets.create): Google tells it only to a write",
                self.place(address)
            )));
        }
        let ask = serde_json::json!({ "permissions": NEEDED }).to_string();
        let path = format!("{}:testIamPermissions", self.path(address));
        let has = match self.0.caller.ask(Method::POST, &path, Some(ask.as_bytes())).await {
            Came::Done(body) => form::permissions(&body).ok_or_else(|| self.0.caller.unknown_form())?,
            Came::Refused(refusal) => return Err(self.refused(address, &refusal)),
            Came::NotSent(why) | Came::Lost(why) => return Err(why),
        };
        let missing: Vec<&str> = NEEDED.into_iter().filter(|needed| !has.iter().any(|has| has == needed)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let why = format!("the credentials lack {} on {}", missing.join(" and "), self.place(address));
        Err(unreadable(why, self.role()))
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<Option<Timestamp>, Put> {
        let found = match version {
            Version::Nothing => self.create(address).await?,
            Version::Word(word) => match self.found(address).await.map_err(Put::Refused)? {
                Some(found) if found.etag == word.raw() => found,
                Some(_) | None => return Err(Put::Conflict),
            },
            Version::Unknown => return Err(Put::Refused(self.stranger(address))),
            Version::Payload(_) | Version::Number(_) | Version::Unseen => {
                let why = format!("what stands at {} was not looked at", self.place(address));
                return Err(Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written")));
            }
        };
        let until = found.expire_time;
        let number = self.add(address, payload).await?;
        let body = found.promote(&number, entry).map_err(|why| Put::Refused(self.unwritten(address, &why)))?;
        // Google compares here: it takes the change of no other state than the one that was looked at. Whatever comes late is refused.
        let path = format!("{}?updateMask=annotations,versionAliases", self.path(address));
        match self.0.caller.write(Method::PATCH, &path, &Zeroizing::new(body)).await {
            Came::Done(_) => Ok(until),
            Came::NotSent(why) => Err(Put::Refused(why)),
            Came::Lost(why) => Err(Put::Unknown(why)),
            Came::Refused(refusal) if refusal.is("FAILED_PRECONDITION") || refusal.is("ABORTED") => Err(Put::Conflict),
            Came::Refused(refusal) if refusal.is("NOT_FOUND") => Err(Put::Conflict),
            Came::Refused(refusal) if refusal.is_definite() => Err(Put::Refused(self.refused(address, &refusal))),
            Came::Refused(refusal) => Err(Put::Unknown(self.refused(address, &refusal))),
        }
    }

    /// A secret without a version. Google refuses to make one that is there. No payload goes along, so nothing of it is in doubt.
    async fn create(&self, address: &Address) -> Result<Found, Put> {
        let settings::GcpSink { location, .. } = &self.0.settings;
        let path = format!("/v1/{}/secrets?secretId={}", self.0.settings.parent(), self.name(address));
        let body = Zeroizing::new(form::create(location.is_some()));
        match self.0.caller.write(Method::POST, &path, &body).await {
            Came::Done(body) => Found::of(&body).ok_or_else(|| Put::Refused(self.0.caller.unknown_form())),
            Came::Refused(refusal) if refusal.is("ALREADY_EXISTS") => Err(Put::Conflict),
            Came::Refused(refusal) => Err(Put::Refused(self.refused(address, &refusal))),
            Came::NotSent(why) | Came::Lost(why) => Err(Put::Refused(why)),
        }
    }

    /// Stores a version that no alias names yet: its number.
    async fn add(&self, address: &Address, payload: &Payload) -> Result<String, Put> {
        let body =
            form::version(payload.bytes()).ok_or_else(|| Put::Refused(self.unwritten(address, &Unwritten::NoJson)))?;
        let why = match self.0.caller.write(Method::POST, &format!("{}:addVersion", self.path(address)), &body).await {
            Came::Done(body) => match form::described(&body) {
                Some((number, _)) => return Ok(number),
                None => self.0.caller.unknown_form(),
            },
            Came::NotSent(why) => return Err(Put::Refused(why)),
            Came::Refused(refusal) if refusal.is_definite() => {
                return Err(Put::Refused(self.refused(address, &refusal)));
            }
            Came::Refused(refusal) => self.refused(address, &refusal),
            Came::Lost(why) => why,
        };
        // What is stored is nobody's yet, so a look settles it.
        match self.accessed(address, "latest").await {
            Ok(Some((number, stored))) if stored == payload.fingerprint() => Ok(number),
            Ok(_) | Err(_) => Err(Put::Refused(why)),
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.read(address).await {
            Err(why) => ReadBack::Unreadable(why),
            Ok(None | Some(There { holds: Holds::Nothing, .. })) => ReadBack::Absent,
            Ok(Some(There { holds: Holds::Ours { entry: found, stored }, .. })) if found.fingerprint == stored => {
                if *found == *entry {
                    return ReadBack::Same;
                }
                let id = Untrusted::from(found.key_id.as_str());
                ReadBack::Other(format!("{} holds the key with the id {id}", self.place(address)))
            }
            Ok(Some(There { holds: Holds::Ours { .. } | Holds::Stranger, .. })) => {
                ReadBack::Other(format!("{} holds something that qlik-plan did not write", self.place(address)))
            }
        }
    }

    /// What stands at a key's name; `None` where no secret is.
    async fn read(&self, address: &Address) -> Result<Option<There>, Unreadable> {
        let Some(found) = self.found(address).await? else { return Ok(None) };
        let holds = match (found.entry(), found.number()) {
            (Some(Some(entry)), Some(number)) => match self.accessed(address, number).await? {
                Some((_, stored)) => Holds::Ours { entry, stored },
                None => self.unread(address, number).await?,
            },
            (None, None) => match self.described(address, "latest").await? {
                None => Holds::Nothing,
                Some(_) => Holds::Stranger,
            },
            (Some(_), _) | (None, Some(_)) => Holds::Stranger,
        };
        Ok(Some(There { found, holds }))
    }

    /// A version that gives no payload: one that was destroyed does not come back, and one that was disabled may.
    async fn unread(&self, address: &Address, number: &str) -> Result<Holds, Unreadable> {
        match self.described(address, number).await? {
            Some((_, state)) if state != "DESTROYED" => {
                let (name, options) = (self.name(address), self.options());
                Err(unreadable(
                    format!("version {number} of {} is disabled", self.place(address)),
                    format!("gcloud secrets versions enable {number} --secret {name} {options}"),
                ))
            }
            Some(_) | None => Ok(Holds::Nothing),
        }
    }

    async fn found(&self, address: &Address) -> Result<Option<Found>, Unreadable> {
        match self.get(address, "").await? {
            Some(body) => Found::of(&body).map(Some).ok_or_else(|| self.0.caller.unknown_form()),
            None => Ok(None),
        }
    }

    /// Number and state of a version.
    async fn described(&self, address: &Address, version: &str) -> Result<Option<(String, String)>, Unreadable> {
        match self.get(address, &format!("/versions/{version}")).await? {
            Some(body) => form::described(&body).map(Some).ok_or_else(|| self.0.caller.unknown_form()),
            None => Ok(None),
        }
    }

    /// Number and fingerprint of a version; `None` where it gives no payload.
    async fn accessed(&self, address: &Address, version: &str) -> Result<Option<(String, Fingerprint)>, Unreadable> {
        match self.get(address, &format!("/versions/{version}:access")).await? {
            Some(body) => form::stored(&body).map(Some).ok_or_else(|| self.0.caller.unknown_form()),
            None => Ok(None),
        }
    }

    async fn get(&self, address: &Address, of: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Unreadable> {
        match self.0.caller.ask(Method::GET, &format!("{}{of}", self.path(address)), None).await {
            Came::Done(body) => Ok(Some(body)),
            Came::Refused(refusal) if refusal.is("NOT_FOUND") || refusal.is("FAILED_PRECONDITION") => Ok(None),
            Came::Refused(Refusal { code: 404, .. }) => Err(self.0.caller.unknown_form()),
            Came::Refused(refusal) => Err(self.refused(address, &refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    fn refused(&self, address: &Address, refusal: &Refusal) -> Unreadable {
        if !refusal.is("PERMISSION_DENIED") || !["", "IAM_PERMISSION_DENIED"].contains(&refusal.fault.reason.as_str()) {
            return self.0.caller.odd(refusal);
        }
        unreadable(format!("{}, of {}", self.0.caller.words(refusal), self.place(address)), self.role())
    }

    fn role(&self) -> String {
        format!("give these credentials a role with {}", self.0.settings.rights())
    }

    fn stranger(&self, address: &Address) -> Unreadable {
        let (name, options) = (self.name(address), self.options());
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            format!(
                "move what is there away, then run this again; if nobody needs it: gcloud secrets delete {name} {options}"
            ),
        )
    }

    fn unwritten(&self, address: &Address, why: &Unwritten) -> Unreadable {
        match why {
            Unwritten::NoJson => unreadable(
                "the payload does not become JSON",
                "report this as a defect of qlik-plan; nothing was written",
            ),
            Unwritten::TooLarge => unreadable(
                format!(
                    "{} would have 16 KiB of annotations, which is more than a secret may have",
                    self.place(address)
                ),
                "take off what others keep there; readers take what they took before",
            ),
        }
    }

    /// What `gcloud` needs to find a secret.
    fn options(&self) -> String {
        let settings::GcpSink { project, location, .. } = &self.0.settings;
        let location = location.as_ref().map(|location| format!(" --location {location}")).unwrap_or_default();
        format!("--project {project}{location}")
    }

    fn path(&self, address: &Address) -> String {
        format!("/v1/{}/secrets/{}", self.0.settings.parent(), self.name(address))
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.path(address)
    }
}

#[cfg(test)]
mod tests;
