//! One reference in settings → a secret, or what is missing.

use std::path::Path;

use crate::model::secret::Secret;
use crate::model::settings::Reference;

use super::program;
use super::text::{self, Carried, Ends, Fault};

/// A file that holds one credential is small; anything larger is a mistake in the settings.
const CREDENTIAL_MAX: u64 = 64 * 1024;

/// What is missing and what to do about it, of every reference that leads to no secret.
pub(super) type Missing = Vec<(String, String)>;

pub(super) fn read(what: &str, reference: &Reference, carried: Carried, missing: &mut Missing) -> Option<Secret> {
    let (saved, place, ends, save) = match reference {
        Reference::Env(variable) => {
            let Some(value) = std::env::var_os(variable) else {
                missing.push((
                    format!("{what}: the environment variable {variable} is not set"),
                    format!("export {variable}, or try without an account: --sandbox"),
                ));
                return None;
            };
            (
                value.into_encoded_bytes(),
                format!("the environment variable {variable}"),
                Ends::Cut,
                format!("export {variable}"),
            )
        }
        Reference::File(path) => match read_file(path) {
            Ok(bytes) => (bytes, path.display().to_string(), Ends::Cut, format!("save {}", path.display())),
            Err(why) => {
                missing.push((
                    format!("{what}: {} cannot be read: {why}", path.display()),
                    format!("put the credential there, or correct {what} in settings"),
                ));
                return None;
            }
        },
        Reference::Command { argv, folder } => {
            let place = reference.place();
            match program::of(argv, folder) {
                Ok(printed) => {
                    (printed.to_vec(), format!("what {place} prints"), Ends::Exact, format!("let {place} print it"))
                }
                Err(why) => {
                    missing.push((format!("{what}: {}", why.why.raw()), why.next));
                    return None;
                }
            }
        }
    };
    match text::credential(saved, carried, ends) {
        Ok(secret) => return Some(secret),
        Err(Fault::Empty) => {
            missing.push((format!("{what} is empty"), format!("set the value that {what} refers to")));
        }
        Err(Fault::Wrong(why)) => {
            let next = format!("{save} as UTF-8 text: the credential alone, on one line");
            missing.push((format!("{what}: {place} {why}"), next));
        }
    }
    None
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let found = std::fs::metadata(path).map_err(|error| error.kind().to_string())?;
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    let size = found.len();
    if size > CREDENTIAL_MAX {
        return Err(format!("it has {size} bytes, too many for a credential"));
    }
    std::fs::read(path).map_err(|error| error.kind().to_string())
}
