//! The same trouble, run after run: what strikes one apply strikes the next as well. A leftover gets one successor at most.

use std::fmt;

use serde_json::{Value, json};

use super::estate::{Estate, Home, Plot, Vendor};
use super::sweep::Story;

/// What is struck in each of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The request that makes a key, the one that marks it, the one that ends a leftover.
    Mint,
    Mark,
    Revoke,
    /// The request with this number of each run, whatever it is.
    Nth(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// Killed, and the request never arrives.
    Killed,
    /// Killed when all is done.
    KilledAfter,
    /// Killed, and the request arrives after the next run.
    KilledLate,
    /// Done, and the answer is lost.
    Lost,
    /// Not done, and answered so.
    Status(u16),
}

/// One story of it.
#[derive(Clone, Copy)]
pub(super) struct Again {
    plot: Plot,
    at: At,
    blow: Blow,
    times: usize,
}

impl fmt::Display for Again {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plot { vendor, home, .. } = self.plot;
        write!(out, "{vendor}, {home}; {}: {}, in {} runs", self.at, self.blow.words(), self.times)
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mint => out.write_str("a key is made"),
            Self::Mark => out.write_str("a key is marked"),
            Self::Revoke => out.write_str("a leftover is revoked"),
            Self::Nth(n) => write!(out, "request {n}"),
        }
    }
}

impl Blow {
    fn words(self) -> String {
        match self {
            Self::Killed => "killed before it arrives, never arrives".to_owned(),
            Self::KilledAfter => "killed after it is done".to_owned(),
            Self::KilledLate => "killed before it arrives, arrives after the next run".to_owned(),
            Self::Lost => "done, answer lost".to_owned(),
            Self::Status(status) => format!("not done, answered {status}"),
        }
    }
}

const TIMES: [usize; 2] = [2, 3];

impl Again {
    /// Every kind of request that a key's life has, with every blow, on every kind of sink, twice and three times.
    pub(super) fn all(vendor: Vendor) -> Vec<Self> {
        let blows: [(At, &[Blow]); 3] = [
            (
                At::Revoke,
                &[Blow::Status(500), Blow::Status(503), Blow::Status(403), Blow::Killed, Blow::KilledAfter, Blow::Lost],
            ),
            (At::Mint, &[Blow::KilledAfter, Blow::Killed, Blow::KilledLate, Blow::Lost, Blow::Status(500)]),
            (At::Mark, &[Blow::Killed, Blow::KilledAfter, Blow::Lost, Blow::Status(500)]),
        ];
        let mut all = Vec::new();
        for home in [Home::File, Home::Programs, Home::Blind] {
            for (at, blows) in blows {
                for (blow, times) in blows.iter().flat_map(|blow| TIMES.map(|times| (*blow, times))) {
                    all.push(Self { plot: plot(vendor, home), at, blow, times });
                }
            }
        }
        all
    }

    /// Every request of an apply by its number, in each of two and three runs.
    pub(super) fn by_number(vendor: Vendor) -> Vec<Self> {
        let estate = Estate::new(plot(vendor, Home::File));
        let before = estate.cloud.stage.requests().len();
        estate.apply(&[]).exits(0);
        let sent = (estate.cloud.stage.requests().len() - before) as u64;
        let mut all = Vec::new();
        for n in 1..=sent {
            for (blow, times) in [Blow::Killed, Blow::KilledAfter, Blow::Lost]
                .into_iter()
                .flat_map(|blow| TIMES.map(|times| (blow, times)))
            {
                all.push(Self { plot: plot(vendor, Home::File), at: At::Nth(n), blow, times });
            }
        }
        all
    }

    /// The same with a rule left out.
    pub(super) fn weakened(&self, weakness: &'static str) -> Self {
        Self { plot: Plot { weakness: Some(weakness), ..self.plot }, ..*self }
    }

