//! Histories drawn by lot: runs, trouble in them, time, and people. After each step a small model says what must be there.
//!
//! The model knows nothing of protocols: a key is wanted or it is not, and what nobody wants stays as it is.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::actor::Actor;
use super::judge;
use super::pair::Met;
use super::point::Strike;
use super::request::{Struck, Trouble};
use super::scene::Scene;

#[derive(Clone)]
pub(super) enum Step {
    /// Nothing strikes it.
    Apply,
    /// A request of an apply is struck, or another run comes while it is held.
    Trouble(Strike),
    Hours(u16),
    /// Somebody revokes the key that a sink holds.
    Revoked(usize),
    /// A secret is gone from its sink, and somebody asks for another.
    Reminted(usize),
    /// What the programs ask for is done until all is well.
    Recovery,
}

impl fmt::Debug for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply => write!(out, "apply"),
            Self::Trouble(Strike::Request(struck)) => write!(out, "apply; {struck}"),
            Self::Trouble(Strike::Met(met)) => write!(out, "apply; {met}"),
            Self::Trouble(Strike::Call(_) | Strike::Second(_) | Strike::LedgerLost | Strike::Clock(_)) => {
                write!(out, "trouble")
            }
            Self::Hours(hours) => write!(out, "{hours} hours pass"),
            Self::Revoked(key) => write!(out, "key {key} is revoked by hand"),
            Self::Reminted(key) => write!(out, "the secret of key {key} is removed by hand; --remint"),
            Self::Recovery => write!(out, "recovery"),
        }
    }
}

/// Most requests that an apply of this scene sends.
const MOST: usize = 42;

pub(super) fn histories() -> impl Strategy<Value = Vec<Step>> {
    // The slow ones show nothing that the late ones do not, and take seconds each.
    let quick: Vec<Trouble> = Trouble::ALL.into_iter().filter(|trouble| *trouble != Trouble::Slow).collect();
    let struck = (1..=MOST as u64, proptest::sample::select(quick)).prop_map(|(n, trouble)| {
        Step::Trouble(Strike::Request(Struck { n, request: String::new(), throttled: None, trouble }))
    });
    let met = (1..=MOST, any::<bool>(), any::<bool>())
        .prop_map(|(n, done, killed)| Step::Trouble(Met::held_at(n, done, killed)));
    // Up to the death of every key.
    let hours = prop_oneof![1_u16..8, 20_u16..60, 120_u16..400].prop_map(Step::Hours);
    let step = prop_oneof![
        3 => Just(Step::Apply),
        6 => struck,
        2 => met,
        4 => hours,
        1 => (0_usize..3).prop_map(Step::Revoked),
        1 => (0_usize..3).prop_map(Step::Reminted),
        1 => Just(Step::Recovery),
    ];
    proptest::collection::vec(step, 2..8)
}

/// Plays a history from nothing to its recovery; gives the number of programs that ran.
pub(super) fn play(history: &[Step]) -> usize {
    let scene = Scene::new_with_three_keys();
    let actor = Actor::new(&scene);
    // By whom, the model says.
    actor.may_supersede.set(true);
    let mut calm = false;
    for step in history.iter().chain([&Step::Recovery]) {
        let before = Seen::of(&actor, &scene);
        match step {
            Step::Apply => {
                let run = actor.apply();
                calm = run.code == Some(0);
                if !calm {
                    actor.is_told_what_next(&run.exits(1));
                }
                Seen::of(&actor, &scene).follows(&before, &scene, calm);
            }
            Step::Trouble(strike) => {
                assert!(strike.strike(&actor, &scene, 0));
                calm = false;
                Seen::of(&actor, &scene).follows(&before, &scene, false);
            }
            Step::Hours(hours) => {
                // Off the full hour, so that nothing is due to the second.
                actor.stage.control("POST", "/clock", &json!({ "advance": format!("PT{hours}H7M") }));
                actor.clock_moved.set(true);
                Seen::of(&actor, &scene).is_as_planned(&actor, &scene, calm);
            }
            Step::Revoked(key) => {
                let Some(id) = &before.held(&scene, *key) else { continue };
                if before.live.contains_key(id) {
                    actor.stage.control("POST", "/edit", &json!({ "action": "revoke_key", "key": id }));
                    // Ours is not the only hand that revokes any more.
                    actor.clock_moved.set(true);
                    Seen::of(&actor, &scene).is_as_planned(&actor, &scene, calm);
                }
            }
            Step::Reminted(key) => {
                let Some(id) = before.held(&scene, *key).filter(|id| calm && before.live.contains_key(id)) else {
                    continue;
                };
                reminted(&actor, &scene, *key, &id);
            }
            Step::Recovery => {
                actor.recover();
                calm = true;
                Seen::of(&actor, &scene).follows(&before, &scene, false);
                judge::whole(&actor, &scene);
            }
        }
        judge::sinks_hold_live_keys(&actor, &scene);
    }
    actor.executions()
}

