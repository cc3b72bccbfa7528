//! Names that a hand slipped on: what differs in case or white space only from a tenant that is there makes no second one.

use serde_json::{Value, json};

use crate::stage::{SETTINGS, Stage};

const ACCOUNT: &str = "53ca62f5-b124-447d-b593-2f7ea4fecdcc";

/// One tenant at Imburse, under this address and of this name.
fn retail(address: &str, name: &str) -> String {
    format!(
        "version: 1\nimburse:\n  tenants:\n    {address}:\n      account: payments\n      display_name: {}\n      address: {{ street_address: 1 High Street, locality: London, post_code: N1 1AA, country: GB }}\n",
        Value::from(name)
    )
}

fn stage() -> Stage {
    let account = format!(
        "  payments:\n    vendor: imburse\n    base_url: https://sandbox-api.imbursepayments.com\n    account_id: {ACCOUNT}\n    account_key: {{ public: {{ env: IMBURSE_PUBLIC_KEY }}, private: {{ env: IMBURSE_PRIVATE_KEY }} }}\nsinks:\n"
    );
    Stage::with_settings(&retail("uk-retail", "UK Retail"), &SETTINGS.replace("sinks:\n", &account))
}

fn by_hand(stage: &Stage, name: &str) -> String {
    stage.plan(&[]);
    let edit = json!({ "action": "imburse_create_tenant", "account": ACCOUNT, "name": name });
    stage.control("POST", "/edit", &edit)["tenantId"].as_str().unwrap().to_owned()
}

fn count(stage: &Stage) -> usize {
    let state = stage.state();
    let accounts = state["imburse"]["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|account| account["accountId"] == json!(ACCOUNT));
    account.and_then(|account| account["tenants"].as_array()).map_or(0, Vec::len)
}

#[test]
fn at_imburse_a_name_that_is_nearly_that_of_a_tenant_makes_no_second_one() {
    let stage = stage();
    let id = by_hand(&stage, "UK Retail ");
    for name in ["UK Retail", "uk retail", "UK\u{a0}RETAIL", "\u{ff35}\u{ff2b} Retail"] {
        stage.write_desired(&retail("uk-retail", name));
        stage
            .apply(&["--yes"])
            .exits(1)
            .says("QP0231")
            .says("the same but for case or white space (\"UK Retail \", id ")
            .says(&format!("adopt: {{ tenant_id: {id} }}"))
            .says("qlik-apply --new imburse/uk-retail");
        assert_eq!(count(&stage), 1, "{name}");
    }
    // A person says that it is another.
    stage.apply(&["--yes", "--new", "imburse/uk-retail"]).exits(0);
    assert_eq!(count(&stage), 2);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    // Of exactly that name, only `adopt:` or another name leads on.
    let stage = self::stage();
    by_hand(&stage, "UK Retail");
    stage.apply(&["--yes", "--new", "imburse/uk-retail"]).exits(1).says("a tenant of the same name");
    assert_eq!(count(&stage), 1);
}

#[test]
fn a_name_under_another_address_is_a_rename_and_not_another_tenant() {
    let stage = stage();
    stage.settle();
    // The address has nothing in common with the old one; the name tells.
    for name in ["UK Retail", "uk  retail"].map(|name| name.replace("  ", " ")) {
        stage.write_desired(&retail("shops", &name));
        stage
            .apply(&["--yes"])
            .exits(1)
            .says("QP0218")
            .says("its name is that of imburse/uk-retail")
            .says("qlik-apply ledger mv imburse/uk-retail imburse/shops");
    }
    assert_eq!(count(&stage), 1);
    stage.write_desired(&retail("shops", "UK Retail"));
    stage.apply(&["ledger", "mv", "imburse/uk-retail", "imburse/shops"]).exits(0);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!(count(&stage), 1);
}

#[test]
fn at_qlik_the_organizations_list_tells_a_rename_by_the_name_of_the_tenant() {
    let client = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\nsinks:";
    let desired = |address: &str, name: &str| {
        format!("version: 1\nqlik:\n  tenants:\n    {address}: {{ account: us-oem, display_name: {name:?} }}\n")
    };
    let stage = Stage::with_settings(&desired("acme", "Acme Corp"), &SETTINGS.replacen("sinks:", client, 1));
    stage.settle();
    stage.write_desired(&desired("house", "ACME corp"));
    stage.apply(&["--yes"]).exits(1).says("QP0218").says("qlik-apply ledger mv qlik/acme qlik/house");
    assert_eq!(stage.tenants().len(), 1);
    stage.write_desired(&desired("house", "Acme Corporation"));
    stage.plan(&[]).exits(0).says("1 tenant");
    stage.write_desired(&desired("house", "ACME corp"));
    stage.apply(&["--yes", "--new", "qlik/house"]).exits(0);
    assert_eq!(stage.tenants().len(), 2);
}

#[test]
fn nothing_is_sent_of_a_text_that_nobody_filled_in_or_cannot_be_seen() {
    let stage = Stage::new("version: 1\n");
    stage.plan(&[]).exits(0);
    stage.forget_requests();
    for name in ["${TENANT_NAME}", "{{ tenant.name }}", "Acme ", "Ac\u{200b}me", "\u{202e}emcA", "Acme  Corp"] {
        let quoted = Value::from(name).to_string();
        stage.write_desired(&format!(
            "version: 1\nqlik: {{ tenants: {{ acme: {{ account: us-oem, display_name: {quoted} }} }} }}\n"
        ));
        let run = stage.apply(&["--yes"]).exits(1).says("QP0124").says("help:");
        assert!(!run.all().contains('\u{202e}') && !run.all().contains('\u{200b}'), "{}", run.all());
    }
    assert_eq!((stage.requests().len(), stage.tenants().len()), (0, 0));
}
