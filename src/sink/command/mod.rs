//! The sink `command`: a program of the user's own stores the payload, another says what is stored.

mod printed;
mod process;
mod start;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable};
use crate::model::marker::SinkHash;
use crate::model::redact::{Speaker, is_opaque, said};
use crate::model::secret::{Fingerprint, Secret};
use crate::model::settings;
use crate::model::untrusted::{Untrusted, escape};
use crate::model::wait::Waits;

use super::access::{Access, Lock};
use super::payload::Payload;
use super::{Put, ReadBack, Version, of_key, unreadable};

use self::process::{Ended, Program, Ran};
use self::start::Obstacle;

pub use self::printed::printed;

/// Exit codes of `deliver` that say something for certain. Few programs use them by chance.
const DELIVERED: i32 = 0;
const REFUSED: i32 = 110;
const CONFLICT: i32 = 111;

/// What `check` says where nothing is.
const ABSENT: &[u8] = b"absent";

/// Programs and what they may see.
#[derive(Clone)]
pub struct CommandSink(Arc<Inner>, Option<Arc<Lock>>);

struct Inner {
    deliver: Vec<String>,
    check: Option<Vec<String>>,
    timeout: Duration,
    folder: PathBuf,
    environment: Vec<(String, Secret)>,
    hash: SinkHash,
    waits: Waits,
}

impl std::fmt::Debug for CommandSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CommandSink").field(&self.0.deliver).finish()
    }
}

/// What `check` prints.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// What `deliver` was given for what is stored.
    metadata: Option<SinkEntry>,
    /// Of what is stored, computed from it.
    sha256: Fingerprint,
    version: Option<Untrusted>,
}

impl CommandSink {
    pub(super) fn of(settings: &settings::CommandSink, hash: SinkHash, access: Access) -> Self {
        let inner = Inner {
            deliver: settings.deliver.clone(),
            check: settings.check.clone(),
            timeout: Duration::from_secs(settings.timeout.seconds()),
            folder: settings.folder.clone(),
            environment: access.environment,
            hash,
            waits: access.waits,
        };
        Self(Arc::new(inner), None)
    }

    pub(super) fn bequeath(&mut self, lock: Arc<Lock>) {
        self.1 = Some(lock);
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.0.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        format!("{address} of {}", escape(&self.0.deliver.join(" ")))
    }

    pub(super) async fn look(&self, address: &Address) -> (Option<Observed<SinkEntry>>, Version) {
        match self.stored(address).await {
            None => (None, Version::Unseen),
            Some(Ok(None)) => (Some(Observed::Absent), Version::Nothing),
            Some(Ok(Some((entry, version)))) => (Some(Observed::Present(entry)), version),
            Some(Err(why)) => (Some(Observed::Unreadable(why)), Version::Unknown),
        }
    }

