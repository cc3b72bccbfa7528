//! The words of the command line beside its options: verbs, addresses and paths. A verb wins over a path anywhere on the line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::config::suggest::nearest;
use crate::model::address::Address;
use crate::model::host::Label;
use crate::model::untrusted::escape;
use crate::plan::refusal::Code;

use super::args::{ApplyArgs, PlanArgs};
use super::exit::Problem;
use super::formats::Answers;

/// What `qlik-plan` is asked to do.
pub(super) enum PlanVerb {
    Plan(Vec<PathBuf>),
    Validate(Vec<PathBuf>),
    Schema(SchemaOf),
    ExplainObject(Address, Vec<PathBuf>),
    ExplainCode(Code),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaOf {
    Desired,
    Settings,
    Plan,
}

/// What `qlik-apply` is asked to do.
pub(super) enum ApplyVerb {
    Apply(Vec<PathBuf>),
    LedgerInit(Vec<PathBuf>),
    LedgerList(Vec<PathBuf>),
    LedgerMove { from: Address, to: Address, paths: Vec<PathBuf> },
    LedgerForget { address: Address, paths: Vec<PathBuf> },
    Resolve { address: Address, how: ResolveHow, paths: Vec<PathBuf> },
    Rehearse { account: String, paths: Vec<PathBuf> },
}

impl PlanVerb {
    pub(super) fn answers(&self) -> Answers {
        match self {
            Self::Plan(_) => Answers::Plan,
            Self::Validate(_) => Answers::Faults,
            Self::Schema(_) | Self::ExplainObject(..) | Self::ExplainCode(_) => Answers::Other,
        }
    }
}

impl ApplyVerb {
    pub(super) fn answers(&self) -> Answers {
        match self {
            Self::Apply(_) => Answers::Plan,
            Self::LedgerInit(_)
            | Self::LedgerList(_)
            | Self::LedgerMove { .. }
            | Self::LedgerForget { .. }
            | Self::Resolve { .. }
            | Self::Rehearse { .. } => Answers::Other,
        }
    }
}

pub(super) enum ResolveHow {
    Explain,
    Adopt(Label),
    NotCreated,
    Settle,
}

impl PlanArgs {
    pub(super) fn verb(&self) -> Result<PlanVerb, Problem> {
        let mut words = self.common.words.clone();
        if take(&mut words, "validate") {
            return Ok(PlanVerb::Validate(paths(words, PLAN_VERBS)?));
        }
        if take(&mut words, "schema") {
            let of = match words.as_slice() {
                [] => SchemaOf::Desired,
                [one] if one == "desired" => SchemaOf::Desired,
                [one] if one == "settings" => SchemaOf::Settings,
                [one] if one == "plan" => SchemaOf::Plan,
                words => return Err(one_of("schema", words, &["desired", "settings", "plan"], "qlik-plan")),
            };
            return Ok(PlanVerb::Schema(of));
        }
        if take(&mut words, "explain") {
            return explain(words);
        }
        Ok(PlanVerb::Plan(paths(words, PLAN_VERBS)?))
    }
}

impl ApplyArgs {
    pub(super) fn verb(&self) -> Result<ApplyVerb, Problem> {
        let mut words = self.common.words.clone();
        let verb = if take(&mut words, "ledger") {
            if take(&mut words, "init") {
                ApplyVerb::LedgerInit(paths(words, APPLY_VERBS)?)
            } else if take(&mut words, "list") {
                ApplyVerb::LedgerList(paths(words, APPLY_VERBS)?)
            } else if take(&mut words, "mv") {
                const LINE: &str = "qlik-apply ledger mv qlik/OLD qlik/NEW";
                let (from, to) = (tenant(&mut words, LINE)?, tenant(&mut words, LINE)?);
                ApplyVerb::LedgerMove { from, to, paths: paths(words, APPLY_VERBS)? }
            } else if take(&mut words, "forget") {
                let address = tenant(&mut words, "qlik-apply ledger forget qlik/NAME")?;
                ApplyVerb::LedgerForget { address, paths: paths(words, APPLY_VERBS)? }
            } else {
                return Err(one_of("ledger", &words, &["list", "init", "mv", "forget"], "qlik-apply"));
            }
        } else if take(&mut words, "resolve") {
            let Some(address) = take_address(&mut words) else {
                return Err(Problem::new("resolve needs the address of a tenant", "qlik-apply resolve qlik/NAME"));
            };
            if !address.is_tenant() {
                return Err(Problem::new(
                    format!("{address} is a key; only a tenant can be in doubt"),
                    format!("qlik-apply resolve {}", address.parent()),
                ));
            }
            ApplyVerb::Resolve { address, how: self.how()?, paths: paths(words, APPLY_VERBS)? }
        } else if take(&mut words, "rehearse") {
            let Some(at) = words.iter().position(|word| !exists(word)) else {
                return Err(Problem::new(
                    "rehearse needs the name of an account in settings",
                    "qlik-apply rehearse ACCOUNT",
                ));
            };
            ApplyVerb::Rehearse { account: shown(&words.remove(at)), paths: paths(words, APPLY_VERBS)? }
        } else {
            ApplyVerb::Apply(paths(words, APPLY_VERBS)?)
        };
        let resolving = matches!(verb, ApplyVerb::Resolve { .. });
        if !resolving && (self.adopt.is_some() || self.not_created || self.settle) {
            return Err(Problem::new(
                "--adopt, --not-created and --settle belong to the verb resolve",
                "qlik-apply resolve ADDRESS --adopt HOSTNAME",
            ));
        }
        Ok(verb)
    }

