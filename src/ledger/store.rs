//! Where a held ledger's files are read and replaced: in a locked folder, or in a bucket.

use super::contents::Folder;
use super::durable::Locked;
use super::error::LedgerError;
use super::format::Found;
#[cfg(feature = "object-store")]
use super::object_store::{Before, Bucket, Stamp};

/// Where a held ledger's files are.
pub(super) enum Store {
    Folder(Locked),
    #[cfg(feature = "object-store")]
    Bucket {
        bucket: Bucket,
        /// The state of our own run's record.
        ours: Stamp,
    },
}

/// The contents of one file, and the state that a write has to replace.
pub(super) struct Read {
    pub(super) found: Option<Found>,
    #[cfg(feature = "object-store")]
    pub(super) before: Before,
}

impl Store {
    pub(super) fn read(&self, folder: Folder, name: &str) -> Result<Read, LedgerError> {
        match self {
            Self::Folder(locked) => Ok(Read {
                found: locked.directory().read(folder, name)?,
                #[cfg(feature = "object-store")]
                before: Before::Nothing,
            }),
            #[cfg(feature = "object-store")]
            Self::Bucket { bucket, .. } => Ok(match bucket.read(folder, name)? {
                None => Read { found: None, before: Before::Nothing },
                Some((found, stamp)) => Read { found: Some(found), before: Before::This(stamp) },
            }),
        }
    }

    /// The same, with space set aside for what will replace it in turn. A bucket is never full.
    pub(super) fn replace_for_now(
        &self,
        folder: Folder,
        name: &str,
        read: &Read,
        bytes: &[u8],
    ) -> Result<(), LedgerError> {
        match self {
            Self::Folder(locked) => {
                let _ = read;
                locked.put_with_spare(folder, name, bytes)
            }
            #[cfg(feature = "object-store")]
            Self::Bucket { .. } => self.replace(folder, name, read, bytes),
        }
    }

    /// Replaces what was read. Under a lock nobody else can have; a bucket refuses it where somebody did.
    pub(super) fn replace(&self, folder: Folder, name: &str, read: &Read, bytes: &[u8]) -> Result<(), LedgerError> {
        match self {
            Self::Folder(locked) => {
                let _ = read;
                locked.put(folder, name, bytes)
            }
            #[cfg(feature = "object-store")]
            Self::Bucket { bucket, .. } => bucket.put(folder, name, bytes, &read.before).map(drop),
        }
    }

    pub(super) fn remove(&self, folder: Folder, name: &str) -> Result<(), LedgerError> {
        match self {
            Self::Folder(locked) => locked.remove(folder, name),
            #[cfg(feature = "object-store")]
            Self::Bucket { bucket, .. } => bucket.remove(folder, name),
        }
    }
}
