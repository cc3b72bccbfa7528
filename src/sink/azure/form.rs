//! What a vault of Azure is asked and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

use super::super::content::Text;

/// The tags that hold the metadata, each with a number behind it: a tag is too short for all of it.
const ENTRY: &str = "qlik-plan-";

/// The most tags of a secret, and the most characters of one's value, from
/// <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#secret-tags>.
const TAGS_MAX: usize = 15;
const TAG_MAX: usize = 256;

/// Where nobody has said another: policies of Azure's may ask for some type.
const CONTENT_TYPE: &str = "text/plain";

/// The newest version of a secret.
pub(super) struct Found {
    /// The vault's own word for it. It is compared, and never ordered.
    pub(super) version: String,
    /// It belongs to a certificate, and the vault itself writes it.
    pub(super) is_managed: bool,
    pub(super) holds: Holds,
    beside: Beside,
}

pub(super) enum Holds {
    Ours {
        entry: Box<SinkEntry>,
        /// Of the payload as it stands there.
        stored: Fingerprint,
    },
    /// Not written by us, or changed since.
    Stranger,
}

/// What others keep beside a payload.
#[derive(Default)]
pub(super) struct Beside {
    tags: BTreeMap<String, String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    id: String,
    value: Option<Text>,
    tags: Option<BTreeMap<String, String>>,
    content_type: Option<String>,
    managed: Option<bool>,
}

/// `None`: no version of a secret.
pub(super) fn found(body: &[u8]) -> Option<Found> {
    let Bundle { id, value, tags, content_type, managed } = serde_json::from_slice(body).ok()?;
    let version = id.rsplit('/').next().filter(|version| is_version(version))?.to_owned();
    let (ours, tags): (BTreeMap<_, _>, BTreeMap<_, _>) =
        tags.unwrap_or_default().into_iter().partition(|(name, _)| is_ours(name));
    let entry = joined(&ours).and_then(|text| serde_json::from_str(&text).ok());
    let holds = match (entry, value) {
        (Some(entry), Some(value)) => Holds::Ours { entry, stored: Fingerprint::of(value.0.as_bytes()) },
        (Some(_) | None, _) => Holds::Stranger,
    };
    let beside = Beside { tags, content_type };
    Some(Found { version, is_managed: managed.unwrap_or_default(), holds, beside })
}

impl Found {
    pub(super) fn beside(self) -> Beside {
        self.beside
    }
}

fn is_version(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_ours(tag: &str) -> bool {
    tag.strip_prefix(ENTRY).is_some_and(|number| number.parse::<u8>().is_ok())
}

/// The metadata; `None` where there are none.
fn joined(ours: &BTreeMap<String, String>) -> Option<String> {
    let pieces = (1..=ours.len()).map(|number| ours.get(&format!("{ENTRY}{number}")).map(String::as_str));
    pieces.collect::<Option<String>>().filter(|text| !text.is_empty())
}

/// Why nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unwritten {
    NoJson,
    /// It would have more tags than a secret may have: so many are ours.
    TooManyTags(usize),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Put<'a> {
    value: &'a str,
    content_type: &'a str,
    tags: BTreeMap<&'a str, &'a str>,
    attributes: Attributes,
}

#[derive(Serialize)]
struct Attributes {
    enabled: bool,
    /// When the key ends, in seconds since 1970. The vault gives the value all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// A version as it is written: payload and metadata in one, so that neither is ever there without the other.
pub(super) fn version(
    payload: &[u8],
    entry: &SinkEntry,
    beside: &Beside,
    expires: Option<Timestamp>,
) -> Result<Zeroizing<Vec<u8>>, Unwritten> {
    let value = std::str::from_utf8(payload).map_err(|_| Unwritten::NoJson)?;
    let text = serde_json::to_string(entry).map_err(|_| Unwritten::NoJson)?;
    let ours: Vec<(String, &str)> =
        pieces(&text).into_iter().zip(1..).map(|(piece, number)| (format!("{ENTRY}{number}"), piece)).collect();
    if ours.len() + beside.tags.len() > TAGS_MAX {
        return Err(Unwritten::TooManyTags(ours.len()));
    }
    let theirs = beside.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let put = Put {
        value,
        content_type: beside.content_type.as_deref().unwrap_or(CONTENT_TYPE),
        tags: ours.iter().map(|(name, piece)| (name.as_str(), *piece)).chain(theirs).collect(),
        attributes: Attributes { enabled: true, exp: expires.map(Timestamp::as_second) },
    };
    // Room for every byte escaped, so that no copy is left behind by growing.
    let room = payload.len() * 6 + TAGS_MAX * (TAG_MAX * 2 + 32) * 6 + 4_096;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *body, &put).map_err(|_| Unwritten::NoJson)?;
    Ok(body)
}

/// A text in pieces that a tag holds.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(TAG_MAX));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// When a deleted secret is gone for good, as the vault says it; `None` where it says no time.
pub(super) fn purged(body: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Deleted {
        scheduled_purge_date: i64,
    }
    let Deleted { scheduled_purge_date } = serde_json::from_slice(body).ok()?;
    Timestamp::from_second(scheduled_purge_date).ok()
}

/// What it says of an error: a code, one within that says more, and a sentence.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) inner: String,
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
            code: Option<String>,
            message: Option<String>,
            innererror: Option<Inner>,
        }
        #[derive(Deserialize)]
        struct Inner {
            code: Option<String>,
        }
        let Ok(Answer { error: Said { code, message, innererror } }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let inner = innererror.and_then(|inner| inner.code);
        Self { code: word(code), inner: word(inner), words: message.unwrap_or_default() }
    }
}

/// Codes are words; what is none may be anything.
fn word(code: Option<String>) -> String {
    code.filter(|code| code.len() <= 40 && code.bytes().all(|b| b.is_ascii_alphabetic())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_into_tags_is_put_together_again() {
        for text in ["", "short", &"x".repeat(256), &"é".repeat(300), &"0123456789".repeat(90)] {
            let pieces = pieces(text);
            assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= TAG_MAX));
            let tags = pieces.iter().zip(1..).map(|(piece, number)| (format!("{ENTRY}{number}"), (*piece).to_owned()));
            let mut tags: BTreeMap<String, String> = tags.collect();
            assert_eq!(joined(&tags).unwrap_or_default(), text);
            if tags.remove("qlik-plan-1").is_some() && !tags.is_empty() {
                assert_eq!(joined(&tags), None, "one is missing");
            }
        }
        assert!(is_ours("qlik-plan-12") && !is_ours("qlik-plan-team") && !is_ours("qlik-plan-"));
    }
}
