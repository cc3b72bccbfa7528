//! What GitLab's merge request shows of a plan: how many objects are created, changed and deleted (its `terraform` report).

use serde::Serialize;

use crate::plan::action::Plan;

use super::json::line;
use super::terraform;

/// The three members that GitLab reads, and one that it does not.
#[derive(Serialize)]
struct Counts {
    create: usize,
    update: usize,
    delete: usize,
    /// GitLab passes over a member that it does not read; scripts may look at it.
    #[serde(skip_serializing_if = "is_zero")]
    findings: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Without these members GitLab says that the report failed, instead of taking it for a plan that changes nothing.
#[derive(Serialize)]
struct Failed<'a> {
    error: &'a str,
}

/// One line: the same numbers that GitLab's own filter takes from `terraform-json`.
pub fn plan(plan: &Plan) -> String {
    let [create, update, delete] = terraform::counts(plan);
    line(&Counts { create, update, delete, findings: plan.findings.len() })
}

/// A run that came to no plan has nothing to count.
pub fn error(message: &str) -> String {
    line(&Failed { error: message })
}
