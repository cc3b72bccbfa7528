//! The organization's list of tenants, at the console: what nobody manages here is named, and nothing is made beside it.

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, SETTINGS, Stage};

const CLIENT: &str = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\n";

/// The stage's settings, with a client that lists tenants and one tenant that is nobody's concern.
fn settings(ignored: &str) -> String {
    let organization = format!("{CLIENT}    ignore_tenants: [{ignored}]\nsinks:");
    SETTINGS.replace("sinks:", &organization) + "limits: { create_tenants: 50 }\n"
}

/// A tenant that somebody makes in the portal: its own host name.
fn by_hand(stage: &Stage, name: &str, alias: Option<&str>) -> String {
    let alias = alias.map(|label| format!("{label}.us.qlikcloud.com"));
    let edit = json!({ "action": "create_tenant", "region": "us", "name": name, "alias": alias });
    stage.control("POST", "/edit", &edit)["hostnames"][0].as_str().unwrap().to_owned()
}

fn switches(stage: &Stage, switches: &Value) {
    stage.control("POST", "/switches", switches);
}

/// The names that a plan calls unmanaged.
fn unmanaged(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.split_once("unmanaged in account us-oem: "));
    let mut names: Vec<String> =
        named.map(|(_, rest)| rest.split('(').nth(1).unwrap().split(',').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Pages of the console's list that were asked for.
fn pages(stage: &Stage) -> usize {
    let is_page = |one: &&Value| one["path"].as_str().unwrap().starts_with("/api/core/tenants");
    stage.requests().iter().filter(is_page).inspect(|one| assert_eq!(one["status"], json!(200), "{one}")).count()
}

/// Forty tenants without keys, by name.
fn forty() -> String {
    let tenants = (0..40).map(|n| format!("    t-{n}: {{ account: us-oem, display_name: Tenant {n} }}\n"));
    tenants.fold("version: 1\nqlik:\n  tenants:\n".to_owned(), |text, tenant| text + &tenant)
}

#[test]
fn where_settings_name_an_organization_client_the_sandbox_gives_one() {
    let stage = Stage::with_settings(ONE_TENANT, &SETTINGS.replace("sinks:", &format!("{CLIENT}sinks:")));
    stage.settle();
    let host = by_hand(&stage, "by hand", None);
    stage.plan(&["--unmanaged"]).exits(0).says(&format!("unmanaged in account us-oem: {host} (by hand, id "));
}

#[test]
fn of_45_tenants_the_three_that_nobody_manages_are_named_in_every_documented_form_of_list() {
    let stage = Stage::with_settings(&forty(), &settings("training"));
    stage.settle();
    by_hand(&stage, "Training", Some("training"));
    for name in ["Orphan A", "Orphan B", "Orphan C"] {
        by_hand(&stage, name, None);
    }
    let all = stage.state()["tenants"].as_array().unwrap().len();
    assert_eq!(all, 45, "forty declared, the source tenant, one that is ignored, and three");

    // Without being asked, nobody reads the list: nothing is to be created.
    stage.forget_requests();
    let plain = stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!((unmanaged(&plain.all()), pages(&stage)), (Vec::new(), 0));

    // The vendor's two forms of links, its last pages, links that lead elsewhere, pages shorter than asked for.
    for (form, expected) in [
        (json!({}), 1),
        (json!({ "page_cap": 20 }), 3),
        (json!({ "page_cap": 20, "console_links": "offset" }), 3),
        (json!({ "page_cap": 20, "last_page": "null" }), 3),
        (json!({ "page_cap": 15, "console_links": "offset", "last_page": "empty" }), 3),
        (json!({ "page_cap": 20, "hostile_next": true }), 3),
    ] {
        switches(&stage, &form);
        stage.forget_requests();
        let run = stage.plan(&["--unmanaged", "--detailed-exitcode"]).exits(2);
        assert_eq!(unmanaged(&run.all()), ["Orphan A", "Orphan B", "Orphan C"], "{form}");
        assert_eq!((pages(&stage), stage.changes()), (expected, Vec::<String>::new()), "{form}");
        // Whatever a link says, its host is not asked.
        let elsewhere = |one: &Value| !one["host"].as_str().unwrap().ends_with("qlikcloud.com");
        assert!(!stage.requests().iter().any(elsewhere), "{form}");
    }

    // A tenant that is switched off is no candidate for anything, by either of the vendor's words for it.
    let gone = stage.tenants().iter().find(|one| one["name"] == json!("Orphan C")).unwrap()["id"].clone();
    stage.control("POST", "/edit", &json!({ "action": "disable_tenant", "tenant": gone }));
    for word in ["deactivated", "disabled"] {
        switches(&stage, &json!({ "console_disabled": word }));
        assert_eq!(unmanaged(&stage.plan(&["--unmanaged"]).exits(0).all()), ["Orphan A", "Orphan B"]);
    }

    // A list that cannot be read is said: nobody named does not mean that there is nobody.
    let console = json!({ "host": "console.*", "path": "/api/core/tenants" });
    stage.fault(&json!({ "match": console, "action": { "status_before": { "status": 403, "body": {
        "errors": [{ "code": "HTTP-403", "title": "Forbidden" }],
    } } } }));
    let run = stage.plan(&["--unmanaged"]).exits(0);
    assert_eq!(unmanaged(&run.all()), Vec::<String>::new());
    drop(run.says("which tenants of account us-oem are unmanaged is not known: "));
}

#[test]
fn nothing_is_created_while_the_list_has_a_tenant_that_may_be_the_one() {
    let stage = Stage::with_settings(ONE_TENANT, &settings("training"));
    let orphan = by_hand(&stage, "Acme Corp", Some("acme-analytics"));
    let refused = |words: &[&str]| {
        stage.forget_requests();
        let before = stage.tenants().len();
        for run in [stage.plan(&[]).exits(1), stage.apply(&["--yes"]).exits(1)] {
            drop(words.iter().fold(run, |run, words| run.says(words)));
        }
        assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), before));
    };
    let label = orphan.split('.').next().unwrap();
    refused(&["QP0216", "acme-analytics.us.qlikcloud.com", &format!("adopt: {{ hostname: {label} }}")]);

    // It has another alias, or none: still nobody can say that it is another tenant.
    let edit = json!({ "action": "set_alias", "tenant": orphan, "alias": "something-else.us.qlikcloud.com" });
    stage.control("POST", "/edit", &edit);
    refused(&["QP0217", &format!("{orphan} (Acme Corp)"), "adopt: { hostname: … }", "ignore_tenants"]);

    // A list that cannot be read is no reason to create either.
    let console = json!({ "host": "console.*", "path": "/api/core/tenants" });
    stage.fault(&json!({ "match": console, "action": { "status_before": { "status": 403, "body": {
        "errors": [{ "code": "HTTP-403", "title": "Forbidden" }],
    } } } }));
    refused(&["accounts.*.organization_client", "cloud-console.tenants:read"]);
    stage.control("DELETE", "/faults", &Value::Null);

    // Accounted for, it stands in nobody's way.
    stage.write_desired(&ONE_TENANT.replace("alias: acme-analytics", &format!("adopt: {{ hostname: {label} }}")));
    let limits =
        json!({ "action": "set_limits", "tenant": orphan, "max_keys_per_user": 10, "max_api_key_expiry": "P30D" });
    stage.control("POST", "/edit", &limits);
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}

#[test]
fn an_ignored_tenant_stands_in_nobodys_way() {
    let stage = Stage::with_settings(ONE_TENANT, &settings("training"));
    by_hand(&stage, "Training", Some("training"));
    stage.settle();
    assert_eq!(stage.tenants().len(), 2);
    assert_eq!(unmanaged(&stage.plan(&["--unmanaged"]).exits(0).all()), Vec::<String>::new());
}
