//! A request's outcome as a failure that a user reads.

use crate::ledger::LedgerError;
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::Unreadable;
use crate::plan::action::TenantRef;
use crate::provider::http::{Outcome, Trouble};

use crate::model::address::Name;

use super::event::Failure;

/// The knowledge after a request that changes something.
pub(super) enum Known<T> {
    Done(T),
    /// The change was definitely not made.
    Not(Failure),
    /// The change may have been made.
    Unclear(Failure),
}

pub(super) fn known<T>(outcome: Outcome<T>) -> Known<T> {
    match outcome {
        Outcome::Committed(value) => Known::Done(value),
        Outcome::NotSent(trouble) => Known::Not(trouble.into()),
        Outcome::Rejected(rejection) => {
            Known::Not(Failure { why: rejection.sentence().into(), next: vec![rejection.next.into()] })
        }
        Outcome::CommittedUnreadable(trouble) | Outcome::Unknown(trouble) => Known::Unclear(trouble.into()),
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self { why: trouble.why, next: vec![trouble.next] }
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self { why: unreadable.why, next: vec![unreadable.next] }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self { why: error.to_string().into(), next: vec![error.next()] }
    }
}

/// The host of a tenant, checked once more against the account's region before a credential goes there.
pub(super) fn host_of(desired: &Desired, account: &Name, at: &TenantRef) -> Result<Host, Failure> {
    desired.qlik.get(account).and_then(|facts| facts.region.accept(at.hostname.raw())).ok_or_else(|| {
        Failure::new(
            format!("{} is no host of account {account}'s region, so nothing is sent there", at.hostname),
            "correct the account's region in settings",
        )
    })
}
