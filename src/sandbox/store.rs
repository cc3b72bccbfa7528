//! The state directory: loading what was kept, saving what a request changed before it is answered.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::files::{self, FileError};
use super::imburse::{self, Imburse};
use super::state::{Changed, FORMAT, Main, State, Tenant};

/// Why a state cannot be gone on with. Nothing is deleted for it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "{} is missing, and {} is there: restore it, or remove the whole folder to begin anew",
        main.display(),
        part.display()
    )]
    Missing { main: PathBuf, part: PathBuf },
    #[error(
        "{} is a tenant of a subscription that {} does not know: one of them is of another state; put back the one that belongs \
         there",
        part.display(),
        main.display()
    )]
    Foreign { main: PathBuf, part: PathBuf },
    #[error(
        "{} has format {format}, which a later version wrote: use that version, or --state for a folder of its own",
        main.display()
    )]
    Later { main: PathBuf, format: u32 },
}

/// The open, locked state directory.
pub(super) struct Store {
    directory: PathBuf,
    /// Two servers never share a state: whoever holds this is the server.
    _lock: File,
}

impl Store {
    /// `None`: another server holds the state.
    pub(super) fn open(directory: &Path) -> Result<Option<Self>, FileError> {
        files::make_directory(directory)?;
        let Some(lock) = files::lock(&directory.join("lock"))? else { return Ok(None) };
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            files::write(&ignore, b"*\n")?;
        }
        files::make_directory(&directory.join("tenants"))?;
        for part in imburse::PARTS {
            files::make_directory(&directory.join(part))?;
        }
        Ok(Some(Self { directory: directory.to_owned(), _lock: lock }))
    }

    /// A file of some tenant or account; a state without its main file has none.
    fn first_part(&self) -> Result<Option<PathBuf>, FileError> {
        for part in imburse::PARTS.into_iter().chain(["tenants"]) {
            let mut paths = files::names(&self.directory.join(part))?;
            paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
            if let Some(path) = paths.into_iter().min() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    pub(super) fn load(&self) -> Result<State, LoadError> {
        let main = match files::read_json::<Main>(&self.main())? {
            Some(main) if main.format > FORMAT => {
                return Err(LoadError::Later { main: self.main(), format: main.format });
            }
            Some(main) => main,
            None => match self.first_part()? {
                Some(part) => return Err(LoadError::Missing { main: self.main(), part }),
                // From now on a folder without this file has lost it.
                None => {
                    let main = Main::default();
                    files::write(&self.main(), &json(&main))?;
                    main
                }
            },
        };
        let mut tenants = BTreeMap::new();
        for path in files::names(&self.directory.join("tenants"))? {
            // A write that a kill cut short leaves a file that ends otherwise; it says nothing.
            if path.extension().is_some_and(|end| end == "json")
                && let Some(tenant) = files::read_json::<Tenant>(&path)?
            {
                if main.subscriptions.iter().any(|subscription| subscription.id == tenant.subscription) {
                    tenants.insert(tenant.id.clone(), tenant);
                } else if !tenant.source {
                    return Err(LoadError::Foreign { main: self.main(), part: path });
                }
                // A source tenant of no subscription: seeding was killed before its last file. It is nobody's.
            }
        }
        Ok(State::new(main, tenants.into_values(), self.load_imburse()?))
    }

    fn load_imburse(&self) -> Result<Imburse, FileError> {
        let [accounts, tenants] = imburse::PARTS;
        Ok(Imburse::new(self.load_all(accounts)?, self.load_all(tenants)?))
    }

    fn load_all<T: DeserializeOwned>(&self, part: &str) -> Result<Vec<T>, FileError> {
        let paths = files::names(&self.directory.join(part))?;
        let whole = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
        whole.filter_map(|path| files::read_json(path).transpose()).collect()
    }

    /// Each changed part is replaced whole. A request changes either one tenant or the main file; seeding makes
    /// tenants first, and a tenant without a subscription is dropped at the next start.
    pub(super) fn save(&self, state: &mut State) -> Result<(), FileError> {
        self.save_imburse(&mut state.imburse)?;
        let changed = std::mem::take(&mut state.changed);
        if let Err(error) = self.write(state, &changed) {
            // Still to be saved: the next request tries again.
            state.changed.main |= changed.main;
            state.changed.tenants.extend(changed.tenants);
            return Err(error);
        }
        Ok(())
    }

    /// As tenants: each changed object is replaced whole, and what could not be saved is still to be saved.
    fn save_imburse(&self, state: &mut Imburse) -> Result<(), FileError> {
        while let Some(changed) = state.next_changed() {
            let path = self.directory.join(changed.part()).join(format!("{}.json", changed.id()));
            match state.content(&changed) {
                Some(bytes) => files::write(&path, &bytes)?,
                None => files::remove(&path)?,
            }
            state.saved(&changed);
        }
        Ok(())
    }

    fn write(&self, state: &State, changed: &Changed) -> Result<(), FileError> {
        for id in &changed.tenants {
            let path = self.directory.join("tenants").join(format!("{id}.json"));
            match state.tenant(id) {
                Some(tenant) => files::write(&path, &json(tenant))?,
                None => files::remove(&path)?,
            }
        }
        if changed.main {
            files::write(&self.main(), &json(state.main()))?;
        }
        Ok(())
    }

    fn main(&self) -> PathBuf {
        self.directory.join("state.json")
    }
}

/// Our own types always have a JSON form: every map key is a string.
fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
