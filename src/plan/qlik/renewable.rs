//! The room for renewals: a successor lives beside the key that it follows, and keys that were made together are due
//! together.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::duration::Duration;
use crate::model::live::{KeyLimitsLive, KeyLive, Observed, SinkEntry, TenantLive};
use crate::model::place::Place;
use crate::model::spec::{Owner, QlikKey};
use crate::model::untrusted::Untrusted;

use super::ground::Ground;
use crate::plan::action::{Action, Drift, Keep, Plan};
use crate::plan::finding::Finding;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;

/// A key that lives, or will once this plan is applied.
struct Renewed<'a> {
    address: &'a Address,
    spec: &'a QlikKey,
    /// None of a key that this plan makes.
    key_id: Option<String>,
    /// The end of the key, in seconds since 1970.
    expires: i64,
}

impl Renewed<'_> {
    fn due(&self) -> i64 {
        self.expires.saturating_sub(seconds(self.spec.renew_before))
    }

    /// Returns whether its successor lives beside it while the other's begins to. Keys of different lives meet sooner
    /// or later.
    fn meets(&self, other: &Self) -> bool {
        let same_pace =
            (self.spec.expires_in, self.spec.renew_before) == (other.spec.expires_in, other.spec.renew_before);
        !same_pace || (self.due() <= other.due() && other.due() < self.expires)
    }
}

/// The owner of keys, by the vendor's id where that is known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Whose<'a> {
    Id(&'a Untrusted),
    Declared(&'a Owner),
}

/// Refuses the keys of a tenant that is still to be made, if its limits leave no room: they are sent once, while it is
/// set up. In a tenant that is there a person can raise them, so there it is a finding.
pub(super) fn hold(
    scene: &Scene,
    tenant: &Address,
    at: &Place,
    ground: &Ground,
    limits: Option<KeyLimitsLive>,
    keys: &mut Plan,
) {
    let Some(limits) = limits else { return };
    let live = match ground {
        Ground::MadeBefore { .. } => None,
        Ground::Exists { live, .. } => Some(*live),
        Ground::Refused | Ground::Waiting => return,
    };
    let mut groups: BTreeMap<Whose, Vec<Renewed>> = BTreeMap::new();
    for renewed in renewed(scene, live, keys) {
        groups.entry(whose(scene, live, &renewed)).or_default().push(renewed);
    }
    let mut tight: Vec<(Vec<Address>, usize, usize)> = Vec::new();
    for (whose, of_owner) in &groups {
        let meeting = of_owner.iter().map(|one| of_owner.iter().filter(|other| other.meets(one)).count());
        let together = meeting.max().unwrap_or(0);
        let needed = of_owner.len() + others(scene, live, whose, of_owner) + together;
        if needed > usize::try_from(limits.max_keys_per_user).unwrap_or(usize::MAX) {
            tight.push((of_owner.iter().map(|one| one.address.clone()).collect(), together, needed));
        }
    }
    for (addresses, together, needed) in tight {
        say(tenant, at, ground, limits, keys, &addresses, together, needed);
    }
}

#[expect(clippy::too_many_arguments, reason = "what one sentence is made of")]
fn say(
    tenant: &Address,
    at: &Place,
    ground: &Ground,
    limits: KeyLimitsLive,
    keys: &mut Plan,
    addresses: &[Address],
    together: usize,
    needed: usize,
) {
    let most = limits.max_keys_per_user;
    let names: Vec<&str> = addresses.iter().filter_map(|address| address.key()).map(|name| name.as_str()).collect();
    let names = names.join(", ");
    let (whose, at_once) = match (addresses.len(), together) {
        (1, _) => (format!("key {names} could"), "its successor lives beside it".to_owned()),
        (n, 1) => {
            let why = "a successor lives beside the key that it follows".to_owned();
            (format!("{n} keys of one owner ({names}) could"), why)
        }
        (n, m) => {
            let why = format!("{m} of them are renewed while the keys that they follow still live");
            (format!("{n} keys of one owner ({names}) could"), why)
        }
    };
    let why = format!("{whose} not be renewed: {at_once}, so the owner needs {needed} keys, and may have {most}");
    let declare = format!("api_key_limits: {{ max_keys_per_user: {needed} }}");
    match ground {
        Ground::MadeBefore { .. } => {
            let Some(last) = addresses.last() else { return };
            for planned in keys.actions.iter_mut().filter(|planned| planned.address == *last) {
                let refusal = Refusal::new(
                    Code::NoHeadroom,
                    why.as_str(),
                    format!("declare {declare} for {tenant}: it is set once, while the tenant is made"),
                )
                .or("or give some of the keys another owner");
                planned.action = Action::Refuse(refusal);
            }
        }
        Ground::Exists { .. } | Ground::Refused | Ground::Waiting => keys.findings.push(
            Finding::new(
                Code::NoRoomToRenew,
                why,
                format!("raise the tenant's limit by hand, and declare it: {declare}"),
            )
            .or("or give some of the keys another owner")
            .of(tenant)
            .at(at),
        ),
    }
}

/// The keys of the plan that will be renewed, each once, in order.
fn renewed<'a>(scene: &Scene<'a>, live: Option<&TenantLive>, keys: &Plan) -> Vec<Renewed<'a>> {
    let mut found: BTreeMap<&Address, Renewed> = BTreeMap::new();
    for planned in &keys.actions {
        let Some((address, spec)) = declared(scene, &planned.address) else { continue };
        let made = Renewed {
            address,
            spec,
            key_id: None,
            expires: scene.now.as_second().saturating_add(seconds(spec.expires_in)),
        };
        let there = |key_id: &str| {
            let expiry = key_of(live, key_id).and_then(|key| key.expiry)?;
            Some(Renewed { address, spec, key_id: Some(key_id.to_owned()), expires: expiry.as_second() })
        };
        let renewed = match &planned.action {
            Action::CreateKey(_) | Action::Renew(_) => Some(made),
            Action::Keep(Keep::Key { key_id, .. }) => there(key_id),
            Action::Mark(mark) => there(&mark.key_id),
            Action::Drift(Drift { .. }) => held(scene, address).and_then(|entry| there(&entry.key_id)),
            Action::Keep(Keep::Tenant { .. } | Keep::AdoptedKey { .. } | Keep::Object(_))
            | Action::CreateTenant(_)
            | Action::Settle(_)
            | Action::MoveGroup(_)
            | Action::Trust(_)
            | Action::CreateObject(_)
            | Action::Grant(_)
            | Action::Reclaim(_)
            | Action::Wait(_)
            | Action::Refuse(_) => None,
        };
        if let Some(renewed) = renewed {
            found.entry(address).or_insert(renewed);
        }
    }
    found.into_values().collect()
}

