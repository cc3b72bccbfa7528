//! The fields of the ledger's files, by name. Version 1 is final: fields are added only with a new version.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::imburse::MarkRefused;
use crate::model::record::{LedgerId, Record, Rehearsal};
use crate::model::run::{Run, RunId};
use crate::model::spec::Way;
use crate::model::untrusted::Untrusted;

use super::error::LedgerError;

const FORMAT: u64 = 1;

const MARKS: &str = "marks";

/// The bytes of a file and where they were, ready to print.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerFile {
    format: u64,
    id: LedgerId,
    created: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantFile {
    format: u64,
    ledger: LedgerId,
    record: Record,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    format: u64,
    ledger: LedgerId,
    run: Run,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RehearsalFile {
    format: u64,
    ledger: LedgerId,
    rehearsal: Rehearsal,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkRefusedFile {
    format: u64,
    ledger: LedgerId,
    mark_refused: MarkRefused,
}

/// Who holds the lock. It lives as long as the run, so it has no version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) run: RunId,
    pub(super) pid: u32,
    pub(super) host: Untrusted,
    pub(super) started: Timestamp,
}

impl Holder {
    pub(super) fn of(run: &Run) -> Self {
        Self { run: run.id.clone(), pid: run.pid, host: run.host.clone(), started: run.started }
    }

    /// `None` where the bytes name nobody.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        encode(self)
    }
}

pub(super) fn tenant_name(address: &Address) -> String {
    format!("{}.{}.json", address.vendor.as_str(), address.tenant)
}

pub(super) fn run_name(run: &RunId) -> String {
    format!("{run}.json")
}

pub(super) fn rehearsal_name(rehearsal: &Rehearsal) -> String {
    // Names have no dot, so no two pairs meet.
    match &rehearsal.owner {
        Way::Client => format!("{}.client.json", rehearsal.account),
        Way::Configured(name) => format!("{}.configured.{name}.json", rehearsal.account),
        Way::Impersonation => format!("{}.impersonation.json", rehearsal.account),
    }
}

pub(super) fn mark_refused_name(refused: &MarkRefused) -> String {
    format!("{}.{MARKS}.json", refused.account)
}

/// Returns whether a file among the rehearsals records refused marks. An owner may be called as these files are, so the
/// whole name counts.
pub(super) fn is_mark_refused(name: &str) -> bool {
    matches!(name.split('.').collect::<Vec<_>>().as_slice(), [_, MARKS, "json"])
}

pub(super) fn ledger_file(id: LedgerId, created: Timestamp) -> Result<Vec<u8>, LedgerError> {
    encode(&LedgerFile { format: FORMAT, id, created })
}

pub(super) fn tenant_file(ledger: &LedgerId, record: &Record) -> Result<Vec<u8>, LedgerError> {
    encode(&TenantFile { format: FORMAT, ledger: ledger.clone(), record: record.clone() })
}

pub(super) fn run_file(ledger: &LedgerId, run: &Run) -> Result<Vec<u8>, LedgerError> {
    encode(&RunFile { format: FORMAT, ledger: ledger.clone(), run: run.clone() })
}

pub(super) fn rehearsal_file(ledger: &LedgerId, rehearsal: &Rehearsal) -> Result<Vec<u8>, LedgerError> {
    encode(&RehearsalFile { format: FORMAT, ledger: ledger.clone(), rehearsal: rehearsal.clone() })
}

pub(super) fn mark_refused_file(ledger: &LedgerId, refused: &MarkRefused) -> Result<Vec<u8>, LedgerError> {
    encode(&MarkRefusedFile { format: FORMAT, ledger: ledger.clone(), mark_refused: refused.clone() })
}

pub(super) fn read_ledger(found: &Found) -> Result<LedgerId, LedgerError> {
    decode::<LedgerFile>(found).map(|file| file.id)
}

pub(super) fn read_tenant(ledger: &LedgerId, name: &str, found: &Found) -> Result<Record, LedgerError> {
    let file: TenantFile = decode(found)?;
    same_ledger(ledger, &file.ledger, found)?;
    let record = file.record;
    if !record.address.is_tenant() {
        return Err(foreign(found, format!("holds a record of {}, which is no tenant", record.address)));
    }
    named_after(name, &tenant_name(&record.address), &record.address.to_string(), found)?;
    Ok(record)
}

pub(super) fn read_run(ledger: &LedgerId, name: &str, found: &Found) -> Result<Run, LedgerError> {
    let file: RunFile = decode(found)?;
    same_ledger(ledger, &file.ledger, found)?;
    named_after(name, &run_name(&file.run.id), &format!("run {}", file.run.id), found)?;
    Ok(file.run)
}

pub(super) fn read_rehearsal(ledger: &LedgerId, name: &str, found: &Found) -> Result<Rehearsal, LedgerError> {
    let file: RehearsalFile = decode(found)?;
    same_ledger(ledger, &file.ledger, found)?;
    let holds = format!("a rehearsal of account {}", file.rehearsal.account);
    named_after(name, &rehearsal_name(&file.rehearsal), &holds, found)?;
    Ok(file.rehearsal)
}

pub(super) fn read_mark_refused(ledger: &LedgerId, name: &str, found: &Found) -> Result<MarkRefused, LedgerError> {
    let file: MarkRefusedFile = decode(found)?;
    same_ledger(ledger, &file.ledger, found)?;
    let holds = format!("what account {} was refused", file.mark_refused.account);
    named_after(name, &mark_refused_name(&file.mark_refused), &holds, found)?;
    Ok(file.mark_refused)
}

fn same_ledger(ours: &LedgerId, theirs: &LedgerId, found: &Found) -> Result<(), LedgerError> {
    if ours == theirs {
        return Ok(());
    }
    Err(foreign(found, format!("belongs to the ledger {theirs}; this is {ours}")))
}

fn named_after(name: &str, expected: &str, holds: &str, found: &Found) -> Result<(), LedgerError> {
    if name == expected {
        return Ok(());
    }
    Err(foreign(found, format!("holds {holds}, which belongs in {expected}")))
}

fn foreign(found: &Found, why: String) -> LedgerError {
    LedgerError::Foreign { file: found.path.clone(), why }
}

/// Pretty, fields in the order of declaration, one line end: so that a ledger in version control shows small changes.
fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|source| LedgerError::Io {
        doing: "write as JSON",
        path: "a file of the ledger".to_owned(),
        source: source.into(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(found: &Found) -> Result<T, LedgerError> {
    /// The field that every version has.
    #[derive(Deserialize)]
    struct Version {
        format: u64,
    }
    let torn = |source: serde_json::Error| LedgerError::Torn {
        file: found.path.clone(),
        why: Untrusted::new(source.to_string()),
    };
    // The version first: a newer file is not torn because of fields that this program does not know.
    let version: Version = serde_json::from_slice(&found.bytes).map_err(torn)?;
    if version.format > FORMAT {
        return Err(LedgerError::NewerFormat { file: found.path.clone(), found: version.format });
    }
    if version.format < FORMAT {
        let why = Untrusted::new(format!("there is no format {}", version.format));
        return Err(LedgerError::Torn { file: found.path.clone(), why });
    }
    serde_json::from_slice(&found.bytes).map_err(torn)
}