    fn fault(at: At, blow: Blow, estate: &Estate, plot: Plot) -> Value {
        let action = match blow {
            Blow::Killed | Blow::KilledLate => json!("pause"),
            Blow::KilledAfter => json!("hang"),
            Blow::Lost => json!("drop_after"),
            Blow::Status(status) => json!({ "status_before": { "status": status } }),
        };
        let [mint, mark, revoke] = plot.requests();
        let (method, path) = match at {
            At::Nth(n) => {
                let number = estate.cloud.stage.requests().len() as u64 + n;
                return json!({ "at_request": number, "action": action });
            }
            At::Mint => mint,
            At::Mark => mark,
            At::Revoke => revoke,
        };
        let pattern = json!({ "method": method, "path": path });
        match blow {
            Blow::Killed | Blow::KilledLate | Blow::KilledAfter | Blow::Lost => {
                json!({ "match": pattern, "nth": 1, "action": action })
            }
            // A vendor that refuses does so each time it is asked.
            Blow::Status(_) => json!({ "match": pattern, "action": action }),
        }
    }

    fn strike(&self, at: At, blow: Blow, estate: &Estate) {
        estate.cloud.stage.fault(&Self::fault(at, blow, estate, self.plot));
        match blow {
            Blow::Killed => {
                estate.killed_when_held();
                estate.release(true);
            }
            Blow::KilledAfter => estate.killed_when_held(),
            Blow::KilledLate => {
                estate.killed_when_held();
                estate.heals();
                estate.apply(&[]);
                estate.release(false);
            }
            Blow::Lost | Blow::Status(_) => {
                let run = estate.apply(&[]);
                if run.code != Some(0) {
                    estate.is_told_what_next(&run);
                }
            }
        }
        estate.settles();
        estate.heals();
    }

    /// The vendor goes on refusing: no run makes another key, and the plan keeps the good one and names the other.
    fn stays_deaf(&self, estate: &Estate) {
        estate.cloud.stage.fault(&Self::fault(self.at, self.blow, estate, self.plot));
        let before = (estate.live_keys(), estate.strays());
        assert!(!before.1.is_empty(), "nothing was left over\n{}", estate.story());
        for _ in 0..2 {
            estate.apply(&[]);
            let after = (estate.live_keys(), estate.strays());
            assert_eq!(after, before, "a leftover that is not revoked got another key\n{}", estate.story());
        }
        let plan = estate.plan();
        estate.names_what_is_in_no_sink(&plan);
        match self.plot.home {
            Home::File | Home::Programs => {
                let plan = plan.exits(2).says("revoke a key that was never delivered");
                assert_eq!(plan.out.matches("  key in home").count(), 2, "both keys are kept:\n{}", plan.out);
            }
            // At Qlik it expires by itself; at Imburse a person is asked.
            Home::Blind => drop(plan.exits(if self.plot.vendor == Vendor::Qlik { 0 } else { 1 })),
        }
        estate.heals();
    }
}

fn plot(vendor: Vendor, home: Home) -> Plot {
    Plot { vendor, home, tenants: 1, weakness: None }
}

impl Story for Again {
    fn play(&self) -> Option<usize> {
        let estate = Estate::new(self.plot);
        let mut troubles = 0;
        let mut bounded = || {
            troubles += 1;
            let strays = estate.strays();
            assert!(strays.len() <= troubles, "{troubles} troubles, and in no sink: {strays:?}\n{}", estate.story());
        };
        if self.at == At::Revoke {
            self.strike(At::Mint, Blow::KilledAfter, &estate);
            bounded();
        }
        for _ in 0..self.times {
            self.strike(self.at, self.blow, &estate);
            bounded();
        }
        if self.at == At::Revoke && matches!(self.blow, Blow::Status(_)) {
            self.stays_deaf(&estate);
        }
        estate.recovers();
        let left = estate.finds_all_well();
        assert!(left.len() <= troubles, "{left:?}");
        match self.plot.home {
            // What arrives after a delivery is superseded where only a delivery proves that it cannot come back.
            Home::Programs if self.blow == Blow::KilledLate => {
                assert!(left.iter().all(super::estate::Live::is_delivered), "{left:?}");
            }
            Home::File | Home::Programs => assert!(left.is_empty(), "{left:?}\n{}", estate.story()),
            Home::Blind => {
                let ends = self.plot.vendor == Vendor::Qlik;
                assert!(ends || left.iter().all(super::estate::Live::is_delivered), "{left:?}");
            }
        }
        Some(estate.executions())
    }

    fn is_dear(&self) -> bool {
        self.at == At::Revoke && self.blow == Blow::Status(500) && self.times == 3
    }
}