fn declared<'a>(scene: &Scene<'a>, address: &Address) -> Option<(&'a Address, &'a QlikKey)> {
    let (address, _) = scene.desired.items.get_key_value(address)?;
    Some((address, scene.desired.qlik_key(address)?))
}

fn held<'a>(scene: &Scene<'a>, address: &Address) -> Option<&'a SinkEntry> {
    scene.live.sinks.get(address).and_then(|sink| sink.held())
}

fn key_of<'a>(live: Option<&'a TenantLive>, key_id: &str) -> Option<&'a KeyLive> {
    let live = live?;
    let listed = live.keys.as_ref().and_then(Observed::present).and_then(|keys| keys.get(key_id));
    listed.or_else(|| live.looked_up.get(key_id).and_then(Observed::present))
}

fn whose<'a>(scene: &Scene<'a>, live: Option<&'a TenantLive>, renewed: &Renewed<'a>) -> Whose<'a> {
    let Renewed { address, spec, key_id, expires: _ } = renewed;
    let of_key = key_id.as_ref().and_then(|id| key_of(live, id)).map(|key| &key.sub);
    let asked = || live?.caller(&spec.owner).and_then(Observed::present).map(|caller| &caller.user_id);
    let remembered = || held(scene, address).map(|entry| &entry.owner);
    match of_key.or_else(asked).or_else(remembered) {
        Some(id) => Whose::Id(id),
        None => Whose::Declared(&spec.owner),
    }
}

/// Other live keys of the same owner, whoever made them, that still live when the first of these is due.
fn others(scene: &Scene, live: Option<&TenantLive>, whose: &Whose, of_owner: &[Renewed]) -> usize {
    let (Whose::Id(id), Some(Some(Observed::Present(keys)))) = (whose, live.map(|live| &live.keys)) else { return 0 };
    let first = of_owner.iter().map(Renewed::due).min().unwrap_or(i64::MAX);
    let is_of_these = |key: &KeyLive| of_owner.iter().any(|one| one.key_id.as_deref() == Some(key.id.as_str()));
    let lasts = |key: &KeyLive| key.expiry.is_none_or(|expiry| expiry.as_second() > first);
    keys.values().filter(|key| key.sub == **id && key.is_live(scene.now) && lasts(key) && !is_of_these(key)).count()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.seconds()).unwrap_or(i64::MAX)
}
