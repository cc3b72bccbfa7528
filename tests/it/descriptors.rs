//! Where few files may be open: as many connections are open as tenants are worked on, however many there are, and too low a limit is
//! one error before anything is begun.

use std::fmt::Write as _;

use crate::cloud::Cloud;
use crate::stage::{APPLY, PLAN, Run};

const TENANTS: usize = 60;

fn many() -> String {
    let mut text = r"version: 1
qlik:
  profiles:
    standard:
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI deploys, owner: { client: {} }, expires_in: PT20H, renew_before: PT2H, deliver_to: files }
  tenants:
"
    .to_owned();
    for number in 0..TENANTS {
        writeln!(text, "    t{number}: {{ account: us-oem, profile: standard, display_name: Tenant {number} }}")
            .unwrap();
    }
    text
}

/// A program with this limit of open files, and no way to raise it.
fn limited(cloud: &Cloud, files: u32, program: &str, args: &[&str]) -> Run {
    let mut command = cloud.command("sh", &["-euc", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), program]);
    Run::of(&command.args(args).output().unwrap())
}

#[test]
fn few_open_files_are_enough_for_many_tenants_and_too_few_are_one_error() {
    let cloud = Cloud::new(&many());
    cloud.write_settings(&format!(
        "{}limits: {{ create_tenants: {TENANTS}, mint_keys: {TENANTS} }}\n",
        crate::stage::SETTINGS
    ));
    drop(cloud.apply(&["ledger", "init"]).exits(0));

    let refused = limited(&cloud, 32, APPLY, &["--yes", "--unrehearsed"]).exits(1);
    drop(refused.says("error: this process may have 32 files open, too few to work on one tenant; nothing was begun"));
    assert_eq!(cloud.stage.requests().len(), 0);

    let applied = limited(&cloud, 64, APPLY, &["--yes", "--unrehearsed"]).exits(0);
    drop(
        applied
            .says("notice: this process may have 64 files open, so ")
            .says("tenants are worked on side by side instead of 32"),
    );
    assert_eq!((cloud.stage.tenants().len(), cloud.stage.live_keys().len()), (TENANTS, TENANTS));

    drop(limited(&cloud, 64, PLAN, &["--detailed-exitcode"]).exits(0));
    // Nothing was to be done, and every token that was fetched for looking was ended.
    cloud.stage.forget_requests();
    drop(limited(&cloud, 64, APPLY, &["--yes"]).exits(0));
    let asked = |path: &str| cloud.stage.requests().iter().filter(|request| request["path"] == path).count();
    assert_eq!((asked("/oauth/token"), asked("/oauth/revoke")), (TENANTS, TENANTS));
}
