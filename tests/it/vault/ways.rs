//! What people do to a vault besides us: fields of theirs, engines that forget, tokens that end, settings that miss.

use super::*;
use crate::service::installed;

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

impl Estate {
    /// What the vault's own client says to this command.
    fn client(&self, command: &str) -> Run {
        let mut client = Command::new(installed("bao").unwrap());
        client.args(command.strip_prefix("bao ").unwrap().split(' '));
        client.env_clear().env("BAO_ADDR", format!("http://{}", self.vault.host)).env("BAO_TOKEN", ROOT);
        Run::of(&client.env("HOME", self.stage.dir()).output().unwrap())
    }
}

/// `bao kv patch` is how people add to a secret; `bao kv get -field=value` is how they read it into a header.
#[test]
fn what_others_keep_in_the_same_secret_outlives_a_renewal() {
    let Some(estate) = Estate::ready() else { return };
    estate.recovers();
    let (_, before) =
        (estate.secret("ci", 0), estate.client("bao kv get -mount=secret -field=value qlik/acme/ci").exits(0));
    assert!(!before.out.contains('\n'), "a header takes no line end");
    estate.client("bao kv patch -mount=secret qlik/acme/ci note=hello consumer=etl").exits(0);
    estate.client("bao kv metadata put -mount=secret -custom-metadata=team=data qlik/acme/ci").exits(0);
    estate.runner().plan(&FULL).exits(0);
    estate.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    estate.runner().apply(&["--yes"]).exits(0);
    let (data, versions) = estate.secret("ci", 0);
    assert_eq!((versions, &data["note"], &data["consumer"]), (3, &json!("hello"), &json!("etl")));
    let after = estate.client("bao kv get -mount=secret -field=value qlik/acme/ci").exits(0);
    assert_ne!(before.out, after.out);
    let (_, metadata) = bao(&estate.vault, "GET", "secret/metadata/qlik/acme/ci", &Value::Null);
    assert_eq!(metadata["data"]["custom_metadata"], json!({ "team": "data" }));
    estate.runner().plan(&FULL).exits(0);
}

#[test]
fn a_dead_token_is_told_from_a_right_that_is_missing() {
    let Some(estate) = Estate::ready() else { return };
    estate.stage.forget_requests();
    let revoked = estate.token_with(&json!({ "policies": ["qlik"] }));
    assert_eq!(bao(&estate.vault, "POST", "auth/token/revoke", &json!({ "token": revoked })).0, 204);
    let used_up = estate.token_with(&json!({ "policies": ["qlik"], "num_uses": 1 }));
    let ask =
        |token: &str| http(&estate.vault.host, "GET", "/v1/auth/token/lookup-self", &[("X-Vault-Token", token)], "").0;
    assert_eq!((ask(&used_up), ask(&used_up)), (200, 403));
    for dead in [&revoked, &used_up, "s.of-another-vault"] {
        for run in [estate.runner_of(dead).plan(&FULL), estate.runner_of(dead).apply(&["--yes"])] {
            let run = run.exits(1).says("the token of VAULT_TOKEN is not alive at").says("log in again");
            assert!(!run.all().contains("this policy"), "{}", run.all());
        }
    }
    // Alive, and it may not even ask about itself.
    let bare = estate.token_with(&json!({ "policies": ["nothing"], "no_default_policy": true }));
    let run = estate.runner_of(&bare).apply(&["--yes"]).exits(1).says("this policy: path \"secret/data/+/+/+\"");
    assert!(!run.all().contains("not alive"), "{}", run.all());
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
}

