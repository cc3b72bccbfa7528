//! Each rule of the protocols is left out in turn, and the sweep must see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use qlik_plan::model::weak::Weakness;

use crate::service::{self, Service};

use super::call::{self, Broken};
use super::pair::Met;
use super::point::{Point, Strike};
use super::request::{Struck, Trouble};
use super::scene::Scene;
use super::sweep::{self, Story as _};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
const BEGIN: &str = "<!-- ablations: written by the test -->\n";
const END: &str = "<!-- end of ablations -->";

#[test]
fn every_rule_that_is_left_out_is_missed() {
    assert!(call::strace_is_here(), "without strace, some rules cannot be seen to be needed");
    let Some(store) = service::s3().map(Arc::new) else {
        panic!("without an object store, some rules cannot be seen to be needed")
    };
    let points = points(&store);
    let mut table = format!(
        "{} points are at hand; a row's points ran, four at a time, until one failed.\n\n| rule left out | points run | caught by | as |\n|---|---|---|---|\n",
        points.len(),
    );
    let mut unseen = Vec::new();
    let only = sweep::variable("QLIK_PLAN_RULE");
    for (name, _) in Weakness::ALL.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let weakened: Vec<Point> = points.iter().map(|point| point.weakened(name)).collect();
        let figures = sweep::play(&weakened.iter().collect::<Vec<_>>(), true);
        let row = match figures.failures.first() {
            Some((point, found)) => {
                let found = found.lines().next().unwrap_or_default().replace('|', "/");
                format!("| `{name}` | {} | {point} | {} |\n", figures.run, without_ids(&found))
            }
            None => {
                unseen.push(name);
                format!("| `{name}` | {} | nothing | |\n", figures.run)
            }
        };
        sweep::print(row.trim_end());
        table += &row;
    }
    assert!(unseen.is_empty(), "left out, and nothing was missed: {}", unseen.join(", "));
    if sweep::Extent::asked() == sweep::Extent::Full && only.is_none() {
        write(&table);
    }
}

/// The undisturbed story, a lost ledger, the creation of the tenant, two runners, requests that change something, and then a spread over all sweeps.
fn points(store: &Arc<Service>) -> Vec<Point> {
    let (new, renewal) = (Scene::new_with_two_keys(), Scene::renewal());
    let mut all = Point::each(&new, Struck::all(&new, &Trouble::ALL));
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
    // A prime step leads through all of them, and soon to every kind.
    let mut seen = BTreeSet::new();
    let mut at = 0;
    while seen.insert(at) {
        points.extend(rest.get(at).cloned());
        at = (at + 101) % rest.len();
    }
    points
}

/// Ids differ from run to run, and say nothing.
fn without_ids(text: &str) -> String {
    let word = |word: &str| {
        // Each story has a folder of its own.
        if let Some((_, rest)) = word.split_once("/.qlik-sandbox/") {
            return format!("…/.qlik-sandbox/{rest}");
        }
        if word.len() >= 16 && word.chars().any(|c| c.is_ascii_digit()) { "…".to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn write(table: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    std::fs::write(PAGE, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
}
