//! `qlik-plan import`: tenants and keys that were made by hand, as desired state that adopts them. It writes nothing but its output.

mod described;
mod hosts;
mod into;
mod listed;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::config::{self, Source};
use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::Desired;
use crate::model::host::Label;
use crate::model::live::{LedgerLive, Live};
use crate::model::spec::KeyLimits;
use crate::observe::{Breadth, Leaving, Preflight, Sources, observe};
use crate::plan::Wishes;
use crate::plan::action::Action;
use crate::render::Outcome;
use crate::render::existing::{Existing, desired_state};
use crate::render::progress::Work;
use crate::sink::SinkReaders;

use super::super::args::{Format, ImportOf, PlanArgs};
use super::super::clock::clock;
use super::super::credentials::Needs;
use super::super::declared::{self, Declared};
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::ledger_place;
use super::super::mistakes::quoted;
use super::super::output::Output;
use super::super::watch::unless_ending;
use super::{again, read_ledger, tell_absence};
use described::Described;
use listed::{Listed, Managed};

pub(in crate::cli) async fn run(
    args: &PlanArgs,
    of: &ImportOf,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let common = &args.common;
    if output.format != Format::Text {
        return Err(Problem::new("import prints YAML alone", "leave --format out"));
    }
    // What the file declares already is not imported once more.
    let into = of.into.iter().filter(|file| file.exists() && !paths.is_empty()).cloned();
    let paths: Vec<PathBuf> = paths.iter().cloned().chain(into).collect();
    let (declared, _) = declared::at_hand(common, &paths, output)?;
    let accounts = accounts(&declared, of)?;
    let named = hosts::by_account(of, &declared.settings, &accounts)?;
    tell_absence(common, output);
    let needs = accounts.iter().fold(Needs::none(), |needs, (vendor, name)| needs.and_account(*vendor, name));
    let estate = Estate::open(common, &declared, &needs).await?;
    let read = read(args, of, &declared, &accounts, &named, &estate, output).await;
    let now = estate.server_time().unwrap_or_else(clock);
    estate.close().await;
    let Imported { first, live } = read?;
    let mut described = Described::of(first, &live, of.take_over, now);
    described.leave_out_names(|qlik, imburse| parsed(&desired_state(qlik, imburse), &declared).is_ok());
    let text = desired_state(&described.qlik, &described.imburse);
    let mut amiss = described.refused;
    amiss.extend(differs(&text, &declared, &live, now)?);
    let tenants = described.qlik.len() + described.imburse.len();
    match &of.into {
        _ if tenants == 0 => {}
        None => output.yaml(&text)?,
        Some(file) => into::add(file, of.dry_run, (&described.qlik, &described.imburse), &declared.settings, output)?,
    }
    for (what, next) in &amiss {
        output.always(&format!("warning: {what}\n  next: {next}"));
    }
    let keys: usize = described.qlik.iter().chain(&described.imburse).map(|tenant| tenant.keys.len()).sum();
    output.message(&match tenants {
        0 if !amiss.is_empty() => "Nothing was imported.".to_owned(),
        0 => "Nothing to import: whatever is there is declared, recorded or left out by settings.".to_owned(),
        _ => format!(
            "Imported: {tenants} {}, {keys} {}. Their secrets stay with whoever has them; a key with adopt: is never minted anew.\n  \
             next: {}, read its names, then plan; the next qlik-apply records it and sends nothing",
            if tenants == 1 { "tenant" } else { "tenants" },
            if keys == 1 { "key" } else { "keys" },
            match (&of.into, of.dry_run) {
                (None, _) => "save this as a file of your desired state".to_owned(),
                (Some(_), true) => "leave --dry-run out".to_owned(),
                (Some(file), false) => format!("see what was added (git diff {})", quoted(&file.to_string_lossy())),
            },
        ),
    });
    Ok(if amiss.is_empty() { Exit::Done } else { Exit::of(Outcome::Refused, common) })
}

/// The accounts that are looked into.
fn accounts(declared: &Declared, of: &ImportOf) -> Result<Vec<(Vendor, Name)>, Problem> {
    let settings = &declared.settings;
    let qlik = settings.qlik.keys().map(|name| (Vendor::Qlik, name.clone()));
    let all: Vec<_> = qlik.chain(settings.imburse.keys().map(|name| (Vendor::Imburse, name.clone()))).collect();
    let Some(asked) = &of.account else { return Ok(all) };
    let chosen: Vec<_> = all.iter().filter(|(_, name)| name == asked).cloned().collect();
    if chosen.is_empty() {
        let known: Vec<&str> = all.iter().map(|(_, name)| name.as_str()).collect();
        return Err(Problem::new(
            format!("--account {asked}: settings have no such account"),
            format!("name one of them: {}", known.join(", ")),
        ));
    }
    Ok(chosen)
}

/// What was found, with the names that it gets, and what was read of it.
struct Imported {
    first: (Vec<Existing>, Vec<Existing>),
    live: Live,
}

