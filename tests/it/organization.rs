//! The organization's list of tenants, at the console: what nobody manages here is named, and nothing is made beside it.

use serde_json::json;

use crate::stage::{ONE_TENANT, SETTINGS, Stage};

/// The stage's settings, with a client that lists tenants.
fn settings() -> String {
    let organization = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\nsinks:";
    SETTINGS.replace("sinks:", organization)
}

#[test]
fn where_settings_name_an_organization_client_the_sandbox_gives_one() {
    let stage = Stage::with_settings(ONE_TENANT, &settings());
    stage.settle();
    let made = stage.control("POST", "/edit", &json!({ "action": "create_tenant", "region": "us", "name": "by hand" }));
    let host = made["hostnames"][0].as_str().unwrap().to_owned();
    stage.plan(&["--unmanaged"]).exits(0).says(&format!("unmanaged in account us-oem: {host} (by hand, id "));
}
