//! The sink `vault`: payload and metadata as one version of one secret, written only over the version that was looked at.

mod call;
mod form;
mod login;
mod session;
mod words;

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::{Deleted, Observed, SinkEntry, StoreLive, Unreadable};
use crate::model::marker::SinkHash;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::content::Others;
use super::payload::Payload;
use super::wire::{Answer, Reply};
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Ask, Caller, Lost};
use self::form::Found;
use self::session::{Lent, Session};

/// Where a token is told about itself.
const SELF: &str = "auth/token/lookup-self";

/// A KV v2 engine.
#[derive(Clone)]
pub struct VaultSink(Arc<Inner>);

struct Inner {
    settings: settings::VaultSink,
    hash: SinkHash,
    caller: Caller,
    session: Session,
}

impl std::fmt::Debug for VaultSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("VaultSink").field(&self.0.settings.address).finish()
    }
}

impl VaultSink {
    pub(super) fn of(settings: &settings::VaultSink, hash: SinkHash, mut access: Access) -> Self {
        let session = Session::of(settings, &mut access);
        let caller = Caller::of(settings, &access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller, session }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        format!("{}/{} at {}", self.0.settings.mount, self.path(address), self.0.settings.address)
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        let seen = |entry, version| Seen::new(Some(entry), version);
        match self.read(address).await {
            Err(why) => seen(Observed::Unreadable(why), Version::Unknown),
            Ok(None) => seen(Observed::Absent, Version::Nothing),
            Ok(Some(Found::Nothing(deleted))) => {
                let version = Version::Number(deleted.version);
                Seen { deleted: Some(self.deleted(address, deleted)), ..seen(Observed::Absent, version) }
            }
            Ok(Some(Found::Ours { version, entry, stored, until })) if entry.fingerprint == stored => {
                match of_key(address, *entry, &self.place(address)) {
                    Ok(entry) => Seen { until, ..seen(Observed::Present(entry), Version::Number(version)) },
                    Err(why) => seen(Observed::Unreadable(why), Version::Unknown),
                }
            }
            Ok(Some(Found::Ours { .. } | Found::Stranger)) => {
                seen(Observed::Unreadable(self.stranger(address)), Version::Unknown)
            }
        }
    }

    fn deleted(&self, address: &Address, deleted: form::Deleted) -> Deleted {
        let form::Deleted { version, at, destroyed } = deleted;
        let (mount, path) = (&self.0.settings.mount, self.path(address));
        let undo = format!("bao kv undelete -mount={mount} -versions={version} {path}");
        Deleted { version, at, undo: (!destroyed).then_some(undo) }
    }

    /// What the token and the engine say of themselves. What they do not tell is left out: deliveries do not depend on it.
    pub(super) async fn store(&self) -> StoreLive {
        let token = match self.ask(Method::GET, SELF, None).await {
            // Another follows it before it ends.
            Ok(_) if matches!(self.0.settings.auth, settings::VaultAuth::Login(_)) => None,
            Ok((200, body)) => form::token(&body),
            Ok(_) => None,
            // Out of reach or sealed: the looks have said so, and nobody waits for it again.
            Err(_) => return StoreLive::default(),
        };
        let config = format!("{}/config", self.0.settings.mount);
        let keeps_seconds = match self.ask(Method::GET, &config, None).await {
            Ok((200, body)) => form::keeps(&body),
            Ok(_) | Err(_) => None,
        };
        StoreLive { token, keeps_seconds }
    }

    /// Writes nothing: asks what the token may do there, and what the mount is.
    pub(super) async fn preflight(&self, address: &Address) -> Result<(), Unreadable> {
        let path = format!("{}/data/{}", self.0.settings.mount, self.path(address));
        let ask = serde_json::to_vec(&serde_json::json!({ "paths": [path] })).unwrap_or_default();
        let (status, body) = self.ask(Method::POST, "sys/capabilities-self", Some(ask)).await?;
        let may = match (status, form::capabilities(&body)) {
            (200, Some(may)) => may,
            (403, _) => {
                let why = format!("{} refuses the token (403){}", self.0.settings.address, self.words(&body, &[]));
                let next = format!("{}, and the policy `default`", self.policy());
                return Err(self.refused(why, next).await);
            }
            (status, _) => return Err(self.odd(status, &body)),
        };
        let missing: Vec<&str> = ["create", "read", "update"]
            .into_iter()
            .filter(|need| !may.iter().any(|one| one == need || one == "root"))
            .collect();
        if !missing.is_empty() {
            let why = format!("the token may not {} {path} at {}", missing.join(" or "), self.0.settings.address);
            return Err(unreadable(why, self.policy()));
        }
        let mount = &self.0.settings.mount;
        match self.ask(Method::GET, &format!("sys/internal/ui/mounts/{mount}"), None).await? {
            (200, body) => form::mount(&body).map_or(Ok(()), |found| self.is_the_mount(&found)),
            // Not every token may ask; the first read tells as well.
            (_, _) => Ok(()),
        }
    }

