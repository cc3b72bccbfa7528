//! How a program ends: done, with a code, or with a problem in a user's words.

use std::process::ExitCode;

use crate::render::Outcome;

use super::args::{Common, ExitCodes};

/// Why a program ends without having done what it was asked, in a user's words.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) next: Vec<String>,
    /// Already rendered text for stderr, where a sentence is not enough.
    pub(super) rendered: Option<String>,
    pub(super) faults: Option<serde_json::Value>,
    pub(super) outcome: Outcome,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { message: message.into(), next: vec![next.into()], rendered: None, faults: None, outcome: Outcome::Error }
    }
}

impl From<crate::apply::event::Failure> for Problem {
    fn from(failure: crate::apply::event::Failure) -> Self {
        Self {
            message: failure.why.to_string(),
            next: failure.next,
            rendered: None,
            faults: None,
            outcome: Outcome::Error,
        }
    }
}

impl From<crate::ledger::LedgerError> for Problem {
    fn from(error: crate::ledger::LedgerError) -> Self {
        Self::new(error.to_string(), error.next())
    }
}

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Error,
    /// Whatever the outcome and the kind of exit codes make it.
    Code(u8),
}

impl Exit {
    /// The exit of an outcome, in the exit codes that were asked for.
    pub(super) fn of(outcome: Outcome, common: &Common) -> Self {
        Self::Code(match common.exit_codes {
            ExitCodes::Coarse => outcome.coarse(common.detailed_exitcode),
            ExitCodes::Fine => outcome.fine(),
        })
    }

    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Code(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
