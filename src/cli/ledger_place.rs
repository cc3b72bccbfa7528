//! Where the ledger's folder lies: whether it outlives this machine, and whether a clone would carry a copy of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::settings::{Ledger, Settings};
use crate::observe::LedgerPlace;
use crate::sink::work_tree;

use super::args::Common;

pub(super) fn of(common: &Common, settings: &Settings) -> LedgerPlace {
    match &settings.ledger {
        Ledger::ObjectStore(_) => LedgerPlace { durable: true, lies_in: None },
        // Nothing is at stake there, and the sandbox keeps its state where the user is.
        Ledger::Directory { .. } if common.sandbox => LedgerPlace { durable: true, lies_in: None },
        Ledger::Directory { path, durable } => LedgerPlace {
            durable: *durable || common.ledger_is_durable,
            lies_in: lies_in(path, common).map(Into::into),
        },
    }
}

/// The place from which others get a copy of the folder, or which is made anew for each run.
///
/// That a `.gitignore` leaves it out does not count: no clone has it then, and `git clean -ffdx`, which runners do between
/// jobs, removes it.
fn lies_in(ledger: &Path, common: &Common) -> Option<String> {
    match work_tree(ledger) {
        Ok(Some(root)) => return Some(format!("the Git work tree {}", root.display())),
        Ok(None) => {}
        Err((file, error)) => {
            return Some(format!("what may be a Git work tree, whose {} cannot be read ({error})", file.display()));
        }
    }
    let real = real(ledger);
    if let Some(root) = told_by_git().filter(|root| real.starts_with(root)) {
        return Some(format!("the Git work tree {}, as GIT_DIR or GIT_WORK_TREE says", root.display()));
    }
    let checkout = common.presence.checkout_of(&real).or_else(|| common.presence.checkout_of(ledger));
    checkout.map(|folder| format!("the checkout {} of this CI job", folder.display()))
}

/// The work tree that Git's own variables name, whatever lies in it. With GIT_DIR alone it is the working directory.
fn told_by_git() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cwd = std::env::current_dir().ok()?;
    let root = match (set("GIT_WORK_TREE"), set("GIT_DIR")) {
        (Some(folder), _) => cwd.join(folder),
        (None, Some(_)) => cwd,
        (None, None) => return None,
    };
    Some(real(&root))
}

/// Without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let known = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(fs::canonicalize(above).ok()?.join(rest))
    });
    known.unwrap_or_else(|| path.to_owned())
}
