//! Tenants that an organization lists and the ledger, as it was read, does not know: other runs may have made them since.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::live::{LedgerFacts, LedgerLive, Live, Observed, Unreadable};
use crate::model::record::State;
use crate::model::run::Life;
use crate::model::untrusted::Untrusted;
use crate::plan::needs::strangers;

use super::sources::Sources;

/// The longest that another run's creation is waited for: as long as one request for a tenant may take, by default.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks into the ledger.
const PAUSE: Duration = Duration::from_millis(250);

/// Reads the ledger again where a list has tenants that it did not know. A run writes its intent before it asks for a tenant, so
/// whoever made a listed tenant is recorded by now: as bound, or as about to be. The latter is waited for.
pub(super) async fn account_for(desired: &Desired, live: &mut Live, sources: &Sources<'_>) {
    let LedgerLive::Present(before) = &live.ledger else { return };
    let known = bound(before);
    let since = Instant::now();
    let mut under_way: Option<BTreeSet<(Address, Untrusted)>> = None;
    while !strangers(desired, live).is_empty() {
        let facts = match (sources.ledger_again)() {
            Ok(facts) => facts,
            Err(unreadable) => return nobody_knows(live, &unreadable),
        };
        live.bound_since = bound(&facts).difference(&known).cloned().collect();
        // What was begun after the list was read is not on it.
        let begun = creations(&facts);
        let waited_for = under_way.get_or_insert_with(|| begun.clone());
        waited_for.retain(|creation| begun.contains(creation));
        if waited_for.is_empty() || strangers(desired, live).is_empty() || since.elapsed() > PATIENCE {
            return;
        }
        sleep(PAUSE).await;
    }
}

fn bound(facts: &LedgerFacts) -> BTreeSet<Untrusted> {
    facts
        .records
        .values()
        .filter_map(|record| record.state.binding())
        .map(|binding| binding.tenant_id.clone())
        .collect()
}

/// The creations that runs may still be at, each with the word that tells it from another of the same tenant.
fn creations(facts: &LedgerFacts) -> BTreeSet<(Address, Untrusted)> {
    let of = |(address, state): (&Address, &State)| match state {
        State::Pending(intent) if facts.life(&intent.run) == Life::Alive => {
            Some((address.clone(), intent.nonce.clone()))
        }
        State::Pending(_) | State::Free | State::Bound(_) | State::Settling(_) | State::Settled(_) => None,
    };
    facts.records.iter().map(|(address, record)| (address, &record.state)).filter_map(of).collect()
}

/// The lists cannot be compared with what the ledger has now, so nothing is created by them.
fn nobody_knows(live: &mut Live, unreadable: &Unreadable) {
    for account in live.qlik.accounts.values_mut() {
        if matches!(account.organization, Some(Observed::Present(_))) {
            account.organization = Some(Observed::Unreadable(unreadable.clone()));
        }
    }
}
