//! What the environment says of a shared ledger's store: the store's own variables, taken as they are or refused by name.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cli::credentials::text::{self, Carried, Ends};
use crate::cli::exit::Problem;
use crate::ledger::access::{AZURE_KEY, Access, GOOGLE_FILE, GOOGLE_KEY};
use crate::model::secret::Secret;
use crate::model::settings;

/// Far more than any service account's key.
const KEY_FILE_MAX: u64 = 64 * 1024;

/// Longer than any path that a person writes. What is longer may be the key itself, and is not shown.
pub(super) const PATH_MAX: usize = 300;

/// The credentials that a shared ledger's store is reached with.
pub(super) fn credentials(settings: &settings::Ledger) -> Result<Vec<(&'static str, Secret)>, Problem> {
    first_of(Access::ways(settings))
}

/// The credentials of the first way to log in of which anything is set.
pub(super) fn first_of(ways: &[&[&'static str]]) -> Result<Vec<(&'static str, Secret)>, Problem> {
    for way in ways {
        let mut found = Vec::new();
        for name in *way {
            let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { continue };
            let value = value.into_vec();
            found.push((
                *name,
                match *name {
                    GOOGLE_FILE => google_file(value)?,
                    GOOGLE_KEY => google_key(value)?,
                    AZURE_KEY => azure_key(value)?,
                    _ => exact(name, value)?,
                },
            ));
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn exact(name: &str, value: Vec<u8>) -> Result<Secret, Problem> {
    text::credential(value, Carried::Header, Ends::Exact).map_err(|why| {
        Problem::new(format!("{name} {why}"), format!("export {name} again: the value alone, with nothing around it"))
    })
}

/// An account key is Base64; portals and `az` hand it out alone or in a connection string.
fn azure_key(value: Vec<u8>) -> Result<Secret, Problem> {
    let key = exact(AZURE_KEY, value)?;
    if key.expose().contains("AccountKey=") {
        return Err(Problem::new(
            format!("{AZURE_KEY} holds a connection string"),
            format!("export in {AZURE_KEY} only what stands between `AccountKey=` and the next `;`"),
        ));
    }
    match STANDARD.decode(key.expose()).map(Zeroizing::new) {
        Ok(_) => Ok(key),
        Err(_) => Err(Problem::new(
            format!("{AZURE_KEY} is not the Base64 text that an account key is"),
            format!("export {AZURE_KEY} again, as `az storage account keys list` prints it"),
        )),
    }
}

fn google_key(value: Vec<u8>) -> Result<Secret, Problem> {
    let value = Zeroizing::new(value);
    service_account(GOOGLE_KEY, &value).map_err(|problem| {
        let given = text::plain(&value).unwrap_or_default().trim();
        if is_encoded_json(given) {
            return Problem::new(
                format!("{GOOGLE_KEY} is Base64; the key's JSON itself is taken"),
                format!("export {GOOGLE_KEY}=\"$(printf %s \"${GOOGLE_KEY}\" | base64 -d)\""),
            );
        }
        if !given.contains('{') && (given.starts_with(['/', '.', '~']) || given.ends_with(".json")) {
            return Problem::new(
                format!("{GOOGLE_KEY} holds a path; the key's JSON itself is taken"),
                format!("unset {GOOGLE_KEY}, and export the path in {GOOGLE_FILE}"),
            );
        }
        problem
    })
}

fn google_file(value: Vec<u8>) -> Result<Secret, Problem> {
    let given = String::from_utf8_lossy(&value).trim().to_owned();
    if given.starts_with('{') || is_encoded_json(&given) {
        return Err(Problem::new(
            format!("{GOOGLE_FILE} holds a key; the path of its file is taken"),
            format!("unset {GOOGLE_FILE}, and export the key's JSON in {GOOGLE_KEY}"),
        ));
    }
    let shown = if value.len() > PATH_MAX { "a path".to_owned() } else { given };
    let path = OsString::from_vec(value);
    let bytes = read_file(Path::new(&path)).map_err(|why| {
        Problem::new(
            format!("{GOOGLE_FILE}: {shown} cannot be read: {why}"),
            format!("put the service account's key there, or correct {GOOGLE_FILE}"),
        )
    })?;
    service_account(&format!("{GOOGLE_FILE}: {shown}"), &bytes)
}

pub(super) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let found = std::fs::metadata(path).map_err(|error| error.kind().to_string())?;
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    if found.len() > KEY_FILE_MAX {
        return Err(format!("it has {} bytes, too many for a key", found.len()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(|error| error.kind().to_string())
}

/// What every kind of Google's credential files has in common with a service account's key.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    private_key: Option<String>,
    client_email: Option<String>,
    /// As emulators want it: nothing is signed.
    #[serde(default)]
    disable_oauth: bool,
}

/// The kinds of credential files that Google's own libraries know, from
/// <https://google.aip.dev/auth/4110>; a word that is none of them may be anything, and is not shown.
const KINDS: [&str; 6] = [
    "service_account",
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
    "gdch_service_account",
];

fn service_account(place: &str, saved: &[u8]) -> Result<Secret, Problem> {
    let wrong = |why: String| {
        Problem::new(
            format!("{place} {why}"),
            "give the key of a service account that may use the bucket: gcloud iam service-accounts keys create FILE \
             --iam-account=ACCOUNT",
        )
    };
    let text = text::plain(saved).map_err(|why| wrong(why.to_owned()))?;
    let file: KeyFile =
        serde_json::from_str(text).map_err(|_| wrong("is not the JSON of a service account's key".to_owned()))?;
    match file.kind.as_deref() {
        None | Some("service_account") => {}
        Some(other) => {
            let kind = KINDS.into_iter().find(|kind| *kind == other).unwrap_or("another kind");
            return Err(wrong(format!(
                "is of type {kind}; only a service account's key (type service_account) is taken"
            )));
        }
    }
    let Some(key) = file.private_key.map(Zeroizing::new) else {
        return Err(wrong("holds no `private_key`".to_owned()));
    };
    if file.client_email.is_none() {
        return Err(wrong("holds no `client_email`".to_owned()));
    }
    let is_pem = key.contains("-----BEGIN ") && key.contains('\n');
    if !is_pem && !file.disable_oauth {
        return Err(wrong("holds a `private_key` that is not PEM text of several lines".to_owned()));
    }
    Ok(Secret::new(text.to_owned()))
}

fn is_encoded_json(text: &str) -> bool {
    let packed: String = text.split_whitespace().collect();
    STANDARD.decode(packed).is_ok_and(|decoded| Zeroizing::new(decoded).trim_ascii_start().starts_with(b"{"))
}
