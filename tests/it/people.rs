//! Owners and grants: a user who is made, a role that is made and given, keys minted on the user's behalf, a month of them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{PLAN, Run, Stage};

mod month;

/// Documents 003 and 004 of the vendors: the permission to manage API keys through a role, and a one-day key for an integration.
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
"#;

const GRANT: &str =
    "      grants: { manage_api_keys: { role: { name: API key holders, assign_to: { key_owners: true } } } }\n";
const OWNER: &str = r#"owner: { user: { subject: "auth0|stackone", email: stackone@acme.example, name: StackOne } }"#;

/// The example of the repository, as it is.
const EXAMPLE: &str = include_str!("../../examples/stackone/stackone.yaml");

fn with_owner(owner: &str) -> String {
    STACKONE.replace(OWNER, owner)
}

fn tenant(stage: &Stage) -> Value {
    let tenants = stage.tenants();
    let [tenant] = tenants.as_slice() else { panic!("{} tenants are there", tenants.len()) };
    tenant.clone()
}

fn host(stage: &Stage) -> String {
    tenant(stage)["hostnames"][0].as_str().unwrap().to_owned()
}

fn user(stage: &Stage, subject: &str) -> Value {
    let tenant = tenant(stage);
    let found: Vec<&Value> =
        tenant["users"].as_array().unwrap().iter().filter(|user| user["subject"] == json!(subject)).collect();
    assert_eq!(found.len(), 1, "{:#}", tenant["users"]);
    found[0].clone()
}

fn edit(stage: &Stage, edit: &Value) -> Value {
    stage.control("POST", "/edit", edit)
}

/// A tenant that is there, without anybody or anything in it.
fn empty_tenant(grant: &str) -> Stage {
    let stage = Stage::new("version: 1\nqlik: { tenants: { acme: { account: us-oem, display_name: Acme Corp } } }\n");
    stage.settle();
    stage.write_desired(&STACKONE.replace(GRANT, grant));
    stage
}

/// What `users/me` answers to the delivered token.
fn users_me(stage: &Stage, key: &str) -> (u16, String) {
    let token = std::fs::read_to_string(stage.secret_file("acme", key)).unwrap();
    Client::at(stage.dir()).users_me(&host(stage), &token)
}

/// Paths of what was sent since the last forgetting and changed something, ids replaced, and rehearsals left out.
fn changes(stage: &Stage) -> Vec<String> {
    let host = host(stage);
    let short = |change: String| change.split(&host).collect::<Vec<_>>().join("");
    let of_tenant = stage.changes().into_iter().filter(|change| change.contains(&host) || change.contains("register"));
    of_tenant
        .map(short)
        .map(|change| {
            // The shortest id has 24 characters; the register's host has dots.
            let is_id = |part: &&str| part.len() >= 20 && !part.contains('.');
            let parts = change.split('/').map(|part| if is_id(&part) { "*" } else { part });
            parts.collect::<Vec<_>>().join("/")
        })
        .collect()
}

