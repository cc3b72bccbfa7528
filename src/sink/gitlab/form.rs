//! What stands in variables, and what GitLab is asked and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

use super::super::content::Text;

const FORMAT: u64 = 1;

/// Of one variable: what was written last, what stands there, and what may still be on its way.
const KEPT: usize = 4;

/// The least that GitLab masks.
const SHORTEST: usize = 8;

/// A variable that was read. A hidden one comes without its value.
#[derive(Deserialize)]
pub(super) struct Variable {
    value: Option<Text>,
    #[serde(default)]
    pub(super) hidden: bool,
    pub(super) description: Option<String>,
}

impl Variable {
    /// `None`: no variable.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.value.as_ref().map(|value| Fingerprint::of(value.0.as_bytes()))
    }

    /// What it says where it is one of ours that holds metadata.
    pub(super) fn entries(&self) -> Result<Vec<SinkEntry>, Unread> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        let text = self.value.as_ref().ok_or(Unread::Stranger)?.0.as_bytes();
        let Version { format } = serde_json::from_slice(text).map_err(|_| Unread::Stranger)?;
        if format != FORMAT {
            return Err(Unread::Newer(format));
        }
        serde_json::from_slice::<Journal>(text).map(|journal| journal.entries).map_err(|_| Unread::Stranger)
    }
}

/// Why metadata is not known.
pub(super) enum Unread {
    Stranger,
    Newer(u64),
}

/// The metadata of one key. The entry whose fingerprint is the value's is the one that holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    format: u64,
    /// The newest first.
    entries: Vec<SinkEntry>,
}

/// The metadata with a new entry before the others. Of those the one that holds comes first.
pub(super) fn journal(entry: &SinkEntry, holds: Option<&Fingerprint>, mut others: Vec<SinkEntry>) -> Option<String> {
    others.retain(|other| other.fingerprint != entry.fingerprint);
    others.sort_by_key(|other| Some(&other.fingerprint) != holds);
    let entries = std::iter::once(entry.clone()).chain(others).take(KEPT).collect();
    serde_json::to_string(&Journal { format: FORMAT, entries }).ok()
}

/// Whether GitLab masks a value that it does not expand: one line without blanks (`Ci::Maskable` in its source).
pub(super) fn is_maskable(value: &str) -> bool {
    value.chars().count() >= SHORTEST && !value.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A variable as it is written. What is left out stays, or is GitLab's own.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    #[serde(flatten)]
    pub(super) made: Option<Made<'a>>,
    pub(super) value: &'a str,
    pub(super) protected: bool,
    pub(super) masked: bool,
    /// Nothing in the value is taken for another variable.
    pub(super) raw: bool,
    pub(super) variable_type: &'static str,
}

/// What only a variable that is made is told.
#[derive(Serialize)]
pub(super) struct Made<'a> {
    pub(super) key: &'a str,
    pub(super) environment_scope: &'a str,
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) masked_and_hidden: bool,
}

impl Written<'_> {
    pub(super) fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Room for every byte escaped, so that no copy is left behind by growing.
        let mut body = Zeroizing::new(Vec::with_capacity(self.value.len() * 6 + 4_096));
        serde_json::to_writer(&mut *body, self).ok()?;
        Some(body)
    }
}

/// What it says of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: String,
    /// What is not there, as its messages name it: `Variable`, `Project`, `Group`.
    pub(super) missing: String,
    /// The fields that are wrong.
    pub(super) fields: Vec<String>,
    /// A variable of that name is there.
    pub(super) is_taken: bool,
    /// The token has another scope.
    pub(super) is_of_scope: bool,
}

impl Told {
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            message: Option<&'a RawValue>,
            error: Option<String>,
        }
        let Ok(Answer { message, error }) = serde_json::from_slice(body) else { return Self::default() };
        let is_of_scope = error.as_deref() == Some("insufficient_scope");
        let Some(message) = message.map(RawValue::get) else {
            return Self { message: error.unwrap_or_default(), is_of_scope, ..Self::default() };
        };
        if let Ok(message) = serde_json::from_str::<String>(message) {
            let missing = message.strip_prefix("404 ").and_then(|rest| rest.strip_suffix(" Not Found"));
            let missing = missing.filter(|word| is_word(word)).unwrap_or_default().to_owned();
            return Self { message, missing, is_of_scope, ..Self::default() };
        }
        let of_fields: BTreeMap<String, Vec<String>> = serde_json::from_str(message).unwrap_or_default();
        let taken = of_fields.get("key").into_iter().flatten().any(|why| why.ends_with("has already been taken"));
        // Its fields are words; what is none may be anything.
        let fields = of_fields.into_keys().filter(|field| is_word(field)).collect();
        Self { fields, is_taken: taken, is_of_scope, ..Self::default() }
    }
}

fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

/// Whether the token that asks about itself may write; `None`: it does not say.
pub(super) fn may_write(body: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct Answer {
        scopes: Vec<String>,
    }
    let Answer { scopes } = serde_json::from_slice(body).ok()?;
    Some(scopes.iter().any(|scope| scope == "api"))
}

/// Major and minor number of the server's version; `None`: it does not say.
pub(super) fn version(body: &[u8]) -> Option<(u32, u32)> {
    #[derive(Deserialize)]
    struct Answer {
        version: String,
    }
    let Answer { version } = serde_json::from_slice(body).ok()?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
