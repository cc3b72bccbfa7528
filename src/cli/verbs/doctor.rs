//! `qlik-plan doctor [PATH…]`: everything that a plan stands on, looked at in one run, with each finding and its remedy.

mod scopes;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::settings;
use crate::net::aws;
use crate::plan::action::{Action, Plan};
use crate::plan::hurdles;
use crate::plan::refusal::Code;
use crate::render::Outcome;

use super::super::args::{Common, Format, PlanArgs};
use super::super::credentials;
use super::super::declared::{self, Declared};
use super::super::exit::{Exit, Problem};
use super::super::ledger_place;
use super::super::output::Output;
use super::super::{reach, stores};
use super::plan::{Read, reading};

/// What was looked at, and what is wrong with it.
struct Look {
    what: &'static str,
    well: String,
    found: Vec<(String, Vec<String>)>,
    /// Whether vendors cannot be asked because of what was found.
    is_in_the_way: bool,
}

impl Look {
    fn well(what: &'static str, well: impl Into<String>) -> Self {
        Self { what, well: well.into(), found: Vec::new(), is_in_the_way: false }
    }

    fn of(what: &'static str, well: impl Into<String>, result: Result<(), Problem>) -> Self {
        let found = result.err().map(|problem| (problem.message, problem.next));
        Self { is_in_the_way: found.is_some(), found: found.into_iter().collect(), ..Self::well(what, well) }
    }
}

pub(in crate::cli) async fn run(args: &PlanArgs, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    if output.format != Format::Text {
        return Err(Problem::new("doctor prints text alone", "leave --format out; a plan has every format"));
    }
    let common = &args.common;
    let (mut declared, is_declared) = declared::at_hand(common, paths, output)?;
    let mut looks = vec![files(&declared, is_declared)];
    looks.push(way(&declared));
    if !common.sandbox {
        looks.push(secrets(&declared));
        looks.push(ledger(args, &declared));
    }
    if !looks.iter().any(|look| look.is_in_the_way) {
        looks.extend(logins(&declared, common).await?);
    }
    if looks.iter().any(|look| look.is_in_the_way) {
        looks.push(Look::well("vendors", "not asked: see above"));
    } else if is_declared {
        looks.extend(vendors(args, &mut declared, output).await);
    } else {
        looks
            .push(Look::well("vendors", "not asked: nothing is declared; name the desired state to have it looked at"));
    }
    told_once(&mut looks);
    output.result(&text(&looks))?;
    Ok(if looks.iter().all(|look| look.found.is_empty()) { Exit::Done } else { Exit::of(Outcome::Refused, common) })
}

/// `qlik-plan doctor --scopes`.
pub(in crate::cli) fn scopes(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let declared = declared::read(common, paths, output)?;
    output.result(&scopes::text(&declared.desired, &declared.settings))?;
    Ok(Exit::Done)
}

/// One cause stands in the way of several things, and is told where it was met first.
fn told_once(looks: &mut [Look]) {
    let mut told: Vec<String> = Vec::new();
    for look in looks {
        let found = look.found.len();
        look.found.retain(|(what, _)| !told.contains(what));
        if look.found.is_empty() && found > 0 {
            look.well = "not asked: see above".to_owned();
        }
        told.extend(look.found.iter().map(|(what, _)| what.clone()));
    }
}

fn files(declared: &Declared, is_declared: bool) -> Look {
    let settings = &declared.settings;
    let accounts = settings.qlik.len() + settings.imburse.len();
    let well = format!(
        "settings with {accounts} {} and {} {}; {}",
        if accounts == 1 { "account" } else { "accounts" },
        settings.sinks.len(),
        if settings.sinks.len() == 1 { "sink" } else { "sinks" },
        if is_declared {
            format!("{} objects declared", declared.desired.items.len())
        } else {
            "nothing declared".to_owned()
        },
    );
    Look::well("files", well)
}

/// The way to the servers: proxy and certificates.
fn way(declared: &Declared) -> Look {
    let network = &declared.settings.network;
    let proxy = reach::proxy(network);
    let well = match &proxy {
        Ok(Some(_)) => "through a proxy; certificates can be read",
        Ok(None) | Err(_) => "no proxy; certificates can be read",
    };
    let mut look = Look::of("network", well, proxy.map(drop));
    for result in [reach::roots_are_there(), reach::certificates(network.ca_file.as_deref()).map(drop)] {
        look.found.extend(result.err().map(|problem| (problem.message, problem.next)));
    }
    look.is_in_the_way = !look.found.is_empty();
    look
}

/// Of every account and sink, also of one that nothing is declared with yet.
fn secrets(declared: &Declared) -> Look {
    let needs = declared.needs();
    let missing = credentials::missing(&declared.settings, &needs);
    let is_in_the_way = !missing.is_empty();
    match [missing, credentials::missing_of_sinks(&declared.settings), without_login(declared)].concat() {
        missing if missing.is_empty() => Look::well("credentials", "all that settings name can be read"),
        missing => Look {
            what: "credentials",
            well: String::new(),
            is_in_the_way,
            found: missing.into_iter().map(|(what, next)| (what, vec![next])).collect(),
        },
    }
}