#[test]
fn permission_owner_key_and_delivery_come_from_one_apply_and_the_next_sends_nothing() {
    let stage = Stage::new(EXAMPLE);
    stage
        .plan(&[])
        .exits(0)
        .says("create user")
        .says("grant a permission")
        .says("Plan: 1 tenant, 1 user and 2 keys to create, 1 tenant to set up, 1 permission to grant, 1 key client to trust.");
    stage.apply(&["--yes"]).exits(0).says("granted the permission").says("created the user");
    assert_eq!(
        changes(&stage),
        [
            "POST register.us.qlikcloud.com/api/v1/tenants",
            "PATCH /api/v1/tenants/*",
            "PATCH /api/v1/oauth-clients/*/connection-configs/me",
            "POST /api/v1/users",
            "POST /api/v1/roles",
            "PATCH /api/v1/users/*",
            "POST /api/v1/api-keys",
            "PATCH /api/v1/api-keys/*",
            "POST /api/v1/api-keys",
            "PATCH /api/v1/api-keys/*",
        ]
    );
    let owner = user(&stage, "auth0|stackone");
    assert_eq!((&owner["name"], &owner["email"]), (&json!("StackOne"), &json!("stackone@acme.example")));
    assert_eq!(owner["roles"], json!(["API key holders"]));
    let tenant = tenant(&stage);
    assert_eq!(tenant["roles"][0]["scopes"], json!(["api-keys"]));
    assert_eq!(tenant["user_default"], json!([]), "nobody else got the permission");
    for key in stage.live_keys() {
        assert_eq!((&key["sub"], &key["createdByUser"]), (&owner["id"], &owner["id"]));
    }

    // StackOne's three fields, and a context that qlik-cli reads.
    let form: Value =
        serde_json::from_str(&std::fs::read_to_string(stage.secret_file("acme", "stackone")).unwrap()).unwrap();
    assert_eq!(form["tenant_name"], json!(host(&stage).split('.').next().unwrap()));
    assert_eq!(form["region"], json!("us"));
    let field = |name: &str| form[name].as_str().unwrap();
    let named = format!("{}.{}.qlikcloud.com", field("tenant_name"), field("region"));
    let (status, user) = Client::at(stage.dir()).users_me(&named, field("api_key"));
    assert!(status == 200 && user.contains(owner["id"].as_str().unwrap()), "{status}: {user}");
    let context = std::fs::read_to_string(stage.secret_file("acme", "qlik-cli")).unwrap();
    assert!(context.contains(&format!("server: \"https://{}\"", host(&stage))), "{context}");

    // The source tenant is left as it was: the user of the rehearsal is gone.
    let state = stage.state();
    let source = state["tenants"].as_array().unwrap().iter().find(|tenant| tenant["source"] == json!(true)).unwrap();
    assert_eq!(source["users"].as_array().unwrap().len(), 1, "{:#}", source["users"]);

    stage.forget_requests();
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do. 3 objects are as declared.");
    // Token, tenant, keys, and one for the grant.
    let read: Vec<String> = stage.requests().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(read.iter().filter(|path| !path.starts_with("/oauth/revoke")).count(), 4, "{read:?}");
    stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    assert_eq!(stage.changes(), [] as [&str; 0]);
}

#[test]
fn without_the_permission_no_key_is_planned_and_with_it_the_key_works_until_it_is_taken_away() {
    let stage = empty_tenant("");
    stage.plan(&["--detailed-exitcode"]).exits(1).says("QP0305").says("assign_to: { key_owners: true }");
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(1).says("QP0305");
    assert_eq!(stage.changes(), [] as [&str; 0], "an owner was made for a key that is refused");

    stage.write_desired(STACKONE);
    stage.settle();
    let (status, me) = users_me(&stage, "stackone");
    assert!(status == 200 && me.contains("auth0|stackone"), "{status}: {me}");

    // Somebody takes the role away by hand: the key dies, the plan shows it, and the next apply gives it back.
    let owner = user(&stage, "auth0|stackone")["id"].clone();
    edit(&stage, &json!({ "action": "set_user_roles", "user": owner, "roles": [] }));
    assert_eq!(users_me(&stage, "stackone").0, 401);
    stage.plan(&["--detailed-exitcode"]).exits(2).says("grant a permission").says("user with subject auth0|stackone");
    stage.forget_requests();
    stage.settle();
    assert_eq!(changes(&stage), ["PATCH /api/v1/users/*"]);
    assert_eq!(users_me(&stage, "stackone").0, 200);
}

#[test]
fn what_is_more_than_declared_is_left_alone_and_is_no_drift() {
    let stage = empty_tenant(GRANT);
    let tenant_host = host(&stage);
    let add = |subject: &str| {
        let made = edit(&stage, &json!({ "action": "add_user", "tenant": tenant_host, "subject": subject }));
        made["id"].as_str().unwrap().to_owned()
    };
    let (owner, other) = (add("auth0|stackone"), add("auth0|other"));
    edit(&stage, &json!({ "action": "set_user_roles", "user": owner, "roles": ["Steward", "DataAdmin"] }));
    stage.forget_requests();
    stage.settle();
    assert_eq!(user(&stage, "auth0|stackone")["roles"], json!(["Steward", "DataAdmin", "API key holders"]));
    assert!(!changes(&stage).contains(&"POST /api/v1/users".to_owned()), "the owner was there");

    edit(&stage, &json!({ "action": "set_user_roles", "user": other, "roles": ["API key holders"] }));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do");
    assert_eq!(user(&stage, "auth0|other")["roles"], json!(["API key holders"]));
}

