//! What is declared, and where the story stands when trouble comes.

use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::service::Service;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};

use super::place::{Place, Runner};

/// The start of a story.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    desired: String,
    /// Names of the tenant's keys.
    pub(super) keys: Vec<&'static str>,
    pub(super) has_alias: bool,
    /// Whether one key's owner is a user who is made, and the permission comes through a role.
    pub(super) has_owner: bool,
    stands: Stands,
    /// The rule that the programs leave out.
    weakness: Option<&'static str>,
    /// Where the ledger is that runners share; without it, each story has a folder.
    store: Option<Arc<Service>>,
    /// Whether programs store the keys, and not we.
    programs: bool,
    /// Whether the first request for the tenant is refused because there are too many.
    throttled: bool,
    /// Whether each key has a second home: a folder, or, for runners, a program that nobody can ask.
    pub(super) two_homes: bool,
}

impl fmt::Debug for Scene {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
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
            has_alias: true,
            has_owner: false,
            stands: Stands::Nothing,
            weakness: None,
            store: None,
            programs: false,
            throttled: false,
            two_homes: false,
        }
    }

    /// Nothing exists yet, and no alias can show a tenant that nobody knows of.
    pub(super) fn new_without_alias() -> Self {
        let desired = ONE_TENANT.replace("      alias: acme-analytics\n", "");
        assert_ne!(desired, ONE_TENANT);
        Self { name: "new, two keys, no alias", desired, has_alias: false, ..Self::new_with_two_keys() }
    }

    /// Nothing exists yet; a third key, in the third shape.
    pub(super) fn new_with_three_keys() -> Self {
        Self {
            name: "new, three keys",
            desired: format!("{ONE_TENANT}{THIRD_KEY}"),
            keys: vec!["ci", "reporting", "deploy"],
            has_alias: true,
            has_owner: false,
            stands: Stands::Nothing,
            weakness: None,
            store: None,
            programs: false,
            throttled: false,
            two_homes: false,
        }
    }

    /// Nothing exists yet: not the tenant, not the user who is to own a key, not the role that lets it.
    pub(super) fn new_with_an_owner() -> Self {
        let everyone = "grants: { manage_api_keys: { everyone: {} } }";
        let role = "grants: { manage_api_keys: { role: { name: API key holders, assign_to: { key_owners: true } } } }";
        let client = "reporting: { description: Reporting, owner: { client: {} }";
        let user =
            "reporting: { description: Reporting, owner: { user: { subject: \"auth0|reporting\", name: Reporting } }";
        let desired = ONE_TENANT.replace(everyone, role).replace(client, user);
        assert!(desired.contains(role) && desired.contains(user));
        Self { name: "new, an owner and a role", desired, has_owner: true, ..Self::new_with_two_keys() }
    }

    /// Everything is there, and all three keys are due.
    pub(super) fn renewal() -> Self {
        Self { name: "renewal, three keys", stands: Stands::KeysAreDue, ..Self::new_with_three_keys() }
    }

    /// The same on a ledger in an object store.
    pub(super) fn on(&self, store: &Arc<Service>) -> Self {
        let name = match self.stands {
            Stands::Nothing => "object store, new",
            Stands::KeysAreDue => "object store, renewal",
        };
        Self { name, store: Some(Arc::clone(store)), ..self.clone() }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.store.is_some()
    }

    /// The same, with a sink of the kind `command`.
    pub(super) fn stored_by_programs(&self) -> Self {
        Self { name: "object store, programs for a sink", programs: true, ..self.clone() }
    }

    /// The same with two homes for each key.
    pub(super) fn in_two_homes(&self) -> Self {
        let name = match (self.stands, self.is_shared()) {
            (Stands::Nothing, false) => "new, two homes a key",
            (Stands::KeysAreDue, false) => "renewal, two homes a key",
            (Stands::Nothing, true) => "object store, new, a folder and a program that stores and does not look",
            (Stands::KeysAreDue, true) => "object store, renewal, a folder and a program that stores and does not look",
        };
        let desired = self.desired.replace("deliver_to: files", "deliver_to: [second, files]");
        assert_ne!(desired, self.desired);
        Self { name, desired, two_homes: true, ..self.clone() }
    }

    /// The same where the first request for the tenant is refused because there are too many.
    pub(super) fn throttled(&self) -> Self {
        let name = if self.store.is_some() { "object store, new, a 429" } else { "new, a 429" };
        Self { name, throttled: true, ..self.clone() }
    }

    pub(super) fn is_throttled(&self) -> bool {
        self.throttled
    }

    /// Sets the stage. What an earlier apply delivered may be superseded.
    pub(super) fn set(&self) -> Place {
        let mut stage = match &self.store {
            None if self.two_homes => {
                let second = "\n  second: { kind: file, directory: ./more, durable: true }\nledger:";
                let settings = SETTINGS.replace("\nledger:", second);
                assert_ne!(settings, SETTINGS);
                Place::Sandbox(Stage::with_settings(&self.desired, &settings))
            }
            None => Place::Sandbox(Stage::new(&self.desired)),
            Some(store) => Place::shared(&self.desired, store, self.programs, self.two_homes),
        };
        if self.stands == Stands::KeysAreDue {
            for (program, arg) in [(APPLY, "--yes"), (PLAN, "--detailed-exitcode")] {
                let output = stage.program(program, &[arg], Runner::First).output().unwrap();
                drop(Run::of(&output).exits(0));
            }
            stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
        }
        if self.throttled {
            let pattern = json!({ "method": "POST", "path": "/api/v1/tenants" });
            stage.fault(&json!({ "match": pattern, "nth": 1, "action": { "retry_after": { "seconds": 0 } } }));
        }
        if let Some(weakness) = self.weakness {
            stage.leave_out(weakness);
        }
        stage
    }

    /// The same with a rule left out.
    pub(super) fn weakened(&self, weakness: &'static str) -> Self {
        Self { weakness: Some(weakness), ..self.clone() }
    }

    pub(super) fn renews(&self) -> bool {
        self.stands == Stands::KeysAreDue
    }
}
