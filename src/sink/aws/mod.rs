//! The sink `aws-secrets-manager`: payload and metadata as one version of one secret, which becomes current only in place of the
//! version that was looked at.

mod call;
mod form;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::content::{Content, Others};
use super::payload::Payload;
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::{Current, Described};

/// Our word for a secret that is there and has no version: no version of AWS's is as short.
const NO_VERSION: &str = "none";

/// Secrets of one account in one region.
#[derive(Clone)]
pub struct AwsSink(Arc<Inner>);

struct Inner {
    settings: settings::AwsSink,
    hash: SinkHash,
    caller: Caller,
}

/// What stands at a name.
enum There {
    Nothing,
    /// A secret without a value; where a version without one is current, its id.
    NoValue(Option<String>),
    Current(Current),
}

impl There {
    /// The version that is current, with a value or without.
    fn version(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::NoValue(version) => version,
            Self::Current(current) => Some(current.version),
        }
    }
}

impl std::fmt::Debug for AwsSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AwsSink").field(&self.0.settings.region).field(&self.0.settings.name).finish()
    }
}

impl AwsSink {
    pub(super) fn of(settings: &settings::AwsSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        let settings::AwsSink { region, account, .. } = &self.0.settings;
        format!("the secret {} of account {account} in {region}", self.name(address))
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        let seen = |entry, version| Seen::new(Some(entry), version);
        match self.read(address).await {
            Err(why) => seen(Observed::Unreadable(why), Version::Unknown),
            Ok(There::Nothing) => seen(Observed::Absent, Version::Nothing),
            Ok(There::NoValue(version)) => {
                let word = version.unwrap_or_else(|| NO_VERSION.to_owned());
                seen(Observed::Absent, Version::Word(Untrusted::new(word)))
            }
            Ok(There::Current(Current { version, ours: Some((entry, stored)), .. })) if entry.fingerprint == stored => {
                match of_key(address, *entry, &self.place(address)) {
                    Ok(entry) => seen(Observed::Present(entry), Version::Word(Untrusted::new(version))),
                    Err(why) => seen(Observed::Unreadable(why), Version::Unknown),
                }
            }
            Ok(There::Current(_)) => seen(Observed::Unreadable(self.stranger(address)), Version::Unknown),
        }
    }

    /// Writes nothing. What it may not ask, it says.
    pub(super) async fn preflight(&self, address: &Address) -> Writable {
        match self.may_write(address).await {
            Err(why) => Writable::No(why),
            // AWS tells of a right to write only whoever writes.
            Ok(()) => Writable::NotRefused(format!(
                "whether the credentials may change {} (CreateSecret, PutSecretValue, UpdateSecretVersionStage): AWS tells it only to a write",
                self.name(address)
            )),
        }
    }

