//! What a change under review may put among desired state: links to other files, files that are no files, other formats.
//! Nothing of what lies elsewhere is printed, and nothing waits.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::stage::{ONE_TENANT, PLAN, Run, SETTINGS, clean};
use crate::terminal::at_a_terminal;

/// Stands in every file that is none of the change's business.
const CANARY: &str = "cAnArY0123456789";
const FORMATS: [&str; 6] = ["text", "json", "markdown", "terraform-json", "gitlab", "github"];

/// A checkout `repo` with `tenants/`, trusted settings, and a folder of secrets beside the checkout.
struct Checkout {
    dir: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        for folder in ["repo/tenants", "secrets"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("trusted.yaml"), SETTINGS).unwrap();
        fs::write(dir.path().join("live.json"), "{}").unwrap();
        fs::write(dir.path().join("repo/tenants/acme.yaml"), ONE_TENANT).unwrap();
        Self { dir }
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    /// The program in the checkout, as a pipeline runs it.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = clean(PLAN, &self.at("repo"));
        command.env("CI", "true").args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&self.command(args).output().unwrap())
    }

    /// Every way to read the change, in every format: each ends with an error, and none says what it must not.
    #[track_caller]
    fn nothing_leaks(&self, paths: &[&str], what: &str) -> String {
        let mut said = String::new();
        for format in FORMATS {
            for way in [
                &["--settings", "../trusted.yaml"][..],
                &["validate"],
                &["validate", "--settings", "../trusted.yaml"],
                &["--settings", "../trusted.yaml", "--live", "../live.json"],
            ] {
                let run = self.run(&[way, paths, &["--format", format]].concat());
                let all = run.all();
                assert_ne!(run.code, Some(0), "{what}, {way:?} {format}: {all}");
                assert!(!all.contains("panicked") && !all.contains("internal error"), "{all}");
                for part in [CANARY, "cAnArY", "AnArY0", "root:"] {
                    assert!(!all.contains(part), "{what}, {way:?} {format} says\n{all}");
                }
                if format == "text" {
                    said.push_str(&all);
                }
            }
        }
        said
    }
}

impl Checkout {
    #[track_caller]
    fn nothing_leaks_of_live(&self, what: &str) -> String {
        let run = self.run(&["--settings", "../trusted.yaml", "--live", "../live.json", "tenants"]).exits(1);
        assert!(!run.all().contains(CANARY), "{what}: {}", run.all());
        run.all()
    }
}

