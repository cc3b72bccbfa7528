//! What stands in a KV v2 engine, and what a vault answers: JSON, read so that no secret stays behind or is repeated.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

/// What was read at a path.
pub(super) enum Found {
    /// Nothing, and there is this many versions, which are deleted.
    Nothing(u64),
    Ours {
        version: u64,
        entry: Box<SinkEntry>,
        /// Of the payload as it stands there.
        stored: Fingerprint,
    },
    /// Not written by us, or changed since.
    Stranger,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<Versioned<T>>,
}

#[derive(Deserialize)]
struct Versioned<T> {
    data: Option<T>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

#[derive(Deserialize)]
struct Ours {
    value: Text,
    qlik_plan: SinkEntry,
}

/// A text that is wiped.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The answer to a read; `None` if it is none of a KV v2 engine.
pub(super) fn found(body: &[u8]) -> Option<Found> {
    let any: Answer<IgnoredAny> = serde_json::from_slice(body).ok()?;
    let any = any.data?;
    if any.data.is_none() {
        return Some(Found::Nothing(any.metadata.version));
    }
    let ours = serde_json::from_slice::<Answer<Ours>>(body).ok().and_then(|answer| answer.data?.data);
    Some(ours.map_or(Found::Stranger, |ours| Found::Ours {
        version: any.metadata.version,
        entry: Box::new(ours.qlik_plan),
        stored: Fingerprint::of(ours.value.0.as_bytes()),
    }))
}

#[derive(Serialize)]
struct Write<'a> {
    options: Options,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Options {
    cas: u64,
}

#[derive(Serialize)]
struct Data<'a> {
    value: &'a str,
    qlik_plan: &'a SinkEntry,
}

/// A write of payload and metadata in one, so that neither is ever there without the other.
pub(super) fn write(cas: u64, payload: &[u8], entry: &SinkEntry) -> Option<Zeroizing<Vec<u8>>> {
    let value = std::str::from_utf8(payload).ok()?;
    // Room for every byte escaped, so that no copy is left behind by growing.
    let mut body = Zeroizing::new(Vec::with_capacity(payload.len() * 6 + 8_192));
    let data = Data { value, qlik_plan: entry };
    serde_json::to_writer(&mut *body, &Write { options: Options { cas }, data }).ok()?;
    Some(body)
}

/// What a vault says of an error, as one text.
pub(super) fn errors(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        #[serde(default)]
        errors: Vec<String>,
        #[serde(default)]
        warnings: Option<Vec<String>>,
    }
    let said = serde_json::from_slice::<Errors>(body).ok();
    said.map(|said| said.errors.into_iter().chain(said.warnings.unwrap_or_default()).collect::<Vec<_>>().join("; "))
        .unwrap_or_default()
}

/// What this token may do at a path: the answer of `sys/capabilities-self`.
pub(super) fn capabilities(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Capabilities {
        capabilities: Vec<String>,
    }
    serde_json::from_slice::<Capabilities>(body).ok().map(|said| said.capabilities)
}

/// Whether a mount is a KV engine of version 2: the answer of `sys/internal/ui/mounts/…`. `None`: it does not say.
pub(super) fn is_kv2(body: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct Mount {
        data: MountData,
    }
    #[derive(Deserialize)]
    struct MountData {
        #[serde(rename = "type")]
        kind: String,
        options: Option<MountOptions>,
    }
    #[derive(Deserialize)]
    struct MountOptions {
        version: Option<String>,
    }
    let mount = serde_json::from_slice::<Mount>(body).ok()?.data;
    let version = mount.options.and_then(|options| options.version);
    Some(mount.kind == "kv" && version.as_deref() == Some("2"))
}