    /// The engine is one of version 2 and is mounted where settings say, not somewhere above.
    fn is_the_mount(&self, found: &form::Mount) -> Result<(), Unreadable> {
        let settings::VaultSink { mount, address, path, .. } = &self.0.settings;
        if !found.is_kv2 {
            return Err(unreadable(
                format!("{mount} at {address} is no KV engine of version 2"),
                "name the mount of one in settings; `bao secrets enable -version=2 kv` makes one",
            ));
        }
        let Some(real) = found.path.as_deref().filter(|real| *real != mount) else { return Ok(()) };
        let real = Untrusted::from(real);
        let rest = mount.strip_prefix(real.raw()).unwrap_or_default().trim_start_matches('/');
        // As in the paths of the API, which nobody writes in `bao kv get`.
        let of_api = ["data", "metadata"].into_iter().find_map(|word| {
            let deeper = rest.strip_prefix(word)?;
            (deeper.is_empty() || deeper.starts_with('/')).then(|| (word, deeper.trim_start_matches('/')))
        });
        let (why, rest) = match of_api {
            Some((word, deeper)) => (format!(" (`/{word}` belongs to the API's paths)"), deeper),
            None => (String::new(), rest),
        };
        let path = if rest.is_empty() { String::new() } else { format!(", and `path: \"{rest}/{path}\"`") };
        let next = format!("say `mount: {real}` in settings{why}{path}");
        Err(unreadable(format!("{mount} at {address} is no mount: the engine there is mounted at {real}"), next))
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<Option<Timestamp>, Put> {
        let cas = match version {
            Version::Nothing => 0,
            Version::Number(number) => *number,
            Version::Unknown => return Err(Put::Refused(self.stranger(address))),
            Version::Payload(_) | Version::Word(_) | Version::Unseen => {
                let why = format!("what stands at {} was not looked at", self.place(address));
                return Err(Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written")));
            }
        };
        // What others keep in the same secret stays: the write says which version it was read of.
        let there = if cas == 0 { None } else { Some(self.fetch(address).await.map_err(Put::Refused)?.1) };
        let others = match there.as_ref().map(|body| form::others(body)) {
            None => Others::default(),
            Some(Some((version, others))) if version == cas => others,
            Some(Some(_) | None) => return Err(Put::Conflict),
        };
        let body = form::write(cas, payload.bytes(), entry, &others).ok_or_else(|| {
            let why = "the payload does not become JSON";
            Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written"))
        })?;
        let path = format!("{}/data/{}", self.0.settings.mount, self.path(address));
        let Answer { status, body: answer, .. } = self.write(&path, body).await?;
        let words = self.words(&answer, &[payload.token()]);
        let refused = |why: String, next: String| Err(Put::Refused(unreadable(why, next)));
        match status {
            200..=299 => Ok(form::written_until(&answer)),
            400 if form::errors(&answer).contains("check-and-set") => Err(Put::Conflict),
            403 => {
                let why = format!("{} refuses the write (403){words}", self.0.settings.address);
                Err(Put::Refused(self.refused(why, self.policy()).await))
            }
            // Of a standby, or of somebody who stands before it: nothing was done there.
            300..=399 => refused(
                format!("{} sends elsewhere ({status}), and secrets do not follow", self.0.settings.address),
                "name the active node, or a load balancer that knows it, as `address`".to_owned(),
            ),
            // A request that timed out there may have been begun.
            400..=499 if status != 408 => refused(
                format!("{} refuses the write ({status}){words}", self.0.settings.address),
                self.next(status, &answer),
            ),
            _ => Err(Put::Unknown(unreadable(
                format!("{} answers {status}{words}", self.0.settings.address),
                self.next(status, &answer),
            ))),
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.read(address).await {
            Err(why) => ReadBack::Unreadable(why),
            Ok(None | Some(Found::Nothing(_))) => ReadBack::Absent,
            Ok(Some(Found::Ours { entry: found, stored, .. })) if *found == *entry && stored == entry.fingerprint => {
                ReadBack::Same
            }
            Ok(Some(Found::Ours { entry, stored, .. })) if entry.fingerprint == stored => {
                let id = Untrusted::from(entry.key_id.as_str());
                ReadBack::Other(format!("{} holds the key with the id {id}", self.place(address)))
            }
            Ok(Some(Found::Ours { .. } | Found::Stranger)) => {
                ReadBack::Other(format!("{} holds something that qlik-plan did not write", self.place(address)))
            }
        }
    }

    /// What stands at a key's path; `None` where nothing ever stood.
    async fn read(&self, address: &Address) -> Result<Option<Found>, Unreadable> {
        let (status, body) = self.fetch(address).await?;
        match (status, form::found(&body)) {
            // A version that was deleted is answered with 404 and its number.
            (200, Some(found)) | (404, Some(found @ Found::Nothing(_))) => Ok(Some(found)),
            (404, _) if form::errors(&body).is_empty() => Ok(None),
            (status, _) => Err(self.odd(status, &body)),
        }
    }

    /// The answer to a read that was not refused.
    async fn fetch(&self, address: &Address) -> Result<(u16, Zeroizing<Vec<u8>>), Unreadable> {
        let path = format!("{}/data/{}", self.0.settings.mount, self.path(address));
        let (status, body) = self.ask(Method::GET, &path, None).await?;
        if status == 403 {
            let why = format!("{} refuses to read {path} (403){}", self.0.settings.address, self.words(&body, &[]));
            return Err(self.refused(why, self.policy()).await);
        }
        Ok((status, body))
    }

    /// A 403 is said of a right that is missing and of a token that is dead. Whether it may look at itself tells which.
    async fn refused(&self, why: String, right: String) -> Unreadable {
        let dead = match self.0.session.token(&self.0.caller).await {
            Ok(lent) => self.is_dead(&lent).await,
            Err(_) => false,
        };
        if !dead {
            return unreadable(why, right);
        }
        self.dead()
    }

    async fn is_dead(&self, lent: &Lent) -> bool {
        let ask = Ask { method: Method::GET, path: SELF, token: Some(&lent.token), body: None };
        match self.0.caller.ask(ask, Lost::Again).await {
            Ok(Answer { status: 403, body, .. }) => form::is_of_no_token(&form::errors(&body)),
            Ok(_) | Err(_) => false,
        }
    }

    /// The token after a 403 that another one may cure.
    async fn another(&self, lent: &Lent, body: &[u8]) -> Result<Option<Lent>, Unreadable> {
        if form::is_of_no_token(&form::errors(body)) && self.is_dead(lent).await {
            return self.0.session.instead_of(lent, &self.0.caller).await;
        }
        self.0.session.worked();
        Ok(None)
    }

    /// Asks, and asks again where it was not answered, or where the token of a login had ended.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(u16, Zeroizing<Vec<u8>>), Unreadable> {
        let body = body.map(Zeroizing::new);
        let mut lent = self.0.session.token(&self.0.caller).await?;
        loop {
            let ask = Ask { method: method.clone(), path, token: Some(&lent.token), body: body.clone() };
            let Answer { status, body, .. } =
                self.0.caller.ask(ask, Lost::Again).await.map_err(|trouble| self.trouble(trouble))?;
            if status == 403
                && let Some(another) = self.another(&lent, &body).await?
            {
                lent = another;
                continue;
            }
            if status != 403 {
                self.0.session.worked();
            }
            return Ok((status, body));
        }
    }

    /// Sends a write once; and once more where the vault did not know the token any more, for then nothing was written.
    async fn write(&self, path: &str, body: Zeroizing<Vec<u8>>) -> Result<Answer, Put> {
        let mut lent = self.0.session.token(&self.0.caller).await.map_err(Put::Refused)?;
        loop {
            let ask = Ask { method: Method::POST, path, token: Some(&lent.token), body: Some(body.clone()) };
            let answer = match self.0.caller.send(ask).await {
                Err(why) => return Err(Put::Refused(self.no_way(&why))),
                Ok(Reply::NotSent(why)) => return Err(Put::Refused(self.out_of_reach(&why))),
                Ok(Reply::Lost(why)) => return Err(Put::Unknown(self.out_of_reach(&why))),
                Ok(Reply::Answered(answer)) => answer,
            };
            if answer.status == 403
                && let Some(another) = self.another(&lent, &answer.body).await.map_err(Put::Refused)?
            {
                lent = another;
                continue;
            }
            if answer.status != 403 {
                self.0.session.worked();
            }
            return Ok(answer);
        }
    }

    /// How the login is; `None` where a token stands.
    pub(super) async fn login(&self) -> Option<Result<String, Unreadable>> {
        self.0.session.told(&self.0.caller).await
    }

    pub(super) async fn end(&self) {
        self.0.session.end(&self.0.caller).await;
    }

    fn path(&self, address: &Address) -> String {
        self.0.settings.path.path(address)
    }
}

#[cfg(test)]
mod tests;
