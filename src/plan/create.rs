//! The obstacles to creating a tenant at either vendor: a ledger that is missing, full or forgets, and a sink that
//! knows of one.

use crate::model::address::Address;
use crate::model::live::{LedgerFacts, Live};
use crate::model::untrusted::Untrusted;

use super::refusal::{Code, Refusal};
use super::scene::Scene;
use super::stop::foreign_entry;

/// Checks that the outcome of a creation can be recorded.
pub(super) fn has_space(ledger: Option<&LedgerFacts>) -> Result<(), Refusal> {
    match ledger.filter(|ledger| ledger.nearly_full) {
        None => Ok(()),
        Some(ledger) => Err(Refusal::new(
            Code::LedgerNearlyFull,
            format!(
                "the disk of the ledger at {} is nearly full, and what becomes of a creation is recorded there",
                ledger.place
            ),
            format!("free some space, or some inodes, on the disk that holds {}", ledger.place),
        )),
    }
}

/// Checks that no sink holds a key of the tenant. If one does, a tenant of this name was made before, whatever the
/// ledger says.
pub(super) fn not_made_before<'a>(
    scene: &Scene,
    keys: impl Iterator<Item = &'a Address>,
    ledger: Option<&LedgerFacts>,
) -> Result<(), Refusal> {
    for key in keys {
        if let Some(entry) = scene.live.sinks.get(key).and_then(|sink| sink.entries().next()) {
            let foreign = ledger.and_then(|ledger| foreign_entry(entry, ledger));
            return Err(foreign.unwrap_or_else(|| {
                Refusal::new(
                    Code::SinkRefuses,
                    format!(
                        "the sink already holds key {} for {key}, so a tenant of this name was made before",
                        Untrusted::from(entry.key_id.as_str())
                    ),
                    "restore the ledger record of that tenant, or move the old secret away if it is given up",
                )
            }));
        }
    }
    Ok(())
}

/// Unattended, nothing is created with a ledger that the next run may not have: this run would leave a tenant that nobody
/// knows of.
pub(super) fn refuse_forgetful(live: &Live) -> Result<(), Refusal> {
    const DURABLE: &str = "say so in settings: ledger: { kind: directory, path: …, durable: true }";
    if !live.ledger_forgets {
        return Ok(());
    }
    Err(match &live.ledger_lies_in {
        Some(there) => Refusal::new(
            Code::LedgerNotDurable,
            format!(
                "the ledger lies in {there}; a clone is a copy of a ledger, not the ledger, and the next run would not know \
                 what this one creates"
            ),
            format!("move the folder out of every checkout, to storage that all runs share, and {DURABLE}"),
        ),
        None => Refusal::new(
            Code::LedgerNotDurable,
            "an unattended run creates a tenant only with a ledger that outlives the machine, and this one is a folder on it",
            format!("keep the folder on storage that all runs share, outside of every checkout, and {DURABLE}"),
        ),
    }
    .or("or keep the ledger in a bucket: ledger: { kind: object-store, url: … }"))
}

/// A missing ledger is not an empty one.
pub(super) fn refuse_missing(scene: &Scene, place: &str, strict: bool) -> Result<(), Refusal> {
    let ours = scene.estate.held;
    let why = match ours {
        Some(entry) => {
            format!("there is no ledger at {place}, and a sink holds keys of ledger {}", entry.ledger.short())
        }
        None if strict => {
            format!("there is no ledger at {place}, and an unattended run does not take that for a new estate")
        }
        None => return Ok(()),
    };
    Err(Refusal::new(Code::LedgerMissing, why, format!("restore the ledger to {place} from its backup"))
        .or("if there never was one: qlik-apply ledger init"))
}