    /// The programs are there and can be started. What is stored is another question, and `look` asks it.
    pub(super) async fn preflight(&self, _: &Address) -> Result<(), Unreadable> {
        for argv in [Some(&self.0.deliver), self.0.check.as_ref()].into_iter().flatten() {
            self.can_run(argv)?;
        }
        Ok(())
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<(), Put> {
        // The programs know nothing of versions unless they want to; so we look once more ourselves.
        match self.stored(address).await {
            None => {}
            Some(Err(why)) => return Err(Put::Refused(why)),
            Some(Ok(found)) if found.as_ref().map_or(&Version::Nothing, |(_, version)| version) != version => {
                return Err(Put::Conflict);
            }
            Some(Ok(_)) => {}
        }
        let metadata = serde_json::to_string(entry).map_err(|_| {
            let why = "the metadata does not become JSON";
            Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was delivered"))
        })?;
        let mut about = about(address);
        about.push(("QLIK_PLAN_METADATA", metadata));
        match version {
            Version::Nothing => about.push(("QLIK_PLAN_EXPECTED", "absent".to_owned())),
            Version::Word(word) => about.push(("QLIK_PLAN_EXPECTED", word.raw().to_owned())),
            Version::Payload(fingerprint) => about.push(("QLIK_PLAN_EXPECTED", fingerprint.as_str().to_owned())),
            Version::Number(_) | Version::Unknown | Version::Unseen => {}
        }
        let input = Zeroizing::new(payload.bytes().to_vec());
        let ran = self.run(self.0.deliver.clone(), about, Some(input)).await.map_err(Put::Refused)?;
        let words = self.words(&ran, Some(payload));
        let program = self.program(&self.0.deliver);
        let unknown = |how: String| {
            let next = if self.0.check.is_some() {
                format!("see why {program} ended so; what it stored is read back")
            } else {
                format!("see why {program} ended so, and whether it stored the key; give the sink a `check`")
            };
            Err(Put::Unknown(unreadable(how, next)))
        };
        match ran.ended {
            Ended::Code(DELIVERED) if ran.left_behind => {
                unknown(format!("{program} ended and left a process behind that may still write"))
            }
            Ended::Code(DELIVERED) => Ok(()),
            Ended::Code(REFUSED) => Err(Put::Refused(unreadable(
                format!("{program} refused it (exit code {REFUSED}){words}"),
                format!("do what {program} says, then run this again"),
            ))),
            Ended::Code(CONFLICT) => Err(Put::Conflict),
            Ended::Code(code) => unknown(format!("{program} ended with exit code {code}{words}")),
            Ended::Signal(signal) => unknown(format!("{program} was ended by signal {signal}{words}")),
            Ended::TimedOut => unknown(self.too_slow(&self.0.deliver)),
        }
    }

    pub(super) async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self.stored(address).await {
            None => ReadBack::Unseen,
            Some(Err(why)) => ReadBack::Unreadable(why),
            Some(Ok(None)) => ReadBack::Absent,
            Some(Ok(Some((found, _)))) if found == *entry => ReadBack::Same,
            Some(Ok(Some((found, _)))) => {
                let id = Untrusted::from(found.key_id.as_str());
                ReadBack::Other(format!("{} holds the key with the id {id}", self.place(address)))
            }
        }
    }

    /// What `check` says; `None` where there is no `check`.
    async fn stored(&self, address: &Address) -> Option<Result<Option<(SinkEntry, Version)>, Unreadable>> {
        let argv = self.0.check.clone()?;
        let program = self.program(&argv);
        let ran = match self.run(argv.clone(), about(address), None).await {
            Ok(ran) => ran,
            Err(why) => return Some(Err(why)),
        };
        let failed = |how: String| {
            unreadable(
                how,
                format!("run it by hand with QLIK_PLAN_ADDRESS={address}; docs/sinks.md says what it prints"),
            )
        };
        Some(match ran.ended {
            Ended::Code(0) => self.understood(address, &program, &ran),
            // Whatever secret it printed is an old one, which we do not know: a token is known by its form.
            Ended::Code(code) => {
                Err(failed(format!("{program} ended with exit code {code}{}", self.words(&ran, None))))
            }
            Ended::Signal(signal) => Err(failed(format!("{program} was ended by signal {signal}"))),
            Ended::TimedOut => Err(failed(self.too_slow(&argv))),
        })
    }