async fn read(
    args: &PlanArgs,
    of: &ImportOf,
    declared: &Declared,
    accounts: &[(Vendor, Name)],
    named: &BTreeMap<Name, Vec<Label>>,
    estate: &Estate,
    output: &Output,
) -> Result<Imported, Problem> {
    let common = &args.common;
    let ledger = read_ledger(estate, common)?;
    let managed = Managed::of(&ledger, &declared.desired, &declared.settings);
    let (mut qlik, mut imburse) = (Vec::new(), Vec::new());
    for (vendor, account) in accounts {
        let settings = &declared.settings;
        let named_here = named.get(account).map(Vec::as_slice).unwrap_or_default();
        match vendor {
            // Whoever names hosts wants those.
            Vendor::Qlik if named_here.is_empty() && !named.is_empty() => {}
            Vendor::Imburse if !named.is_empty() => {}
            Vendor::Qlik if named_here.is_empty() && !estate.qlik.lists_tenants(account) => {
                return Err(Problem::new(
                    format!("account {account} has no organization_client, so nobody can list its tenants"),
                    "name them: --tenant HOSTNAME for each, or --from FILE with a host name in each line",
                ));
            }
            Vendor::Qlik => qlik.extend(listed::at_qlik(estate, settings, account, named_here, &managed).await?),
            Vendor::Imburse => imburse.extend(listed::at_imburse(estate, settings, account, &managed).await?),
        }
    }
    let is_named = |listed: &Listed| {
        of.name_pattern.is_empty() || of.name_pattern.iter().any(|pattern| pattern.matches_name(&listed.called))
    };
    qlik.retain(is_named);
    imburse.retain(is_named);
    let taken = |vendor| {
        let addresses = declared.desired.items.keys().chain(recorded(&ledger));
        addresses
            .filter(|address| address.vendor == vendor)
            .map(|address| address.tenant.clone())
            .collect::<BTreeSet<Name>>()
    };
    let chosen = |vendor, existing: &Existing| {
        let address = Address::tenant(vendor, existing.name.clone());
        of.only.is_empty() || of.only.iter().any(|pattern| pattern.matches(&address))
    };
    let mut first =
        (named_first("hostname", qlik, taken(Vendor::Qlik)), named_first("tenant_id", imburse, taken(Vendor::Imburse)));
    first.0.retain(|existing| chosen(Vendor::Qlik, existing));
    first.1.retain(|existing| chosen(Vendor::Imburse, existing));
    let desired = parsed(&desired_state(&first.0, &first.1), declared)?;
    let told = output.line().follow(Work::Reading);
    let ledger_again = || again(&estate.ledger);
    let sources = Sources {
        qlik: &estate.qlik,
        imburse: &estate.imburse,
        sinks: SinkReaders::of(&estate.sinks),
        settings: &declared.settings.sinks,
        preflight: Preflight::Read,
        breadth: Breadth::All,
        unattended: common.unattended().is_some(),
        ledger: ledger_place::of(common, &declared.settings),
        ledger_again: &ledger_again,
        parallelism: estate.parallelism,
        told: &told,
        leaving: Leaving::ForGood,
        clocks: &estate.clocks,
        now: clock(),
    };
    let live = unless_ending(&common.waits, observe(&desired, ledger, &Wishes::default(), &sources)).await?;
    Ok(Imported { first, live })
}

fn recorded(ledger: &LedgerLive) -> impl Iterator<Item = &Address> {
    match ledger {
        LedgerLive::Present(facts) => Some(facts.records.keys()),
        LedgerLive::Missing { .. } => None,
    }
    .into_iter()
    .flatten()
}

/// Every tenant with its name, and nothing known of it but that it exists.
fn named_first(adopt: &'static str, listed: Vec<Listed>, mut taken: BTreeSet<Name>) -> Vec<Existing> {
    let existing = |Listed { account, id, called }: Listed| {
        let name = names::free(if called.is_empty() { &id } else { &called }, "tenant", &mut taken)?;
        Some(Existing {
            name,
            account,
            adopt: (adopt, id),
            display_name: None,
            alias: None,
            limits: KeyLimits::default(),
            remarks: Vec::new(),
            keys: Vec::new(),
        })
    };
    listed.into_iter().filter_map(existing).collect()
}

fn parsed(text: &str, declared: &Declared) -> Result<Desired, Problem> {
    let source = Source { name: "import".to_owned(), text: text.to_owned() };
    config::desired(&[source], &declared.settings).map_err(|report| {
        let faults: Vec<String> = report.faults.iter().map(|fault| fault.message.clone()).collect();
        Problem::new(format!("what was read is no desired state: {}", faults.join("; ")), "please report this")
    })
}

/// What a plan of the import would do, beside taking tenants into the ledger. It should be nothing.
fn differs(
    text: &str,
    declared: &Declared,
    live: &Live,
    now: jiff::Timestamp,
) -> Result<Vec<(String, String)>, Problem> {
    let plan = crate::plan::plan(&parsed(text, declared)?, live, &Wishes::default(), now);
    let others = plan.actions.iter().filter(|planned| !matches!(planned.action, Action::Keep(_)));
    let next = "compare the file with the vendor's console before you apply it";
    Ok(others
        .map(|planned| (format!("{}: a plan of this would not keep it as it is", planned.address), next.to_owned()))
        .collect())
}
