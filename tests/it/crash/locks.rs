//! A lock that another process keeps: on a sink's folder or on the ledger, from the start or from one of the run's requests on, in
//! one run and in the next.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::estate::{Estate, Home, Plot, Vendor};
use super::sweep::Story;

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The folder of one tenant's keys.
    Sink,
    /// What a reader of the ledger holds for an instant, and a stopped one for ever.
    Alive,
    /// What a run holds.
    Lock,
}

/// One story.
pub(super) struct Locked {
    plot: Plot,
    what: What,
    /// The request from which on it is held; `None`: from before the run.
    from: Option<u64>,
    times: usize,
}

impl fmt::Display for Locked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plot, what, from, times } = self;
        let what = match what {
            What::Sink => "the sink's folder",
            What::Alive => "the ledger's `alive`",
            What::Lock => "the ledger's `lock`",
        };
        let from = from.map_or_else(|| "the start".to_owned(), |n| format!("request {n}"));
        write!(out, "{}; a lock on {what} kept from {from} on, in {times} runs", plot.vendor)
    }
}

impl Locked {
    /// Every place that a run locks, held before it; and the sink's folder, taken at each of its requests.
    pub(super) fn all(vendor: Vendor) -> Vec<Self> {
        let plot = Plot { vendor, home: Home::File, tenants: 1, weakness: None };
        let estate = Estate::new(plot);
        let before = estate.cloud.stage.requests().len();
        estate.apply(&[]).exits(0);
        let sent = (estate.cloud.stage.requests().len() - before) as u64;
        let mut all = Vec::new();
        for times in [1, 2, 3] {
            let from_the_start =
                [What::Sink, What::Alive, What::Lock].map(|what| Self { plot, what, from: None, times });
            all.extend(from_the_start);
            all.extend((1..=sent).map(|n| Self { plot, what: What::Sink, from: Some(n), times }));
        }
        all
    }

    fn place(&self, dir: &Path) -> PathBuf {
        match (self.what, self.plot.vendor) {
            (What::Sink, Vendor::Qlik) => dir.join("secrets/qlik/t0"),
            (What::Sink, Vendor::Imburse) => dir.join("secrets/imburse/t0"),
            (What::Alive, _) => dir.join(".qlik-plan/ledger/alive"),
            (What::Lock, _) => dir.join(".qlik-plan/ledger/lock"),
        }
    }

    fn strike(&self, estate: &Estate) {
        let stage = &estate.cloud.stage;
        let place = self.place(stage.dir());
        if self.what == What::Sink {
            std::fs::create_dir_all(&place).unwrap();
        }
        let held = match self.what {
            What::Sink => File::open(&place).unwrap(),
            // No run may have been there yet.
            What::Alive | What::Lock => File::options().append(true).create(true).open(&place).unwrap(),
        };
        let run = match self.from {
            None => {
                held.lock().unwrap();
                estate.apply(&["--timeout", "1"])
            }
            Some(n) => {
                let number = stage.requests().len() as u64 + n;
                stage.fault(&json!({ "at_request": number, "action": "pause" }));
                estate.ends_after(&["--timeout", "1"], || {
                    // Unless the run holds it at this moment: then it is done with it before it is held up.
                    drop(held.try_lock());
                    stage.control("POST", "/release", &json!({ "drop": false }));
                })
            }
        };
        if run.code != Some(0) {
            estate.is_told_what_next(&run);
        }
        drop(held);
        stage.control("DELETE", "/faults", &Value::Null);
        estate.settles();
    }
}

impl Story for Locked {
    fn play(&self) -> Option<usize> {
        let estate = Estate::new(self.plot);
        for times in 1..=self.times {
            self.strike(&estate);
            assert!(estate.strays().len() <= times, "{:?}\n{}", estate.strays(), estate.story());
        }
        estate.recovers();
        let left = estate.finds_all_well();
        assert!(left.is_empty(), "{left:?}\n{}", estate.story());
        Some(estate.executions())
    }

    fn is_dear(&self) -> bool {
        self.from.is_none() && self.times == 2
    }
}
