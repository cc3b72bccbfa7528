//! The sink `kubernetes`: payload and metadata as one object, written only over the version that was looked at.

mod call;
mod form;

use std::sync::Arc;

use reqwest::Method;
use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::{Found, Holds, Unwritten};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// Who wrote a field, in the server's own record.
const MANAGER: &str = "fieldManager=qlik-plan";

/// Secrets of one namespace.
#[derive(Clone)]
pub struct KubernetesSink(Arc<Inner>);

struct Inner {
    settings: settings::KubernetesSink,
    hash: SinkHash,
    caller: Caller,
}

impl std::fmt::Debug for KubernetesSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let settings::KubernetesSink { server, namespace, .. } = &self.0.settings;
        f.debug_tuple("KubernetesSink").field(server).field(namespace).finish()
    }
}

impl KubernetesSink {
    pub(super) fn of(settings: &settings::KubernetesSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        let Inner { settings, caller, .. } = &*self.0;
        format!("the Secret {}/{} at {}", settings.namespace, self.name(address), caller.server())
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        let seen = |entry, version| Seen::new(Some(entry), version);
        let unreadable = |why| seen(Observed::Unreadable(why), Version::Unknown);
        match self.read(address).await {
            Err(why) => unreadable(why),
            Ok(None) => seen(Observed::Absent, Version::Nothing),
            Ok(Some(Found { is_ending: true, .. })) => unreadable(self.ending(address)),
            Ok(Some(Found { holds: Holds::Nothing, version, .. })) => {
                seen(Observed::Absent, Version::Word(Untrusted::new(version)))
            }
            Ok(Some(Found { holds: Holds::Ours { entry, stored }, version, .. })) if entry.fingerprint == stored => {
                match of_key(address, *entry, &self.place(address)) {
                    Ok(entry) => seen(Observed::Present(entry), Version::Word(Untrusted::new(version))),
                    Err(why) => unreadable(why),
                }
            }
            Ok(Some(Found { holds: Holds::Ours { .. } | Holds::Stranger, .. })) => unreadable(self.stranger(address)),
        }
    }

    /// Writes nothing: asks for the rights, and has the server try what it would say to a Secret that is not there.
    pub(super) async fn preflight(&self, address: &Address) -> Writable {
        match self.may_write(address).await {
            Err(why) => Writable::No(why),
            Ok(None) => Writable::Yes,
            Ok(Some(untold)) => Writable::NotRefused(untold),
        }
    }

    async fn may_write(&self, address: &Address) -> Result<Option<String>, Unreadable> {
        let found = self.read(address).await?;
        if let Some(found) = &found {
            self.may_be_changed(address, found)?;
        }
        // What is not there is made, and renewed later.
        let needed: &[&str] = if found.is_none() { &["create", "update"] } else { &["update"] };
        let mut missing = Vec::new();
        for verb in needed {
            match self.has_right(address, verb).await? {
                Some(true) => {}
                Some(false) => missing.push(*verb),
                None => return Ok(Some(self.untold(address))),
            }
        }
        if !missing.is_empty() {
            return Err(self.without_right(&missing.join(" or ")));
        }
        if found.is_none() { self.try_to_make(address).await } else { Ok(None) }
    }

