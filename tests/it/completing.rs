//! Completions in real shells, manual pages, and how much is said on the way.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, clean};

/// Desired state and settings in folders of their own.
fn estate() -> TempDir {
    let dir = TempDir::new().unwrap();
    for (file, text) in [("tenants/acme.yaml", ONE_TENANT), ("prod/settings.yaml", SETTINGS)] {
        fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
        fs::write(dir.path().join(file), text).unwrap();
    }
    dir
}

/// A script in a shell that finds the programs; `None` where there is no such shell, which is recorded.
fn in_shell(shell: &str, script: &str, dir: &Path) -> Option<Run> {
    if !crate::needs::programs(&[shell]) {
        return None;
    }
    let programs = Path::new(PLAN).parent().unwrap().display().to_string();
    #[expect(clippy::disallowed_methods, reason = "the shell needs its own tools too")]
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut command = clean(shell, dir);
    command.args(["-c", script]).env("PATH", path).env("TERM", "xterm");
    Some(Run::of(&command.output().unwrap()))
}

#[test]
fn bash_completes_verbs_options_addresses_and_accounts() {
    let dir = estate();
    // What bash does at a tab: the words, the one under the cursor, and the function that was registered.
    let completed = |words: &str, at: usize| {
        let script = format!(
            "set -e; source <(qlik-plan completions bash); source <(qlik-apply completions bash)
             COMP_WORDS=({words}); COMP_CWORD={at}; COMP_TYPE=9
             \"_clap_complete_${{COMP_WORDS[0]//-/_}}\" \"${{COMP_WORDS[0]}}\" \"${{COMP_WORDS[COMP_CWORD]}}\" x
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let run = in_shell("bash", &script, dir.path())?.exits(0);
        assert_eq!(run.err, "");
        Some(run.out.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let Some(verbs) = completed("qlik-plan va", 1) else { return };
    assert_eq!(verbs, ["validate"]);
    let addresses = completed("qlik-plan explain qlik/ac tenants", 2).unwrap();
    assert_eq!(addresses, ["qlik/acme", "qlik/acme/ci", "qlik/acme/reporting"]);
    assert_eq!(completed("qlik-plan --detailed-e", 1).unwrap(), ["--detailed-exitcode"]);
    assert_eq!(completed("qlik-apply resolve qlik/ tenants", 2).unwrap(), ["qlik/acme"], "only tenants are in doubt");
    let keys = completed("qlik-apply tenants --remint qlik/acme/", 3).unwrap();
    assert_eq!(keys, ["qlik/acme/ci", "qlik/acme/reporting"]);
    let accounts = completed("qlik-apply --settings prod/settings.yaml rehearse us", 4).unwrap();
    assert_eq!(accounts, ["us-oem"]);
    // A file that is not whole yet is no reason to say anything in the middle of a line.
    fs::write(dir.path().join("tenants/broken.yaml"), "qlik: [").unwrap();
    let addresses = completed("qlik-plan explain qlik/acme/c tenants", 2).unwrap();
    assert_eq!(addresses, ["qlik/acme/ci"]);
}

#[test]
fn fish_completes_an_address() {
    let dir = estate();
    let script = "qlik-plan completions fish | source; complete -C 'qlik-plan tenants explain qlik/acme/c'";
    let Some(run) = in_shell("fish", script, dir.path()) else { return };
    assert_eq!(run.exits(0).out.split_whitespace().next(), Some("qlik/acme/ci"));
}

#[test]
fn zsh_completes_an_address() {
    let dir = estate();
    // A shell at a terminal of its own, at which somebody presses the tab key.
    let script = r#"zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z 'PS1=; autoload -Uz compinit; compinit -u -D; source <(qlik-plan completions zsh); print loa"ded"'
        zpty -r -m z out '*loaded*'
        zpty -w -n z $'qlik-plan tenants explain qlik/acme/c\t'
        zpty -r -m z out '*qlik/acme/ci*' && print completed
        zpty -d z"#;
    let script = format!("timeout 60 zsh -c '{}'", script.replace('\'', r"'\''"));
    if in_shell("zsh", ":", dir.path()).is_none() {
        return;
    }
    in_shell("sh", &script, dir.path()).unwrap().says("completed");
}

#[test]
fn powershell_is_given_a_script_and_every_verb_has_a_manual_page() {
    let dir = TempDir::new().unwrap();
    let run = |program: &str, args: &[&str]| Run::of(&clean(program, dir.path()).args(args).output().unwrap());
    run(PLAN, &["completions", "powershell"]).exits(0).says("Register-ArgumentCompleter").says("qlik-plan");
    run(PLAN, &["completions", "tcsh"]).exits(1).says("bash, zsh, fish, powershell");
    run(PLAN, &["man"]).exits(0).says(".TH qlik-plan 1").says("detailed");
    run(APPLY, &["man", "ledger", "mv"]).exits(0).says(".TH qlik-apply-ledger-mv 1").says("bought twice");
    run(APPLY, &["man", "leger"]).exits(1).says("qlik-apply has no command leger").says("ledger");
}

#[test]
fn requests_are_told_without_secrets_and_quiet_says_only_what_went_wrong() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["-q", "ledger", "init"]).exits(0);
    // `ends` sees to it that no secret and no token is printed.
    let run = cloud.apply(&["-v", "rehearse", "us-oem"]).exits(0);
    let is_told = |method: &str, rest: &str, status: &str| {
        run.err.lines().any(|line| {
            line.starts_with(method) && line.contains(rest) && line.contains(status) && line.ends_with(" ms")
        })
    };
    assert!(is_told("POST ", " mycorp.us.qlikcloud.com/oauth/token", " 200 "), "{}", run.err);
    assert!(is_told("POST ", " mycorp.us.qlikcloud.com/api/v1/api-keys", " 201 "), "{}", run.err);
    assert!(
        run.err.lines().any(|line| line.starts_with("DELETE mycorp.us.qlikcloud.com/api/v1/api-keys/")),
        "{}",
        run.err
    );
    let quiet = cloud.plan(&["-q"]).exits(0);
    assert_eq!(quiet.err, "");
    assert!(cloud.plan(&[]).err.contains("unattended: "), "there is something to leave out");
    let wrong = cloud.plan(&["-q", "nowhere.yaml"]).exits(1);
    assert!(wrong.err.starts_with("error: nowhere.yaml") && wrong.err.contains("next: "), "{}", wrong.err);
}
