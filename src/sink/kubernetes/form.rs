//! What stands in a Secret, and what an API server is asked and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

use super::super::content::{Others, Text};

/// The annotation that holds the metadata.
pub(super) const ENTRY: &str = "qlik-plan/entry";

/// The most that the data of a Secret may have.
const DATA_MAX: usize = 1024 * 1024;

type Map<'a> = BTreeMap<String, &'a RawValue>;

/// A Secret that was read.
pub(super) struct Found {
    /// The server's own word for what stands there. It is compared, and never ordered.
    pub(super) version: String,
    pub(super) is_immutable: bool,
    /// It is deleted when all its finalizers are done.
    pub(super) is_ending: bool,
    pub(super) holds: Holds,
}

pub(super) enum Holds {
    /// No data and no metadata, as in a Secret that others made for us.
    Nothing,
    Ours {
        entry: Box<SinkEntry>,
        /// Of the payload as it stands there.
        stored: Fingerprint,
    },
    /// Not written by us, or changed since.
    Stranger,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secret<'a> {
    kind: String,
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    data: Option<Map<'a>>,
    #[serde(default)]
    immutable: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    resource_version: String,
    deletion_timestamp: Option<String>,
    #[serde(borrow)]
    annotations: Option<Map<'a>>,
}

/// `None`: no Secret.
pub(super) fn found(body: &[u8], data_key: &str) -> Option<Found> {
    let Secret { kind, metadata, data, immutable } = serde_json::from_slice(body).ok()?;
    if kind != "Secret" || metadata.resource_version.is_empty() {
        return None;
    }
    let Metadata { resource_version: version, deletion_timestamp, annotations } = metadata;
    let (data, annotations) = (data.unwrap_or_default(), annotations.unwrap_or_default());
    let holds = match (annotations.get(ENTRY), data.get(data_key)) {
        (None, _) if data.is_empty() => Holds::Nothing,
        (Some(entry), Some(payload)) => ours(entry, payload).unwrap_or(Holds::Stranger),
        (Some(_) | None, _) => Holds::Stranger,
    };
    let (is_immutable, is_ending) = (immutable.unwrap_or_default(), deletion_timestamp.is_some());
    Some(Found { version, is_immutable, is_ending, holds })
}

fn ours(entry: &RawValue, payload: &RawValue) -> Option<Holds> {
    let text = serde_json::from_str::<Text>(entry.get()).ok()?.0;
    let payload = serde_json::from_str::<Text>(payload.get()).ok()?.0;
    let payload = Zeroizing::new(STANDARD.decode(payload.as_bytes()).ok()?);
    Some(Holds::Ours { entry: serde_json::from_str(&text).ok()?, stored: Fingerprint::of(&payload) })
}

/// What is written, in the forms that a Secret has for it.
struct Ours {
    entry: String,
    payload: Zeroizing<String>,
}

impl Ours {
    fn of(payload: &[u8], entry: &SinkEntry) -> Option<Self> {
        Some(Self { entry: serde_json::to_string(entry).ok()?, payload: Zeroizing::new(STANDARD.encode(payload)) })
    }
}

/// One field of ours, and those of others beside it.
struct Beside<'a, T> {
    name: &'a str,
    ours: T,
    others: Others<'a>,
}

impl<T: Serialize> Serialize for Beside<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.name, &self.ours)?;
        self.others.write_into(&mut map)?;
        map.end()
    }
}

/// A Secret as it is written: payload and metadata in one, so that neither is ever there without the other.
struct Written<'a> {
    metadata: Beside<'a, Beside<'a, &'a str>>,
    data: Beside<'a, &'a str>,
    others: Others<'a>,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("data", &self.data)?;
        self.others.write_into(&mut map)?;
        map.end()
    }
}

/// A Secret of this name that holds nothing, as a template of one that does.
pub(super) fn empty(namespace: &str, name: &str) -> Vec<u8> {
    let object = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": { "app.kubernetes.io/managed-by": "qlik-plan" },
        },
    });
    serde_json::to_vec(&object).unwrap_or_default()
}