    /// `None`: the server does not say.
    async fn has_right(&self, address: &Address, verb: &str) -> Result<Option<bool>, Unreadable> {
        let name = self.name(address);
        // No right to make something names what is made.
        let name = (verb != "create").then_some(name.as_str());
        let ask = form::review(&self.0.settings.namespace, verb, name);
        match self.0.caller.ask(Method::POST, REVIEWS, Some(&ask)).await {
            Came::Done(body) => Ok(form::is_allowed(&body)),
            Came::Refused(Refusal { code: 403 | 404, .. }) => Ok(None),
            Came::Refused(refusal) => Err(self.0.caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// The server goes through all that it does for a Secret that is made, and keeps nothing. There is no data in it, so its words may
    /// be told.
    async fn try_to_make(&self, address: &Address) -> Result<Option<String>, Unreadable> {
        let path = format!("{}?dryRun=All&{MANAGER}", self.secrets());
        let empty = form::empty(&self.0.settings.namespace, &self.name(address));
        match self.0.caller.ask(Method::POST, &path, Some(&empty)).await {
            Came::Done(_) | Came::Refused(Refusal { code: 409, .. }) => Ok(None),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
            Came::Refused(refusal) if is_of_no_namespace(&refusal) => Err(self.no_namespace()),
            Came::Refused(refusal) if refusal.status.message.contains("dry run") => Ok(Some(self.untold(address))),
            Came::Refused(refusal @ Refusal { code: 400 | 403 | 422, .. }) => {
                Err(unreadable(self.0.caller.words(&refusal), self.by_policy()))
            }
            Came::Refused(refusal) => Err(self.0.caller.odd(&refusal)),
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
        let (verb, method, path, there) = match seen {
            // The server refuses to make what is there.
            None => {
                let empty = form::empty(&self.0.settings.namespace, &self.name(address));
                ("create", Method::POST, self.secrets(), Zeroizing::new(empty))
            }
            // What others keep there stays: the write says which version it was read of.
            Some(seen) => {
                let Some((body, found)) = self.fetch(address).await.map_err(Put::Refused)? else {
                    return Err(Put::Conflict);
                };
                if found.version != seen {
                    return Err(Put::Conflict);
                }
                self.may_be_changed(address, &found).map_err(Put::Refused)?;
                ("update", Method::PUT, self.path(address), body)
            }
        };
        let body = form::with(&there, &self.0.settings.data_key, payload.bytes(), entry)
            .map_err(|why| Put::Refused(self.unwritten(address, &why)))?;
        match self.0.caller.write(method, &format!("{path}?{MANAGER}"), body).await {
            Came::Done(_) => Ok(()),
            Came::NotSent(why) => Err(Put::Refused(why)),
            Came::Lost(why) => Err(Put::Unknown(why)),
            Came::Refused(refusal) => Err(self.not_put(address, verb, &refusal).await),
        }
    }

    /// What an answer to a write means that is no success.
    async fn not_put(&self, address: &Address, verb: &'static str, refusal: &Refusal) -> Put {
        match (refusal.code, refusal.status.reason.as_str(), verb) {
            (409, "AlreadyExists" | "Conflict", _) => Put::Conflict,
            (404, ..) if is_of_no_namespace(refusal) => Put::Refused(self.no_namespace()),
            // What was looked at is gone.
            (404, "NotFound", "update") if refusal.status.about == "secrets" => Put::Conflict,
            (403, ..) => Put::Refused(match self.has_right(address, verb).await {
                Ok(Some(true)) => unreadable(self.0.caller.words(refusal), self.by_policy()),
                Ok(Some(false) | None) | Err(_) => self.without_right(verb),
            }),
            (422, ..) => Put::Refused(unreadable(self.0.caller.words(refusal), self.by_policy())),
            // A request that timed out there may have been begun.
            (300..=407 | 409..=499, ..) => Put::Refused(self.0.caller.odd(refusal)),
            _ => Put::Unknown(self.0.caller.odd(refusal)),
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.read(address).await {
            Err(why) => ReadBack::Unreadable(why),
            Ok(None | Some(Found { holds: Holds::Nothing, .. })) => ReadBack::Absent,
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

    async fn read(&self, address: &Address) -> Result<Option<Found>, Unreadable> {
        Ok(self.fetch(address).await?.map(|(_, found)| found))
    }

    /// What stands at a key's name, as it was answered; `None` where nothing does.
    async fn fetch(&self, address: &Address) -> Result<Option<(Zeroizing<Vec<u8>>, Found)>, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask(Method::GET, &self.path(address), None).await {
            Came::Done(body) => {
                let found = form::found(&body, &self.0.settings.data_key).ok_or_else(|| caller.unknown_form())?;
                Ok(Some((body, found)))
            }
            Came::Refused(Refusal { code: 404, status, .. }) if status.about == "secrets" => Ok(None),
            Came::Refused(refusal @ Refusal { code: 403, .. }) => Err(unreadable(caller.words(&refusal), self.role())),
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// Nobody may change a Secret that is immutable, and nothing that is written into one that is being deleted lasts.
    fn may_be_changed(&self, address: &Address, found: &Found) -> Result<(), Unreadable> {
        if found.is_ending {
            return Err(self.ending(address));
        }
        if !found.is_immutable {
            return Ok(());
        }
        let (namespace, name) = (&self.0.settings.namespace, self.name(address));
        Err(unreadable(
            format!("{} is immutable (`immutable: true`), and no new key goes into it", self.place(address)),
            format!(
                "make it anew without `immutable`; if nobody needs what it holds: kubectl delete secret --namespace {namespace} {name}"
            ),
        ))
    }

    fn ending(&self, address: &Address) -> Unreadable {
        let (namespace, name) = (&self.0.settings.namespace, self.name(address));
        unreadable(
            format!(
                "{} is being deleted (it has a `deletionTimestamp`) and waits for its finalizers",
                self.place(address)
            ),
            format!(
                "see who is to finish, then run this again: kubectl get secret --namespace {namespace} {name} -o jsonpath='{{.metadata.finalizers}}'"
            ),
        )
    }

    fn stranger(&self, address: &Address) -> Unreadable {
        let (namespace, name) = (&self.0.settings.namespace, self.name(address));
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            format!(
                "move what is there away, then run this again; if nobody needs it: kubectl delete secret --namespace {namespace} {name}"
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
                format!("{} would hold more than 1 MiB, which is the most that a Secret may", self.place(address)),
                "take out of it what others keep there; nothing was written",
            ),
        }
    }

    fn without_right(&self, verbs: &str) -> Unreadable {
        let (server, namespace) = (self.0.caller.server(), &self.0.settings.namespace);
        let why = format!("the token may not {verbs} secrets in the namespace {namespace} at {server}");
        unreadable(why, self.role())
    }

    fn role(&self) -> String {
        let namespace = &self.0.settings.namespace;
        format!(
            "see that the namespace {namespace} is there, and give whom the token is of a Role there: {}",
            self.0.settings.rights()
        )
    }

    /// The token has the right, and something else refuses.
    fn by_policy(&self) -> String {
        let namespace = &self.0.settings.namespace;
        format!(
            "a quota, a policy or a webhook of the cluster refuses it; `kubectl create secret generic try --namespace {namespace} --dry-run=server` tells more"
        )
    }

    fn no_namespace(&self) -> Unreadable {
        let (server, namespace) = (self.0.caller.server(), &self.0.settings.namespace);
        unreadable(
            format!("there is no namespace {namespace} at {server}"),
            format!("correct `namespace` in settings, or make it: kubectl create namespace {namespace}"),
        )
    }

    fn untold(&self, address: &Address) -> String {
        format!("whether the token may write {}: the server tells it only to a write", self.place(address))
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.path(address)
    }

    fn secrets(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.0.settings.namespace)
    }

    fn path(&self, address: &Address) -> String {
        format!("{}/{}", self.secrets(), self.name(address))
    }
}

fn is_of_no_namespace(refusal: &Refusal) -> bool {
    refusal.code == 404 && refusal.status.about == "namespaces"
}

#[cfg(test)]
mod tests;
