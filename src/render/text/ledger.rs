//! What the ledger holds: one line a tenant.

use crate::model::live::LedgerFacts;
use crate::model::record::{Binding, How, Intent, Record, Settling, State};
use crate::model::untrusted::escape;
use crate::render::Look;
use crate::render::guard;
use crate::render::layout::{count, table};
use crate::render::style::{FAINT, STRONG, paint};

/// `ledger list`, ending with a newline.
pub fn ledger(facts: &LedgerFacts, look: &Look) -> String {
    let title = paint(&format!("Ledger {} at {}", facts.id, escape(&facts.place)), FAINT, look);
    if facts.records.is_empty() {
        return guard::text(format!("{title}\nNo tenant is recorded.\n"));
    }
    let mut rows = vec![["ADDRESS", "STATE", "HOSTNAME", "HOW", "SINCE"].map(str::to_owned).to_vec()];
    rows.extend(facts.records.values().map(row));
    // An estate of one group need not know that there are groups.
    if facts.records.values().any(|record| !record.group.is_default()) {
        let groups = facts.records.values().map(|record| record.group.to_string());
        for (row, group) in rows.iter_mut().zip(std::iter::once("GROUP".to_owned()).chain(groups)) {
            row.insert(1, group);
        }
    }
    let mut lines = table(&rows);
    if let Some(header) = lines.first_mut() {
        *header = paint(header, STRONG, look);
    }
    guard::text(format!("{title}\n{}\n{} recorded.\n", lines.join("\n"), count(facts.records.len(), "tenant")))
}

fn row(record: &Record) -> Vec<String> {
    let (hostname, how, since) = match &record.state {
        State::Free => (None, None, None),
        State::Pending(Intent { date, .. }) => (None, None, Some(*date)),
        State::Bound(binding) | State::Settling(Settling { binding, run: _ }) | State::Settled(binding) => {
            let Binding { tenant_id: _, hostname, account: _, how, at } = binding;
            (Some(hostname.to_string()), Some(how_text(*how)), Some(*at))
        }
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        record.address.to_string(),
        record.state.word().to_owned(),
        or_dash(hostname),
        or_dash(how.map(str::to_owned)),
        or_dash(since.map(|at| at.to_string())),
    ]
}

fn how_text(how: How) -> &'static str {
    match how {
        How::Created => "created",
        How::Adopted => "adopted",
        How::Resolved => "resolved",
    }
}
