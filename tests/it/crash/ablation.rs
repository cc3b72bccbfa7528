//! Each rule of the protocols is left out in turn, and the sweep must see it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::needs;
use crate::service::{self, Service};

use super::again::Again;
use super::call::Broken;
use super::estate::Vendor;
use super::meeting::{Meeting, Start};
use super::pair::Met;
use super::payments::Payment;
use super::person::Ground;
use super::point::{Point, Strike};
use super::request::{Struck, Trouble};
use super::rules;
use super::scene::Scene;
use super::second::SecondHome;
use super::sweep::{self, Story};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
const BEGIN: &str = "<!-- ablations: written by the test -->\n";
const BEGIN_IMBURSE: &str = "<!-- ablations at Imburse: written by the test -->\n";
const END: &str = "<!-- end of ablations -->";

/// What the second vendor's stories can show; the rest needs a failing disk, a lost ledger or Qlik's renewals. That a run at work
/// is waited for is not seen with a vault: whoever delivers second is refused by it.
const AT_IMBURSE: [&str; 13] = [
    "no-intent",
    "intent-after-post",
    "error-means-not-created",
    "blind-retry",
    "bare-429-means-not-created",
    "no-retract-before-the-wait",
    "auto-clear",
    "intent-deleted-on-success",
    "no-marker",
    "no-recovery",
    "mark-before-delivery",
    "secret-in-progress",
    "never-overtaken",
];

/// What is needed when the same trouble comes again.
const AGAIN: [&str; 4] = ["never-overtaken", "entry-tells-nothing", "later-spares-nothing", "unnamed"];

/// Imburse tells no age, and its first such row is played with its other stories.
const AGAIN_AT_IMBURSE: [&str; 2] = ["entry-tells-nothing", "unnamed"];

/// What is needed where a key has several homes.
const SEVERAL_HOMES: [&str; 5] = [
    "one-home-is-enough",
    "delivered-with-the-first-home",
    "half-delivered-is-revoked",
    "seen-speaks-for-unseen",
    "replaced-is-revoked",
];

#[test]
fn every_rule_that_is_left_out_is_missed() {
    if !is_asked() {
        return;
    }
    assert!(needs::programs(&["strace"]), "without strace, some rules cannot be seen to be needed");
    let Some(store) = service::s3().map(Arc::new) else {
        panic!("without an object store, some rules cannot be seen to be needed")
    };
    let points = points(&store);
    let mut table = Table::new("At Qlik Cloud", points.len());
    let alone = |name: &str| AGAIN.contains(&name) || SEVERAL_HOMES.contains(&name);
    for (name, _) in rules::ALL.into_iter().filter(|(name, _)| !alone(name)) {
        table.row(name, &points, Point::weakened);
    }
    let homes = homes(&store);
    for name in SEVERAL_HOMES {
        table.row(name, &homes, Point::weakened);
    }
    let again = Again::all(Vendor::Qlik);
    for name in AGAIN {
        table.row(name, &again, Again::weakened);
    }
    table.ends(BEGIN);
}

#[test]
fn every_rule_that_is_left_out_at_imburse_is_missed() {
    if !is_asked() {
        return;
    }
    let (Some(store), Some(vault)) = (service::s3().map(Arc::new), service::openbao().map(Arc::new)) else {
        panic!("without an object store and a vault, some rules cannot be seen to be needed")
    };
    let points = payments(Ground::Services { store, vault });
    let mut table = Table::new("At Imburse", points.len());
    for name in AT_IMBURSE {
        table.row(name, &points, AtImburse::weakened);
    }
    let again = Again::all(Vendor::Imburse);
    for name in AGAIN_AT_IMBURSE {
        table.row(name, &again, Again::weakened);
    }
    table.ends(BEGIN_IMBURSE);
}

/// They take minutes and a build of their own, so only a sweep in full has them.
fn is_asked() -> bool {
    sweep::Extent::asked() == sweep::Extent::Full || needs::not_run("QLIK_PLAN_SWEEP=full, and much time")
}

/// The rows of one vendor.
struct Table {
    text: String,
    unseen: Vec<&'static str>,
    only: Option<String>,
}

impl Table {
    fn new(title: &str, points: usize) -> Self {
        let text = format!(
            "{title}, {points} points are at hand; a row's points ran, four at a time, until one failed; the same point passed with the rule in place.\n\n| rule left out | without it | points run | caught by | as |\n|---|---|---|---|---|\n",
        );
        Self { text, unseen: Vec::new(), only: sweep::variable("QLIK_PLAN_RULE") }
    }

    /// The points with the rule left out, until one fails; that one must pass with the rule in place, or the rule was not what failed.
    fn row<S: Story>(&mut self, name: &'static str, points: &[S], weakened: impl Fn(&S, &'static str) -> S) {
        if self.only.as_ref().is_some_and(|only| only != name) {
            return;
        }
        let (_, instead) = rules::ALL.into_iter().find(|(one, _)| *one == name).unwrap();
        let weakened: Vec<S> = points.iter().map(|point| weakened(point, name)).collect();
        let figures = sweep::play(&weakened.iter().collect::<Vec<_>>(), true);
        let row = match figures.failures.first() {
            Some((point, found)) => {
                let whole = points.iter().find(|whole| whole.to_string() == *point).unwrap();
                let control = sweep::play(&[whole], false);
                assert!(control.failures.is_empty(), "with `{name}` in place: {:?}", control.failures);
                let found = found.lines().next().unwrap_or_default().replace('|', "/");
                format!("| `{name}` | {instead} | {} | {point} | {} |\n", figures.run, without_ids(&found))
            }
            None => {
                self.unseen.push(name);
                format!("| `{name}` | {instead} | {} | nothing | |\n", figures.run)
            }
        };
        sweep::print(row.trim_end());
        self.text += &row;
    }

    fn ends(self, begin: &str) {
        assert!(self.unseen.is_empty(), "left out, and nothing was missed: {}", self.unseen.join(", "));
        if self.only.is_none() {
            write(begin, &self.text);
        }
    }
}