    fn understood(
        &self,
        address: &Address,
        program: &str,
        ran: &Ran,
    ) -> Result<Option<(SinkEntry, Version)>, Unreadable> {
        if ran.out.trim_ascii() == ABSENT {
            return Ok(None);
        }
        // Nothing of what it printed is repeated: it may be the secret itself.
        let stored: Stored = serde_json::from_slice(&ran.out).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let why = format!("{program} printed neither `absent` nor what is stored (line {line}, column {column})");
            unreadable(why, format!("correct {program}; docs/sinks.md says what it prints"))
        })?;
        let place = self.place(address);
        let Some(entry) = stored.metadata.filter(|entry| entry.fingerprint == stored.sha256) else {
            return Err(unreadable(
                format!("{place} holds something that qlik-plan did not write, or that was changed since"),
                "move what is there away, then run this again",
            ));
        };
        let entry = of_key(address, entry, &place)?;
        let version = stored.version.map_or_else(|| Version::Payload(entry.fingerprint.clone()), Version::Word);
        Ok(Some((entry, version)))
    }

    /// Runs a program beside everything else that this process waits for.
    async fn run(
        &self,
        argv: Vec<String>,
        about: Vec<(&'static str, String)>,
        input: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Ran, Unreadable> {
        // Some files can be started, and fail in words that hide why.
        self.can_run(&argv)?;
        let program = self.program(&argv);
        let file = self.file(&argv);
        let (inner, lock) = (Arc::clone(&self.0), self.1.clone());
        let _waiting = self.0.waits.begin(format!("{program}: it is at work"), self.0.timeout);
        let ran = tokio::task::spawn_blocking(move || {
            Program {
                argv: &argv,
                folder: &inner.folder,
                environment: &inner.environment,
                about: &about,
                input,
                timeout: inner.timeout,
                lock: lock.as_deref(),
            }
            .run()
        });
        match ran.await {
            Ok(Ok(ran)) => Ok(ran),
            Ok(Err(error)) => Err(match file {
                Some(file) => stopped(&program, start::after(&file, &self.0.folder, &error)),
                None => nowhere(&program),
            }),
            Err(_) => Err(unreadable(format!("{program} could not be waited for"), "see the limits of this machine")),
        }
    }

    fn can_run(&self, argv: &[String]) -> Result<(), Unreadable> {
        let program = self.program(argv);
        let file = self.file(argv).ok_or_else(|| nowhere(&program))?;
        start::before(&file, &self.0.folder).map_or(Ok(()), |obstacle| Err(stopped(&program, obstacle)))
    }

    /// Where the program is; `None` where no folder of PATH has it.
    fn file(&self, argv: &[String]) -> Option<PathBuf> {
        let name = argv.first().map(String::as_str).unwrap_or_default();
        let path = self.0.environment.iter().find(|(name, _)| name == "PATH");
        start::file(name, &self.0.folder, path.map(|(_, path)| path.expose()).unwrap_or_default())
    }

    /// What it said on its standard error, for a message: without what it was given, and without what its environment
    /// hands on that looks like a credential.
    fn words(&self, ran: &Ran, given: Option<&Payload>) -> String {
        let handed_on = self.0.environment.iter().map(|(_, value)| value.expose()).filter(|value| is_opaque(value));
        let secrets: Vec<&[u8]> = given.map(Payload::token).into_iter().chain(handed_on.map(str::as_bytes)).collect();
        let speaker = if given.is_some() { Speaker::Given } else { Speaker::Other };
        let words = said(&ran.err, &secrets, speaker);
        if words.raw().is_empty() { String::new() } else { format!(": {}", words.raw()) }
    }

    fn too_slow(&self, argv: &[String]) -> String {
        format!("{} was not done after {} s and was killed", self.program(argv), self.0.timeout.as_secs())
    }

    fn program(&self, argv: &[String]) -> String {
        let name = argv.first().map(String::as_str).unwrap_or_default();
        escape(name)
    }
}

/// What every program is told.
fn about(address: &Address) -> Vec<(&'static str, String)> {
    vec![
        ("QLIK_PLAN_ADDRESS", address.to_string()),
        ("QLIK_PLAN_VENDOR", address.vendor.as_str().to_owned()),
        ("QLIK_PLAN_TENANT", address.tenant.to_string()),
        ("QLIK_PLAN_KEY", address.key().map(ToString::to_string).unwrap_or_default()),
    ]
}

fn nowhere(program: &str) -> Unreadable {
    unreadable(
        format!("{program} is not there: no folder of PATH has it"),
        format!("install {program}, or name it with a slash, as in ./{program}, in settings"),
    )
}

fn stopped(program: &str, Obstacle { why, next }: Obstacle) -> Unreadable {
    unreadable(format!("{program} {why}"), next)
}

#[cfg(test)]
mod tests;