#[test]
fn groups_and_named_users_get_the_role_once_they_are_there() {
    let grant =
        GRANT.replace("{ key_owners: true }", "{ users: [{ email: it@acme.example }], groups: [Integrations] }");
    let stage = empty_tenant(&grant);
    stage.plan(&[]).exits(1).says("QP0313").says("no user with email it@acme.example and no group Integrations");
    let tenant_host = host(&stage);
    let add = |subject: &str, email: &str| {
        let made = json!({ "action": "add_user", "tenant": tenant_host, "subject": subject, "email": email });
        edit(&stage, &made)["id"].as_str().unwrap().to_owned()
    };
    add("auth0|it", "IT@acme.example");
    let owner = add("auth0|stackone", "stackone@acme.example");
    edit(&stage, &json!({ "action": "set_user_groups", "user": owner, "groups": ["Integrations"] }));
    // The owner has the permission through its group, as soon as the group has the role.
    stage.plan(&[]).exits(0).says("group \"Integrations\"").says("create key");
    stage.settle();
    assert_eq!(user(&stage, "auth0|it")["roles"], json!(["API key holders"]));
    assert_eq!(user(&stage, "auth0|stackone")["roles"], json!([]));
    assert_eq!(tenant(&stage)["groups"][0]["roles"], json!(["API key holders"]));
    assert_eq!(users_me(&stage, "stackone").0, 200);
}

#[test]
fn a_partial_answer_is_not_taken_for_success() {
    let stage = empty_tenant(GRANT);
    let body =
        json!({ "errors": [{ "code": "USERS-7", "title": "Not found", "source": { "pointer": "/assignedRoles" } }] });
    let partly = |when: &str| json!({ "match": { "method": "PATCH", "path": "/api/v1/users/*" }, "nth": 1, "action": { when: { "status": 207, "body": body } } });
    // Not done: said, and no key is minted for an owner without the permission.
    stage.fault(&partly("status_before"));
    stage.apply(&["--yes"]).exits(1).says("part of it was not done").says("USERS-7");
    assert_eq!(stage.live_keys().len(), 0);
    // Done after all: looked at, and gone on.
    stage.fault(&partly("status_after"));
    stage.settle();
    assert_eq!(users_me(&stage, "stackone").0, 200);
}

#[test]
fn a_lost_answer_makes_no_second_owner_and_no_second_role() {
    for path in ["/api/v1/users", "/api/v1/roles", "/api/v1/users/*"] {
        for action in ["drop_before", "drop_after", "malformed"] {
            let stage = empty_tenant(GRANT);
            let method = if path.ends_with('*') { "PATCH" } else { "POST" };
            stage.fault(&json!({ "match": { "method": method, "path": path }, "nth": 1, "action": action }));
            let first = stage.apply(&["--yes"]);
            if first.code != Some(0) {
                stage.settle();
            }
            stage.plan(&["--detailed-exitcode"]).exits(0);
            user(&stage, "auth0|stackone");
            assert_eq!(tenant(&stage)["roles"].as_array().unwrap().len(), 1, "{path} {action}");
            assert_eq!(users_me(&stage, "stackone").0, 200);
        }
    }
}

#[test]
fn another_owner_is_refused_with_the_way_out_and_nothing_is_minted_or_made() {
    let stage = empty_tenant(GRANT);
    stage.settle();
    let before = stage.live_keys();
    stage.forget_requests();
    for owner in [r#"owner: { user: { subject: "auth0|another" } }"#, "owner: { client: {} }"] {
        stage.write_desired(&with_owner(owner));
        // At once for somebody whom the role is to be given to; else when the key is due.
        if owner.contains("client") {
            stage.control("POST", "/clock", &json!({ "advance": "PT19H" }));
        }
        let run = stage.apply(&["--yes"]);
        run.exits(1).says("QP0309").says("declare it under another name");
    }
    assert_eq!(stage.live_keys(), before);
    assert!(
        !stage.changes().iter().any(|change| change.contains("api-keys") || change.ends_with("/users")),
        "{:?}",
        stage.changes()
    );
    // Under another name, both live on until the first is taken out.
    let second = format!(
        "{STACKONE}{}",
        STACKONE
            .split("api_keys:\n")
            .nth(1)
            .unwrap()
            .replace("stackone:", "another:")
            .replace("StackOne Integration", "Another")
            .replace("auth0|stackone", "auth0|another")
            .replace("email: stackone@acme.example, ", "")
    );
    stage.write_desired(&second);
    stage.settle();
}

