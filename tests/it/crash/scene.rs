//! What is declared, and where the story stands when trouble comes.

use serde_json::json;

use crate::stage::{ONE_TENANT, Stage};

/// The start of a story.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    desired: String,
    /// Names of the tenant's keys.
    pub(super) keys: Vec<&'static str>,
    stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Nothing exists.
    Nothing,
    /// Everything was made, and the keys are due.
    KeysAreDue,
}

const THIRD_KEY: &str = r"        deploy: { description: Deploy hook, owner: { client: {} }, expires_in: P14D, renew_before: P9D, deliver_to: files, deliver_as: json }
";

impl Scene {
    /// Nothing exists yet.
    pub(super) fn new_with_two_keys() -> Self {
        Self {
            name: "new, two keys",
            desired: ONE_TENANT.to_owned(),
            keys: vec!["ci", "reporting"],
            stands: Stands::Nothing,
        }
    }

    /// Nothing exists yet; a third key, in the third shape.
    pub(super) fn new_with_three_keys() -> Self {
        Self {
            name: "new, three keys",
            desired: format!("{ONE_TENANT}{THIRD_KEY}"),
            keys: vec!["ci", "reporting", "deploy"],
            stands: Stands::Nothing,
        }
    }

    /// Everything is there, and all three keys are due.
    pub(super) fn renewal() -> Self {
        Self { name: "renewal, three keys", stands: Stands::KeysAreDue, ..Self::new_with_three_keys() }
    }

    /// Sets the stage. What an earlier apply delivered may be superseded.
    pub(super) fn set(&self) -> Stage {
        let stage = Stage::new(&self.desired);
        if self.stands == Stands::KeysAreDue {
            stage.settle();
            stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
        }
        stage
    }

    pub(super) fn renews(&self) -> bool {
        self.stands == Stands::KeysAreDue
    }
}
