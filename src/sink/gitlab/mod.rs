//! The sink `gitlab-variables`: a variable a key, and its metadata in another beside it. GitLab compares nothing, so what stands there is
//! looked at again just before it is replaced.

mod call;
mod form;

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::payload::Payload;
use super::{Put, ReadBack, Seen, Version, of_key, unreadable};

use self::call::{Caller, Came, Refusal};
use self::form::{Made, Unread, Variable, Written};

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The first version that hides variables.
const HIDES: (u32, u32) = (17, 4);

/// Variables of one project or group.
#[derive(Clone)]
pub struct GitLabSink(Arc<Inner>);

struct Inner {
    settings: settings::GitLabSink,
    hash: SinkHash,
    caller: Caller,
}

impl std::fmt::Debug for GitLabSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GitLabSink").field(&self.0.settings.server).field(&self.0.settings.of).finish()
    }
}

impl GitLabSink {
    pub(super) fn of(settings: &settings::GitLabSink, hash: SinkHash, access: Access) -> Self {
        let caller = Caller::of(settings, access);
        Self(Arc::new(Inner { settings: settings.clone(), hash, caller }))
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        let settings::GitLabSink { server, of, environment_scope, .. } = &self.0.settings;
        let scope = if environment_scope == "*" { String::new() } else { format!(" ({environment_scope})") };
        format!("the variable {}{scope} of {of} at {server}", self.name(address))
    }

    pub(super) async fn look(&self, address: &Address) -> Seen {
        if self.0.settings.is_hidden() {
            // That nothing is there can be known; what is there cannot.
            return match self.read(&self.name(address)).await {
                Ok(None) => Seen::new(Some(Observed::Absent), Version::Nothing),
                Ok(Some(_)) | Err(_) => Seen::new(None, Version::Unseen),
            };
        }
        match self.found(address).await {
            Err(why) => Seen::new(Some(Observed::Unreadable(why)), Version::Unknown),
            Ok(None) => Seen::new(Some(Observed::Absent), Version::Nothing),
            Ok(Some(entry)) => {
                let version = Version::Payload(entry.fingerprint.clone());
                Seen::new(Some(Observed::Present(entry)), version)
            }
        }
    }

    /// The metadata of what really stands there: whatever was cut short or came late, it never names another key.
    async fn found(&self, address: &Address) -> Result<Option<SinkEntry>, Unreadable> {
        let Some(variable) = self.read(&self.name(address)).await? else { return Ok(None) };
        let stored = variable.fingerprint().ok_or_else(|| self.hidden_there(address))?;
        let entries = self.entries(address).await?;
        let entry = entries.into_iter().find(|entry| entry.fingerprint == stored);
        of_key(address, entry.ok_or_else(|| self.stranger(address))?, &self.place(address)).map(Some)
    }

    /// What the variable beside a key's says; nothing where there is none.
    async fn entries(&self, address: &Address) -> Result<Vec<SinkEntry>, Unreadable> {
        let Some(variable) = self.read(&self.metadata(address)).await? else { return Ok(Vec::new()) };
        variable.entries().map_err(|why| match why {
            Unread::Stranger => self.stranger(address),
            Unread::Newer(format) => unreadable(
                format!("{} has format {format}; this program knows format 1", self.metadata(address)),
                "use the newer qlik-plan that wrote it",
            ),
        })
    }

    /// Writes nothing. Whoever may read variables may write them, as far as the role goes; the token tells its scope.
    pub(super) async fn preflight(&self, address: &Address) -> Writable {
        match self.may_write(address).await {
            Err(why) => Writable::No(why),
            Ok(None) => Writable::Yes,
            Ok(Some(untold)) => Writable::NotRefused(untold),
        }
    }

