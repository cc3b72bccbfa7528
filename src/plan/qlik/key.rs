//! One key at Qlik: what the decision table asks of it, and what differs from its declaration.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::duration::Duration;
use crate::model::live::{KeyLive, Observed, TenantLive};
use crate::model::spec::QlikKey;
use crate::model::untrusted::Untrusted;
use crate::plan::action::{Action, DriftField, Keep};
use crate::plan::drift;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;
use crate::plan::stop::{Stop, refuse};
use crate::plan::vendor::Asks;

pub(super) fn asks<'a>(spec: &'a QlikKey, live: &'a TenantLive) -> Asks<'a, KeyLive> {
    Asks {
        text: &spec.description,
        looked_up: &live.looked_up,
        caller: live.caller(&spec.owner).and_then(Observed::present).map(|caller| &caller.user_id),
        whose: Some(Box::new(|key| whose(live, spec, key))),
        never_marked: false,
        asked: &NOTHING_ASKED,
    }
}

/// A person may say of a key at Imburse alone that nobody uses it: here it ends by itself.
static NOTHING_ASKED: BTreeSet<String> = BTreeSet::new();

/// A key of ours lives, and nobody knows whether our credentials made it.
fn whose(live: &TenantLive, spec: &QlikKey, key: &KeyLive) -> Stop {
    match (live.caller(&spec.owner), spec.owner.user()) {
        (Some(Observed::Unreadable(unreadable)), _) => Stop::Refuse(unreadable.into()),
        (Some(Observed::Absent), Some(user)) => Stop::Refuse(
            Refusal::new(
                Code::OwnerChanged,
                format!(
                    "key {} with our marker lives and belongs to user {}, and the declared owner ({user}) is not there",
                    Untrusted::from(key.id.as_str()),
                    key.sub
                ),
                "declare the owner again that it has",
            )
            .or("or declare the key under another name; this one is left to expire"),
        ),
        (Some(Observed::Absent | Observed::Present(_)) | None, _) => refuse(
            Code::Unreadable,
            "a key with our marker lives, and its owner could not be asked whether it is ours",
            "trust the account's key client in the tenant again (oauth-clients, connection-configs), then plan again",
        ),
    }
}

/// Plans an adopted key.
pub(super) fn adopted(scene: &Scene, live: &TenantLive, id: &str) -> Action {
    let shown = Untrusted::from(id);
    let refuse = |why: String| {
        Action::Refuse(Refusal::new(
            Code::AdoptedKeyGone,
            why,
            "name a key that lives, or remove `adopt:` to have a new one minted and delivered",
        ))
    };
    match &live.keys {
        Some(Observed::Present(keys)) => match keys.get(id) {
            Some(key) if key.is_live(scene.now) => {
                Action::Keep(Keep::AdoptedKey { key_id: id.to_owned(), expires: key.expiry })
            }
            Some(_) => refuse(format!("`adopt:` names key {shown}, which is expired or revoked")),
            None => refuse(format!("`adopt:` names key {shown}, which the tenant does not list")),
        },
        Some(Observed::Unreadable(unreadable)) => Action::Refuse(unreadable.into()),
        Some(Observed::Absent) | None => refuse("the tenant's keys were not read".to_owned()),
    }
}

/// Returns the fields of a live key in its sink that differ from its declaration.
pub(super) fn drift(scene: &Scene, address: &Address, spec: &QlikKey, good: &KeyLive) -> Vec<DriftField> {
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
    fields.extend(drift::shape(scene, address, &good.id, |home| spec.deliver_as.of(home).as_str()));
    fields
}

/// Between the vendor's clock and its rounding of a life: a hundredth of it, and at least a minute.
fn tolerance(declared: Duration) -> u64 {
    (declared.seconds() / 100).max(60)
}

fn life(created: Timestamp, expiry: Timestamp) -> Option<Duration> {
    u64::try_from(expiry.as_second() - created.as_second()).ok().map(Duration::from_seconds)
}
