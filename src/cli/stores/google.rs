//! How Google is logged in to: by the credential file that its own tools know, or by the machine's service account where settings say so.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cli::clock::clock;
use crate::cli::credentials;
use crate::cli::credentials::text;
use crate::cli::exit::Problem;
use crate::cli::reach;
use crate::ledger::access::GOOGLE_FILE;
use crate::model::address::Name;
use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::{GcpSink, Reference, Settings};
use crate::sink::access::{Access, GoogleLogin, Subject};

use super::bucket::{PATH_MAX, read_file};

/// Names the metadata service elsewhere, as Google's own libraries have it.
const MACHINE: &str = "GCE_METADATA_HOST";

/// The machine's own metadata service: an address that no router passes on.
const METADATA: &str = "http://169.254.169.254";

/// Where Google gives tokens for other tokens, and lends service accounts; no file moves them.
const EXCHANGE: &str = "https://sts.googleapis.com/v1/token";
const LENDS: &str = "https://iamcredentials.googleapis.com";

const LOG_IN: &str = "name a credential file in GOOGLE_APPLICATION_CREDENTIALS: of workload identity federation (`gcloud iam workload-identity-pools create-cred-config`), of a service account, \
                      or $HOME/.config/gcloud/application_default_credentials.json of `gcloud auth application-default login`; on a machine of Google's, say `attached_service_account: true` under the sink";

pub(super) fn reach(name: &Name, sink: &GcpSink, settings: &Settings, access: &mut Access) -> Result<(), Problem> {
    access.proxy = reach::proxy(&settings.network)?;
    reach::roots_are_there()?;
    access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
    access.google = Some(login(name, sink));
    Ok(())
}

fn login(name: &Name, sink: &GcpSink) -> Result<GoogleLogin, Unreadable> {
    if sink.attached_service_account {
        return attached();
    }
    let path = set(GOOGLE_FILE)?.ok_or_else(|| missing("there are no credentials for Google".to_owned(), LOG_IN))?;
    let shown = if path.len() > PATH_MAX { "a path".to_owned() } else { path.clone() };
    if path.trim_start().starts_with('{') {
        let next = format!("unset {GOOGLE_FILE}, save the JSON in a file, and name that");
        return Err(missing(format!("{GOOGLE_FILE} holds credentials; the path of their file is taken"), &next));
    }
    let path = PathBuf::from(path);
    let wrong = |why: String| missing(format!("{GOOGLE_FILE}: {shown} {why}"), LOG_IN);
    let saved = read_file(&path).map_err(|why| wrong(format!("cannot be read: {why}")))?;
    let saved = text::plain(&saved).map_err(|why| wrong(why.to_owned()))?;
    of_file(name, saved).map_err(wrong)
}

/// A credential file, of whatever kind, as <https://google.aip.dev/auth/4110> lists them.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: Option<String>,
    universe_domain: Option<String>,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<Text>,
    client_id: Option<String>,
    client_secret: Option<Text>,
    refresh_token: Option<Text>,
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    service_account_impersonation_url: Option<String>,
    credential_source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    file: Option<PathBuf>,
    url: Option<Text>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, Text>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

/// A text that is wiped.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Text {
    fn secret(self) -> Secret {
        Secret::new(self.0.as_str().to_owned())
    }
}