/// It is missed, refused and left alone until somebody asks; then there is another, and the old one lives on.
fn reminted(actor: &Actor, scene: &Scene, key: usize, id: &str) {
    let name = scene.keys[key];
    std::fs::remove_file(actor.stage.secret(name)).unwrap();
    drop(actor.apply().exits(1).says("QP0301"));
    let address = format!("qlik/acme/{name}");
    actor.apply_with(&["--remint", &address]).exits(0);
    let after = Seen::of(actor, scene);
    let held = after.held(scene, key).unwrap_or_else(|| panic!("{address} was not minted anew"));
    assert_ne!(held, id, "{address} is the old one");
    assert!(after.live.contains_key(&held) && after.live.contains_key(id), "a key was revoked that somebody may use");
}

/// What a look at the cloud and into the sinks shows.
struct Seen {
    now: Timestamp,
    /// What each declared key's place holds.
    sinks: BTreeMap<&'static str, Option<String>>,
    /// Live keys of ours: expiry and description.
    live: BTreeMap<String, (Timestamp, String)>,
    tenants: usize,
}

impl Seen {
    fn of(actor: &Actor, scene: &Scene) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let clock = actor.stage.control("GET", "/clock", &Value::Null);
        let held = |key: &&'static str| {
            let payload = std::fs::read_to_string(actor.stage.secret(key)).unwrap_or_default();
            (*key, judge::token_in(&payload).and_then(|token| judge::id_of(&token)))
        };
        let live = actor.stage.live_keys();
        Self {
            now: text(&clock["now"]).parse().unwrap(),
            sinks: scene.keys.iter().map(held).collect(),
            live: live
                .iter()
                .map(|key| (text(&key["id"]), (text(&key["expiry"]).parse().unwrap(), text(&key["description"]))))
                .collect(),
            tenants: actor.stage.tenants().len(),
        }
    }

    fn held(&self, scene: &Scene, key: usize) -> Option<String> {
        self.sinks[scene.keys[key]].clone()
    }

    /// Whether this key's place should hold another key than it does; `None` where seconds decide.
    fn wants(&self, key: &str) -> Option<bool> {
        let (description, days) = match key {
            "ci" => ("CI deploys", 1),
            "reporting" => ("Reporting", 1),
            _ => ("Deploy hook", 9),
        };
        let Some((expiry, _)) = self.sinks[key].as_ref().and_then(|id| self.live.get(id)) else { return Some(true) };
        let leftover = |(id, (_, text)): (&String, &(Timestamp, String))| {
            text.starts_with(&format!("{description} ["))
                && text.ends_with(":u]")
                && self.sinks[key].as_ref() != Some(id)
        };
        if self.live.iter().any(leftover) {
            return Some(true);
        }
        let left = expiry.duration_since(self.now) - SignedDuration::from_hours(24 * days);
        (left.abs() > SignedDuration::from_mins(2)).then(|| left.is_negative())
    }

    /// After a run: what nobody wanted is as it was; and where all went well, what was wanted is there.
    fn follows(&self, before: &Self, scene: &Scene, all_went_well: bool) {
        assert!(self.tenants <= 1, "{} tenants", self.tenants);
        assert!(self.tenants >= before.tenants, "the tenant is gone");
        for key in &scene.keys {
            let same = self.sinks[key] == before.sinks[key];
            match before.wants(key) {
                Some(false) => assert!(same, "nobody wanted another {key}"),
                Some(true) => assert!(!same || !all_went_well, "{key} was wanted, all went well, and it is as it was"),
                None => {}
            }
        }
        if all_went_well {
            for key in &scene.keys {
                assert_ne!(self.wants(key), Some(true), "all went well, and {key} is still wanted");
            }
        }
    }

    /// Before a run: the plan wants what the model wants.
    fn is_as_planned(&self, actor: &Actor, scene: &Scene, calm: bool) {
        let wanted: Option<Vec<bool>> = scene.keys.iter().map(|key| self.wants(key)).collect();
        let (Some(wanted), true) = (wanted, calm) else { return };
        let code = if wanted.contains(&true) { 2 } else { 0 };
        drop(actor.plan().exits(code));
    }
}