/// The sinks at AWS for which the environment offers nothing.
fn without_login(declared: &Declared) -> Vec<(String, String)> {
    let is_of_aws = |sink: &&settings::Sink| matches!(sink, settings::Sink::Aws(_));
    let mut sinks = declared.settings.sinks.iter().filter(|(_, sink)| is_of_aws(sink)).peekable();
    if sinks.peek().is_none() || stores::has_aws_login() {
        return Vec::new();
    }
    sinks.map(|(name, _)| (format!("sinks.{name}: there are no credentials for AWS"), aws::LOG_IN.to_owned())).collect()
}

/// The sinks that are logged in to: each is tried, and what it gives is revoked at once.
async fn logins(declared: &Declared, common: &Common) -> Result<Vec<Look>, Problem> {
    let sinks = stores::with_login(declared, common)?;
    let mut looks = Vec::new();
    for (name, sink) in &sinks {
        looks.extend(sink.login().await.map(|login| match login {
            Ok(well) => Look::well("logins", format!("sinks.{name}: {well}")),
            Err(why) => Look {
                found: vec![(format!("sinks.{name}: {}", why.why.raw()), vec![why.next])],
                ..Look::well("logins", "")
            },
        }));
    }
    stores::end(&sinks, Duration::from_secs(common.timeout)).await;
    Ok(looks)
}

fn ledger(args: &PlanArgs, declared: &Declared) -> Look {
    let common = &args.common;
    let opened = stores::ledger(&declared.settings, common);
    let (place, read) = match &opened {
        Ok(ledger) => (ledger.place(), ledger.read().map_err(Problem::from)),
        Err(_) => (String::new(), Ok(None)),
    };
    let result = opened.and_then(|ledger| read?.map(drop).ok_or_else(|| super::ledger::missing(&ledger)));
    let mut look = Look { is_in_the_way: false, ..Look::of("ledger", place, result) };
    let place = ledger_place::of(common, &declared.settings);
    if let (true, Some(there)) = (look.found.is_empty(), place.lies_in) {
        look.found.push((
            format!("it lies in {there}; a clone is a copy of a ledger, not the ledger"),
            vec!["move the folder out of every checkout, and name its place under ledger: in settings".to_owned()],
        ));
    }
    look
}

/// What the vendors and the sinks say: whatever a plan would refuse, all of it.
async fn vendors(args: &PlanArgs, declared: &mut Declared, output: &Output) -> Vec<Look> {
    let (Read { live, now }, wishes) = match reading(args, declared, output).await {
        Ok(read) => read,
        Err(problem) => return vec![Look::of("vendors", "", Err(problem))],
    };
    let mut plan = crate::plan::plan(&declared.desired, &live, &wishes, now);
    let known = plan.notices.len();
    hurdles::tell(&declared.desired, &live, &wishes, now, &mut plan);
    let mut look = Look::well("vendors", "what is declared can be planned and made");
    look.found = found(&plan, known);
    let mut looks = vec![look];
    if !plan.unchecked.is_empty() {
        let mut what: Vec<String> = plan.unchecked.iter().map(|one| format!("{}: {}", one.address, one.what)).collect();
        what.dedup();
        looks.push(Look::well("unchecked", what.join("; ")));
    }
    looks
}

/// Each refusal once, however many objects it is for; then what stands behind it.
fn found(plan: &Plan, known: usize) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for planned in &plan.actions {
        let Action::Refuse(refusal) = &planned.action else { continue };
        // The one is told of the ledger itself, the other of the object that it waits for.
        if matches!(refusal.code, Code::LedgerMissing | Code::Depends) {
            continue;
        }
        let said = format!("{}: {}", refusal.code, refusal.why.raw());
        if !found.iter().any(|(known, _)| *known == said) {
            found.push((said, refusal.next.clone()));
        }
    }
    for finding in &plan.findings {
        found.push((format!("{}: {}", finding.code, finding.why.raw()), finding.next.clone()));
    }
    found.extend(plan.notices.iter().skip(known).map(|notice| (notice.text.raw().to_owned(), Vec::new())));
    found
}

fn text(looks: &[Look]) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for Look { what, well, found, is_in_the_way: _ } in looks {
        if found.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {what:<12} {}", crate::model::untrusted::escape(well));
        }
        for (why, next) in found {
            let _ = writeln!(text, "x {what:<12} {}", crate::model::untrusted::escape(why));
            for next in next {
                let _ = writeln!(text, "               next: {}", crate::model::untrusted::escape(next));
            }
        }
    }
    let count: usize = looks.iter().map(|look| look.found.len()).sum();
    let sum = match count {
        0 => "Nothing is in the way.".to_owned(),
        1 => "1 thing is in the way.".to_owned(),
        n => format!("{n} things are in the way."),
    };
    format!("{text}\n{sum}\n")
}
