//! What a payload's file may hold: its newest entry and the one before. Version 1 is final.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::live::{SinkEntry, Unreadable};

use super::{disk, shown, unreadable};

const FORMAT: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    format: u64,
    /// The newest first. A put that was cut short leaves two; the payload's fingerprint tells which holds.
    entries: Vec<SinkEntry>,
}

/// What every version has in common.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

/// The entries; `None` where there is no journal.
pub(super) fn read(path: &Path) -> Result<Option<Vec<SinkEntry>>, Unreadable> {
    let Some(bytes) = disk::read(path)? else { return Ok(None) };
    // The parser's own words would quote what it found, and nobody knows what a stranger has put there.
    let torn = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        unreadable(
            format!("{} is no whole metadata of a secret (line {line}, column {column})", path.display()),
            format!("restore {} from a backup, or move it and the secret beside it away", shown(path)),
        )
    };
    let version: Version = serde_json::from_slice(&bytes).map_err(torn)?;
    if version.format != FORMAT {
        return Err(unreadable(
            format!("{} has format {}; this program knows format 1", path.display(), version.format),
            "use the newer qlik-plan that wrote it",
        ));
    }
    serde_json::from_slice::<Journal>(&bytes).map(|journal| Some(journal.entries)).map_err(torn)
}

/// The journal's bytes.
pub(super) fn write(entries: &[SinkEntry]) -> Result<Vec<u8>, Unreadable> {
    let journal = Journal { format: FORMAT, entries: entries.to_vec() };
    let mut bytes = serde_json::to_vec_pretty(&journal).map_err(|error| {
        unreadable(format!("the metadata does not become JSON: {error}"), "report this as a defect of qlik-plan")
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
