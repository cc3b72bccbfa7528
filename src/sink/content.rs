//! Payload and metadata as one JSON object, with what others keep beside them: neither is ever there without the other.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

/// What we wrote, as it is read.
#[derive(Deserialize)]
pub(super) struct Ours {
    value: Text,
    qlik_plan: SinkEntry,
}

impl Ours {
    /// The metadata, and the fingerprint of the payload as it stands there.
    pub(super) fn parts(self) -> (Box<SinkEntry>, Fingerprint) {
        (Box::new(self.qlik_plan), Fingerprint::of(self.value.0.as_bytes()))
    }
}

/// A text that is wiped.
pub(super) struct Text(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// What is written: ours, and what others keep in the same secret.
pub(super) struct Content<'a> {
    value: &'a str,
    qlik_plan: &'a SinkEntry,
    others: &'a Others<'a>,
}

impl<'a> Content<'a> {
    /// `None`: the payload is no text.
    pub(super) fn of(payload: &'a [u8], qlik_plan: &'a SinkEntry, others: &'a Others<'a>) -> Option<Self> {
        Some(Self { value: std::str::from_utf8(payload).ok()?, qlik_plan, others })
    }

    /// The most bytes that it takes, with each of the payload's escaped.
    pub(super) fn room(&self) -> usize {
        self.value.len() * 6 + self.others.room() + 8_192
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, qlik_plan, others } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", value)?;
        map.serialize_entry("qlik_plan", qlik_plan)?;
        others.write_into(&mut map)?;
        map.end()
    }
}

/// Fields of a secret that are not ours, as they were read: each may be somebody's secret.
#[derive(Default)]
pub(super) struct Others<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Others<'a> {
    /// Of all fields, those that are not ours.
    pub(super) fn of(fields: BTreeMap<String, &'a RawValue>) -> Self {
        Self::besides(fields, &["value", "qlik_plan"])
    }

    /// Of all fields, those that are not these.
    pub(super) fn besides(mut fields: BTreeMap<String, &'a RawValue>, ours: &[&str]) -> Self {
        fields.retain(|name, _| !ours.contains(&name.as_str()));
        Self(fields)
    }

    /// The most bytes that they take.
    pub(super) fn room(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() * 6 + value.get().len() + 8).sum()
    }

    /// Writes them into an object that is begun.
    pub(super) fn write_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(name, theirs)| map.serialize_entry(name, theirs))
    }
}