/// Files of other programs, each with a secret where such a file has it.
fn foreign() -> Vec<(&'static str, String)> {
    let c = CANARY;
    vec![
        ("a client secret", c.to_owned()),
        ("a client secret and a line end", format!("{c}\n")),
        (".git-credentials", format!("https://user:{c}@github.example\n")),
        (".npmrc", format!("//registry.example/:_authToken={c}\n")),
        (".netrc", format!("machine qlik.example\n  login me\n  password {c}\n")),
        (".pgpass", format!("db.example:5432:qlik:me:{c}\n")),
        ("shadow", format!("{c}:$6$salt$hash:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n")),
        ("environment", format!("QLIK_CLIENT_SECRET={c}\0PATH=/usr/bin\0")),
        ("a private key", format!("-----BEGIN PRIVATE KEY-----\n{c}\n-----END PRIVATE KEY-----\n")),
        ("two documents", format!("--- {c}\n--- {c}\n")),
        ("duplicate keys", format!("password: {c}\npassword: {c}\n")),
        ("a list", format!("- {c}\n- {c}\n")),
        ("a flow list", format!("[{c}, {c}]\n")),
        ("a mapping of another program", format!("contexts:\n  {c}:\n    token: {c}\n")),
        ("JSON of another program", format!("{{\"{c}\": {{\"auths\": \"{c}\"}}}}\n")),
        ("a broken map", format!("user: {c}\n password: {c}\n")),
        ("a tab", format!("user:\n\t{c}: x\n")),
        ("an unclosed quote", format!("token: \"{c}\n")),
        ("an anchor", format!("token: &{c} {c}\nother: *{c}\n")),
        ("a tag", format!("token: !{c} {c}\n")),
        ("a directive", format!("%{c} {c}\n--- {c}\n")),
        ("a key that is a list", format!("? [{c}]\n: {c}\n")),
        ("a block", format!("token: |\n  {c}\n {c}\n")),
        ("an unknown alias", format!("*{c}\n")),
        ("a long line", format!("{}{c}", "x".repeat(300))),
        ("only a comment", format!("# {c}\n")),
        ("a version of its own", format!("version: {c}\n")),
        ("a version, and more", format!("version: 3\nservices:\n  {c}: {{ token: {c} }}\n")),
        ("a version and a broken line", format!("version: 1\n{c}: {c}: {c}\n")),
        ("a version as text", format!("version: \"3.8\" # {c}\n{c}: 1\n")),
        ("a version of ours, and keys that are not", format!("version: 1\n{c}: {c}\npassword: {c}\n")),
        ("a version as a map", format!("version: {{ {c}: {c} }}\n")),
        ("settings", format!("version: 1\naccounts: {{ {c}: {{ client: {c} }} }}\n")),
        ("a word of ours as text", format!("qlik: {c}\nversion: 1\n")),
        ("a word of ours as a list", format!("version: 1\nqlik: [{c}]\n")),
        ("a second document behind one of ours", format!("version: 1\nqlik: {{}}\n--- {c}\n")),
        ("duplicate keys in one of ours", format!("version: 1\nqlik: {{}}\nqlik: {c}\n")),
        ("a key of a list in one of ours", format!("version: 1\nqlik: {{}}\n? [a]\n: {c}\n")),
        ("tenants that are text", format!("version: 1\nqlik: {{ tenants: {c} }}\n")),
        ("a tenant that is text", format!("version: 1\nqlik: {{ tenants: {{ acme: {c} }} }}\n")),
        ("a tenant that is a list", format!("version: 1\nqlik: {{ tenants: {{ acme: [{c}] }} }}\n")),
        ("an unknown key of ours", format!("version: 1\nqlik: {{ tenants: {{ acme: {{ pass: {c} }} }} }}\n")),
        ("ignored text", format!("version: 1\nignore: {c}\n")),
    ]
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_what_it_leads_to_is_not_shown() {
    let here = Checkout::new();
    for (what, text) in foreign() {
        fs::write(here.at("secrets/secret"), &text).unwrap();
        let link = here.at("repo/tenants/zz.yaml");
        symlink("../../secrets/secret", &link).unwrap();
        for paths in [&["tenants"][..], &["tenants/acme.yaml", "tenants/zz.yaml"]] {
            let said = here.nothing_leaks(paths, what);
            assert!(said.contains("tenants/zz.yaml: is a link that leads"), "{what}: {said}");
            assert!(!said.contains("secrets"), "{said}");
        }
        fs::remove_file(&link).unwrap();
    }
    here.run(&["validate", "tenants"]).exits(0);
}

#[test]
fn every_kind_of_link_is_held_to_the_folder() {
    let here = Checkout::new();
    let secret = here.at("secrets/secret");
    fs::write(&secret, format!("{CANARY}\n")).unwrap();
    fs::write(here.at("secrets/a.yaml"), format!("{CANARY}\n")).unwrap();
    let link = |to: &Path, at: &str| symlink(to, here.at("repo").join(at)).unwrap();

    // Absolute, a chain, over a linked folder, to a folder, to nothing, to itself.
    fs::create_dir(here.at("repo/other")).unwrap();
    link(&secret, "other/step");
    link(&here.at("secrets"), "other/folder");
    for to in [
        secret.to_str().unwrap(),
        "../other/step",
        "../other/folder/a.yaml",
        "../other/folder",
        "../../secrets/gone",
        "zz.yaml",
        "../tenants/../../secrets/secret",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/dev/zero",
        "/dev/stdin",
        "/proc/kmsg",
    ] {
        link(Path::new(to), "tenants/zz.yaml");
        let said = here.nothing_leaks(&["tenants"], to);
        assert!(said.contains("tenants/zz.yaml: is a link that leads to no file inside tenants"), "{to}: {said}");
        fs::remove_file(here.at("repo/tenants/zz.yaml")).unwrap();
    }

    // The folder itself, replaced by a link to another; and the same seen from a shell's `*.yaml`.
    fs::rename(here.at("repo/tenants"), here.at("repo/kept")).unwrap();
    link(&here.at("secrets"), "tenants");
    for path in ["tenants", "tenants/a.yaml", "./tenants/"] {
        let said = here.nothing_leaks(&[path], path);
        assert!(said.contains("leads out of the working directory"), "{said}");
    }
    let absolute = here.at("repo/kept/zz.yaml");
    symlink(&secret, &absolute).unwrap();
    here.nothing_leaks(&[absolute.to_str().unwrap()], "a link by its absolute path");
}

#[test]
fn links_that_stay_in_the_folder_are_read_as_a_mounted_config_map_has_them() {
    let here = Checkout::new();
    let tenants = here.at("repo/tenants");
    fs::create_dir(tenants.join("..2026_11_27")).unwrap();
    fs::rename(tenants.join("acme.yaml"), tenants.join("..2026_11_27/acme.yaml")).unwrap();
    symlink("..2026_11_27", tenants.join("..data")).unwrap();
    symlink("..data/acme.yaml", tenants.join("acme.yaml")).unwrap();
    symlink("acme.yaml", tenants.join("again.yaml")).unwrap();
    here.run(&["validate", "tenants"]).exits(0).says("Valid: 3 objects");
    here.run(&["validate", tenants.to_str().unwrap()]).exits(0);
    // From inside the folder, over a link to it, the folder is where one is.
    symlink(&tenants, here.at("over")).unwrap();
    let mut command = here.command(&["validate"]);
    Run::of(&command.current_dir(here.at("over")).output().unwrap()).exits(0).says("Valid: 3 objects");
}

#[test]
fn a_link_that_a_person_names_is_followed_where_a_person_is_there() {
    let here = Checkout::new();
    fs::rename(here.at("repo/tenants"), here.at("elsewhere")).unwrap();
    symlink("../elsewhere", here.at("repo/tenants")).unwrap();
    here.run(&["validate", "tenants"]).exits(1).says("leads out of the working directory").says("name the place");
    here.run(&["validate", "../elsewhere"]).exits(0).says("Valid: 3 objects");
    let mut attended = clean(PLAN, &here.at("repo"));
    attended.args(["validate", "tenants"]);
    at_a_terminal(attended, "").exits(0).says("Valid: 3 objects");
}

#[test]
fn a_file_of_another_program_that_is_named_is_not_shown_either() {
    let here = Checkout::new();
    for (what, text) in foreign() {
        fs::write(here.at("repo/tenants/zz.yaml"), &text).unwrap();
        let said = here.nothing_leaks(&["tenants"], what);
        assert!(said.contains("tenants/zz.yaml:"), "{what}: {said}");
        let said = here.nothing_leaks(&["tenants/zz.yaml"], what);
        assert!(said.contains("tenants/zz.yaml:"), "{what}: {said}");
    }
}

#[test]
fn what_is_no_file_ends_at_once() {
    let here = Checkout::new();
    let pipe = here.at("repo/tenants/pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ends = |args: &[&str], says: &str| {
        let mut command = clean(PLAN, &here.at("repo"));
        command.env("CI", "true").args(args).stdin(Stdio::null());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(Run::of(&command.output().unwrap())));
        let run = told.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("{args:?}: it waits"));
        assert!(run.code.is_some_and(|code| code == 1), "{args:?}: {:?}\n{}", run.code, run.all());
        assert!(run.all().contains(says), "{args:?}: {}", run.all());
    };
    ends(&["validate", "tenants"], "tenants/pipe.yaml: is neither a file nor a directory");
    ends(&["validate", "tenants/pipe.yaml"], "is neither a file nor a directory");
    ends(&["validate", "/dev/zero"], "is neither a file nor a directory");
    ends(&["validate", "/dev/stdin"], "the file is empty");
    ends(&["validate", "/proc/self/environ"], "the file is empty");
    ends(&["validate", "/proc/kmsg"], "/proc/kmsg:");
    ends(&["--settings", "/proc/kmsg", "tenants/acme.yaml"], "/proc/kmsg:");
    ends(&["--settings", "/dev/zero", "tenants/acme.yaml"], "/dev/zero: ");
    for live in ["/dev/zero", "/proc/kmsg"] {
        ends(&["--settings", "../trusted.yaml", "--live", live, "tenants/acme.yaml"], live);
    }
}
#[test]
fn a_snapshot_that_is_another_file_is_not_shown() {
    let here = Checkout::new();
    for (what, text) in foreign().into_iter().chain([
        ("a JSON string", format!("\"{CANARY}\"")),
        ("a JSON list", format!("[\"{CANARY}\"]")),
        ("a format of its own", format!("{{\"format\": \"{CANARY}\", \"version\": 1}}")),
        ("a snapshot that is broken", format!("{{\"format\": \"qlik-plan/snapshot\", \"version\": \"{CANARY}\"}}")),
        ("a version to come", format!("{{\"format\": \"qlik-plan/snapshot\", \"version\": 1, \"{CANARY}\": 1}}")),
        ("a time", format!("{{\"format\": \"qlik-plan/snapshot\", \"version\": 1, \"taken\": \"{CANARY}\"}}")),
    ]) {
        fs::write(here.at("live.json"), &text).unwrap();
        let said = here.nothing_leaks_of_live(what);
        assert!(said.contains("--live ../live.json") || said.contains("../live.json"), "{what}: {said}");
    }
}