/// A story at Imburse.
enum AtImburse {
    Payment(Payment),
    Meeting(Meeting),
}

impl AtImburse {
    fn weakened(&self, weakness: &'static str) -> Self {
        match self {
            Self::Payment(payment) => Self::Payment(payment.weakened(weakness)),
            Self::Meeting(meeting) => Self::Meeting(meeting.weakened(weakness)),
        }
    }
}

impl fmt::Display for AtImburse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(payment) => payment.fmt(out),
            Self::Meeting(meeting) => meeting.fmt(out),
        }
    }
}

impl Story for AtImburse {
    fn play(&self) -> Option<usize> {
        match self {
            Self::Payment(payment) => payment.play(),
            Self::Meeting(meeting) => meeting.play(),
        }
    }

    fn is_dear(&self) -> bool {
        match self {
            Self::Payment(payment) => payment.is_dear(),
            Self::Meeting(meeting) => meeting.is_dear(),
        }
    }
}

/// The creation of the tenant, the making of keys, two runners, and then all the rest.
fn payments(services: Ground) -> Vec<AtImburse> {
    let mut all = Payment::all(&Ground::Folders);
    all.extend(Payment::with(&Ground::Folders, &Trouble::ENDS));
    all.extend(Payment::throttled(&Ground::Folders));
    let (dear, rest): (Vec<Payment>, Vec<Payment>) = all.into_iter().partition(Story::is_dear);
    let (keys, rest): (Vec<Payment>, Vec<Payment>) = rest.into_iter().partition(Payment::is_of_a_key);
    let meetings = [Start::Nothing, Start::Dead].into_iter().flat_map(|start| Meeting::all(&services, start));
    let alone = dear.into_iter().chain(keys).map(AtImburse::Payment);
    alone.chain(meetings.map(AtImburse::Meeting)).chain(rest.into_iter().map(AtImburse::Payment)).collect()
}

/// The undisturbed story, a lost ledger, the creation of the tenant, two runners, requests that change something, and then a spread over all sweeps.
fn points(store: &Arc<Service>) -> Vec<Point> {
    let (new, renewal) = (Scene::new_with_two_keys(), Scene::renewal());
    let mut all = Point::each(&new, Struck::all(&new, &Trouble::ALL));
    all.extend(Point::each(&new, Struck::all(&new, &Trouble::ENDS)));
    all.extend(Point::each(&new, Struck::throttled(&new)));
    all.extend(Point::each(&renewal, Struck::all(&renewal, &Trouble::KILLS)));
    all.extend(Point::each(&new, Broken::all(&new)));
    let (dear, rest): (Vec<Point>, Vec<Point>) = all.into_iter().partition(Point::is_dear);
    let (changes, rest): (Vec<Point>, Vec<Point>) = rest.into_iter().partition(Point::kills_a_change);
    let mut points =
        vec![Point::new(&new, Vec::new()), Point::new(&Scene::new_without_alias(), vec![Strike::LedgerLost])];
    points.extend(dear);
    let shared = new.on(store);
    points.extend(Point::each(&new, Met::telling(&new)));
    points.extend(Point::each(&shared, Met::telling(&shared)));
    points.extend(changes);
    points.extend(spread(&rest));
    points
}

/// All of them, in an order that soon leads to every kind: a prime step.
fn spread(points: &[Point]) -> Vec<Point> {
    let mut seen = BTreeSet::new();
    let (mut all, mut at) = (Vec::new(), 0);
    while seen.insert(at) {
        all.extend(points.get(at).cloned());
        at = (at + 101) % points.len();
    }
    all
}

/// What strikes between two homes of a key, and system calls where both are folders.
fn homes(store: &Arc<Service>) -> Vec<Point> {
    let scenes = [Scene::new_with_two_keys(), Scene::renewal()];
    let shared = scenes.each_ref().map(|scene| scene.on(store).in_two_homes());
    let strikes = |scene: &Scene| SecondHome::all(scene).into_iter().map(Strike::Second).collect();
    let between = shared.iter().flat_map(|scene| Point::each(scene, strikes(scene)));
    let folders = scenes.map(|scene| scene.in_two_homes());
    let calls: Vec<Point> = folders.iter().flat_map(|scene| Point::each(scene, Broken::all(scene))).collect();
    between.chain(spread(&calls)).collect()
}

/// Ids differ from run to run, and say nothing.
fn without_ids(text: &str) -> String {
    let word = |word: &str| {
        // Each story has a folder of its own.
        if let Some((_, rest)) = word.split_once("/.qlik-sandbox/") {
            return format!("…/.qlik-sandbox/{rest}");
        }
        if let Some((_, rest)) = word.split_once("/secrets/") {
            return format!("…/secrets/{rest}");
        }
        if word.len() >= 16 && word.chars().any(|c| c.is_ascii_digit()) { "…".to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn write(begin: &str, table: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    std::fs::write(PAGE, format!("{head}{begin}{table}{END}{tail}")).unwrap();
}
