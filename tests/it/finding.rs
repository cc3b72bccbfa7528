//! How a tenant is found: by the ledger, by adoption, and by its alias, which finds and never adopts.

use crate::stage::{ONE_TENANT, Stage};

#[test]
fn a_tenant_that_only_its_alias_leads_to_is_refused_with_the_line_to_paste() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    std::fs::remove_dir_all(stage.ledger()).unwrap();
    std::fs::remove_dir_all(stage.dir().join(".qlik-sandbox/sinks")).unwrap();
    stage.forget_requests();

    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let label = host.split('.').next().unwrap().to_owned();
    let run = stage.apply(&["--yes"]).exits(1).says("QP0216").says("acme-analytics.us.qlikcloud.com");
    assert!(run.all().contains(&format!("adopt: {{ hostname: {label} }}")), "{}", run.all());
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!(stage.tenants().len(), 1);

    // The line that was given leads on: the tenant is adopted, its old keys are somebody else's and are named.
    stage.write_desired(&ONE_TENANT.replace("alias: acme-analytics", &format!("adopt: {{ hostname: {label} }}")));
    stage.apply(&["--yes"]).exits(1).says("QP0302");
    assert_eq!(stage.tenants().len(), 1);
    assert_eq!(stage.live_keys().len(), 2, "no good key was revoked");
}
