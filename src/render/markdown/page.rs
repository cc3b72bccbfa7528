//! What a page is for: its platform and name, what it links to, and its head.

use crate::model::address::Name;
use crate::plan::action::Plan;
use crate::render::json;

use super::medium::Medium;
use super::origin::Origin;

/// What a text is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub medium: Medium,
    /// In the title, and in the hidden first line, by which the comment of an earlier run is found and replaced; there it
    /// is `plan` unless named.
    pub comment: Option<Name>,
    pub origin: Origin,
    /// The file that the plan is saved in, as it is typed: apply is told it instead of a hash.
    pub saved: Option<String>,
}

impl Page {
    /// The hidden first line. It shows on no platform, and nothing from outside can write one like it.
    pub fn marker(&self) -> String {
        let comment = self.comment.as_ref().map_or("plan", Name::as_str);
        if self.medium.folds() {
            format!("<!-- qlik-plan: {comment} -->")
        } else {
            format!("[//]: # (qlik-plan: {comment})")
        }
    }

    /// Marker and title. It is underlined, as two signs that begin one are a command to some runners.
    pub(super) fn head(&self, program: &str) -> Vec<String> {
        let name = self.comment.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
        vec![self.marker(), format!("{program}{name}\n---")]
    }

    /// The commit, the run, the plan's hash, and when it was.
    pub(super) fn facts(&self, hash: Option<&str>, when: &str) -> String {
        let Origin { files, run } = &self.origin;
        let commit = files
            .as_ref()
            .map(|files| format!("Commit [`{}`]({})", files.commit.short(), files.commit_page(self.medium)));
        let run = run.as_ref().map(|run| format!("[this run]({})", run.as_str()));
        let hash = hash.map(|hash| format!("plan `{hash}`"));
        let when = Some(when.to_owned()).filter(|when| !when.is_empty());
        [commit, run, hash, when].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The command that makes a plan.
    pub(super) fn apply(&self, plan: &Plan) -> String {
        match &self.saved {
            Some(file) => format!("qlik-apply --plan {file}"),
            // Apply looks at what this plan did not, and so would come to another hash.
            None if !plan.unchecked.is_empty() => "qlik-apply apply".to_owned(),
            None => format!("qlik-apply --approve {}", json::hash(plan)),
        }
    }
}