#[test]
fn a_token_that_ends_before_a_run_may_is_named_while_it_lives() {
    let Some(estate) = Estate::ready() else { return };
    let short = estate.token_with(&json!({ "policies": ["qlik"], "ttl": "10m" }));
    estate.runner_of(&short).plan(&FULL).exits(2).says("the token of sink vault ends in").says("--max-run");
    let few = estate.token_with(&json!({ "policies": ["qlik"], "num_uses": 20 }));
    estate.runner_of(&few).plan(&FULL).exits(2).says("the token of sink vault may be used").says("num_uses");
    let run = estate.runner_of(&estate.token_with(&json!({ "policies": ["qlik"] }))).plan(&FULL).exits(2);
    assert!(!run.all().contains("the token of sink"), "{}", run.all());
}

#[test]
fn a_mount_that_is_a_path_of_the_api_is_refused_with_the_mount_that_is_meant() {
    let Some(estate) = Estate::ready() else { return };
    estate.stage.forget_requests();
    for (mount, way) in [
        ("secret/data", "say `mount: secret` in settings"),
        ("secret/metadata", "say `mount: secret` in settings"),
        ("secret/data/prod", "and `path: \"prod/{vendor}/{tenant}/{key}\"`"),
    ] {
        let runner = estate.runner_of(ROOT).with("mount: secret,", &format!("mount: {mount},"));
        runner.plan(&FULL).exits(1).says(way);
        runner.apply(&["--yes"]).exits(1).says(way);
    }
    // A path that was put into the mount: no such thing is served there.
    let runner = estate.runner_of(ROOT).with("mount: secret,", "mount: secret/prod,");
    runner.apply(&["--yes"]).exits(1).says("say `mount: secret`").says("and `path: \"prod/{vendor}/{tenant}/{key}\"`");
    // A mount may be called so.
    let kv2 = json!({ "type": "kv", "options": { "version": "2" } });
    assert_eq!(bao(&estate.vault, "POST", "sys/mounts/team/data", &kv2).0, 204);
    estate.runner_of(ROOT).with("mount: secret,", "mount: team/data,").plan(&FULL).exits(2);
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    estate.recovers();
}

#[test]
fn an_engine_that_deletes_before_the_key_ends_is_named_and_what_it_deleted_comes_back() {
    let Some(estate) = Estate::ready() else { return };
    // The keys live for a week.
    assert_eq!(bao(&estate.vault, "POST", "secret/config", &json!({ "delete_version_after": "8h" })).0, 204);
    let curious = || estate.runner_of(&estate.token_with(&json!({ "policies": ["qlik"] })));
    curious().plan(&FULL).exits(2).says("sink vault deletes every version after PT8H").says("lives longer");
    estate.runner().apply(&["--yes"]).exits(0).says("deletes it at");
    curious().plan(&FULL).exits(0).says("its store deletes it at").says("delete_version_after");

    // As when that time has come: the version is marked as deleted, and its data is kept.
    assert_eq!(bao(&estate.vault, "DELETE", "secret/data/qlik/acme/ci", &Value::Null).0, 204);
    let undo = "bao kv undelete -mount=secret -versions=1 qlik/acme/ci";
    estate.runner().apply(&["--yes"]).exits(1).says("QP0301").says("version 1 there was deleted at 20").says(undo);
    estate.stage.forget_requests();
    estate.client(undo).exits(0);
    estate.runner().plan(&FULL).exits(0);
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    // What is destroyed does not.
    estate.client("bao kv destroy -mount=secret -versions=1 qlik/acme/ci").exits(0);
    let run = estate.runner().plan(&FULL).exits(1).says("version 1 there was destroyed").says("--remint qlik/acme/ci");
    assert!(!run.all().contains("undelete"), "{}", run.all());
}

#[test]
fn a_namespace_that_is_not_there_is_what_to_check() {
    let Some(estate) = Estate::ready() else { return };
    let runner = estate.runner_of(ROOT).with("mount: secret,", "mount: secret, namespace: nowhere,");
    let run = runner.apply(&["--yes"]).exits(1).says("namespace not found").says("check `namespace: nowhere`");
    assert!(!run.all().contains("check `mount"), "{}", run.all());
}
