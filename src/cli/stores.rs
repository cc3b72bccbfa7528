//! Opens the ledger of the settings, with what only the environment knows.

use std::time::Duration;

use crate::ledger::Ledger;
use crate::ledger::access::{Access, GOOGLE_FILE};
use crate::model::secret::Secret;
use crate::model::settings::Settings;

use super::args::Common;
use super::estate;
use super::output::Problem;

/// The ledger; nothing is read or written yet.
pub(super) fn ledger(settings: &Settings, common: &Common) -> Result<Ledger, Problem> {
    let mut credentials = Vec::new();
    for name in Access::names(&settings.ledger) {
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        let value = value.into_string().map_err(|_| {
            Problem::new(
                format!("the environment variable {name} is not UTF-8"),
                format!("export {name} as plain text"),
            )
        })?;
        let value = if *name == GOOGLE_FILE {
            std::fs::read_to_string(&value).map_err(|error| {
                Problem::new(
                    format!("{GOOGLE_FILE}: {value} cannot be read: {}", error.kind()),
                    format!("put the service account's key there, or correct {GOOGLE_FILE}"),
                )
            })?
        } else {
            value
        };
        credentials.push((*name, Secret::new(value)));
    }
    let access = Access {
        credentials,
        proxy: settings.network.proxy.clone(),
        ca_pem: estate::certificates(settings.network.ca_file.as_deref())?,
        ignore_env_proxy: settings.network.ignore_env_proxy,
        timeout: Duration::from_secs(common.timeout),
        user_agent: estate::user_agent(),
    };
    Ok(Ledger::at(&settings.ledger, &access)?)
}
