//! Differences that desired state says to ignore: taken out of the drift, and named with their reason as long as they last.

use crate::model::address::Address;
use crate::model::desired::Ignore;
use crate::model::record::How;

use super::action::{Action, Adopted, Drift, DriftField, Keep, KeptTenant, Notice};
use super::ground::Ground;
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

/// Takes what is ignored out of a tenant's drift. A tenant of which nothing else differs is kept.
pub(super) fn tenant(scene: &Scene, address: &Address, ground: &Ground, own: &mut Vec<Action>) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut emptied = false;
    let mut left = Vec::new();
    for action in own.drain(..) {
        if let Action::Drift(Drift { fields, next: _, kept: _ }) = action {
            let (fields, mut said) = split(scene, address, fields);
            notices.append(&mut said);
            emptied |= fields.is_empty();
            if !fields.is_empty() {
                left.push(Action::Drift(Drift::of(fields)));
            }
        } else {
            left.push(action);
        }
    }
    let told = left.iter().any(|action| matches!(action, Action::Keep(_) | Action::Refuse(_)));
    if let (true, false, Ground::Exists { at, record, .. }) = (emptied, told, ground) {
        let how = record.and_then(|record| record.state.binding()).map(|binding| binding.how);
        let adopted = match how {
            Some(How::Adopted) => Adopted::Recorded,
            Some(How::Created | How::Resolved) | None => Adopted::No,
        };
        let of = KeptTenant::Qlik { hostname: at.hostname.clone() };
        left.push(Action::Keep(Keep::Tenant { id: at.id.clone(), of, adopted }));
    }
    *own = left;
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