    async fn may_write(&self, address: &Address) -> Result<(), Unreadable> {
        self.0.caller.is_the_account().await?;
        let name = self.name(address);
        let Some(described) = self.describe(address).await? else { return Ok(()) };
        let settings::AwsSink { region, account, .. } = &self.0.settings;
        if let Some(primary) = described.primary_region.filter(|primary| primary != region) {
            let primary = Untrusted::from(primary.as_str());
            return Err(unreadable(
                format!("{} is a copy of the secret in {primary}, and copies are read only", self.place(address)),
                format!("say `region: {primary}` in settings; AWS copies what is written there"),
            ));
        }
        if let Some(service) = described.owning_service {
            let service = Untrusted::from(service.as_str());
            return Err(unreadable(
                format!("{} is kept by a service of AWS ({service})", self.place(address)),
                "give the sink another `name` in settings",
            ));
        }
        match described.arn.as_deref().and_then(form::account_of) {
            Some(found) if found != account => Err(unreadable(
                format!("the secret {name} is of account {}, and settings say {account}", Untrusted::from(found)),
                "correct `account` in settings, or log in to that account",
            )),
            Some(_) | None => Ok(()),
        }
    }

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
        self.0.caller.is_the_account().await.map_err(Put::Refused)?;
        match seen {
            None => self.create(address, payload, entry).await,
            Some(seen) => {
                let seen = (seen != NO_VERSION).then_some(seen);
                let there = self.read(address).await.map_err(Put::Refused)?;
                let others = match (&there, seen) {
                    (There::Current(current), Some(seen)) if current.version == seen => current.others(),
                    (There::NoValue(version), seen) if version.as_deref() == seen => Others::default(),
                    (There::Current(_) | There::NoValue(_) | There::Nothing, _) => return Err(Put::Conflict),
                };
                self.replace(address, seen, payload, entry, &others).await
            }
        }
    }

    /// A secret that is not there: AWS refuses to make one that is.
    async fn create(&self, address: &Address, payload: &Payload, entry: &SinkEntry) -> Result<(), Put> {
        let others = Others::default();
        let content = Content::of(payload.bytes(), entry, &others).ok_or_else(no_json)?;
        let description = format!("API key {address}, delivered by qlik-plan");
        let kms_key_id = self.0.settings.kms_key_id.as_deref();
        let name = self.name(address);
        let body = form::create(&name, &description, &version_of(entry), kms_key_id, &content).ok_or_else(no_json)?;
        match self.0.caller.send("CreateSecret", body, &[payload.token()]).await {
            Came::Done(_) => Ok(()),
            Came::NotSent(why) => Err(Put::Refused(why)),
            Came::Lost(why) => Err(Put::Unknown(why)),
            Came::Refused(refusal) if refusal.fault.code == "ResourceExistsException" => Err(Put::Conflict),
            Came::Refused(refusal) if refusal.is_definite() => Err(Put::Refused(self.refused(address, &refusal))),
            Came::Refused(refusal) => Err(Put::Unknown(self.refused(address, &refusal))),
        }
    }

    /// Stores a version that nobody reads yet, then makes it current in place of `seen`. AWS compares at the second step: it moves
    /// the label from the version that is named and from no other. Whatever comes late is refused there.
    async fn replace(
        &self,
        address: &Address,
        seen: Option<&str>,
        payload: &Payload,
        entry: &SinkEntry,
        others: &Others<'_>,
    ) -> Result<(), Put> {
        let content = Content::of(payload.bytes(), entry, others).ok_or_else(no_json)?;
        let (name, version) = (self.name(address), version_of(entry));
        let body = form::put(&name, &version, &content).ok_or_else(no_json)?;
        // The first version of a secret is current at once, so there a lost request may still make it so.
        let unclear = |why| if seen.is_some() { Put::Refused(why) } else { Put::Unknown(why) };
        match self.0.caller.send("PutSecretValue", body, &[payload.token()]).await {
            Came::Done(answer) if form::is_current(&answer) => return Ok(()),
            Came::Done(_) => {}
            Came::NotSent(why) => return Err(Put::Refused(why)),
            // What is stored is nobody's yet, so a look settles it.
            Came::Lost(why) => match self.0.caller.ask("GetSecretValue", form::of_version(&name, &version)).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return Err(unclear(why)),
            },
            Came::Refused(refusal) if refusal.fault.is_nothing() => return Err(Put::Conflict),
            Came::Refused(refusal) if refusal.is_definite() => {
                return Err(Put::Refused(self.refused(address, &refusal)));
            }
            Came::Refused(refusal) => return Err(unclear(self.refused(address, &refusal))),
        }
        let body = Zeroizing::new(form::promote(&name, &version, seen));
        match self.0.caller.send("UpdateSecretVersionStage", body, &[payload.token()]).await {
            Came::Done(_) => Ok(()),
            Came::NotSent(why) => Err(unclear(why)),
            Came::Lost(why) => Err(Put::Unknown(why)),
            Came::Refused(refusal) if refusal.is_definite() => {
                // It does not say in a word of its own that another version is current by now. A look does.
                match self.read(address).await.map(There::version) {
                    Ok(Some(current)) if current == version => Ok(()),
                    Ok(current) if current.as_deref() == seen => Err(Put::Refused(self.refused(address, &refusal))),
                    Ok(_) => Err(Put::Conflict),
                    Err(why) => Err(unclear(why)),
                }
            }
            Came::Refused(refusal) => Err(Put::Unknown(self.refused(address, &refusal))),
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.read(address).await {
            Err(why) => ReadBack::Unreadable(why),
            Ok(There::Nothing | There::NoValue(_)) => ReadBack::Absent,
            Ok(There::Current(Current { ours: Some((found, stored)), .. })) if found.fingerprint == stored => {
                if *found == *entry {
                    return ReadBack::Same;
                }
                let id = Untrusted::from(found.key_id.as_str());
                ReadBack::Other(format!("{} holds the key with the id {id}", self.place(address)))
            }
            Ok(There::Current(_)) => {
                ReadBack::Other(format!("{} holds something that qlik-plan did not write", self.place(address)))
            }
        }
    }

    /// What stands at a key's name.
    async fn read(&self, address: &Address) -> Result<There, Unreadable> {
        self.0.caller.is_the_account().await?;
        match self.0.caller.ask("GetSecretValue", form::value(&self.name(address))).await? {
            Ok(body) => match form::current(&body) {
                Some(current) if current.is_empty => Ok(There::NoValue(Some(current.version))),
                Some(current) => Ok(There::Current(current)),
                None => Err(unreadable(
                    format!("{} answers in a form that is not known", self.0.caller.origin()),
                    "check `endpoint` in settings: AWS Secrets Manager belongs there",
                )),
            },
            Err(refusal) if refusal.fault.is_nothing() => {
                let described = self.describe(address).await?;
                Ok(described.map_or(There::Nothing, |described| There::NoValue(described.current())))
            }
            Err(refusal) => {
                // Of a secret that is to be deleted it says only that this cannot be done.
                if refusal.fault.code == "InvalidRequestException" {
                    self.describe(address).await?;
                }
                Err(self.refused(address, &refusal))
            }
        }
    }

    /// What is known of a secret besides its value; `None` where there is none.
    async fn describe(&self, address: &Address) -> Result<Option<Described>, Unreadable> {
        let name = self.name(address);
        match self.0.caller.ask("DescribeSecret", form::of(&name)).await? {
            Ok(body) => {
                let described = Described::of(&body);
                if let Some(when) = described.as_ref().and_then(Described::deleted) {
                    let region = &self.0.settings.region;
                    return Err(unreadable(
                        format!(
                            "{} is to be deleted for good at {when}, and cannot be read or written",
                            self.place(address)
                        ),
                        format!(
                            "bring it back: aws secretsmanager restore-secret --region {region} --secret-id {name}"
                        ),
                    ));
                }
                Ok(described)
            }
            Err(refusal) if refusal.fault.is_nothing() => Ok(None),
            Err(refusal) => Err(self.refused(address, &refusal)),
        }
    }

    fn refused(&self, address: &Address, refusal: &Refusal) -> Unreadable {
        if !refusal.fault.is_of_rights() {
            return self.0.caller.odd(refusal);
        }
        let rights = self.0.settings.rights();
        let kms = match &self.0.settings.kms_key_id {
            Some(key) => format!("; and kms:Decrypt and kms:GenerateDataKey on {key}"),
            None => String::new(),
        };
        unreadable(
            format!("{}, of {}", refusal.words, self.place(address)),
            format!("allow these credentials {rights}{kms}"),
        )
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.path(address)
    }

    fn stranger(&self, address: &Address) -> Unreadable {
        let (region, name) = (&self.0.settings.region, self.name(address));
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            format!(
                "move what is there away, then run this again; if nobody needs it: aws secretsmanager delete-secret --region {region} --secret-id {name} --force-delete-without-recovery"
            ),
        )
    }
}

/// The id of the version that a delivery writes: AWS keeps one version of an id, so the same request twice is one version. It holds
/// the key's nonce, and what is written.
fn version_of(entry: &SinkEntry) -> String {
    let marker = entry.marker.describe("");
    let digits = Fingerprint::of(format!("{marker}\0{}\0{}", entry.key_id, entry.fingerprint.as_str()).as_bytes());
    let digit = |range| digits.as_str().get(range).unwrap_or_default();
    [digit(0..8), digit(8..12), digit(12..16), digit(16..20), digit(20..32)].join("-")
}

fn no_json() -> Put {
    Put::Refused(unreadable(
        "the payload does not become JSON",
        "report this as a defect of qlik-plan; nothing was written",
    ))
}

#[cfg(test)]
mod tests;
