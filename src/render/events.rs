//! Progress of an apply: one line an event, for people who watch.

use crate::apply::event::{Event, Failure, Happened, Step};
use crate::model::untrusted::escape;

use super::style::{BAD, FAINT, GOOD, STRONG, paint};
use super::{Look, guard};

/// The line of an event, without a newline; `None` for what a watcher need not see.
pub fn event(event: &Event, look: &Look) -> Option<String> {
    let Event { address, step, happened } = event;
    let text = match happened {
        Happened::Began if is_whole(*step) => paint(&format!("{} ...", doing(*step)), FAINT, look),
        // The parts of a whole are quick, and their ends are told.
        Happened::Began => return None,
        Happened::Succeeded { detail } => {
            let detail = if detail.raw().is_empty() { String::new() } else { format!(": {detail}") };
            format!("{}{detail}", paint(&done(*step), GOOD, look))
        }
        // The way out stands in the report, once.
        Happened::Failed(Failure { why, next: _ }) => {
            format!("{}: {why}", paint(&format!("could not {}", deed(*step)), BAD, look))
        }
        Happened::Skipped { because } => format!("did not {}: {}", deed(*step), escape(because)),
        Happened::Noted { text } => format!("note: {text}"),
    };
    Some(guard::text(format!("{}: {text}", paint(&address.to_string(), STRONG, look))))
}

/// Whether a step is a whole action, not a part of one.
fn is_whole(step: Step) -> bool {
    match step {
        Step::CreateTenant
        | Step::Settle
        | Step::MoveGroup
        | Step::Trust
        | Step::CreateObject(_)
        | Step::Grant
        | Step::CreateKey
        | Step::RenewKey
        | Step::Reclaim => true,
        Step::RecordAdoption
        | Step::SettleName
        | Step::SettleAlias
        | Step::SettleLimits
        | Step::Mint
        | Step::Try
        | Step::Deliver
        | Step::Verify
        | Step::Mark
        | Step::Revoke => false,
    }
}

/// As in "could not …".
pub(super) fn deed(step: Step) -> String {
    words(step).0
}

/// As in "created tenant".
pub(super) fn done(step: Step) -> String {
    words(step).1
}

fn doing(step: Step) -> String {
    words(step).2
}

/// As in "could not …", "created tenant" and "creating the tenant ...".
fn words(step: Step) -> (String, String, String) {
    let said = |deed: &str, done: &str, doing: &str| (deed.to_owned(), done.to_owned(), doing.to_owned());
    match step {
        Step::CreateTenant => said("create the tenant", "created the tenant", "creating the tenant"),
        Step::RecordAdoption => said("record the adoption", "recorded the adoption", "recording the adoption"),
        Step::SettleName => said("set the display name", "set the display name", "setting the display name"),
        Step::SettleAlias => said("set the alias", "set the alias", "setting the alias"),
        Step::SettleLimits => said("set the API key limits", "set the API key limits", "setting the API key limits"),
        Step::Settle => said("set up the tenant", "set up the tenant", "setting up the tenant"),
        Step::MoveGroup => {
            said("record the tenant's group", "recorded the tenant's group", "recording the tenant's group")
        }
        Step::Trust => said("trust the key client", "trusted the key client", "trusting the key client"),
        Step::CreateObject(kind) => {
            let word = kind.word();
            (format!("create the {word}"), format!("created the {word}"), format!("creating the {word}"))
        }
        Step::Grant => said("grant the permission", "granted the permission", "granting the permission"),
        Step::Mint => said("mint the key", "minted the key", "minting the key"),
        Step::Try => said("try the key", "tried the key", "trying the key"),
        Step::Deliver => said("deliver the key", "delivered the key", "delivering the key"),
        Step::Verify => said("verify the delivery", "verified the delivery", "verifying the delivery"),
        Step::Mark => said("mark the key as delivered", "marked the key as delivered", "marking the key as delivered"),
        Step::Revoke => said("revoke the key", "revoked the key", "revoking the key"),
        Step::CreateKey => said("create the key", "created the key", "creating the key"),
        Step::RenewKey => said("renew the key", "renewed the key", "renewing the key"),
        Step::Reclaim => said("revoke the leftover key", "revoked the leftover key", "revoking the leftover key"),
    }
}
