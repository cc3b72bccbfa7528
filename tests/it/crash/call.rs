//! A system call of the ledger or a sink that fails, or at which the program dies: through strace.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::stage::{APPLY, Run};

use super::actor::Actor;
use super::judge;
use super::point::Strike;
use super::scene::Scene;

/// What is struck. The program's ledger and sinks are written by one thread, and flushed by another where one tenant is worked on, so
/// the k-th call of a kind on a path is the same in every run, whatever else the thread does. A path with a run's id is not known
/// before: there, the k-th call of the kind in the thread is taken, or one beside it, and where it was another one, the run does not
/// count.
const CALLS: [&str; 8] = ["openat", "mkdir", "fchmod", "write", FLUSH, "rename", "unlink", "flock"];

const FLUSH: &str = "fsync";

/// One call and its fault.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    name: &'static str,
    /// The k-th of its kind in the thread.
    k: usize,
    /// The n-th of its kind on its target.
    n: usize,
    /// What it is done to, with run ids left out.
    target: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    InputOutput,
    NoSpace,
}

impl Fault {
    const ALL: [Self; 3] = [Self::Killed, Self::InputOutput, Self::NoSpace];

    fn injection(self) -> &'static str {
        match self {
            Self::Killed => "signal=KILL",
            Self::InputOutput => "error=EIO",
            Self::NoSpace => "error=ENOSPC",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} of {}: {}", self.name, self.k, self.target, self.fault.injection())
    }
}

impl Broken {
    /// Every call of the scene's apply on ledger or sinks, with every fault.
    pub(super) fn all(scene: &Scene) -> Vec<Strike> {
        let mut all = Vec::new();
        let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for (name, k, target) in undisturbed(scene) {
            let count = counts.entry((name, target.clone())).or_default();
            *count += 1;
            for fault in Fault::ALL {
                all.push(Strike::Call(Self { name, k, n: *count, target: target.clone(), fault }));
            }
        }
        all
    }

    /// Those on records of tenants.
    pub(super) fn of_records(scene: &Scene) -> Vec<Strike> {
        let of_a_record = |strike: &Strike| match strike {
            Strike::Call(broken) => broken.target.starts_with("ledger/tenants"),
            Strike::Request(_) | Strike::Met(_) | Strike::Second(_) | Strike::LedgerLost | Strike::Clock(_) => false,
        };
        Self::all(scene).into_iter().filter(of_a_record).collect()
    }

    /// The thread's k-th call of the kind. Where that was another one, the thread woke another once more or less than it did when
    /// the calls were listed: it is looked for anew, and then right beside its place in turn. Farther off it has not been seen.
    fn place(&self, scene: &Scene, attempt: usize) -> usize {
        if attempt == 0 {
            return self.k;
        }
        let mut own =
            undisturbed(scene).into_iter().filter(|(name, _, target)| *name == self.name && *target == self.target);
        let k = own.nth(self.n - 1).map_or(self.k, |(_, k, _)| k);
        match attempt % 3 {
            0 => k + 1,
            1 => k,
            _ => k.saturating_sub(1).max(1),
        }
    }

    /// An apply in which this call fails; `false` where another call was struck: then the story is to be begun anew.
    pub(super) fn strike(&self, actor: &Actor, scene: &Scene, attempt: usize) -> bool {
        // strace counts the calls that it shows, and with a path shows no others.
        let path = format!("--trace-path={}/{}", room(actor).display(), self.target);
        let is_own = !self.target.contains('*');
        let (when, only) = if is_own { (self.n, Some(path.as_str())) } else { (self.place(scene, attempt), None) };
        let inject = format!("--inject={}:{}:when={when}", self.name, self.fault.injection());
        let args: Vec<&str> = only.into_iter().chain([inject.as_str()]).collect();
        let run = traced(actor, &args);
        let seen = calls(actor).into_iter().find(|call| call.name == self.name && call.k == when);
        if seen.is_none_or(|call| call.target != self.target) {
            return false;
        }
        if self.fault == Fault::Killed {
            // What strace makes of its child's death.
            assert!(matches!(run.code, None | Some(137)), "it was to die of the kill:\n{}", run.all());
        } else {
            judge::disturbed(actor, scene, &run);
        }
        actor.settle_what_is_on_its_way();
        true
    }
}

