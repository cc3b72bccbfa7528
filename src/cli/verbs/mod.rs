//! One module a verb: it reads its words, calls the rooms in order, and prints what they give.

pub(super) mod apply;
pub(super) mod doctor;
pub(super) mod explain;
pub(super) mod import;
pub(super) mod init;
pub(super) mod ledger;
pub(super) mod man;
pub(super) mod merge;
pub(super) mod plan;
pub(super) mod rehearse;
pub(super) mod rename;
pub(super) mod resolve;
mod review;
pub(super) mod schema;
pub(super) mod validate;

use std::collections::BTreeSet;

use crate::ledger::{Held, Ledger, LedgerError};
use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::duration::Duration;
use crate::model::live::{LedgerFacts, LedgerLive, Live, Unreadable};
use crate::model::run::{Run, RunId};
use crate::model::untrusted::{Untrusted, escape};
use crate::plan::action::Plan;
use crate::plan::asked::{self, Unmet};
use crate::plan::{Limiting, Wishes};
use crate::provider::qlik::QlikReader;

use super::args::Common;
use super::clock::clock;
use super::declared::Declared;
use super::estate::Estate;
use super::exit::Problem;
use super::harden::give_up;
use super::output::Output;
use super::sources;

/// Sixteen bytes from the system's generator.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without randomness no name is unique; nothing safe can follow.
        give_up("this machine gives no random numbers", "see that /dev/urandom can be read, then run again");
    }
    bytes
}

fn eight(bytes: [u8; 16]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = bytes;
    [a, b, c, d, e, f, g, h]
}

fn wishes(common: &Common, declared: &Declared, will_rehearse: bool) -> Wishes {
    Wishes {
        remint: common.remint.iter().cloned().collect(),
        replace: common.replace.iter().cloned().collect(),
        reclaim: common.reclaim.iter().map(|id| id.to_ascii_lowercase()).collect(),
        new: common.new.iter().cloned().collect(),
        unrehearsed: common.unrehearsed,
        will_rehearse: will_rehearse && common.sandbox,
        only_renewals: common.only_renewals,
        limits: Limiting::Share,
        offline: false,
        warn_within: common.warn_within,
        unmanaged: common.unmanaged,
        findings: sources::not_read(&declared.unread).into_iter().collect(),
    }
}

/// Says that nobody is taken to be there, and by which rule: sinks are not looked into then, and more must be declared.
fn tell_absence(common: &Common, output: &Output) {
    if let Some(rule) = common.unattended() {
        output.message(&format!("unattended: {rule}"));
    }
}

/// The ledger as a reader sees it.
fn read_ledger(estate: &Estate, common: &Common) -> Result<LedgerLive, Problem> {
    Ok(ledger_live(estate.ledger.read()?, estate, common))
}

fn ledger_live(facts: Option<LedgerFacts>, estate: &Estate, common: &Common) -> LedgerLive {
    match facts {
        Some(facts) => LedgerLive::Present(facts),
        None => LedgerLive::Missing { place: estate.ledger.place(), strict: common.unattended().is_some() },
    }
}

/// What a run needs of the ledger: a shard of its own tenants, and all of it where others are asked about. Where an organization is
/// listed, they always are.
fn of_this_shard<T>(
    desired: &Desired,
    qlik: &QlikReader,
    read: impl Fn(&BTreeSet<Address>) -> Result<T, LedgerError>,
    asks_for_all: impl Fn(&T) -> bool,
) -> Result<T, LedgerError> {
    let whole = BTreeSet::new();
    let elsewhere = if desired.qlik.keys().any(|account| qlik.lists_tenants(account)) {
        whole.clone()
    } else {
        desired.elsewhere()
    };
    let found = read(&elsewhere)?;
    if !elsewhere.is_empty() && asks_for_all(&found) { read(&whole) } else { Ok(found) }
}

