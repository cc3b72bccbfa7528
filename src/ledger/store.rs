//! Where a held ledger's files are read and replaced: in a locked folder, or in a bucket.

use crate::model::record::Record;

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

/// The state of one file that a write has to replace. In a folder it says nothing: nobody else writes under its lock.
#[cfg(feature = "object-store")]
pub(super) type Place = Before;

/// The same where there are only folders.
#[cfg(not(feature = "object-store"))]
#[derive(Clone)]
pub(super) enum Place {
    Nothing,
}

/// The contents of one file, and what a write of it has to replace.
pub(super) struct Read {
    pub(super) found: Option<Found>,
    pub(super) place: Place,
}

/// A tenant's record as it was last read or written, and what a write of it has to replace.
pub(super) struct Stored {
    pub(super) record: Option<Record>,
    pub(super) place: Place,
}

impl Store {
    pub(super) async fn read(&self, folder: Folder, name: &str) -> Result<Read, LedgerError> {
        match self {
            Self::Folder(locked) => Ok(Read { found: locked.directory().read(folder, name)?, place: Place::Nothing }),
            #[cfg(feature = "object-store")]
            Self::Bucket { bucket, .. } => Ok(match bucket.read_beside(folder, name).await? {
                None => Read { found: None, place: Before::Nothing },
                Some((found, stamp)) => Read { found: Some(found), place: Before::This(stamp) },
            }),
        }
    }

    /// Replaces what was read, with space set aside for what will replace it in turn. A bucket is never full.
    pub(super) async fn replace_for_now(
        &self,
        folder: Folder,
        name: &str,
        place: &Place,
        bytes: &[u8],
    ) -> Result<Place, LedgerError> {
        match self {
            Self::Folder(locked) => {
                let _ = place;
                locked.put_with_spare(folder, name, bytes).await.map(|()| Place::Nothing)
            }
            #[cfg(feature = "object-store")]
            Self::Bucket { .. } => self.replace(folder, name, place, bytes).await,
        }
    }

    /// Replaces what was read, and returns what a later write has to replace. Under a lock nobody else can have written; a bucket
    /// refuses it where somebody did.
    pub(super) async fn replace(
        &self,
        folder: Folder,
        name: &str,
        place: &Place,
        bytes: &[u8],
    ) -> Result<Place, LedgerError> {
        match self {
            Self::Folder(locked) => {
                let _ = place;
                locked.put_beside(folder, name, bytes).await.map(|()| Place::Nothing)
            }
            #[cfg(feature = "object-store")]
            Self::Bucket { bucket, .. } => bucket.put_beside(folder, name, bytes, place).await.map(Before::This),
        }
    }

    /// Returns whether what was last read of a file, or written to it, need not be read again before it is replaced: a write to a
    /// bucket is refused where somebody else wrote since.
    pub(super) fn refuses_what_moved(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            #[cfg(feature = "object-store")]
            Self::Bucket { .. } => true,
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
