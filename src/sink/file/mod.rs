//! The sink `file`: one file per key in a folder of ours, replaced whole, with a journal of what it holds beside it.

mod disk;
mod index;
mod journal;
mod safety;
mod spot;
mod trouble;
mod worktree;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::flush::Flushes;
use crate::model::address::{Address, Name};
use crate::model::live::{Observed, SinkEntry, Tracked, Unreadable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::untrusted::Untrusted;
use crate::model::wait::{Lock, STEP, Stake, Waits};

use super::access::Access;
use super::payload::Payload;
use super::{Put, ReadBack, Version, unreadable};

use self::disk::Written;
use self::index::Indexes;
use self::spot::Spot;
use self::trouble::{failed, shown, stranger, without_metadata};

pub use self::worktree::enclosing;

/// A folder of secrets.
#[derive(Clone, Debug)]
pub struct FileSink {
    directory: PathBuf,
    hash: SinkHash,
    /// How long another process's lock is waited for.
    patience: Duration,
    waits: Waits,
    flushes: Flushes,
    indexes: Arc<Indexes>,
}

impl FileSink {
    pub(super) fn at(directory: PathBuf, hash: SinkHash, access: Access) -> Self {
        // Without a slash at the end, which would make a link look like the folder that it points to.
        let directory = directory.components().collect();
        Self {
            directory,
            hash,
            patience: access.timeout,
            waits: access.waits,
            flushes: access.flushes,
            indexes: Arc::default(),
        }
    }

    pub(super) fn hash(&self) -> SinkHash {
        self.hash.clone()
    }

    pub(super) fn place(&self, address: &Address) -> String {
        match self.spot(address) {
            Ok(spot) => shown(&spot.payload),
            Err(_) => shown(&self.directory),
        }
    }

    fn spot(&self, address: &Address) -> Result<Spot, Unreadable> {
        let key = address.key().ok_or_else(|| {
            unreadable(format!("{address} is a tenant, and only keys are delivered"), "name a key, as in qlik/acme/ci")
        })?;
        let folder = self.directory.join(encoded(address.vendor.as_str())).join(encoded(address.tenant.as_str()));
        let name = encoded(key.as_str());
        Ok(Spot {
            payload: folder.join(&name),
            payload_temporary: folder.join(format!(".{name}.tmp")),
            journal: folder.join(format!(".{name}.meta.json")),
            journal_temporary: folder.join(format!(".{name}.meta.json.tmp")),
            folder,
        })
    }

    pub(super) fn look(&self, address: &Address) -> (Observed<SinkEntry>, Version) {
        match self.spot(address).and_then(|spot| self.look_at(&spot, address)) {
            Ok(None) => (Observed::Absent, Version::Nothing),
            Ok(Some(entry)) => {
                let version = Version::Payload(entry.fingerprint.clone());
                (Observed::Present(entry), version)
            }
            Err(why) => (Observed::Unreadable(why), Version::Unknown),
        }
    }

    /// What its folder holds for a tenant.
    pub(super) fn entries(&self, tenant: &Address) -> Vec<SinkEntry> {
        let folder = self.directory.join(encoded(tenant.vendor.as_str())).join(encoded(tenant.tenant.as_str()));
        let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<Name> = files
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .filter_map(|file| Name::parse(file.strip_prefix('.')?.strip_suffix(".meta.json")?).ok())
            .collect();
        names.sort();
        let looks = names.into_iter().map(|name| self.look(&tenant.with_key(name)).0);
        looks.filter_map(|found| found.present().cloned()).collect()
    }

    /// The journal's entry for what the payload's file really holds: whatever was cut short, it never names another key.
    fn look_at(&self, spot: &Spot, address: &Address) -> Result<Option<SinkEntry>, Unreadable> {
        safety::folders_are_folders(&self.directory, spot)?;
        let Some(found) = disk::fingerprint(&spot.payload)? else { return Ok(None) };
        let entries = journal::read(&spot.journal)?.ok_or_else(|| without_metadata(spot))?;
        let entry = entries.into_iter().find(|entry| entry.fingerprint == found);
        let entry = entry.ok_or_else(|| stranger(&spot.payload))?;
        if address.key() != Some(&entry.key) {
            return Err(unreadable(
                format!("{} holds the key {} and not {address}", spot.payload.display(), entry.key),
                format!("move {} to where it belongs, or away", shown(&spot.payload)),
            ));
        }
        Ok(Some(entry))
    }

    /// What git has in its index of the key's files.
    pub(super) fn tracked(&self, address: &Address) -> Result<Option<Tracked>, Unreadable> {
        safety::tracked(&self.directory, &self.spot(address)?, &self.indexes)
    }

    pub(super) fn preflight(&self, address: &Address) -> Result<(), Unreadable> {
        let spot = self.spot(address)?;
        self.is_safe(&spot)?;
        safety::can_write(&spot)?;
        self.look_at(&spot, address).map(drop)
    }

    pub(super) async fn put(
        &self,
        address: &Address,
        version: &Version,
        payload: &Payload,
        entry: &SinkEntry,
    ) -> Result<(), Put> {
        let spot = self.spot(address).map_err(Put::Refused)?;
        self.is_safe(&spot).map_err(Put::Refused)?;
        self.make_private().await.map_err(Put::Refused)?;
        disk::make_folder(&spot.folder, &self.flushes).await.map_err(Put::Refused)?;
        // Between comparing and replacing, nobody else of ours replaces.
        let _folder = self.lock(&spot.folder, Stake::Secret).await.map_err(Put::Refused)?;
        let current = self.look_at(&spot, address).map_err(Put::Refused)?;
        if version_of(current.as_ref()) != *version {
            return Err(Put::Conflict);
        }
        self.journal(&spot, entry, current).await?;
        self.deliver(&spot, version, payload).await
    }

    /// Whether the lock that a put takes can be had; where the folder is still to be made, nobody has it.
    pub(super) async fn ready(&self, address: &Address) -> Result<(), Unreadable> {
        let spot = self.spot(address)?;
        if spot.folder.exists() { self.lock(&spot.folder, Stake::Nothing).await.map(drop) } else { Ok(()) }
    }

    /// Makes the folder of the settings so that git ignores all of it. One that was there before is left as it is, unless a run of
    /// ours was cut short while it made it.
    async fn make_private(&self) -> Result<(), Unreadable> {
        let is_new = disk::make_folder(&self.directory, &self.flushes).await?;
        if !is_new && !disk::is_unfinished(&self.directory) {
            return Ok(());
        }
        let _folder = self.lock(&self.directory, Stake::Secret).await?;
        disk::ignore_all(&self.directory, &self.flushes).await
    }

    /// The folder's lock, as long as the value lives. Others may hold it as long as they like (a backup, a run that is stopped),
    /// so it is waited for with a limit, and beside everything else that this process waits for.
    async fn lock(&self, folder: &Path, stake: Stake) -> Result<File, Unreadable> {
        let file = File::open(folder).map_err(|error| failed("open", folder, &error))?;
        let mut lock = Lock::new(&self.waits, shown(folder), self.patience, stake);
        loop {
            match file.try_lock() {
                // Where a file system cannot lock a folder, the ledger's lock has to do.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
                Err(TryLockError::WouldBlock) => {}
            }
            lock.again(&file).map_err(|why| {
                let (why, next) = why.words(&shown(folder));
                unreadable(why, next)
            })?;
            tokio::time::sleep(STEP).await;
        }
    }

    fn is_safe(&self, spot: &Spot) -> Result<(), Unreadable> {
        safety::check(&self.directory, spot)?;
        match safety::tracked(&self.directory, spot, &self.indexes)? {
            None => Ok(()),
            Some(Tracked { root, file, .. }) => Err(unreadable(
                format!("{file} is tracked by git in {root}, and would be committed with every change"),
                format!("git -C {root} rm --cached --force -- {file}, then ignore it and commit"),
            )),
        }
    }

    /// Step 1: the journal names the new payload before it is there, and the present one as long as it is.
    async fn journal(&self, spot: &Spot, entry: &SinkEntry, current: Option<SinkEntry>) -> Result<(), Put> {
        let entries: Vec<SinkEntry> = [Some(entry.clone()), current].into_iter().flatten().collect();
        let bytes = journal::write(&entries).map_err(Put::Refused)?;
        match disk::replace(&spot.journal, &spot.journal_temporary, &bytes, &self.flushes, || Ok(true)).await {
            Written::Yes => Ok(()),
            // Whether or not the journal is new: the payload is not, and the journal knows the payload that is there.
            Written::No(why) | Written::Perhaps(why) => Err(Put::Refused(why)),
            Written::Moved => Err(Put::Conflict),
        }
    }

    /// Step 2: the payload.
    async fn deliver(&self, spot: &Spot, version: &Version, payload: &Payload) -> Result<(), Put> {
        let unmoved = || {
            let found = disk::fingerprint(&spot.payload)?;
            Ok(found.map_or(Version::Nothing, Version::Payload) == *version)
        };
        match disk::replace(&spot.payload, &spot.payload_temporary, payload.bytes(), &self.flushes, unmoved).await {
            Written::Yes => Ok(()),
            Written::No(why) => Err(Put::Refused(why)),
            Written::Perhaps(why) => Err(Put::Unknown(why)),
            Written::Moved => Err(Put::Conflict),
        }
    }

    pub(super) fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        let found = self.spot(address).and_then(|spot| {
            safety::folders_are_folders(&self.directory, &spot)?;
            let entries = journal::read(&spot.journal).map(Option::unwrap_or_default);
            Ok((disk::fingerprint(&spot.payload)?, entries, shown(&spot.payload)))
        });
        match found {
            Err(why) | Ok((Some(_), Err(why), _)) => ReadBack::Unreadable(why),
            Ok((None, _, _)) => ReadBack::Absent,
            Ok((Some(found), Ok(entries), place)) => compare(&found, &entries, entry, &place),
        }
    }
}

fn compare(found: &Fingerprint, entries: &[SinkEntry], expected: &SinkEntry, place: &str) -> ReadBack {
    match entries.iter().find(|entry| entry.fingerprint == *found) {
        None => ReadBack::Other(format!("{place} holds something that qlik-plan did not write")),
        Some(entry) if entry == expected => ReadBack::Same,
        Some(entry) => {
            ReadBack::Other(format!("{place} holds the key with the id {}", Untrusted::from(entry.key_id.as_str())))
        }
    }
}

fn version_of(entry: Option<&SinkEntry>) -> Version {
    entry.map_or(Version::Nothing, |entry| Version::Payload(entry.fingerprint.clone()))
}

/// A name as a file name. Names need no encoding today; whatever else ever becomes one stays one file name.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&crate::model::secret::hex(&[byte]));
        }
    }
    text
}

#[cfg(test)]
mod tests;
