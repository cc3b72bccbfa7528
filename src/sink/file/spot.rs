//! Where the files of one key are.

use std::path::PathBuf;

/// The files of one key: `DIRECTORY/qlik/acme/ci` and `DIRECTORY/qlik/acme/.ci.meta.json`. Names have no dot, so they never meet.
pub(super) struct Spot {
    /// `DIRECTORY/qlik/acme`.
    pub(super) folder: PathBuf,
    pub(super) payload: PathBuf,
    pub(super) payload_temporary: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) journal_temporary: PathBuf,
}