/// Why nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unwritten {
    NoJson,
    /// It would have more data than a Secret may have.
    TooLarge,
}

/// The Secret that was read, with ours in it and all else as it was: also its version, which the server compares.
pub(super) fn with(
    read: &[u8],
    data_key: &str,
    payload: &[u8],
    entry: &SinkEntry,
) -> Result<Zeroizing<Vec<u8>>, Unwritten> {
    written(read, data_key, payload, entry).ok_or(Unwritten::NoJson)?
}

fn written(
    read: &[u8],
    data_key: &str,
    payload: &[u8],
    entry: &SinkEntry,
) -> Option<Result<Zeroizing<Vec<u8>>, Unwritten>> {
    let top: Map<'_> = serde_json::from_slice(read).ok()?;
    let metadata = within(&top, "metadata")?;
    let data = within(&top, "data")?;
    // What others keep stands there in quotes and as base64, four characters for three bytes.
    let theirs = data.iter().filter(|(name, _)| *name != data_key).map(|(_, value)| value.get().len() / 4 * 3);
    if payload.len() + theirs.sum::<usize>() > DATA_MAX {
        return Some(Err(Unwritten::TooLarge));
    }
    let ours = Ours::of(payload, entry)?;
    let annotations = Beside {
        name: ENTRY,
        ours: ours.entry.as_str(),
        others: Others::besides(within(&metadata, "annotations")?, &[ENTRY]),
    };
    let object = Written {
        metadata: Beside {
            name: "annotations",
            ours: annotations,
            others: Others::besides(metadata, &["annotations"]),
        },
        data: Beside { name: data_key, ours: ours.payload.as_str(), others: Others::besides(data, &[data_key]) },
        others: Others::besides(top, &["metadata", "data", "stringData"]),
    };
    // Room for all, so that no copy is left behind by growing.
    let mut body = Zeroizing::new(Vec::with_capacity(read.len() + ours.payload.len() + ours.entry.len() * 2 + 1_024));
    serde_json::to_writer(&mut *body, &object).ok()?;
    Some(Ok(body))
}

/// An object within, where there is one.
fn within<'a>(of: &Map<'a>, name: &str) -> Option<Map<'a>> {
    let Some(raw) = of.get(name) else { return Some(Map::new()) };
    serde_json::from_str::<Option<Map<'a>>>(raw.get()).ok().map(Option::unwrap_or_default)
}

/// What it says of an error: a `Status`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// A word of its own.
    pub(super) reason: String,
    pub(super) message: String,
    /// The kind of what it is about, as paths have it: `secrets`, `namespaces`.
    pub(super) about: String,
}

impl Status {
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            kind: String,
            reason: Option<String>,
            message: Option<String>,
            details: Option<Details>,
        }
        #[derive(Deserialize)]
        struct Details {
            kind: Option<String>,
        }
        let Ok(Answer { kind, reason, message, details }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        if kind != "Status" {
            return Self::default();
        }
        // Its reasons are words; what is none may be anything.
        let reason = reason.filter(|reason| reason.len() <= 40 && reason.bytes().all(|b| b.is_ascii_alphabetic()));
        let about = details.and_then(|details| details.kind).unwrap_or_default();
        Self { reason: reason.unwrap_or_default(), message: message.unwrap_or_default(), about }
    }
}

/// The question whether whoever asks may do this; `name`: to this Secret.
pub(super) fn review(namespace: &str, verb: &str, name: Option<&str>) -> Vec<u8> {
    let mut attributes = serde_json::json!({ "namespace": namespace, "verb": verb, "resource": "secrets" });
    if let (Some(name), Some(attributes)) = (name, attributes.as_object_mut()) {
        attributes.insert("name".to_owned(), name.into());
    }
    let review = serde_json::json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    serde_json::to_vec(&review).unwrap_or_default()
}

/// The answer to it; `None`: it does not say.
pub(super) fn is_allowed(body: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct Answer {
        status: Allowed,
    }
    #[derive(Deserialize)]
    struct Allowed {
        allowed: bool,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.status.allowed)
}
