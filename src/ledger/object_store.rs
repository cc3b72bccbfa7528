//! A ledger in a bucket, one object a file. There is no lock: every write says what it replaces, and the store refuses it
//! when something else stands there.

mod answer;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::object_store::path::Path;
use ::object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use crate::model::settings;
use crate::model::untrusted::Untrusted;

use super::access::Access;
use super::contents::{Folder, Shelf};
use super::error::LedgerError;
use super::format::Found;

use self::answer::store_error;
use self::wire::{Stores, Thread};

const HEAD: &str = "ledger.json";

/// Files of a `directory` ledger that mean nothing here, should one have been copied into the bucket.
const OF_A_DIRECTORY: [&str; 3] = ["lock", "alive", "holder.json"];

/// How many objects are read side by side.
const READS: usize = 16;

/// Far more than any file of a ledger.
const LARGEST: u64 = 1 << 20;

/// How often a write whose outcome is not known is looked after and repeated. Repeating is safe: it says what it replaces.
const WRITE_ATTEMPTS: u32 = 4;

/// A bucket, and a prefix in it.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    url: String,
    prefix: String,
    stores: Stores,
    thread: Thread,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.url).finish()
    }
}

/// The state of an object that a write replaces.
#[derive(Clone, Debug)]
pub(super) enum Before {
    Nothing,
    This(Stamp),
}

/// The store's word for one state of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    e_tag: Option<String>,
    version: Option<String>,
}

impl Stamp {
    fn update(self) -> UpdateVersion {
        UpdateVersion { e_tag: self.e_tag, version: self.version }
    }
}

