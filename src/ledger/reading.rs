//! A ledger that is read while runs come and go: read again until what it says of them is their last word.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::live::LedgerFacts;

use super::contents::{Alive, Contents, Shelf as _};
use super::directory::{Directory, Watch};
use super::error::LedgerError;

/// How often a reader looks again when a run began or ended under its eyes.
const READ_ATTEMPTS: usize = 5;

pub(super) fn read_directory(
    directory: &Directory,
    left_out: &BTreeSet<Address>,
) -> Result<Option<LedgerFacts>, LedgerError> {
    read_directory_by(directory, |directory| Contents::read_without(directory, left_out))
}

pub(super) fn read_directory_by(
    directory: &Directory,
    mut read: impl FnMut(&Directory) -> Result<Option<Contents>, LedgerError>,
) -> Result<Option<LedgerFacts>, LedgerError> {
    let mut ended = BTreeSet::new();
    for _ in 0..READ_ATTEMPTS {
        let before = directory.watch()?;
        let Some(contents) = read(directory)? else { return Ok(None) };
        let is_whole = contents.is_last_word_of(&ended);
        ended = contents.ended_runs().cloned().collect();
        // The same holder before and after: no run came in between, since a run writes its name before all else.
        if directory.watch()? == before && is_whole {
            let alive = match before {
                Watch::Free(_) => Alive::Nobody,
                Watch::Held(Some(holder)) => Alive::Holder(holder.run),
                Watch::Held(None) => Alive::Anybody,
            };
            return Ok(Some(judged(contents, directory, &alive)));
        }
    }
    // Runs come and go faster than we read: nothing is claimed of any of them.
    Ok(read(directory)?.map(|contents| judged(contents.claiming_only(&ended), directory, &Alive::Anybody)))
}

/// Without a lock: read again where a record names a run that may have ended after the record was read.
#[cfg(feature = "object-store")]
pub(super) fn read_whole(
    mut read: impl FnMut() -> Result<Option<Contents>, LedgerError>,
) -> Result<Option<Contents>, LedgerError> {
    let mut ended = BTreeSet::new();
    for _ in 0..READ_ATTEMPTS {
        let Some(contents) = read()? else { return Ok(None) };
        if contents.is_last_word_of(&ended) {
            return Ok(Some(contents));
        }
        ended = contents.ended_runs().cloned().collect();
    }
    Ok(read()?.map(|contents| contents.claiming_only(&ended)))
}

pub(super) fn judged(contents: Contents, directory: &Directory, alive: &Alive) -> LedgerFacts {
    LedgerFacts { nearly_full: directory.is_nearly_full(), ..contents.judged(directory.place(), alive) }
}
