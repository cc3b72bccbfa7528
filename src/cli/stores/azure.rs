//! How Azure is logged in to: by the variables that Azure's own tools know, or by the identity of the machine where settings say so.

use std::sync::Arc;

use crate::cli::credentials;
use crate::cli::credentials::proof::github_actions;
use crate::cli::exit::Problem;
use crate::cli::reach;
use crate::model::address::Name;
use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::{AzureSink, Reference, Settings};
use crate::sink::access::{Access, Application, AzureLogin, GITHUB_URL, Proof};

/// The variables of Azure's own tools, from
/// <https://learn.microsoft.com/dotnet/api/azure.identity.environmentcredential> and <https://azure.github.io/azure-workload-identity>.
const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
const ENDPOINT: &str = "IDENTITY_ENDPOINT";
const HEADER: &str = "IDENTITY_HEADER";
const MACHINE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// The machine's own metadata service: an address that no router passes on.
const METADATA: &str = "http://169.254.169.254";

/// For whom an id token is asked that Entra is to take.
const AUDIENCE: &str = "api://AzureADTokenExchange";

const LOG_IN: &str = "log in with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE (or a job of GitHub Actions that may ask for an id token, or AZURE_CLIENT_SECRET); \
                      on a machine of Azure's with an identity, say `managed_identity: true` under the sink";

pub(super) fn reach(name: &Name, sink: &AzureSink, settings: &Settings, access: &mut Access) -> Result<(), Problem> {
    access.proxy = reach::proxy(&settings.network)?;
    reach::roots_are_there()?;
    access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
    access.azure = Some(login(name, sink));
    Ok(())
}

fn login(name: &Name, sink: &AzureSink) -> Result<AzureLogin, Unreadable> {
    if sink.managed_identity {
        return match set(ENDPOINT)? {
            Some(endpoint) => platform(&endpoint),
            None => machine(),
        };
    }
    if let Some(secret) = set(SECRET)? {
        return Ok(AzureLogin::Secret(application(sink)?, Secret::new(secret)));
    }
    if let Some(file) = set(TOKEN_FILE)? {
        let (application, name) = (application(sink)?, name.clone());
        let file = Reference::File(file.into());
        let read = move || credentials::of_sink(&name, TOKEN_FILE, &file);
        return Ok(AzureLogin::Federated(application, Proof::Read(Arc::new(read))));
    }
    let is_of_github = set(GITHUB_URL)?.is_some();
    match (set(TENANT)?, set(ENDPOINT)?) {
        (Some(_), _) if is_of_github => Ok(AzureLogin::Federated(application(sink)?, github_actions(AUDIENCE)?)),
        (_, Some(endpoint)) => platform(&endpoint),
        (Some(_), None) => Err(missing(format!("{TENANT} is set, and neither {TOKEN_FILE} nor {SECRET} is"), LOG_IN)),
        (None, None) => Err(missing("there are no credentials for Azure".to_owned(), LOG_IN)),
    }
}

/// What a variable holds; `None` where it holds nothing.
fn set(variable: &str) -> Result<Option<String>, Unreadable> {
    credentials::variable(variable)
        .map_err(|why| missing(why, &format!("export {variable} again: the value alone, with nothing around it")))
}

fn application(sink: &AzureSink) -> Result<Application, Unreadable> {
    let id = |variable: &str| {
        let value = set(variable)?.ok_or_else(|| missing(format!("{variable} is not set"), LOG_IN))?;
        let is_id = value.len() <= 253 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        if is_id && !value.starts_with('.') {
            return Ok(value);
        }
        let next = format!("export in {variable} the id alone: letters, digits, '-' and '.'");
        Err(missing(format!("{variable} is no id of Entra's"), &next))
    };
    if let Some(host) = set(AUTHORITY)? {
        let host = host.strip_suffix('/').unwrap_or(&host);
        if Origin::parse(host).ok().as_ref() != Some(&sink.authority) {
            let why =
                format!("{AUTHORITY} is not {}, where settings have this vault's tokens come from", sink.authority);
            let next = format!("unset {AUTHORITY}, or say under the sink which server it is: `authority: https://…`");
            return Err(missing(why, &next));
        }
    }
    Ok(Application { tenant: id(TENANT)?, client: id(CLIENT)? })
}

/// App Service and its like name an address of their own, on the machine or on a link to it.
fn platform(endpoint: &str) -> Result<AzureLogin, Unreadable> {
    let unset = format!("leave {ENDPOINT} as the platform sets it, or unset it");
    let odd = || missing(format!("{ENDPOINT} is neither https nor an address that ends at this machine"), &unset);
    let url = url::Url::parse(endpoint).map_err(|_| odd())?;
    let endpoint = Origin::near(&url.origin().ascii_serialization()).map_err(|_| odd())?;
    let header = set(HEADER)?.ok_or_else(|| missing(format!("{ENDPOINT} is set, and {HEADER} is not"), &unset))?;
    Ok(AzureLogin::Platform {
        endpoint,
        path: url.path().to_owned(),
        header: Secret::new(header),
        client: set(CLIENT)?,
    })
}

fn machine() -> Result<AzureLogin, Unreadable> {
    let named = set(MACHINE)?;
    let text = named.as_deref().unwrap_or(METADATA);
    let endpoint = Origin::near(text.strip_suffix('/').unwrap_or(text)).map_err(|_| {
        let next = format!("unset {MACHINE}: the address is the same on every machine of Azure's");
        missing(format!("{MACHINE} is neither https nor an address that ends at this machine"), &next)
    })?;
    Ok(AzureLogin::Machine { endpoint, client: set(CLIENT)? })
}

fn missing(why: String, next: &str) -> Unreadable {
    Unreadable { why: why.into(), next: next.to_owned(), credentials: true }
}