/// The ledger as it stands once more, later in a run.
fn again(ledger: &Ledger) -> Result<LedgerFacts, Unreadable> {
    match ledger.read() {
        Ok(Some(facts)) => Ok(facts),
        Ok(None) => Err(Unreadable {
            why: format!("the ledger at {} is gone since it was read", ledger.place()).into(),
            next: "find out who removed it, and plan again".to_owned(),
            credentials: false,
        }),
        Err(error) => Err(unread(&error)),
    }
}

fn unread(error: &LedgerError) -> Unreadable {
    Unreadable {
        why: format!("the ledger could not be read once more: {error}").into(),
        next: "plan again".to_owned(),
        credentials: false,
    }
}

/// Takes the ledger's lock and records this run, before its first request.
fn hold(ledger: &Ledger, max_run: Duration) -> Result<Held, Problem> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let run = Run {
        id: RunId::new(eight(random())),
        started: clock(),
        max_run,
        host: Untrusted::new(host),
        pid: std::process::id(),
        ended: None,
    };
    Ok(ledger.open(run)?)
}

/// The addresses in `--remint` and `--replace` must be declared keys that we mint, those in `--new` declared tenants.
fn check_wishes(common: &Common, declared: &Declared) -> Result<(), Problem> {
    let named = common.new.iter().map(|at| ("--new", at)).chain(common.remint.iter().map(|at| ("--remint", at)));
    for (option, address) in named.chain(common.replace.iter().map(|at| ("--replace", at))) {
        if declared.desired.passed_over.contains_key(address) {
            return Err(Problem::new(
                format!("{option} {address}: {} leaves it out", declared.desired.selection),
                format!("leave {option} {address} out, or select it too"),
            ));
        }
    }
    for address in &common.new {
        if !address.is_tenant() || !declared.desired.declares(address) {
            return Err(Problem::new(
                format!("--new {address}: no such tenant is declared"),
                "give the address of a declared tenant, as in qlik/acme",
            ));
        }
    }
    // One that another shard looks at is checked there.
    let elsewhere = declared.desired.other_shards.keys();
    let minted: BTreeSet<&Address> =
        declared.desired.deliveries().map(|(address, _)| address).chain(elsewhere).collect();
    for (option, addresses) in [("--remint", &common.remint), ("--replace", &common.replace)] {
        let Some(address) = addresses.iter().find(|address| !minted.contains(address)) else { continue };
        return Err(match declared.desired.items.contains_key(address) && !address.is_tenant() {
            true => Problem::new(
                format!("{option} {address}: it is declared with adopt:, and is never minted"),
                "remove adopt: from the key to have one minted and delivered",
            ),
            false => Problem::new(
                format!("{option} {address}: no such key is declared"),
                "give the address of a declared key, as in qlik/acme/ci",
            ),
        });
    }
    Ok(())
}

/// A key that `--reclaim` names and the plan does not delete is an error: whoever named it believes that it is gone now.
fn check_reclaims(common: &Common, plan: &Plan, live: &Live, wishes: &Wishes) -> Result<(), Problem> {
    let unmet = asked::unmet(plan, live, wishes);
    let typed = |id: &str| common.reclaim.iter().any(|typed| typed.eq_ignore_ascii_case(id));
    // Another shard may have it.
    let elsewhere = |why: &Unmet| *why == Unmet::Unknown && common.selection.shard.is_some();
    let Some((id, why)) = unmet.into_iter().find(|(id, why)| typed(id) && !elsewhere(why)) else { return Ok(()) };
    let id = escape(&id);
    Err(match why {
        Unmet::InItsSink(address) => Problem::new(
            format!(
                "--reclaim {id}: this is the key that the sink holds for {address}, and it works; nothing was sent"
            ),
            format!("have another made in its place first: qlik-apply --replace {address}"),
        ),
        Unmet::NotOurs(address) => Problem::new(
            format!(
                "--reclaim {id}: this key lives in {address}, and it is no leftover of a declared key; nothing was sent"
            ),
            "delete it in the vendor's console, if nobody uses it",
        ),
        Unmet::Unknown => Problem::new(
            format!("--reclaim {id}: no key that was read has this public key; nothing was sent"),
            "copy the public key from what the plan says of it (QP0610); one that is gone already needs no --reclaim",
        ),
    })
}
