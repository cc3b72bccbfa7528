//! What an apply made, what it did not make, and what to run next.

use crate::apply::event::{Failure, Report, ReportLine, ReportOutcome};
use crate::model::untrusted::escape;
use crate::render::Look;
use crate::render::events::{deed, done};
use crate::render::guard;
use crate::render::layout::table;
use crate::render::style::{BAD, GOOD, STRONG, paint};
use crate::render::summary;

/// The whole report, ending with a newline.
pub fn report(report: &Report, look: &Look) -> String {
    let Report { started: _, lines, stopped } = report; // the time is for programs
    let mut made = Vec::new();
    let mut unmade = Vec::new();
    let mut next: Vec<String> = Vec::new();
    for ReportLine { address, step, outcome } in lines {
        let address = address.to_string();
        match outcome {
            ReportOutcome::Done { detail } => made.push(vec![address, done(*step), detail.to_string()]),
            ReportOutcome::Failed(Failure { why, next: steps }) => {
                unmade.push(vec![address, format!("could not {}", deed(*step)), why.to_string()]);
                next.extend(steps.iter().map(|step| format!("- {}", escape(step))));
            }
            ReportOutcome::Skipped { because } => {
                unmade.push(vec![address, format!("did not {}", deed(*step)), escape(because)]);
            }
        }
    }
    let mut out: Vec<String> = Vec::new();
    section(&mut out, &paint("Made:", GOOD, look), &made);
    section(&mut out, &paint("Not made:", BAD, look), &unmade);
    if let Some(why) = stopped {
        section(&mut out, &paint("Stopped early:", BAD, look), &[vec![format!("- {}", escape(why))]]);
    }
    // Several failures often have one way out.
    let mut steps: Vec<Vec<String>> = Vec::new();
    for step in next {
        if !steps.iter().flatten().any(|known| *known == step) {
            steps.push(vec![step]);
        }
    }
    if steps.is_empty() && !report.is_clean() {
        steps.push(vec!["- qlik-apply again: it goes on where this run stopped".to_owned()]);
    }
    section(&mut out, &paint("Next:", STRONG, look), &steps);
    out.push(paint(&summary::report(report), STRONG, look));
    guard::text(out.join("\n") + "\n")
}

fn section(out: &mut Vec<String>, title: &str, rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    out.push(title.to_owned());
    out.extend(table(rows).into_iter().map(|line| format!("  {line}")));
    out.push(String::new());
}