#[test]
fn an_owner_is_found_by_address_or_id_and_told_apart_from_others() {
    let by_email = "owner: { user: { email: stackone@acme.example } }";
    let stage = empty_tenant(GRANT);
    stage.write_desired(&with_owner(by_email));
    stage.plan(&[]).exits(1).says("QP0311").says("name the owner by its subject");
    let tenant_host = host(&stage);
    let add = |subject: &str| {
        let user = json!({ "action": "add_user", "tenant": tenant_host, "subject": subject, "email": "stackone@acme.example" });
        edit(&stage, &user)["id"].as_str().unwrap().to_owned()
    };
    // Somebody has the address of the owner who is to be made: that may be the one who is meant.
    let id = add("saml|stackone");
    stage.write_desired(STACKONE);
    stage.plan(&[]).exits(1).says("subject saml|stackone has its e-mail address");
    // Disabled: nobody can act for it.
    stage.write_desired(&with_owner(by_email));
    edit(&stage, &json!({ "action": "set_user_status", "user": id, "status": "disabled" }));
    stage.plan(&[]).exits(1).says("QP0312").says("disabled");
    edit(&stage, &json!({ "action": "set_user_status", "user": id, "status": "active" }));
    stage.settle();
    assert!(users_me(&stage, "stackone").1.contains(&id));
    // The same owner by its id: nothing changes.
    stage.write_desired(&with_owner(&format!("owner: {{ user: {{ id: {id} }} }}")));
    stage.plan(&["--detailed-exitcode"]).exits(0);
    // Two of one address: neither is chosen.
    let other = add("auth0|stackone");
    stage.write_desired(&with_owner(by_email));
    stage.control("POST", "/clock", &json!({ "advance": "PT19H" }));
    stage.plan(&[]).exits(1).says("several users have email stackone@acme.example");
    edit(&stage, &json!({ "action": "delete_user", "user": other }));
    stage.settle();
}

#[test]
fn a_rehearsal_says_what_to_change_before_a_tenant_is_paid_for() {
    for (switch, words) in [
        ("impersonation", "urn:qlik:oauth:user-impersonation"),
        ("impersonation_may_mint", "tokens by impersonation may not mint here"),
        ("key_client_trustable", "publish the key client to the region"),
    ] {
        let stage = Stage::new(STACKONE);
        stage.plan(&[]).exits(0);
        stage.control("POST", "/switches", &json!({ switch: false }));
        stage.apply(&["--yes"]).exits(1).says("QP0404").says(words);
        assert_eq!(stage.tenants().len(), 0, "a tenant was made");
        stage.control("POST", "/switches", &json!({ switch: true }));
        stage.apply(&["rehearse", "us-oem"]).exits(0).says("the key client on a user's behalf on mycorp");
        stage.settle();
        let state = stage.state();
        let source = state["tenants"].as_array().unwrap().iter().find(|one| one["source"] == json!(true)).unwrap();
        let left = source["users"].as_array().unwrap().iter().filter(|user| user["clientId"].is_null()).count();
        assert_eq!(left, 0, "the user of the rehearsal is still there");
    }
}

#[test]
fn a_vendor_that_refuses_the_narrow_question_is_asked_two_wide_ones() {
    let stage = empty_tenant(GRANT);
    stage.settle();
    let body = json!({ "errors": [{ "code": "USERS-400", "title": "Bad request" }] });
    let refused = json!({ "status_before": { "status": 400, "body": body } });
    stage.fault(&json!({ "match": { "method": "GET", "path": "/api/v1/users" }, "nth": 1, "action": refused }));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do");
}

#[test]
fn the_vendors_warning_stands_at_the_line_that_grants_to_everyone() {
    let stage = Stage::new(
        &STACKONE.replace("role: { name: API key holders, assign_to: { key_owners: true } }", "everyone: {}"),
    );
    let run = stage.plan(&["--format", "github"]).exits(0);
    let warning = run.out.lines().find(|line| line.contains("only grant the Manage API keys permission"));
    assert!(warning.is_some_and(|line| line.contains("file=desired.yaml,line=7")), "{}", run.out);
    stage.plan(&[]).exits(0).says("(desired.yaml:7)").says("require it");
    let quiet = Stage::new(STACKONE);
    assert!(!quiet.plan(&[]).exits(0).all().contains("The vendor's warning"));
}

#[test]
fn a_plan_explains_who_owns_and_who_holds() {
    let stage = empty_tenant(GRANT);
    stage.settle();
    let mut command = stage.command(PLAN);
    let run = Run::of(&command.args(["--sandbox", "explain", "qlik/acme"]).output().unwrap());
    run.exits(0).says("role API key holders").says("held by user with subject auth0|stackone");
    stage.plan(&["explain", "QP0313"]).exits(0).says("assign_to");
}
