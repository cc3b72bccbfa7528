//! Owners and grants: a user who is made, a role that is made and given, keys minted on the user's behalf.

use serde_json::{Value, json};

use crate::stage::Stage;

/// Documents 003 and 004: the permission to manage API keys through a role, and a one-day key for an integration.
const STACKONE: &str = r#"version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      display_name: Acme Corp
      grants: { manage_api_keys: { role: { name: API key holders, assign_to: { key_owners: true } } } }
      api_keys:
        stackone:
          description: StackOne Integration
          owner: { user: { subject: "auth0|stackone", email: stackone@acme.example, name: StackOne } }
          expires_in: PT24H
          renew_before: PT6H
          deliver_to: files
          deliver_as: env
"#;

fn users(stage: &Stage) -> Vec<Value> {
    stage.tenants()[0]["users"].as_array().unwrap().clone()
}

fn stackone(stage: &Stage) -> Value {
    let users = users(stage);
    let found: Vec<&Value> = users.iter().filter(|user| user["subject"] == json!("auth0|stackone")).collect();
    assert_eq!(found.len(), 1, "{users:#?}");
    found[0].clone()
}

#[test]
fn an_owner_is_made_granted_the_role_and_given_a_key_that_works() {
    let stage = Stage::new(STACKONE);
    let run = stage.apply(&["--yes"]);
    println!("{}", run.all());
    run.exits(0);
    println!("{}", serde_json::to_string_pretty(&stage.state()).unwrap());
    stage.plan(&["--detailed-exitcode"]).exits(0);
    println!("{:?}", stackone(&stage));
}
