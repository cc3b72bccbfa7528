//! What differs from its declaration and is not changed by an apply: the fields of a key that works, and what to do about any drift.

use jiff::Timestamp;

use crate::model::address::{Address, Vendor};
use crate::model::duration::Duration;
use crate::model::live::{KeyLive, SinkEntry};
use crate::model::spec::QlikKey;

use super::action::{Action, Drift, DriftField, Plan, SHAPE};
use super::scene::Scene;

/// What differs of a key that is in its sink and lives.
pub(super) fn of_key(scene: &Scene, address: &Address, spec: &QlikKey, good: &KeyLive) -> Vec<DriftField> {
    let mut fields = Vec::new();
    if good.text.raw() != spec.description {
        let field = "description".into();
        fields.push(DriftField { field, declared: spec.description.clone(), live: good.text.clone() });
    }
    if let Some(life) = good.created.zip(good.expiry).and_then(|(created, expiry)| life(created, expiry))
        && life.seconds().abs_diff(spec.expires_in.seconds()) > tolerance(spec.expires_in)
    {
        let (declared, live) = (spec.expires_in.to_string(), life.to_string().into());
        fields.push(DriftField { field: "expires_in".into(), declared, live });
    }
    fields.extend(shape(scene, address, &good.id, spec.deliver_as.as_str()));
    fields
}

/// Between the vendor's clock and its rounding of a life: a hundredth of it, and at least a minute.
fn tolerance(declared: Duration) -> u64 {
    (declared.seconds() / 100).max(60)
}

fn life(created: Timestamp, expiry: Timestamp) -> Option<Duration> {
    u64::try_from(expiry.as_second() - created.as_second()).ok().map(Duration::from_seconds)
}

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
