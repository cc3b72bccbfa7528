//! Host names in what a person gave: options, lists, and the files of other programs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::address::{Name, Vendor};
use crate::model::host::Label;
use crate::model::settings::Settings;

use super::super::super::args::ImportOf;
use super::super::super::exit::Problem;
use super::super::super::files;

/// The labels of the tenants that were named, by account; empty where none was.
pub(super) fn by_account(
    of: &ImportOf,
    settings: &Settings,
    accounts: &[(Vendor, Name)],
) -> Result<BTreeMap<Name, Vec<Label>>, Problem> {
    let mut found: BTreeMap<Name, Vec<Label>> = BTreeMap::new();
    for host in &of.tenants {
        add(host, "--tenant", settings, accounts, &mut found)?;
    }
    if let Some(file) = &of.from {
        let text = files::load(file, "--from")?;
        let hosts = hosts(&text, settings);
        if hosts.is_empty() {
            return Err(nothing_in(file, settings));
        }
        for host in hosts {
            add(&host, "--from", settings, accounts, &mut found)?;
        }
    }
    Ok(found)
}

/// Whatever reads as a host in a region of the settings: lines of a list, URLs, `server:` of qlik-cli's contexts.yml.
fn hosts(text: &str, settings: &Settings) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    let is_one = |word: &&str| settings.qlik.values().any(|account| account.region.accept(word).is_some());
    words.filter(is_one).map(str::to_owned).collect()
}

fn add(
    host: &str,
    option: &str,
    settings: &Settings,
    accounts: &[(Vendor, Name)],
    found: &mut BTreeMap<Name, Vec<Label>>,
) -> Result<(), Problem> {
    let of_account = |name: &Name| Some((name.clone(), settings.qlik.get(name)?.region.accept(host)?));
    let fitting: Vec<_> = accounts.iter().filter_map(|(_, name)| of_account(name)).collect();
    match fitting.as_slice() {
        [] => Err(Problem::new(
            format!("{option}: {host} is no host of an account's region: {}", regions(settings)),
            "name whole hosts, as the browser shows them: acme.us.qlikcloud.com",
        )),
        [(account, host)] => {
            let labels = found.entry(account.clone()).or_default();
            let label =
                Label::parse(host.label()).map_err(|error| Problem::new(error.to_string(), "correct the host"))?;
            if !labels.contains(&label) {
                labels.push(label);
            }
            Ok(())
        }
        [(first, _), ..] => Err(Problem::new(
            format!("{option}: {host} may belong to several accounts of its region"),
            format!("say whose it is, and import account by account: --account {first}"),
        )),
    }
}

fn nothing_in(file: &Path, settings: &Settings) -> Problem {
    Problem::new(
        format!("--from {}: no host of an account's region is in it: {}", file.display(), regions(settings)),
        "give a file with a host name in each line, or qlik-cli's contexts.yml",
    )
}

fn regions(settings: &Settings) -> String {
    let regions = settings.qlik.values().map(|account| format!("*.{}.{}", account.region.label, account.region.domain));
    regions.collect::<Vec<_>>().join(", ")
}
