//! Troubles with a ledger: each in a sentence, with the way out.

use std::io;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::run::RunId;
use crate::model::untrusted::Untrusted;
use crate::model::wait::NoLock;

/// Why a ledger could not be made, read or written. Paths are already safe to print.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("there is no ledger at {place}")]
    Missing { place: String },
    #[error("there is a ledger at {place} already")]
    AlreadyThere { place: String },
    #[error("{place} holds files that are no ledger's: {file}")]
    NotEmpty { place: String, file: String },
    #[error("run {run} holds the ledger at {place}: process {pid} on {host}, since {since}")]
    Busy { place: String, run: RunId, pid: u32, host: Untrusted, since: Timestamp },
    #[error("another process holds the ledger at {place} and has not said which run it is")]
    BusyUnnamed { place: String },
    #[error("{}", why.words(place).0)]
    Locked { place: String, why: NoLock },
    #[error("{file} is no whole file of a ledger: {why}")]
    Torn { file: String, why: Untrusted },
    #[error("{file} has format {found}; this program knows formats up to 1")]
    NewerFormat { file: String, found: u64 },
    #[error("{file} {why}")]
    Foreign { file: String, why: String },
    #[error("{what} in the ledger is not what it was when it was read")]
    Conflict { what: String },
    #[error("could not {doing} {path}: {source}")]
    Io { doing: &'static str, path: String, source: io::Error },
    #[error("could not {doing} {path}: {why}")]
    Store { doing: &'static str, path: String, why: Untrusted },
    #[error("could not {doing} {path}: {why}")]
    Unable { doing: &'static str, path: String, why: Untrusted },
    #[error(
        "the store of {place} replaces objects although it was told not to, so two runs could make the same tenant"
    )]
    Unconditional { place: String },
    #[error("there are no credentials for {place}: {names} {} not set{}", is_or_are(names), unheeded(.passed_over))]
    Credentials { place: String, names: &'static str, passed_over: Vec<&'static str>, next: &'static str },
    #[error("the client of the store at {place} failed by a defect of its own")]
    Defect { place: String },
    #[error("{place} cannot be used as a ledger: {why}")]
    Unusable { place: String, why: Untrusted },
    #[error("this program was built without object-store, which {place} needs")]
    NotBuilt { place: String },
    #[error("the ledger has no record of {address}")]
    NoRecord { address: Address },
    #[error("the ledger has a record of {address} already; it is {state}")]
    Taken { address: Address, state: &'static str },
    #[error("the record of {address} is {state}: a run began something that is not finished")]
    InFlight { address: Address, state: &'static str },
    #[error("run {run} is at work in the ledger at {place}, or did not say that it ended")]
    AtWork { place: String, run: RunId },
    #[error("{file} could not be made durable: {source}")]
    FsyncFailed { file: String, source: io::Error },
    #[error("nothing more is written to the ledger at {place}, because an earlier write could not be made durable")]
    Stopped { place: String },
}

impl LedgerError {
    /// Returns the step that resolves it.
    pub fn next(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "if there was one, restore it from its backup or from version control; if not, make it with \
                 `qlik-apply ledger init`"
                    .to_owned()
            }
            Self::AlreadyThere { .. } => {
                "use it as it is; for a second estate, name another path under `ledger:` in settings".to_owned()
            }
            Self::NotEmpty { place, .. } => {
                format!("move them out of {place}, or name another path under `ledger:` in settings")
            }
            Self::Busy { run, pid, .. } => {
                format!("wait until run {run} has ended, then run this again; if it is stopped, `kill -CONT {pid}` lets it go on")
            }
            Self::Locked { place, why } => why.words(place).1,
            Self::BusyUnnamed { .. } => "wait until that process has ended, then run this again".to_owned(),
            Self::Torn { file, .. } => {
                format!(
                    "restore {file} from a backup or from version control; do not edit or delete it: it may be all that is known of a tenant"
                )
            }
            Self::NewerFormat { .. } => "use the newer qlik-plan that wrote it".to_owned(),
            Self::Foreign { file, .. } => {
                format!("move {file} out of the ledger, or restore the ledger that it belongs to")
            }
            Self::Conflict { .. } => "run this again: it will plan from what is there now".to_owned(),
            Self::Store { path, .. } => {
                format!(
                    "see that {path} is the right place, that the store answers and that the credentials may list, read, \
                     write and delete there; then run this again: it begins with what the ledger holds then"
                )
            }
            Self::Unable { .. } => {
                "use a store that lists objects by their prefix and writes under conditions: S3, Azure Blob Storage or Google \
                 Cloud Storage (docs/ledger-format.md names what was tried, and with which versions)"
                    .to_owned()
            }
            Self::Unconditional { .. } => {
                "use a store with conditional writes (If-None-Match and If-Match on PUT): S3, Azure Blob Storage, Google \
                 Cloud Storage, or a newer version of your own"
                    .to_owned()
            }
            Self::Credentials { next, .. } => (*next).to_owned(),
            Self::Defect { place } => {
                format!(
                    "report this as a defect of qlik-plan, with the line that begins with `internal error`; nothing was \
                     recorded at {place} that the next run does not find there"
                )
            }
            Self::Unusable { .. } => "correct `ledger:` in settings, or the credentials in the environment".to_owned(),
            Self::NotBuilt { .. } => "build it with the default features, or use a `directory` ledger".to_owned(),
            Self::NoRecord { .. } => "see the addresses that it has: qlik-apply ledger list".to_owned(),
            Self::Taken { address, .. } => {
                format!("if that record is given up: qlik-apply ledger forget {address}; then run this again")
            }
            Self::InFlight { address, .. } => format!("finish it first: qlik-apply, or qlik-apply resolve {address}"),
            Self::AtWork { .. } => "wait until it has ended, or until its --max-run is over, then run this again".to_owned(),
            Self::Io { source, path, .. } => way_out(source, path),
            Self::FsyncFailed { source, file } => {
                format!("{}; then run this again: it begins with what the ledger holds then", way_out(source, file))
            }
            Self::Stopped { .. } => "see the first error of this run; when the disk is well, run this again".to_owned(),
        }
    }
}

/// Returns words for variables that are set and do not help.
/// One variable is one word.
fn is_or_are(names: &str) -> &'static str {
    if names.contains(' ') { "are" } else { "is" }
}

fn unheeded(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!(" ({one} is set, but is not used here)"),
        several => format!(" ({} are set, but are not used here)", several.join(", ")),
    }
}

fn way_out(source: &io::Error, path: &str) -> String {
    let kind = source.kind();
    if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
        format!("free some space on the disk that holds {path}")
    } else if kind == io::ErrorKind::PermissionDenied {
        format!("give the user of this process the right to read and write {path}")
    } else if kind == io::ErrorKind::ReadOnlyFilesystem {
        format!("{path} is on a read-only disk: mount it writable, or name another path under `ledger:` in settings")
    } else if kind == io::ErrorKind::NotADirectory {
        format!("{path} or a folder above it is a file: move it away, or name another path under `ledger:` in settings")
    } else {
        format!("check the disk that holds {path}")
    }
}
