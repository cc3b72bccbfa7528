//! What stands in a KV v2 engine, and what a vault answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::model::live::{SinkEntry, TokenLive};
use crate::model::secret::Fingerprint;

use super::super::content::{Content, Others, Ours};

/// What was read at a path.
pub(super) enum Found {
    /// Nothing: the newest version, this one, is deleted.
    Nothing(Deleted),
    Ours {
        version: u64,
        /// When the engine deletes this version by itself.
        until: Option<Timestamp>,
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
    /// Empty where nobody deletes it. In the future, of a version that is there: `delete_version_after` has set it.
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

impl Metadata {
    fn deletion(&self) -> Option<Timestamp> {
        self.deletion_time.parse().ok()
    }
}

/// A version whose data is not there any more.
#[derive(Clone, Copy)]
pub(super) struct Deleted {
    pub(super) version: u64,
    pub(super) at: Option<Timestamp>,
    /// For good.
    pub(super) destroyed: bool,
}

/// The answer to a read; `None` if it is none of a KV v2 engine.
pub(super) fn found(body: &[u8]) -> Option<Found> {
    let any: Answer<IgnoredAny> = serde_json::from_slice(body).ok()?;
    let any = any.data?;
    if any.data.is_none() {
        let Metadata { version, destroyed, .. } = any.metadata;
        // What was destroyed keeps the time at which it would have been deleted, be it to come.
        let at = any.metadata.deletion().filter(|_| !destroyed);
        return Some(Found::Nothing(Deleted { version, at, destroyed }));
    }
    let ours = serde_json::from_slice::<Answer<Ours>>(body).ok().and_then(|answer| answer.data?.data);
    Some(ours.map_or(Found::Stranger, |ours| {
        let (entry, stored) = ours.parts();
        Found::Ours { version: any.metadata.version, until: any.metadata.deletion(), entry, stored }
    }))
}

#[derive(Serialize)]
struct Write<'a> {
    options: Options,
    data: Content<'a>,
}

#[derive(Serialize)]
struct Options {
    cas: u64,
}

/// What others keep in the secret that a read answered, and the version that was read.
pub(super) fn others(body: &[u8]) -> Option<(u64, Others<'_>)> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        data: Versioned<'a>,
    }
    #[derive(Deserialize)]
    struct Versioned<'a> {
        #[serde(borrow)]
        data: Option<BTreeMap<String, &'a RawValue>>,
        metadata: Metadata,
    }
    let Versioned { data, metadata } = serde_json::from_slice::<Answer<'_>>(body).ok()?.data;
    Some((metadata.version, Others::of(data.unwrap_or_default())))
}

/// A write of payload and metadata in one, so that neither is ever there without the other.
pub(super) fn write(cas: u64, payload: &[u8], entry: &SinkEntry, others: &Others<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let data = Content::of(payload, entry, others)?;
    // Room for every byte escaped, so that no copy is left behind by growing.
    let mut body = Zeroizing::new(Vec::with_capacity(data.room() + 64));
    serde_json::to_writer(&mut *body, &Write { options: Options { cas }, data }).ok()?;
    Some(body)
}

/// When the engine deletes what was just written: the answer to a write.
pub(super) fn written_until(body: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Answer {
        data: Metadata,
    }
    serde_json::from_slice::<Answer>(body).ok()?.data.deletion()
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

/// Whether that is said of a token that the vault does not know, as OpenBao and Vault say it. Of a right that is missing they
/// count: `1 error occurred:`.
pub(super) fn is_of_no_token(errors: &str) -> bool {
    errors == "permission denied" || errors.contains("invalid token") || errors.contains("bad token")
}

/// What this token may do at a path: the answer of `sys/capabilities-self`.
pub(super) fn capabilities(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Capabilities {
        capabilities: Vec<String>,
    }
    serde_json::from_slice::<Capabilities>(body).ok().map(|said| said.capabilities)
}

/// What is mounted at a place: the answer of `sys/internal/ui/mounts/…`.
pub(super) struct Mount {
    /// Where the mount begins, without the slash at its end. It may be above the place that was asked for.
    pub(super) path: Option<String>,
    pub(super) is_kv2: bool,
}

/// `None`: it does not say.
pub(super) fn mount(body: &[u8]) -> Option<Mount> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        #[serde(rename = "type")]
        kind: String,
        path: Option<String>,
        options: Option<Options>,
    }
    #[derive(Deserialize)]
    struct Options {
        version: Option<String>,
    }
    let Data { kind, path, options } = serde_json::from_slice::<Answer>(body).ok()?.data;
    let version = options.and_then(|options| options.version);
    let path = path.map(|path| path.trim_end_matches('/').to_owned());
    Some(Mount { path, is_kv2: kind == "kv" && version.as_deref() == Some("2") })
}

/// How long a token lives and how often it may be used: the answer of `auth/token/lookup-self`.
pub(super) fn token(body: &[u8]) -> Option<TokenLive> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        /// Seconds; 0 for ever.
        ttl: u64,
        /// What is left; 0 without end, and -1 of the last one (OpenBao 2.7.2).
        num_uses: i64,
    }
    let Data { ttl, num_uses } = serde_json::from_slice::<Answer>(body).ok()?.data;
    let uses_left = (num_uses != 0).then(|| u64::try_from(num_uses).unwrap_or_default());
    Some(TokenLive { seconds_left: (ttl != 0).then_some(ttl), uses_left })
}

/// How long an engine keeps a version, in seconds: the answer of `MOUNT/config`. `None`: for ever, or it does not say.
pub(super) fn keeps(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        delete_version_after: String,
    }
    let text = serde_json::from_slice::<Answer>(body).ok()?.data.delete_version_after;
    seconds(&text).filter(|seconds| *seconds > 0)
}

/// Of a duration as Go writes it: `8h0m0s`.
fn seconds(text: &str) -> Option<u64> {
    let (mut sum, mut number) = (0_u64, 0_u64);
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number = number.checked_mul(10)?.checked_add(u64::from(c.to_digit(10)?))?;
                continue;
            }
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    (number == 0 && !text.is_empty()).then_some(sum)
}
