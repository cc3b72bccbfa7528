//! More tenants than the vendor takes in a window: what it refuses for there being too many is asked for again when it takes more, and
//! no faster than it taught.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::stage::{SETTINGS, Stage};

const TENANTS: usize = 60;
/// Of the second tier, in a window of six seconds: 25.
const A_MINUTE: u32 = 250;

#[test]
fn more_tenants_than_the_vendor_takes_in_a_window_are_made_in_one_run() {
    let mut desired = "version: 1\nqlik:\n  tenants:\n".to_owned();
    for number in 0..TENANTS {
        writeln!(desired, "    t{number}: {{ account: us-oem, display_name: Tenant {number} }}").unwrap();
    }
    let stage = Stage::with_settings(&desired, &format!("{SETTINGS}limits: {{ create_tenants: {TENANTS} }}\n"));
    stage.control("POST", "/switches", &json!({ "rate_tier_2": A_MINUTE, "rate_window_seconds": 6 }));

    drop(stage.apply(&["--yes"]).exits(0).says("the vendor takes no more now, so nothing was made"));

    let asked: Vec<Value> = stage.requests();
    let creations = asked.iter().filter(|one| one["method"] == "POST" && one["path"] == "/api/v1/tenants");
    let statuses: Vec<u64> = creations.filter_map(|one| one["status"].as_u64()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), TENANTS);
    let refused = statuses.iter().position(|status| *status == 429).unwrap();
    let later = &statuses[refused..];
    let taken = later.iter().position(|status| *status == 201).unwrap();
    assert_eq!(later[taken..].iter().filter(|status| **status != 201).count(), 0, "{statuses:?}");
    // The ledger accounts for each, and none is in doubt.
    drop(stage.plan(&["--detailed-exitcode"]).exits(0));
}
