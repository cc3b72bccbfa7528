//! What Secret Manager is asked and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::redact::{Speaker, said};
use crate::model::secret::{Fingerprint, Secret};
use crate::model::settings::GcpSink;

use super::super::content::Text;

/// The annotation that holds the metadata.
const ENTRY: &str = "qlik-plan";

/// The most bytes that the annotations of a secret may have, names included.
const ANNOTATIONS_MAX: usize = 16 * 1024;

/// A secret without any of its payloads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    /// The service's own word for its state. It is compared, and never ordered.
    pub(super) etag: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    version_aliases: BTreeMap<String, Number>,
    /// When Google deletes all of it.
    pub(super) expire_time: Option<Timestamp>,
}

impl Found {
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(body).ok()?;
        (!found.etag.is_empty()).then_some(found)
    }

    /// The number of the version that readers take.
    pub(super) fn number(&self) -> Option<&str> {
        self.version_aliases.get(GcpSink::ALIAS).map(|number| number.0.as_str())
    }

    /// The metadata; `Some(None)` where there are some that are not ours.
    pub(super) fn entry(&self) -> Option<Option<Box<SinkEntry>>> {
        self.annotations.get(ENTRY).map(|text| serde_json::from_str(text).ok())
    }

    /// The request that makes a version the one that readers take, with its metadata, if the secret is still as it was read. All else of
    /// both maps goes along as it was: they are replaced whole.
    pub(super) fn promote(mut self, number: &str, entry: &SinkEntry) -> Result<Vec<u8>, Unwritten> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Promote {
            etag: String,
            annotations: BTreeMap<String, String>,
            version_aliases: BTreeMap<String, Number>,
        }
        let text = serde_json::to_string(entry).map_err(|_| Unwritten::NoJson)?;
        self.annotations.insert(ENTRY.to_owned(), text);
        let size: usize = self.annotations.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size >= ANNOTATIONS_MAX {
            return Err(Unwritten::TooLarge);
        }
        self.version_aliases.insert(GcpSink::ALIAS.to_owned(), Number(number.to_owned()));
        let Self { etag, annotations, version_aliases, expire_time: _ } = self;
        serde_json::to_vec(&Promote { etag, annotations, version_aliases }).map_err(|_| Unwritten::NoJson)
    }
}

/// Why nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unwritten {
    NoJson,
    TooLarge,
}

/// The number of a version: in JSON a text, since it may be larger than numbers there.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Number(u64),
        }
        let number = match Either::deserialize(deserializer)? {
            Either::Text(text) => text,
            Either::Number(number) => number.to_string(),
        };
        if is_number(&number) { Ok(Self(number)) } else { Err(serde::de::Error::custom("no number of a version")) }
    }
}

fn is_number(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A secret that is to be made, without any version. Where a region is not named, Google keeps it wherever it likes.
pub(super) fn create(is_regional: bool) -> Vec<u8> {
    let mut secret = serde_json::json!({ "labels": { "managed-by": "qlik-plan" } });
    if let (false, Some(secret)) = (is_regional, secret.as_object_mut()) {
        secret.insert("replication".to_owned(), serde_json::json!({ "automatic": {} }));
    }
    serde_json::to_vec(&secret).unwrap_or_default()
}

/// A version that is to be added. Nobody takes it until the alias names it.
pub(super) fn version(payload: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    struct Add<'a> {
        payload: Payload<'a>,
    }
    #[derive(Serialize)]
    struct Payload<'a> {
        data: &'a str,
    }
    let data = Zeroizing::new(STANDARD.encode(payload));
    let mut body = Zeroizing::new(Vec::with_capacity(data.len() + 64));
    serde_json::to_writer(&mut *body, &Add { payload: Payload { data: &data } }).ok()?;
    Some(body)
}

/// The number of a version, and its state: what is said of one, whoever asks.
pub(super) fn described(body: &[u8]) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Version {
        name: String,
        #[serde(default)]
        state: String,
    }
    let Version { name, state } = serde_json::from_slice(body).ok()?;
    let number = name.rsplit('/').next().filter(|number| is_number(number))?.to_owned();
    Some((number, state))
}

/// The number and the fingerprint of a version that was read.
pub(super) fn stored(body: &[u8]) -> Option<(String, Fingerprint)> {
    #[derive(Deserialize)]
    struct Accessed {
        name: String,
        payload: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        data: Option<Text>,
    }
    let Accessed { name, payload } = serde_json::from_slice(body).ok()?;
    let number = name.rsplit('/').next().filter(|number| is_number(number))?.to_owned();
    // An empty payload is left out.
    let text = payload.data.map(|data| data.0).unwrap_or_default();
    let bytes = Zeroizing::new(STANDARD.decode(text.as_bytes()).ok()?);
    Some((number, Fingerprint::of(&bytes)))
}

/// The permissions that whoever asks has.
pub(super) fn permissions(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        permissions: Vec<String>,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.permissions)
}

/// What it says of an error: a status, a reason that says more, and a sentence.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) words: String,
}

impl Fault {
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            error: Said,
        }
        #[derive(Deserialize)]
        struct Said {
            status: String,
            message: Option<String>,
            #[serde(default)]
            details: Vec<Detail>,
        }
        #[derive(Deserialize)]
        struct Detail {
            reason: Option<String>,
        }
        let Ok(Answer { error: Said { status, message, details } }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let reason = details.into_iter().find_map(|detail| detail.reason).unwrap_or_default();
        Self { status: word(status), reason: word(reason), words: message.unwrap_or_default() }
    }

    /// For a message, after the number of the answer.
    pub(super) fn told(&self, secrets: &[Secret]) -> String {
        let known: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose().as_bytes()).collect();
        let words = said(self.words.as_bytes(), &known, Speaker::Other);
        let of = |text: &str, before: &str| if text.is_empty() { String::new() } else { format!("{before}{text}") };
        format!("{}{}{}", of(&self.status, " "), of(&self.reason, " "), of(words.raw(), ": "))
    }
}

/// Google's words are in capitals; what is none may be anything.
fn word(text: String) -> String {
    let is_word = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if is_word { text } else { String::new() }
}
