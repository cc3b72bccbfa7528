//! What is declared, and where the story stands when trouble comes.

use crate::stage::{ONE_TENANT, Stage};

/// The start of a story.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    desired: String,
    /// Names of the tenant's keys.
    pub(super) keys: Vec<&'static str>,
}

impl Scene {
    /// Nothing exists yet.
    pub(super) fn fresh_with_two_keys() -> Self {
        Self { name: "new", desired: ONE_TENANT.to_owned(), keys: vec!["ci", "reporting"] }
    }

    pub(super) fn set(&self) -> Stage {
        Stage::new(&self.desired)
    }
}