    fn how(&self) -> Result<ResolveHow, Problem> {
        if let Some(host) = &self.adopt {
            // The region comes from settings; a whole host is cut down to its first label and checked against it later.
            let first = host.split('.').next().unwrap_or_default();
            let label = Label::parse(first).map_err(|error| {
                Problem::new(
                    format!("--adopt {}: {error}", escape(host)),
                    "give the tenant's hostname, as in --adopt xzoau8xi93gyfo0",
                )
            })?;
            return Ok(ResolveHow::Adopt(label));
        }
        Ok(if self.not_created {
            ResolveHow::NotCreated
        } else if self.settle {
            ResolveHow::Settle
        } else {
            ResolveHow::Explain
        })
    }
}

const PLAN_VERBS: &[&str] = &["validate", "schema", "explain"];
const APPLY_VERBS: &[&str] = &["ledger", "resolve", "rehearse"];

/// A verb without one of the words that belong to it.
fn one_of(verb: &str, words: &[OsString], known: &[&str], program: &str) -> Problem {
    let takes = format!("{verb} takes one of: {}", known.join(", "));
    let found = words.iter().map(|word| shown(word)).find(|word| !known.contains(&word.as_str()));
    let near = found.and_then(|word| nearest(&word, known.iter().copied()).map(|near| (word, near)));
    match near {
        Some((word, near)) => {
            Problem::new(format!("{takes}; {} is none", escape(&word)), format!("did you mean {near}?"))
        }
        None => Problem::new(takes, format!("{program} {verb} {}", known.first().copied().unwrap_or_default())),
    }
}

/// Takes the first tenant's address off the line.
fn tenant(words: &mut Vec<OsString>, line: &str) -> Result<Address, Problem> {
    let missing = || Problem::new("the address of a tenant is missing", line);
    let address = take_address(words).ok_or_else(missing)?;
    if address.is_tenant() {
        return Ok(address);
    }
    Err(Problem::new(
        format!("{address} is a key, and this is about tenants"),
        format!("give the tenant's address, {}; as in: {line}", address.parent()),
    ))
}

/// An address and paths, or a code.
fn explain(mut words: Vec<OsString>) -> Result<PlanVerb, Problem> {
    if let [word] = words.as_slice()
        && let Some(word) = word.to_str().filter(|word| word.starts_with("QP") && !exists(word.as_ref()))
    {
        return match Code::ALL.iter().find(|code| code.as_str() == word) {
            Some(code) => Ok(PlanVerb::ExplainCode(*code)),
            None => Err(Problem::new(
                format!("no refusal has the code {}", escape(word)),
                "give a code as plans print it, as in QP0203; faults of the configuration (QP01…) say themselves what to write",
            )),
        };
    }
    match take_address(&mut words) {
        Some(address) => Ok(PlanVerb::ExplainObject(address, paths(words, PLAN_VERBS)?)),
        None => Err(Problem::new(
            "explain needs the address of a declared object, or a code",
            "qlik-plan explain qlik/NAME, or: qlik-plan explain QP0203",
        )),
    }
}

/// Takes the first occurrence of a verb off the line.
fn take(words: &mut Vec<OsString>, verb: &str) -> bool {
    words.iter().position(|word| word == verb).map(|at| words.remove(at)).is_some()
}

/// Takes the first address off the line that is no path.
fn take_address(words: &mut Vec<OsString>) -> Option<Address> {
    let at = words.iter().position(|word| address(word).is_some() && !exists(word))?;
    address(&words.remove(at))
}

fn address(word: &OsStr) -> Option<Address> {
    word.to_str()?.parse().ok()
}

/// For a message; what is no UTF-8 is not shown as it is.
fn shown(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

fn exists(word: &OsStr) -> bool {
    std::path::Path::new(word).exists()
}

/// The words that are left: all must be there as files or directories. A name of a file need not be UTF-8.
fn paths(words: Vec<OsString>, verbs: &[&str]) -> Result<Vec<PathBuf>, Problem> {
    for word in &words {
        let text = shown(word);
        if exists(word) || text.contains(['/', '.']) {
            continue;
        }
        let shown = escape(&text);
        return Err(match nearest(&text, verbs.iter().copied()) {
            Some(verb) => {
                Problem::new(format!("{shown} is neither a verb nor a path"), format!("did you mean {verb}?"))
            }
            None => Problem::new(
                format!("{shown} is neither a verb nor a path"),
                format!("name a file or directory that is there; the verbs are {}", verbs.join(", ")),
            ),
        });
    }
    Ok(words.into_iter().map(PathBuf::from).collect())
}
