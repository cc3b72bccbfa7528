//! Differences that an apply does not change: the fields of a key that works, and the steps to take about any drift.

use jiff::Timestamp;

use crate::model::address::{Address, Name, Vendor};
use crate::model::duration::Duration;
use crate::model::live::{SinkEntry, SinkLive};

use super::action::{Action, Drift, DriftField, Plan, SHAPE};
use super::scene::Scene;

/// The payload's shape, where its metadata says it: that of early deliveries does not. Of several sinks, the shape in each.
pub(super) fn shape(
    scene: &Scene,
    address: &Address,
    key_id: &str,
    declared: impl Fn(&Name) -> &'static str,
) -> Option<DriftField> {
    let sink = scene.live.sinks.get(address)?;
    let homes = scene.desired.items.get(address).and_then(|declared| declared.spec.deliver_to())?;
    let live = |home: &Name| {
        let entry = match homes.are_several() {
            true => sink.homes.get(home).and_then(SinkLive::held),
            false => sink.held(),
        };
        let SinkEntry { made_as: Some(made_as), .. } =
            entry.filter(|entry| entry.key_id.eq_ignore_ascii_case(key_id))?
        else {
            return None;
        };
        Some(made_as.shape.as_str())
    };
    let others: Vec<(&Name, &str, &str)> = homes
        .iter()
        .filter_map(|home| Some((home, declared(home), live(home)?)))
        .filter(|(_, declared, live)| declared != live)
        .collect();
    let say = |of: fn(&(&Name, &str, &str)) -> String| match homes.are_several() {
        true => others.iter().map(|one| format!("{} in {}", of(one), one.0)).collect::<Vec<_>>().join(", "),
        false => others.iter().map(of).collect(),
    };
    (!others.is_empty()).then(|| DriftField {
        field: SHAPE.into(),
        declared: say(|(_, declared, _)| (*declared).to_owned()),
        live: say(|(_, _, live)| (*live).to_owned()).into(),
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
