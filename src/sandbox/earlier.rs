//! State folders of format 1: a file for each tenant and each account. They are read once, and written anew in the format of today.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::LoadError;
use super::files::{self, FileError};
use super::shelf::{Kept, Shelf};
use super::state::{Change, Main, Subscription, Tenant};

/// The folders that files stood in: tenants, and the other vendor's accounts and tenants.
const PARTS: [&str; 3] = ["tenants", "imburse-accounts", "imburse-tenants"];

/// `state.json` of that time.
#[derive(Deserialize)]
pub(super) struct MainFile {
    #[serde(flatten)]
    main: Main,
    #[serde(default)]
    subscriptions: Shelf<Subscription>,
}

/// The files of a folder. A write that a kill cut short left a file that ends otherwise; it says nothing.
fn files(directory: &Path, part: &str) -> Result<Vec<PathBuf>, FileError> {
    let folder = directory.join(part);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = files::names(&folder)?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    Ok(paths)
}

/// A file of some tenant or account.
pub(super) fn first_file(directory: &Path) -> Result<Option<PathBuf>, FileError> {
    for part in PARTS {
        if let Some(path) = files(directory, part)?.into_iter().next() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn shelf<T: Kept + DeserializeOwned>(directory: &Path, part: &str) -> Result<Shelf<T>, FileError> {
    let mut shelf = Shelf::default();
    for path in files(directory, part)? {
        if let Some(item) = files::read_json::<T>(&path)? {
            shelf.insert(item.id(), item);
        }
    }
    shelf.mark(false);
    Ok(shelf)
}

pub(super) fn load(directory: &Path, file: MainFile) -> Result<Change, LoadError> {
    let [tenants, accounts, tenants_of_accounts] = PARTS;
    let mut known: Shelf<Tenant> = shelf(directory, tenants)?;
    let owned = |tenant: &Tenant| file.subscriptions.contains_key(&tenant.subscription);
    if let Some(foreign) = known.values().find(|tenant| !owned(tenant) && !tenant.source) {
        let part = directory.join(tenants).join(format!("{}.json", foreign.id));
        return Err(LoadError::Foreign { head: directory.join("state.json"), part });
    }
    // A source tenant of no subscription: seeding was killed before its last file. It is nobody's.
    known.retain(owned);
    known.mark(false);
    let mut change =
        Change { main: Some(file.main), subscriptions: file.subscriptions, tenants: known, ..Change::default() };
    change.imburse.accounts = shelf(directory, accounts)?;
    change.imburse.tenants = shelf(directory, tenants_of_accounts)?;
    Ok(change)
}

/// Once everything is in the journal.
pub(super) fn remove(directory: &Path) -> Result<(), FileError> {
    for part in PARTS {
        for path in files(directory, part)? {
            files::remove(&path)?;
        }
    }
    Ok(())
}
