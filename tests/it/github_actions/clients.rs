//! Real clients at the stand-in, so that what it takes and refuses is what they know; and libsodium opens what was sealed here.

use std::path::{Path, PathBuf};

use super::*;

/// Where `tests/clients/github-actions.sh` puts them.
#[track_caller]
fn installed(what: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("clients/github-actions").join(what);
    if path.exists() {
        return Some(path);
    }
    crate::needs::not_run(&format!("{what} for GitHub Actions (tests/clients/github-actions.sh)"));
    None
}

#[test]
fn libsodium_opens_what_is_delivered_and_what_it_seals_is_opened() {
    let Some(python) = installed("bin/python") else { return };
    let shop = Shop::new();
    shop.recovers();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/github-actions/of_libsodium.py");
    for (line, body) in shop.github.writes() {
        let key = line.rsplit('/').next().unwrap().trim_start_matches("PROD_QLIK_ACME_").to_ascii_lowercase();
        let mut command = crate::stage::clean(&python, shop.stage.dir());
        let sealed = body["encrypted_value"].as_str().unwrap();
        command.args([script, "open", &shop.github.opening(REPOSITORY), sealed]);
        assert_eq!(Some(Run::of(&command.output().unwrap()).exits(0).out), shop.value(&key));
    }
    let mut command = crate::stage::clean(&python, shop.stage.dir());
    command.args([script, "put", &format!("http://{}/api/v3/repos/acme/deploy", shop.github.host), api::OWNER]);
    Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(shop.github.secret(REPOSITORY, "OF_LIBSODIUM").unwrap().value, "sealed by libsodium: ü");
}

#[test]
fn octokit_knows_what_the_stand_in_answers() {
    let Some(modules) = installed("node_modules/@octokit/rest") else { return };
    let shop = Shop::new();
    shop.recovers();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/github-actions/of_octokit.mjs");
    let mut command = crate::stage::clean("node", shop.stage.dir());
    command.args([
        script,
        modules.to_str().unwrap(),
        &format!("http://{}/api/v3", shop.github.host),
        api::OWNER,
        &name("ci"),
    ]);
    // Sealed by us, and sent by another.
    let writes = shop.github.writes();
    let (_, ours) = writes.iter().find(|(line, _)| line.ends_with("_CI")).unwrap();
    command.arg(ours["encrypted_value"].as_str().unwrap());
    Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(shop.github.secret(REPOSITORY, "OF_OCTOKIT").map(|secret| secret.value), shop.value("ci"));
}