impl Bucket {
    pub(super) fn at(settings: &settings::ObjectStore, access: &Access) -> Result<Self, LedgerError> {
        let inner = Inner {
            url: settings.url(),
            prefix: settings.prefix.clone(),
            stores: wire::stores(settings, access)?,
            thread: Thread::start()?,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The store's clock, as last heard.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.0.stores.clock.now()
    }

    /// Proves on an object of its own that the store refuses what it should, then writes the file that makes it a ledger.
    pub(super) fn make(&self, probe: &str, head: &[u8]) -> Result<(), LedgerError> {
        if self.head()?.is_some() {
            return Err(LedgerError::AlreadyThere { place: self.place() });
        }
        let probe = format!(".probe-{probe}");
        let stamp = self.put(Folder::Top, &probe, b"{}\n", &Before::Nothing)?;
        let proven = self.prove(Folder::Top, &probe, b"{}\n", &stamp);
        // Even if it stays: a reader passes over names with a dot.
        drop(self.remove(Folder::Top, &probe));
        proven?;
        match self.put(Folder::Top, HEAD, head, &Before::Nothing) {
            Ok(_) => Ok(()),
            Err(LedgerError::Conflict { .. }) => Err(LedgerError::AlreadyThere { place: self.place() }),
            Err(error) => Err(error),
        }
    }

    /// Checks that the store refuses to replace what it should not. It tries twice on an object that was just written,
    /// with the same bytes.
    pub(super) fn prove(&self, folder: Folder, name: &str, bytes: &[u8], stamp: &Stamp) -> Result<(), LedgerError> {
        let other = Stamp {
            e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
            version: stamp.version.as_ref().map(|_| "1".to_owned()),
        };
        let (bucket, name, bytes) = (self.clone(), name.to_owned(), bytes.to_vec());
        self.still(async move {
            for before in [Before::Nothing, Before::This(other)] {
                bucket.is_refused(folder, &name, &bytes, &before).await?;
            }
            Ok(())
        })
    }

    async fn is_refused(&self, folder: Folder, name: &str, bytes: &[u8], before: &Before) -> Result<(), LedgerError> {
        let mut attempts = 1..WRITE_ATTEMPTS;
        loop {
            match self.attempt(folder, name, bytes, before).await {
                Err(Refusal::Moved) => return Ok(()),
                Ok(_) => return Err(LedgerError::Unconditional { place: self.place() }),
                Err(Refusal::Not(error)) => return Err(error),
                Err(Refusal::Unclear(error)) => match attempts.next() {
                    Some(attempt) => self.pause(attempt).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// Reads an object, and stands still until it is there.
    pub(super) fn read(&self, folder: Folder, name: &str) -> Result<Option<(Found, Stamp)>, LedgerError> {
        let (bucket, name) = (self.clone(), name.to_owned());
        self.still(async move { bucket.read_beside(folder, &name).await })
    }

    /// The same, and lets others go on meanwhile.
    pub(super) async fn read_beside(&self, folder: Folder, name: &str) -> Result<Option<(Found, Stamp)>, LedgerError> {
        let path = self.path(folder, name)?;
        let shown = self.shown(folder, name);
        let inner = self.0.clone();
        let read = self.0.thread.beside(async move { inner.fetch(&path, shown).await }).await;
        read.ok_or_else(|| self.thread_gone())?
    }

    /// Writes an object if `before` is what it replaces, and stands still until it is written.
    pub(super) fn put(&self, folder: Folder, name: &str, bytes: &[u8], before: &Before) -> Result<Stamp, LedgerError> {
        let (bucket, name, bytes, before) = (self.clone(), name.to_owned(), bytes.to_vec(), before.clone());
        self.still(async move { bucket.put_beside(folder, &name, &bytes, &before).await })
    }

    /// The same, and lets others go on meanwhile. A write whose outcome is not known is looked after: what stands
    /// there then is ours, or another's, or still `before`, and only then it is repeated.
    pub(super) async fn put_beside(
        &self,
        folder: Folder,
        name: &str,
        bytes: &[u8],
        before: &Before,
    ) -> Result<Stamp, LedgerError> {
        let moved = || LedgerError::Conflict { what: self.shown(folder, name) };
        let mut unclear = match self.attempt(folder, name, bytes, before).await {
            Ok(stamp) => return Ok(stamp),
            Err(Refusal::Moved) => return Err(moved()),
            Err(Refusal::Not(error)) => return Err(error),
            Err(Refusal::Unclear(error)) => error,
        };
        for attempt in 1..WRITE_ATTEMPTS {
            self.pause(attempt).await;
            // The store is out of reach: the first error says more.
            let Ok(there) = self.read_beside(folder, name).await else { return Err(unclear) };
            let still = match (&there, before) {
                (Some((found, stamp)), _) if found.bytes == bytes => return Ok(stamp.clone()),
                (Some((_, stamp)), Before::This(before)) => stamp == before,
                (None, Before::Nothing) => true,
                (Some(_), Before::Nothing) | (None, Before::This(_)) => false,
            };
            if !still {
                return Err(moved());
            }
            match self.attempt(folder, name, bytes, before).await {
                Ok(stamp) => return Ok(stamp),
                Err(Refusal::Not(error)) => return Err(error),
                // The earlier write may have arrived between the two: the next look tells.
                Err(Refusal::Moved) => {}
                Err(Refusal::Unclear(error)) => unclear = error,
            }
        }
        match self.read_beside(folder, name).await {
            Ok(Some((found, stamp))) if found.bytes == bytes => Ok(stamp),
            Ok(_) | Err(_) => Err(unclear),
        }
    }

    /// Does on the store's thread what is asked of it, and stands still meanwhile.
    fn still<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.0.thread.run(work).ok_or_else(|| self.thread_gone())?
    }

    /// Lets a store that stumbled come to itself.
    async fn pause(&self, attempt: u32) {
        let pause = Duration::from_millis(200).saturating_mul(1 << attempt);
        self.0.thread.beside(async move { tokio::time::sleep(pause).await }).await;
    }

    async fn attempt(&self, folder: Folder, name: &str, bytes: &[u8], before: &Before) -> Result<Stamp, Refusal> {
        let path = self.path(folder, name).map_err(Refusal::Not)?;
        let mode = match before {
            Before::Nothing => PutMode::Create,
            Before::This(stamp) => PutMode::Update(stamp.clone().update()),
        };
        let (inner, payload) = (self.0.clone(), PutPayload::from(bytes.to_vec()));
        let put = self.0.thread.beside(async move {
            inner.stores.write.put_opts(&path, payload, PutOptions { mode, ..PutOptions::default() }).await
        });
        match put.await {
            // It may have failed over the answer.
            None => Err(Refusal::Unclear(self.thread_gone())),
            Some(Ok(put)) => Ok(Stamp { e_tag: put.e_tag, version: put.version }),
            Some(Err(error)) => Err(self.refusal(folder, name, &error)),
        }
    }

    fn refusal(&self, folder: Folder, name: &str, error: &Error) -> Refusal {
        let told = store_error("write", self.shown(folder, name), error);
        if matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }) {
            return Refusal::Moved;
        }
        let refused = matches!(
            error,
            Error::PermissionDenied { .. }
                | Error::Unauthenticated { .. }
                | Error::NotFound { .. }
                | Error::NotSupported { .. }
                | Error::NotImplemented { .. }
                | Error::InvalidPath { .. }
        );
        // The rest is a time-out, a broken connection, a 5xx: it may have been done.
        if refused { Refusal::Not(told) } else { Refusal::Unclear(told) }
    }

    pub(super) fn remove(&self, folder: Folder, name: &str) -> Result<(), LedgerError> {
        let path = self.path(folder, name)?;
        let inner = self.0.clone();
        match self.0.thread.run(async move { inner.stores.read.delete(&path).await }) {
            None => Err(self.thread_gone()),
            Some(Ok(()) | Err(Error::NotFound { .. })) => Ok(()),
            Some(Err(error)) => Err(store_error("remove", self.shown(folder, name), &error)),
        }
    }

    fn path(&self, folder: Folder, name: &str) -> Result<Path, LedgerError> {
        let parts = [self.0.prefix.as_str(), folder.name(), name];
        let text = parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        Path::parse(text).map_err(|error| store_error("name", self.shown(folder, name), &error.into()))
    }

    fn thread_gone(&self) -> LedgerError {
        LedgerError::Defect { place: self.place() }
    }

    /// An object in one of the folders, by its URL.
    fn leftover(&self) -> Result<Option<String>, LedgerError> {
        for folder in Folder::BELOW {
            if let Some(name) = self.names(folder)?.iter().find(|name| !name.starts_with('.')) {
                return Ok(Some(self.shown(folder, name)));
            }
        }
        Ok(None)
    }
}

impl Shelf for Bucket {
    fn place(&self) -> String {
        self.0.url.clone()
    }

    fn head(&self) -> Result<Option<Found>, LedgerError> {
        let Some((found, _)) = self.read(Folder::Top, HEAD)? else {
            return match self.leftover()? {
                None => Ok(None),
                Some(file) => Err(LedgerError::Torn {
                    file: self.shown(Folder::Top, HEAD),
                    why: Untrusted::new(format!("it is missing, and yet there is {file}")),
                }),
            };
        };
        let ours = |name: &str| {
            name == HEAD
                || name.starts_with('.')
                || OF_A_DIRECTORY.contains(&name)
                || Folder::BELOW.iter().any(|folder| folder.name() == name)
        };
        match self.names(Folder::Top)?.iter().find(|name| !ours(name)) {
            None => Ok(Some(found)),
            Some(name) => Err(LedgerError::Foreign {
                file: crate::model::untrusted::escape(&self.shown(Folder::Top, name)),
                why: "is no file of a ledger".to_owned(),
            }),
        }
    }

    fn names(&self, folder: Folder) -> Result<Vec<String>, LedgerError> {
        let prefix = match (self.0.prefix.as_str(), folder.name()) {
            ("", "") => None,
            ("", name) => Some(name.to_owned()),
            (prefix, "") => Some(prefix.to_owned()),
            (prefix, name) => Some(format!("{prefix}/{name}")),
        };
        let prefix = prefix.map(Path::parse).transpose();
        let prefix = prefix.map_err(|error| store_error("name", self.shown(folder, ""), &error.into()))?;
        let inner = self.0.clone();
        let listed = self.0.thread.run(async move {
            let found = inner.stores.read.list_with_delimiter(prefix.as_ref()).await?;
            let objects = found.objects.into_iter().map(|object| object.location);
            Ok(objects.chain(found.common_prefixes).collect::<Vec<Path>>())
        });
        let paths: Vec<Path> = listed
            .ok_or_else(|| self.thread_gone())?
            .map_err(|error| store_error("list", self.shown(folder, ""), &error))?;
        let mut names: Vec<String> = paths.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    fn shown(&self, folder: Folder, name: &str) -> String {
        let slash = if folder == Folder::Top || name.is_empty() { "" } else { "/" };
        format!("{}/{}{slash}{name}", self.0.url, folder.name())
    }

    fn fetch(&self, folder: Folder, names: Vec<String>) -> Result<Vec<(String, Found)>, LedgerError> {
        let mut wanted = Vec::new();
        for name in names {
            let path = self.path(folder, &name)?;
            let shown = self.shown(folder, &name);
            wanted.push((name, path, shown));
        }
        let inner = self.0.clone();
        self.still(async move {
            let inner = &inner;
            let read = stream::iter(wanted).map(|(name, path, shown)| async move {
                Ok(inner.fetch(&path, shown).await?.map(|(found, _)| (name, found)))
            });
            let read = read.buffered(READS).try_collect::<Vec<Option<(String, Found)>>>().await?;
            Ok(read.into_iter().flatten().collect())
        })
    }
}

impl Inner {
    async fn fetch(&self, path: &Path, shown: String) -> Result<Option<(Found, Stamp)>, LedgerError> {
        let got = match self.stores.read.get(path).await {
            Ok(got) => got,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(store_error("read", shown, &error)),
        };
        if got.meta.size > LARGEST {
            let why = "is larger than any file of a ledger".to_owned();
            return Err(LedgerError::Foreign { file: shown, why });
        }
        let stamp = Stamp { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        let bytes = got.bytes().await.map_err(|error| store_error("read", shown.clone(), &error))?;
        Ok(Some((Found { path: shown, bytes: bytes.to_vec() }, stamp)))
    }
}

/// Why an attempt to write did not go well.
enum Refusal {
    /// Something else stands there than what was to be replaced.
    Moved,
    /// Definitely not done.
    Not(LedgerError),
    Unclear(LedgerError),
}