/// The rest of a sentence that begins with the file says what is wrong with it.
fn of_file(name: &Name, saved: &str) -> Result<GoogleLogin, String> {
    let file: File = serde_json::from_str(saved).map_err(|_| "is not the JSON of a credential file".to_owned())?;
    let lacks = |field: &str| format!("holds no `{field}`");
    if file.universe_domain.as_deref().is_some_and(|domain| domain != "googleapis.com") {
        return Err("is of another universe than googleapis.com".to_owned());
    }
    match file.kind.as_deref() {
        Some("service_account") => Ok(GoogleLogin::Key {
            email: file.client_email.filter(|email| is_plain(email)).ok_or_else(|| lacks("client_email"))?,
            key_id: file.private_key_id,
            key: file.private_key.ok_or_else(|| lacks("private_key"))?.secret(),
            now: Arc::new(clock),
        }),
        Some("authorized_user") => Ok(GoogleLogin::User {
            client_id: file.client_id.ok_or_else(|| lacks("client_id"))?,
            client_secret: file.client_secret.ok_or_else(|| lacks("client_secret"))?.secret(),
            refresh_token: file.refresh_token.ok_or_else(|| lacks("refresh_token"))?.secret(),
        }),
        Some("external_account") => {
            if file.token_url.as_deref() != Some(EXCHANGE) {
                return Err(format!("names another `token_url` than {EXCHANGE}"));
            }
            let lends = |url: String| {
                let path = url
                    .strip_prefix(LENDS)
                    .filter(|path| is_plain(path) && path.starts_with("/v1/projects/-/serviceAccounts/"));
                path.filter(|path| path.ends_with(":generateAccessToken"))
                    .map(str::to_owned)
                    .ok_or_else(|| format!("names a `service_account_impersonation_url` that is not of {LENDS}"))
            };
            Ok(GoogleLogin::External {
                audience: file.audience.ok_or_else(|| lacks("audience"))?,
                token_type: file.subject_token_type.ok_or_else(|| lacks("subject_token_type"))?,
                subject: subject(name, file.credential_source.ok_or_else(|| lacks("credential_source"))?)?,
                impersonate: file.service_account_impersonation_url.map(lends).transpose()?,
            })
        }
        Some(kind @ ("external_account_authorized_user" | "impersonated_service_account" | "gdch_service_account")) => {
            Err(format!(
                "is of type {kind}, which is not taken: service_account, authorized_user and external_account are"
            ))
        }
        // It may be anything.
        Some(_) | None => {
            Err("is of no type that is taken: service_account, authorized_user, external_account".to_owned())
        }
    }
}

/// Where a token stands that speaks for this run.
fn subject(name: &Name, source: Source) -> Result<Subject, String> {
    let field = match source.format {
        Some(Format { kind, subject_token_field_name }) if kind == "json" => {
            Some(subject_token_field_name.ok_or("holds no `subject_token_field_name`")?)
        }
        Some(_) | None => None,
    };
    match (source.file, source.url) {
        (Some(_), _) if field.is_some() => {
            Err("names a JSON file of tokens; a file with the token alone is taken".to_owned())
        }
        (Some(file), None) => {
            let (name, file) = (name.clone(), Reference::File(file));
            Ok(Subject::Read(Arc::new(move || credentials::of_sink(&name, GOOGLE_FILE, &file))))
        }
        (None, Some(url)) => {
            let odd = || "names a `credential_source.url` that is neither https nor on this machine".to_owned();
            let url = url::Url::parse(&url.0).map_err(|_| odd())?;
            let origin = Origin::parse(&url.origin().ascii_serialization()).map_err(|_| odd())?;
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let headers = source.headers.into_iter().map(|(name, value)| (name, value.secret())).collect();
            Ok(Subject::Asked { origin, path: format!("{}{query}", url.path()), headers, field })
        }
        (Some(_), Some(_)) | (None, None) => {
            Err("has a `credential_source` that is not taken: `file` and `url` are".to_owned())
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._@:/".contains(&b))
        && !text.contains("..")
}

fn attached() -> Result<GoogleLogin, Unreadable> {
    let named = set(MACHINE)?;
    let text = named.map_or_else(|| METADATA.to_owned(), |host| format!("http://{host}"));
    let endpoint = Origin::near(&text).map_err(|_| {
        let next = format!("unset {MACHINE}: the address is the same on every machine of Google's");
        missing(format!("{MACHINE} is no address that ends at this machine"), &next)
    })?;
    Ok(GoogleLogin::Attached { endpoint })
}

fn set(variable: &str) -> Result<Option<String>, Unreadable> {
    credentials::variable(variable)
        .map_err(|why| missing(why, &format!("export {variable} again: the value alone, with nothing around it")))
}

fn missing(why: String, next: &str) -> Unreadable {
    Unreadable { why: why.into(), next: next.to_owned(), credentials: true }
}
