//! Secrets that programs print, each asked for once in a process; and what a program may see of the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::secret::Secret;
use crate::sink::{access, printed};

/// Long enough for a person who is asked by a keychain; as a sink's programs have it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a program printed, or why it did not.
type Printed = Result<Zeroizing<Vec<u8>>, Unreadable>;

/// A program and its arguments, and the folder that it runs in.
type Asked = (Vec<String>, PathBuf);

/// What each program printed: a keychain may ask a person each time, and a vault may count.
static PRINTED: Mutex<BTreeMap<Asked, Printed>> = Mutex::new(BTreeMap::new());

/// What a program prints, run at most once. Whoever asks meanwhile waits.
pub(super) fn of(argv: &[String], folder: &Path) -> Printed {
    let mut known = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = (argv.to_vec(), folder.to_path_buf());
    known.entry(asked).or_insert_with(|| run(argv, folder)).clone()
}

fn run(argv: &[String], folder: &Path) -> Printed {
    let environment = environment(&[]).map_err(|variable| Unreadable {
        why: format!("the environment variable {variable} is not UTF-8, and every program gets it").into(),
        next: format!("export {variable} as plain text"),
        credentials: false,
    })?;
    printed(argv, folder, &environment, TIMEOUT)
}

/// What every program may see, and these: those that are set.
///
/// # Errors
/// A variable that is no text.
pub(in crate::cli) fn environment(allowed: &[String]) -> Result<Vec<(String, Secret)>, String> {
    let mut environment = Vec::new();
    for variable in access::ENVIRONMENT.into_iter().chain(allowed.iter().map(String::as_str)) {
        let Some(value) = std::env::var_os(variable) else { continue };
        let value = value.into_string().map_err(|_| variable.to_owned())?;
        environment.push((variable.to_owned(), Secret::new(value)));
    }
    Ok(environment)
}