    async fn may_write(&self, address: &Address) -> Result<Option<String>, Unreadable> {
        if self.0.settings.is_hidden() {
            let there = self.read(&self.name(address)).await?;
            self.may_be_renewed(address, there.as_ref())?;
            if there.is_none() && !self.hides().await? {
                return Err(self.too_old());
            }
        } else {
            match self.found(address).await? {
                Some(_) => {}
                // What stands in its place beside is read before the first delivery.
                None => drop(self.entries(address).await?),
            }
        }
        let caller = &self.0.caller;
        match caller.ask("/api/v4/personal_access_tokens/self").await {
            Came::Done(body) => match form::may_write(&body) {
                Some(true) => Ok(None),
                Some(false) => Err(caller.without_right("has not the scope api")),
                None => Ok(Some(self.untold(address))),
            },
            // Not every token may ask about itself.
            Came::Refused(Refusal { code: 400..=499, .. }) => Ok(Some(self.untold(address))),
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// Whether the server knows hidden variables. One that does not would leave the word out, and show the key.
    async fn hides(&self) -> Result<bool, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask("/api/v4/version").await {
            Came::Done(body) => {
                form::version(&body).map(|version| version >= HIDES).ok_or_else(|| caller.unknown_form())
            }
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<(), Put> {
        let is_hidden = self.0.settings.is_hidden();
        let value = self.value(address, payload).map_err(Put::Refused)?;
        let there = self.read(&self.name(address)).await.map_err(Put::Refused)?;
        let stored = there.as_ref().and_then(Variable::fingerprint);
        match version {
            Version::Nothing if is_hidden && there.is_none() => {
                if !self.hides().await.map_err(Put::Refused)? {
                    return Err(Put::Refused(self.too_old()));
                }
            }
            Version::Unseen if is_hidden && there.is_some() => {
                self.may_be_renewed(address, there.as_ref()).map_err(Put::Refused)?;
            }
            Version::Nothing | Version::Unseen if is_hidden => return Err(Put::Conflict),
            Version::Nothing if !is_hidden && there.is_none() => {}
            Version::Payload(seen) if !is_hidden && stored.as_ref() == Some(seen) => {}
            Version::Nothing | Version::Payload(_) if !is_hidden => return Err(Put::Conflict),
            Version::Unknown => return Err(Put::Refused(self.stranger(address))),
            Version::Nothing | Version::Payload(_) | Version::Word(_) | Version::Number(_) | Version::Unseen => {
                let why = format!("what stands at {} was not looked at", self.place(address));
                return Err(Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written")));
            }
        }
        if !is_hidden {
            self.note(address, entry, stored.as_ref()).await?;
        }
        let masked = self.0.settings.is_masked();
        let variable_type = if self.0.settings.as_file { "file" } else { "env_var" };
        self.write(address, &self.name(address), there.is_some(), (value, masked, variable_type)).await
    }

    /// Step 1: the metadata name the new value before it is there, and the present one as long as it is. Whatever comes of it, the value
    /// has not left.
    async fn note(&self, address: &Address, entry: &SinkEntry, holds: Option<&Fingerprint>) -> Result<(), Put> {
        let name = self.metadata(address);
        let is_there = self.read(&name).await.map_err(Put::Refused)?.is_some();
        let others = self.entries(address).await.map_err(Put::Refused)?;
        let text = form::journal(entry, holds, others).ok_or_else(|| {
            Put::Refused(unreadable("the metadata do not become JSON", "report this as a defect of qlik-plan"))
        })?;
        match self.write(address, &name, is_there, (&text, false, "env_var")).await {
            // An answer may be lost.
            Err(Put::Unknown(why)) => {
                let entries = self.entries(address).await.map_err(|_| Put::Refused(why.clone()))?;
                if entries.contains(entry) { Ok(()) } else { Err(Put::Refused(why)) }
            }
            outcome => outcome,
        }
    }

    async fn write(
        &self,
        address: &Address,
        name: &str,
        is_there: bool,
        (value, masked, variable_type): (&str, bool, &'static str),
    ) -> Result<(), Put> {
        let settings = &self.0.settings;
        let description = ours(address);
        let made = Made {
            key: name,
            environment_scope: &settings.environment_scope,
            description: &description,
            masked_and_hidden: masked && settings.is_hidden(),
        };
        let written = Written {
            made: (!is_there).then_some(made),
            value,
            protected: settings.protected,
            masked,
            raw: true,
            variable_type,
        };
        let body = written.bytes().ok_or_else(|| {
            Put::Refused(unreadable("the payload does not become JSON", "report this as a defect of qlik-plan"))
        })?;
        let (method, path) = if is_there { (Method::PUT, self.path(name)) } else { (Method::POST, self.variables()) };
        let refusal = match self.0.caller.write(method, &path, body).await {
            Came::Done(_) => return Ok(()),
            Came::NotSent(why) => return Err(Put::Refused(why)),
            Came::Lost(why) => return Err(Put::Unknown(why)),
            Came::Refused(refusal) => refusal,
        };
        Err(match refusal.code {
            400 if !is_there && refusal.told.is_taken => Put::Conflict,
            // What was looked at is gone.
            404 if is_there && refusal.told.missing == "Variable" => Put::Conflict,
            // A request that timed out there may have been begun.
            300..=407 | 409..=499 => Put::Refused(self.0.caller.odd(&refusal)),
            _ => Put::Unknown(self.0.caller.odd(&refusal)),
        })
    }

    /// The payload as GitLab takes it.
    fn value<'p>(&self, address: &Address, payload: &'p Payload) -> Result<&'p str, Unreadable> {
        let value = std::str::from_utf8(payload.bytes()).map_err(|_| {
            unreadable("the payload is no text", "report this as a defect of qlik-plan; nothing was written")
        })?;
        if self.0.settings.is_masked() && !form::is_maskable(value) {
            return Err(unreadable(
                format!(
                    "GitLab masks one line of 8 characters or more without blanks, and the payload for {address} is none"
                ),
                "say `deliver_as: token`, or `masked: false` in settings; nothing was written",
            ));
        }
        Ok(value)
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        if self.0.settings.is_hidden() {
            return ReadBack::Unseen;
        }
        let place = self.place(address);
        let stored = match self.read(&self.name(address)).await {
            Err(why) => return ReadBack::Unreadable(why),
            Ok(None) => return ReadBack::Absent,
            Ok(Some(variable)) => variable.fingerprint(),
        };
        let entries = match self.entries(address).await {
            Err(why) => return ReadBack::Unreadable(why),
            Ok(entries) => entries,
        };
        match entries.iter().find(|entry| Some(&entry.fingerprint) == stored.as_ref()) {
            None => ReadBack::Other(format!("{place} holds something that qlik-plan did not write")),
            Some(found) if found == entry => ReadBack::Same,
            Some(found) => {
                let id = Untrusted::from(found.key_id.as_str());
                ReadBack::Other(format!("{place} holds the key with the id {id}"))
            }
        }
    }

    /// A variable; `None` where there is none.
    async fn read(&self, name: &str) -> Result<Option<Variable>, Unreadable> {
        let caller = &self.0.caller;
        match caller.ask(&self.path(name)).await {
            Came::Done(body) => Variable::of(&body).map(Some).ok_or_else(|| caller.unknown_form()),
            Came::Refused(Refusal { code: 404, told, .. }) if told.missing == "Variable" => Ok(None),
            Came::Refused(refusal) => Err(caller.odd(&refusal)),
            Came::NotSent(why) | Came::Lost(why) => Err(why),
        }
    }

    /// Nobody sees what a hidden variable holds, but it says who made it.
    fn may_be_renewed(&self, address: &Address, there: Option<&Variable>) -> Result<(), Unreadable> {
        let Some(variable) = there else { return Ok(()) };
        if variable.description.as_deref() != Some(ours(address).as_str()) {
            return Err(self.stranger(address));
        }
        if variable.hidden {
            return Ok(());
        }
        Err(unreadable(
            format!("{} is not hidden, and GitLab hides only what is made anew", self.place(address)),
            format!("delete the variable, then say --remint {address}; or leave `hidden` out of the settings"),
        ))
    }

    fn hidden_there(&self, address: &Address) -> Unreadable {
        unreadable(
            format!("{} is hidden: GitLab shows nobody what it holds", self.place(address)),
            "delete the variable and run this again, or say `hidden: true` in settings",
        )
    }

    fn too_old(&self) -> Unreadable {
        unreadable(
            format!("{} is older than GitLab 17.4 and knows no hidden variables", self.0.settings.server),
            "leave `hidden` out of the settings",
        )
    }

    fn stranger(&self, address: &Address) -> Unreadable {
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            format!(
                "move what is there away, then run this again; if nobody needs it, delete it under Settings > CI/CD > Variables of {}",
                self.0.settings.of
            ),
        )
    }

    fn untold(&self, address: &Address) -> String {
        format!("whether the token may write {}: GitLab tells it only to a write", self.place(address))
    }

    fn name(&self, address: &Address) -> String {
        self.0.settings.name.of(address)
    }

    fn metadata(&self, address: &Address) -> String {
        format!("{}{}", self.name(address), settings::GitLabSink::METADATA)
    }

    fn variables(&self) -> String {
        let (word, of) = self.0.settings.of.parts();
        format!("/api/v4/{word}s/{}/variables", utf8_percent_encode(of, SEGMENT))
    }

    fn path(&self, name: &str) -> String {
        let scope = utf8_percent_encode(&self.0.settings.environment_scope, NON_ALPHANUMERIC);
        format!("{}/{name}?filter%5Benvironment_scope%5D={scope}", self.variables())
    }
}

/// What a variable says of itself, once it is made.
fn ours(address: &Address) -> String {
    format!("Written by qlik-plan: {address}")
}

#[cfg(test)]
mod tests;
