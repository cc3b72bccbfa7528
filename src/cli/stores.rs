//! Opens the ledger and the sinks of the settings, with what only the environment knows.

mod azure;
mod bucket;
mod cluster;
mod google;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::Ledger;
use crate::ledger::access::Access;
use crate::model::address::Name;
use crate::model::settings::{self, Settings};
use crate::net::aws;
use crate::sink::{Sink, access};

use super::args::Common;
use super::credentials;
use super::declared::Declared;
use super::exit::Problem;
use super::reach;

/// The ledger; nothing is read or written yet.
pub(super) fn ledger(settings: &Settings, common: &Common) -> Result<Ledger, Problem> {
    // A folder is not reached through any network.
    let proxy = if settings.ledger.is_shared() { reach::proxy(&settings.network)? } else { None };
    if settings.ledger.is_shared() {
        reach::roots_are_there()?;
    }
    let access = Access {
        credentials: bucket::credentials(&settings.ledger)?,
        passed_over: are_set(Access::passed_over(&settings.ledger)),
        proxy,
        ca_pem: reach::certificates(settings.network.ca_file.as_deref())?.into_iter().collect(),
        ignore_env_proxy: settings.network.ignore_env_proxy,
        timeout: Duration::from_secs(common.timeout),
        user_agent: reach::user_agent(),
        waits: common.waits.clone(),
        flushes: common.flushes.clone(),
    };
    Ok(Ledger::at(&settings.ledger, &access)?)
}

/// Those of these variables that hold something.
fn are_set(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())).collect()
}

/// Whether the environment offers credentials for AWS. What is wrong with them is said when they are used.
pub(super) fn has_aws_login() -> bool {
    bucket::first_of(&aws::WAYS).is_ok_and(|login| !login.is_empty())
}

/// The sinks that desired state names, and every folder; nothing is read or written yet.
pub(super) fn sinks(declared: &Declared, common: &Common) -> Result<BTreeMap<Name, Sink>, Problem> {
    let named: BTreeSet<&Name> = declared.desired.deliveries().flat_map(|(_, homes)| homes.iter()).collect();
    let mut sinks = BTreeMap::new();
    // A folder costs nothing to look into, also for the keys of tenants that nothing declares any more.
    let wanted =
        |name: &Name, sink: &settings::Sink| named.contains(name) || matches!(sink, settings::Sink::File { .. });
    for (name, sink) in declared.settings.sinks.iter().filter(|(name, sink)| wanted(name, sink)) {
        let access = sink_access(name, sink, &declared.settings, common)?;
        sinks.insert(name.clone(), Sink::of(sink, access));
    }
    Ok(sinks)
}

/// The sinks that are logged in to, also those that nothing is declared with yet; nothing is read or written yet.
pub(super) fn with_login(declared: &Declared, common: &Common) -> Result<BTreeMap<Name, Sink>, Problem> {
    let mut sinks = BTreeMap::new();
    for (name, sink) in &declared.settings.sinks {
        let is_logged_in_to = match sink {
            settings::Sink::Vault(vault) => matches!(vault.auth, settings::VaultAuth::Login(_)),
            settings::Sink::Azure(_) | settings::Sink::Gcp(_) => true,
            settings::Sink::File { .. }
            | settings::Sink::Command(_)
            | settings::Sink::Aws(_)
            | settings::Sink::Kubernetes(_)
            | settings::Sink::StackOne(_)
            | settings::Sink::GitLab(_)
            | settings::Sink::GitHub(_) => false,
        };
        if is_logged_in_to {
            sinks.insert(name.clone(), Sink::of(sink, sink_access(name, sink, &declared.settings, common)?));
        }
    }
    Ok(sinks)
}

/// Gives back what the sinks were lent. What is not ended in time ends by itself.
pub(super) async fn end(sinks: &BTreeMap<Name, Sink>, at_most: Duration) {
    let all = futures_util::future::join_all(sinks.values().map(Sink::end));
    drop(tokio::time::timeout(at_most, all).await);
}

fn sink_access(
    name: &Name,
    sink: &settings::Sink,
    settings: &Settings,
    common: &Common,
) -> Result<access::Access, Problem> {
    let mut access = access::Access {
        ignore_env_proxy: settings.network.ignore_env_proxy,
        timeout: Duration::from_secs(common.timeout),
        user_agent: reach::user_agent(),
        waits: common.waits.clone(),
        flushes: common.flushes.clone(),
        ..access::Access::default()
    };
    match sink {
        settings::Sink::File { .. } => {}
        settings::Sink::Command(command) => {
            access.environment = credentials::program::environment(&command.allow_env).map_err(|variable| {
                Problem::new(
                    format!("the environment variable {variable} is not UTF-8"),
                    format!("export {variable} as plain text, or take it out of sinks.{name}.allow_env"),
                )
            })?;
        }
        settings::Sink::Vault(vault) => {
            access.proxy = reach::proxy(&settings.network)?;
            reach::roots_are_there()?;
            match &vault.auth {
                settings::VaultAuth::Token(token) => {
                    access.token = Some(credentials::of_sink(name, "token", token));
                }
                settings::VaultAuth::Login(login) => access.proof = Some(credentials::proof::proof(name, login)),
            }
            for file in [settings.network.ca_file.as_deref(), vault.ca_file.as_deref()].into_iter().flatten() {
                access.ca_pem.extend(reach::certificates(Some(file))?);
            }
        }
        settings::Sink::Gcp(gcp) => google::reach(name, gcp, settings, &mut access)?,
        settings::Sink::Azure(azure) => azure::reach(name, azure, settings, &mut access)?,
        settings::Sink::Kubernetes(kubernetes) => cluster::reach(name, kubernetes, settings, &mut access)?,
        settings::Sink::StackOne(stackone) => {
            access.proxy = reach::proxy(&settings.network)?;
            reach::roots_are_there()?;
            access.token = Some(credentials::of_sink(name, "api_key", &stackone.api_key));
            access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
        }
        settings::Sink::GitLab(gitlab) => pipeline(name, &gitlab.token, settings, &mut access)?,
        settings::Sink::GitHub(github) => pipeline(name, &github.token, settings, &mut access)?,
        settings::Sink::Aws(_) => {
            access.proxy = reach::proxy(&settings.network)?;
            reach::roots_are_there()?;
            access.login = bucket::first_of(&aws::WAYS)?;
            access.passed_over = are_set(&aws::PASSED_OVER);
            access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
        }
    }
    Ok(access)
}

/// A forge, with a token that others may replace while the run is at work.
fn pipeline(
    name: &Name,
    token: &settings::Reference,
    settings: &Settings,
    access: &mut access::Access,
) -> Result<(), Problem> {
    access.proxy = reach::proxy(&settings.network)?;
    reach::roots_are_there()?;
    access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
    let (name, token) = (name.clone(), token.clone());
    access.fresh_token = Some(Arc::new(move || credentials::of_sink(&name, "token", &token)));
    Ok(())
}
