//! Differences that desired state says to ignore: taken out of the drift, and named with their reason as long as they last.

use crate::model::address::Address;
use crate::model::desired::Ignore;

use super::action::{Action, DriftField, Notice};
use super::scene::Scene;

/// Splits a drift: what is left of it, and what is ignored, in words.
pub(super) fn split(scene: &Scene, address: &Address, fields: Vec<DriftField>) -> (Vec<DriftField>, Vec<Notice>) {
    let mut notices = Vec::new();
    let left = fields
        .into_iter()
        .filter(|field| {
            let Some(entry) = entry(scene, address, &field.field) else { return true };
            let holds = entry.holds(scene.now);
            notices.push(Notice { address: Some(address.clone()), at: None, text: words(entry, field, holds).into() });
            !holds
        })
        .collect();
    (left, notices)
}

/// Takes what is ignored out of a tenant's drift, and names it.
pub(super) fn drift(scene: &Scene, address: &Address, own: &mut Vec<Action>) -> Vec<Notice> {
    let mut notices = Vec::new();
    own.retain_mut(|action| {
        let Action::Drift(drift) = action else { return true };
        let (fields, mut said) = split(scene, address, std::mem::take(&mut drift.fields));
        notices.append(&mut said);
        drift.fields = fields;
        !drift.fields.is_empty()
    });
    notices
}

fn entry<'a>(scene: &Scene<'a>, address: &Address, field: &str) -> Option<&'a Ignore> {
    scene.desired.ignore.iter().find(|entry| entry.address == *address && entry.field == field)
}

fn words(entry: &Ignore, field: &DriftField, holds: bool) -> String {
    let DriftField { field, declared, live } = field;
    let differs = format!("{field} differs (declared \"{declared}\", live \"{}\")", live.raw());
    let reason = &entry.reason;
    match (entry.until, holds) {
        (None, _) => format!("{differs}; ignored: {reason}"),
        (Some(until), true) => format!("{differs}; ignored until {until}: {reason}"),
        (Some(until), false) => {
            format!(
                "{differs}; it was ignored until {until} ({reason}), and counts again; see {}:{}",
                entry.at.file, entry.at.line
            )
        }
    }
}
