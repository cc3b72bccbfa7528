//! The journal of a state: every change as one line of JSON, in the order of making.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::files::{FileError, refused, replace};

pub(super) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// How long it was when it was last written anew.
    anew: u64,
}

/// So much may come to what was written anew, and as much again as that was, before it is written anew.
const ROOM: u64 = 16 << 20;

impl Journal {
    /// Writes a journal that has only what is there now, and puts it in the place of the one before.
    pub(super) fn anew(
        path: PathBuf,
        fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> Result<Self, FileError> {
        let file = replace(&path, |file| {
            let mut writer = BufWriter::new(file);
            fill(&mut writer)?;
            writer.flush()?;
            drop(writer);
            // A journal that is of some size is not risked in a power cut.
            if file.metadata()?.len() > 4096 { file.sync_all() } else { Ok(()) }
        })?;
        let length = file.metadata().map_err(refused("measure", &path))?.len();
        Ok(Self { file, length, anew: length, path })
    }

    /// Gives each line to `take`, which says whether what was written anew ends there, and goes on behind the last. A last line without its end was being written when the program
    /// ended: nobody was answered.
    pub(super) fn read<E: From<FileError>>(
        path: &Path,
        mut take: impl FnMut(usize, &[u8]) -> Result<bool, E>,
    ) -> Result<Option<Self>, E> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused("open", path)(error).into()),
        };
        let mut journal = Self { path: path.to_owned(), file, length: 0, anew: 0 };
        let mut reader = BufReader::with_capacity(1 << 18, &journal.file);
        let mut line = Vec::new();
        let (mut length, mut anew) = (0, 0);
        for number in 1.. {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(refused("read", path))?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                break;
            }
            length += u64::try_from(read).unwrap_or(u64::MAX);
            if take(number, &line)? {
                anew = length;
            }
        }
        journal.file.set_len(length).map_err(refused("cut", path))?;
        (journal.length, journal.anew) = (length, anew);
        Ok(Some(journal))
    }

    /// One change. It is with the operating system when this returns, or it is not in the journal.
    pub(super) fn append(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), FileError> {
        let mut line = Vec::new();
        let written = fill(&mut line).and_then(|()| self.file.write_all_at(&line, self.length));
        if let Err(error) = written {
            // The next start must not find half a line before others.
            self.file.set_len(self.length).map_err(refused("cut", &self.path))?;
            return Err(refused("write", &self.path)(error));
        }
        self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// It could not be written anew now: not before it has doubled.
    pub(super) fn put_off(&mut self) {
        self.anew = self.length;
    }

    /// Whether there is more of the past in it than of the present.
    pub(super) fn is_long(&self) -> bool {
        self.length > self.anew.saturating_mul(2).saturating_add(ROOM)
    }
}
