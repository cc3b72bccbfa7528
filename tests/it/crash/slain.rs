//! Stories of SIGKILL, drawn by lot: ten tenants of two keys each, one to three kills, and in a third of the stories a vendor that
//! revokes nothing until all kills are over.

use std::fmt;

use serde_json::{Value, json};

use super::estate::{Estate, Home, Live, Plot, Vendor};
use super::random::Lot;
use super::sweep::Story;

/// One story.
pub(super) struct Slain {
    seed: u64,
    plot: Plot,
    kills: Vec<(u64, Way)>,
    /// What a DELETE is answered with meanwhile.
    deaf: Option<u16>,
}

/// What becomes of the request at which the run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Dropped,
    Arrives,
    Late,
    Done,
}

impl fmt::Display for Slain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plot, kills, deaf } = self;
        write!(out, "QLIK_PLAN_SEED={seed} QLIK_PLAN_STORIES=1; {}", plot.vendor)?;
        for (n, way) in kills {
            let words = match way {
                Way::Dropped => "never arrives",
                Way::Arrives => "arrives",
                Way::Late => "arrives after the next run",
                Way::Done => "is done",
            };
            write!(out, "; killed at request {n}, which {words}")?;
        }
        deaf.map_or(Ok(()), |status| write!(out, "; DELETE answers {status}"))
    }
}

/// The stories of a seed; the same for the same seed.
pub(super) fn stories(seed: u64, count: u64) -> Vec<Slain> {
    (0..count).map(|index| story(seed.wrapping_add(index))).collect()
}

/// No apply of ten tenants sends many more requests, and a second one sends fewer.
const MOST: [usize; 3] = [230, 160, 120];

fn story(seed: u64) -> Slain {
    let mut lot = Lot(seed);
    let vendor = if lot.draw(4) == 0 { Vendor::Imburse } else { Vendor::Qlik };
    let count = 1 + lot.draw(3);
    let kills = MOST.iter().take(count).map(|most| {
        let way = [Way::Dropped, Way::Arrives, Way::Late, Way::Done][lot.draw(4)];
        let most = if vendor == Vendor::Imburse { most / 3 } else { *most };
        (1 + lot.draw(most) as u64, way)
    });
    let kills = kills.collect();
    let deaf = seed.is_multiple_of(3).then(|| [500, 503, 403][lot.draw(3)]);
    Slain { seed, plot: Plot { vendor, home: Home::File, tenants: 10, weakness: None }, kills, deaf }
}

impl Slain {
    fn kill(&self, estate: &Estate, n: u64, way: Way) {
        let stage = &estate.cloud.stage;
        let number = stage.requests().len() as u64 + n;
        let action = if way == Way::Done { json!("hang") } else { json!("pause") };
        stage.fault(&json!({ "at_request": number, "action": action }));
        estate.killed_when_held();
        match way {
            Way::Dropped => estate.release(true),
            Way::Arrives => estate.release(false),
            Way::Late => {
                stage.control("DELETE", "/faults", &Value::Null);
                self.deafens(estate);
                estate.apply(&[]);
                estate.release(false);
            }
            Way::Done => estate.settles(),
        }
        estate.heals();
        self.deafens(estate);
    }

    fn deafens(&self, estate: &Estate) {
        let (method, path) = self.plot.requests()[2];
        if let Some(status) = self.deaf {
            let pattern = json!({ "method": method, "path": path });
            estate.cloud.stage.fault(&json!({ "match": pattern, "action": { "status_before": { "status": status } } }));
        }
    }
}

impl Story for Slain {
    fn play(&self) -> Option<usize> {
        let estate = Estate::new(self.plot);
        self.deafens(&estate);
        let mut most = 0;
        for (n, way) in &self.kills {
            self.kill(&estate, *n, *way);
            // Tenants are made side by side, so one kill may strike a key of each.
            most += self.plot.tenants;
            assert!(estate.strays().len() <= most, "{:?}\n{}", estate.strays(), estate.story());
        }
        if self.deaf.is_some() {
            estate.recovers_but_for_revocations();
            // What the last run could not do for another reason, this one does.
            estate.apply(&[]);
            let before = estate.live_keys();
            estate.apply(&[]);
            assert_eq!(
                estate.live_keys(),
                before,
                "a leftover that is not revoked got another key\n{}",
                estate.story()
            );
            estate.names_what_is_in_no_sink(&estate.plan());
        }
        estate.heals();
        estate.recovers();
        let left = estate.finds_all_well();
        assert!(left.iter().all(Live::is_delivered), "{left:?}");
        Some(estate.executions())
    }

    fn is_dear(&self) -> bool {
        false
    }
}
