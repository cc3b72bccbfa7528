//! What was read, to plan from it without a network or a credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::desired::SinkFacts;
use crate::model::live::Live;

use super::PROGRAM;
use super::trouble::{Kind, Unusable, open};

const KIND: Kind =
    Kind { noun: "a snapshot", format: "qlik-plan/snapshot", version: 1, again: "qlik-plan --snapshot FILE" };

/// A live state and what of the reader's machine it depends on. Version 1: a member may be added, none changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    format: String,
    version: u64,
    program: String,
    /// The vendors' clock then: the time of a plan that is made from it.
    pub taken: Timestamp,
    /// As settings had them where it was taken: a sink is known by where it is, which is another place elsewhere.
    pub sinks: BTreeMap<Name, SinkFacts>,
    pub live: Live,
}

impl Snapshot {
    pub fn new(taken: Timestamp, sinks: BTreeMap<Name, SinkFacts>, live: Live) -> Self {
        let (format, program) = (KIND.format.to_owned(), PROGRAM.to_owned());
        Self { format, version: KIND.version, program, taken, sinks, live }
    }
}

/// The snapshot as a file's text, ending with a newline.
///
/// # Errors
/// It cannot be written as JSON; no live state is like that.
pub fn write_snapshot(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(snapshot)? + "\n")
}

/// A snapshot of a version that this program reads. `name` is what the user called the file.
///
/// # Errors
/// It is another kind of file, of another version, torn, or says what no snapshot says; with the place.
pub fn read_snapshot(name: &str, text: &str) -> Result<Snapshot, Unusable> {
    open(&KIND, name, text)?;
    serde_json::from_str(text).map_err(|error| {
        Unusable::new(
            format!("{name}:{}:{}", error.line(), error.column()),
            "this is not what a snapshot says there",
            format!("take it anew: {}", KIND.again),
        )
    })
}