/// Where ledger and sinks are.
fn room(actor: &Actor) -> PathBuf {
    actor.stage.dir().join(".qlik-sandbox")
}

struct Call {
    name: &'static str,
    k: usize,
    /// Empty where it is neither the ledger's nor a sink's.
    target: String,
}

fn traced(actor: &Actor, args: &[&str]) -> Run {
    let mut command = actor.stage.command("strace");
    assert!(!actor.stage.is_shared(), "these calls are those of a ledger in a folder");
    let trace = format!("--trace={}", CALLS.join(","));
    command.args(["-f", "-y", "-s", "0", "-qq", "-o", ".qlik-sandbox/trace.log", &trace]).args(args);
    command.arg(actor.stage.path(APPLY)).args(["--sandbox", "--yes"]);
    actor.heard(Run::of(&command.output().unwrap()))
}

/// The calls of the thread that writes ledger and sinks, and the flushes of the one that waits for them, in order, from the trace.
fn calls(actor: &Actor) -> Vec<Call> {
    let trace = std::fs::read_to_string(actor.stage.dir().join(".qlik-sandbox/trace.log")).unwrap();
    let root = room(actor);
    let thread = trace.split(' ').next().unwrap_or_default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut flusher = None;
    for line in trace.lines() {
        let Some((at, rest)) = line.split_once(' ') else { continue };
        let Some(name) = CALLS.iter().find(|name| rest.trim_start().starts_with(&format!("{name}("))) else { continue };
        let target = target(rest, &root);
        let is_flush = *name == FLUSH;
        if is_flush {
            // strace counts by thread: two that flush would be struck both.
            assert_eq!(*flusher.get_or_insert(at), at, "a second thread flushes: {line}");
            assert_ne!(at, thread, "the thread that talks to the vendor waits for a disk: {line}");
        } else if at != thread {
            assert_eq!(target, "", "another thread touches the ledger or a sink: {line}");
            continue;
        }
        let count = counts.entry(name).or_default();
        *count += 1;
        calls.push(Call { name, k: *count, target });
    }
    calls
}

/// The path below the sandbox's folder, if it is the ledger's or a sink's; a run's id is another in each run.
fn target(line: &str, root: &Path) -> String {
    for room in ["ledger", "sinks"] {
        let start = format!("{}/{room}", root.display());
        if let Some((_, rest)) = line.split_once(&start) {
            let path: String = rest.chars().take_while(|c| !"\">".contains(*c)).collect();
            let id = |part: &str| part.len() == 16 && part.chars().all(|c| c.is_ascii_hexdigit());
            let parts = path.split('.').map(|part| match part.rsplit_once('/') {
                Some((folder, name)) if id(name) => format!("{folder}/*"),
                _ if id(part) => "*".to_owned(),
                _ => part.to_owned(),
            });
            return format!("{room}{}", parts.collect::<Vec<_>>().join("."));
        }
    }
    String::new()
}

/// Every call on ledger or sinks of the scene's apply, when nothing strikes it.
fn undisturbed(scene: &Scene) -> Vec<(&'static str, usize, String)> {
    let actor = Actor::new(scene);
    actor.may_supersede.set(scene.renews());
    traced(&actor, &[]).exits(0);
    let ours: Vec<_> = calls(&actor)
        .into_iter()
        .filter(|call| !call.target.is_empty())
        .map(|call| (call.name, call.k, call.target))
        .collect();
    assert!(ours.len() > 50, "only {} calls were seen", ours.len());
    ours
}
