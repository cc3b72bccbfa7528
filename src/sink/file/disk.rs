//! Reading without following links, and replacing a file so that it is there after a power cut.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::flush::Flushes;
use crate::model::live::Unreadable;
use crate::model::secret::Fingerprint;

use super::{failed, shown, stranger, unreadable};

/// Far more than any payload or journal; what is larger is not ours.
const LARGEST: u64 = 1 << 20;

/// As ledger and sandbox do: whoever adds all to git adds no secret.
const IGNORED: &[u8] = b"*\n";

/// What became of replacing a file.
pub(super) enum Written {
    Yes,
    /// Definitely not.
    No(Unreadable),
    /// Another file stands there than was expected. Definitely not.
    Moved,
    Perhaps(Unreadable),
}

/// The bytes of a regular file, wiped after use; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Unreadable> {
    // A link is an error, and a pipe does not keep us waiting.
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Err(link(path)),
        Err(error) => return Err(failed("open", path, &error)),
    };
    let found = file.metadata().map_err(|error| failed("look at", path, &error))?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(stranger(path));
    }
    // Room for one byte more than there is, so that a copy is never left behind by growing.
    let room = usize::try_from(found.len()).unwrap_or_default().saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(found.len()).read_to_end(&mut bytes).map_err(|error| failed("read", path, &error))?;
    Ok(Some(bytes))
}

/// Of the file's bytes; `None` where there is none.
pub(super) fn fingerprint(path: &Path) -> Result<Option<Fingerprint>, Unreadable> {
    Ok(read(path)?.map(|bytes| Fingerprint::of(&bytes)))
}

pub(super) fn link(path: &Path) -> Unreadable {
    unreadable(
        format!("{} is a symbolic link, and secrets are not written through links", path.display()),
        format!("replace the link {} by what it points to, or name that place in settings", shown(path)),
    )
}

/// Replaces `path` whole: a temporary beside it, fsync, `unmoved` once more, rename, fsync of the folder.
pub(super) async fn replace(
    path: &Path,
    temporary: &Path,
    bytes: &[u8],
    flushes: &Flushes,
    unmoved: impl FnOnce() -> Result<bool, Unreadable>,
) -> Written {
    let ready = prepare(path, temporary, bytes, flushes).await.and_then(|()| unmoved());
    match ready {
        Ok(true) => {}
        Ok(false) => {
            let _ = fs::remove_file(temporary);
            return Written::Moved;
        }
        Err(why) => {
            // If it cannot be removed, the next put removes it.
            let _ = fs::remove_file(temporary);
            return Written::No(why);
        }
    }
    if let Err(error) = fs::rename(temporary, path) {
        let _ = fs::remove_file(temporary);
        let why = failed("replace", path, &error);
        return if is_definite(error.kind()) { Written::No(why) } else { Written::Perhaps(why) };
    }
    let flushed = match path.parent().map_or_else(|| Err(ErrorKind::NotFound.into()), File::open) {
        Ok(folder) => flushes.file(folder).await.map(drop),
        Err(error) => Err(error),
    };
    match flushed {
        Ok(()) => Written::Yes,
        Err(error) => Written::Perhaps(failed("make durable", path, &error)),
    }
}

/// A whole, durable temporary that is nobody's but ours.
async fn prepare(path: &Path, temporary: &Path, bytes: &[u8], flushes: &Flushes) -> Result<(), Unreadable> {
    // Of a put that was cut short.
    match fs::remove_file(temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("remove", temporary, &error)),
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temporary)
        .map_err(|error| failed("create", temporary, &error))?;
    // Before a byte is in it: the umask may have taken more than was meant.
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(|error| failed("set the mode of", temporary, &error))?;
    file.write_all(bytes).map_err(|error| failed("write", path, &error))?;
    let file = flushes.file(file).await.map_err(|error| failed("make durable", path, &error))?;
    let made = file.metadata().map_err(|error| failed("look at", temporary, &error))?;
    if !made.is_file() || made.nlink() != 1 || made.uid() != rustix::process::geteuid().as_raw() {
        return Err(unreadable(
            format!("{} was tampered with while it was written", temporary.display()),
            format!("find out who else writes to {}", shown(path)),
        ));
    }
    Ok(())
}

/// Errors of a rename after which nothing was renamed, on any disk. (After others a server may have done it.)
fn is_definite(kind: ErrorKind) -> bool {
    [
        ErrorKind::PermissionDenied,
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::IsADirectory,
        ErrorKind::NotADirectory,
        ErrorKind::CrossesDevices,
    ]
    .contains(&kind)
}

/// Makes a folder, and those above it, of mode 0700, each durable in its parent. Says whether it was not there before.
pub(super) async fn make_folder(path: &Path, flushes: &Flushes) -> Result<bool, Unreadable> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(false),
        Ok(_) => return Err(failed("use as a folder", path, &ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("look at", path, &error)),
    }
    let parent = path.parent().ok_or_else(|| failed("find", path, &ErrorKind::NotFound.into()))?;
    Box::pin(make_folder(parent, flushes)).await?;
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed("create", path, &error)),
    }
    let made = fs::set_permissions(path, Permissions::from_mode(0o700)).and_then(|()| File::open(parent));
    let flushed = match made {
        Ok(folder) => flushes.file(folder).await,
        Err(error) => Err(error),
    };
    flushed.map(|_| true).map_err(|error| failed("make durable", path, &error))
}

/// The rules of a folder that we made, and where they are written first.
fn rules(path: &Path) -> [PathBuf; 2] {
    [".gitignore", ".gitignore.tmp"].map(|name| path.join(name))
}

/// Whether a run that made the folder of the settings was cut short before git ignored all of it.
pub(super) fn is_unfinished(path: &Path) -> bool {
    let [ignore, temporary] = rules(path);
    fs::symlink_metadata(temporary).is_ok() && fs::symlink_metadata(ignore).is_err()
}

/// Makes git ignore all of a folder that we made. Under the folder's lock: puts of other keys may be at it.
pub(super) async fn ignore_all(path: &Path, flushes: &Flushes) -> Result<(), Unreadable> {
    let [ignore, temporary] = rules(path);
    if fs::symlink_metadata(&ignore).is_ok() {
        return Ok(());
    }
    match replace(&ignore, &temporary, IGNORED, flushes, || Ok(true)).await {
        Written::Yes | Written::Moved => Ok(()),
        Written::No(why) | Written::Perhaps(why) => {
            // So that the next run makes both. If something is in it already, the work tree's rules are asked instead.
            let _ = fs::remove_dir(path);
            Err(why)
        }
    }
}
