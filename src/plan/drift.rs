//! Differences that an apply does not change: the fields of a key that works, and the steps to take about any drift.

use jiff::Timestamp;

use crate::model::address::{Address, Vendor};
use crate::model::duration::Duration;
use crate::model::live::SinkEntry;

use super::action::{Action, Drift, DriftField, Plan, SHAPE};
use super::scene::Scene;

/// The payload's shape, where its metadata says it: that of early deliveries does not.
pub(super) fn shape(scene: &Scene, address: &Address, key_id: &str, declared: &str) -> Option<DriftField> {
    let entry = scene.live.sinks.get(address).and_then(|sink| sink.held())?;
    let SinkEntry { made_as: Some(made_as), .. } = entry else { return None };
    let is_it = entry.key_id.eq_ignore_ascii_case(key_id);
    (is_it && made_as.shape != declared).then(|| DriftField {
        field: SHAPE.into(),
        declared: declared.to_owned(),
        live: made_as.shape.as_str().into(),
    })
}

/// A key's way out: another key over it, or the renewal that comes anyway.
pub(super) fn of_key_next(address: &Address, renewal: Option<(Timestamp, Duration)>) -> Vec<String> {
    let at_once = format!("qlik-apply --replace {address}");
    match renewal.and_then(|(expiry, before)| due(expiry, before)) {
        Some(due) => vec![
            format!("nothing: it comes into force at the renewal on {due:.0}"),
            format!("at once: {at_once}   (another key over it; this one stays until it ends)"),
        ],
        None => vec![format!("{at_once}   (a key that is not renewed keeps what it was made with)")],
    }
}

fn due(expiry: Timestamp, before: Duration) -> Option<Timestamp> {
    let before = i64::try_from(before.seconds()).ok()?;
    Timestamp::from_second(expiry.as_second().saturating_sub(before)).ok()
}

/// The way out of every drift that has none of its own yet: a tenant's, and an adopted key's.
pub(super) fn say_next(plan: &mut Plan) {
    for planned in &mut plan.actions {
        let address = &planned.address;
        let Action::Drift(Drift { fields, next, kept: _ }) = &mut planned.action else { continue };
        if !next.is_empty() {
            continue;
        }
        let whose = match address.vendor {
            Vendor::Qlik => "in the tenant's Administration",
            Vendor::Imburse => "in the vendor's portal",
        };
        next.push(format!("change it by hand ({whose}), or declare what is live: what is there is never changed"));
        if let Some(first) = fields.first() {
            let field = &first.field;
            next.push(format!(
                "if it is known and left: ignore: [{{ address: {address}, field: {field}, reason: WHY }}]"
            ));
        }
    }
}
