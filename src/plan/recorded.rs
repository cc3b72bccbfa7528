//! The ledger's view of an object: its record, its run, and both in words.

use crate::model::address::Address;
use crate::model::live::{LedgerLive, Live};
use crate::model::record::{Binding, Record, State};
use crate::model::run::Life;

use super::fact::{Fact, fact};
use super::scene::Scene;

pub(super) fn record<'a>(scene: &Scene<'a>, tenant: &Address) -> Option<&'a Record> {
    match &scene.live.ledger {
        LedgerLive::Present(facts) => facts.records.get(tenant),
        LedgerLive::Missing { .. } => None,
    }
}

/// Returns whether the ledger has had to do with this tenant.
pub(super) fn knows(live: &Live, address: &Address) -> bool {
    match &live.ledger {
        LedgerLive::Missing { .. } => false,
        LedgerLive::Present(facts) => {
            facts.records.get(address).is_some_and(|record| !matches!(record.state, State::Free))
        }
    }
}

pub(super) fn state(scene: &Scene, address: &Address) -> String {
    let state = match &scene.live.ledger {
        LedgerLive::Missing { .. } => return "no ledger".to_owned(),
        LedgerLive::Present(facts) => facts.records.get(address).map(|record| &record.state),
    };
    let bound =
        |word: &str, binding: &Binding| format!("{word}: {} at {}", binding.tenant_id.raw(), binding.hostname.raw());
    match state {
        // A record that was freed and none at all ask for the same.
        None | Some(State::Free) => "none".to_owned(),
        Some(State::Pending(intent)) => format!("pending since {}", intent.date),
        Some(State::Bound(binding)) => bound("bound", binding),
        Some(State::Settling(settling)) => bound("settling", &settling.binding),
        Some(State::Settled(binding)) => bound("settled", binding),
    }
}

pub(super) fn ledger(scene: &Scene, record: Option<&Record>, read: &mut Vec<Fact>) {
    match &scene.live.ledger {
        LedgerLive::Missing { place, .. } => read.push(fact("ledger", format!("there is none at {place}"))),
        LedgerLive::Present(facts) => {
            read.push(fact("ledger", format!("{} at {}", facts.id, facts.place)));
            let text = record.map_or_else(
                || "none".to_owned(),
                |record| {
                    let life = |run| life(facts.life(run));
                    match &record.state {
                        State::Free => format!("free (uid {})", record.uid),
                        State::Pending(intent) => {
                            format!("pending since {}, by run {} ({})", intent.date, intent.run, life(&intent.run))
                        }
                        State::Settling(settling) => {
                            format!("settling, by run {} ({})", settling.run, life(&settling.run))
                        }
                        State::Bound(binding) | State::Settled(binding) => format!(
                            "{} to {} at {} since {}",
                            record.state.word(),
                            binding.tenant_id,
                            binding.hostname,
                            binding.at
                        ),
                    }
                },
            );
            read.push(fact("record", text));
        }
    }
}

pub(super) fn life(life: Life) -> &'static str {
    match life {
        Life::Alive => "may still be at it",
        Life::OverByClock => "over by the clock",
        Life::Proven => "ended",
    }
}
