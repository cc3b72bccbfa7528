//! Nothing that is printed is obeyed by a terminal or a CI runner, whoever chose its words: every format, both streams.
//!
//! azure-pipelines-agent (`Command.cs`) and actions/runner (`ActionCommand.cs`) look for `##vso[` and `##[` anywhere in a
//! line, and for `::` where a line begins, on both streams; some of these commands change what later steps do.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, SETTINGS, Stage, clean};

const FORMATS: [&str; 6] = ["text", "json", "markdown", "terraform-json", "gitlab", "github"];

/// Texts that somebody obeys.
const HOSTILE: [&str; 3] = [
    "##[section]x##VSO[task.setvariable variable=A]y\n::error file=a::x",
    "::error::x\r\n  ::set-output name=a::x\u{85}::debug::\u{2028}::debug::x",
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}desrever\u{2066}\u{200b}\u{9b}2J",
];

/// What a program printed, held to the rule. Our own annotations, in their own format, are the exception.
#[track_caller]
fn harmless(run: &Run, format: &str, what: &str) {
    assert!(!matches!(run.code, None | Some(101 | 134)), "{what}: {:?}\n{}", run.code, run.all());
    for (stream, text) in [("stdout", &run.out), ("stderr", &run.err)] {
        let place = format!("{what}, --format {format}, {stream}:\n{text}");
        assert!(!text.contains("##[") && !text.to_lowercase().contains("##vso["), "{place}");
        let obeyed = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        };
        assert!(!text.contains(obeyed), "{place}");
        let own = |line: &str| {
            format == "github"
                && stream == "stdout"
                && ["error", "warning", "notice"].iter().any(|level| {
                    line.strip_prefix("::")
                        .and_then(|rest| rest.strip_prefix(level))
                        .is_some_and(|r| r.starts_with(" title="))
                })
        };
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::") && !own(line)), "{place}");
    }
}

/// Every format, with each program.
#[track_caller]
fn all_harmless(dir: &Path, words: &[&OsStr], what: &str) {
    let run = |program: &str, verb: &[&str], format: &str| {
        let mut command = clean(program, dir);
        command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml");
        let run = command.args(verb).args(["--format", format]).args(words).output().unwrap();
        harmless(&Run::of(&run), format, &format!("{what}: {verb:?}"));
    };
    for format in FORMATS {
        run(PLAN, &[], format);
    }
    run(PLAN, &["validate"], "text");
    run(PLAN, &["validate"], "github");
    run(APPLY, &["--yes"], "text");
}

/// A text in YAML's double quotes.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[test]
fn a_configuration_that_is_refused_prints_nothing_that_a_runner_obeys() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    let file = dir.path().join("d.yaml");
    let word = [OsStr::new("d.yaml")];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/bad");
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".desired.yaml") {
            std::fs::copy(&path, &file).unwrap();
            all_harmless(dir.path(), &word, &path.to_string_lossy());
        }
    }
    for text in HOSTILE {
        let q = quoted(text);
        // What stands in the file as it is, where YAML takes it.
        let bare = text.replace(|c: char| c.is_control(), " ");
        for desired in [
            format!("version: 2 # {bare}\n"),
            format!("version: 1\n{q}: 1\n"),
            format!("version: {q}\n"),
            format!("version: 1\nqlik: {{ tenants: {{ {q}: {{ account: us-oem, display_name: A }} }} }}\n"),
            format!(
                "version: 1\nqlik: {{ tenants: {{ acme: {{ account: {q}, display_name: {q}, alias: {q}, profile: {q} }} }} }}\n"
            ),
            ONE_TENANT.replace(
                "owner: { client: {} }",
                &format!("owner: {{ user: {{ subject: {q}, email: {q}, name: {q} }} }}"),
            ),
            ONE_TENANT.replace("deliver_to: files", &format!("deliver_to: {q}")),
            format!("{text}\n"),
        ] {
            std::fs::write(&file, &desired).unwrap();
            all_harmless(dir.path(), &word, &desired);
        }
        std::fs::write(&file, ONE_TENANT).unwrap();
        let settings = dir.path().join("qlik-plan.settings.yaml");
        for bad in [
            SETTINGS.replace("mycorp", &q),
            SETTINGS.replace("QLIK_CLIENT_ID", &q),
            SETTINGS.replace("./secrets", &q),
            SETTINGS.replace("us-oem", &q),
            format!("{SETTINGS}# {bare}\n{q}: 1\n"),
        ] {
            std::fs::write(&settings, &bad).unwrap();
            all_harmless(dir.path(), &word, &bad);
        }
        std::fs::write(&settings, SETTINGS).unwrap();
    }
}

#[test]
fn names_of_files_and_words_of_the_command_line_are_shown_not_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    for text in HOSTILE {
        let name = format!("{}.yaml", text.replace('/', "_"));
        all_harmless(dir.path(), &[OsStr::new(&name)], "a file that is not there");
        all_harmless(dir.path(), &[OsStr::new(&format!("./{text}"))], "a folder that is not there");
        std::fs::write(dir.path().join(&name), "version: 2\n").unwrap();
        all_harmless(dir.path(), &[OsStr::new(&name)], "a file that is faulty");
        all_harmless(dir.path(), &[OsStr::new(".")], "a faulty file in a folder");
        std::fs::remove_file(dir.path().join(&name)).unwrap();
        for option in
            ["--at", "--settings", "--also", "--timeout", "--remint", "--out", "--live", "--warn-within", "--comment"]
        {
            all_harmless(dir.path(), &[OsStr::new(option), OsStr::new(text)], option);
        }
        all_harmless(dir.path(), &[OsStr::new(text)], "a word");
        all_harmless(dir.path(), &[OsStr::new(&format!("--{text}"))], "an option");
        for verb in [
            &["ledger", "mv", text] as &[&str],
            &["ledger", text],
            &["resolve", text],
            &["rehearse", text],
            &["ledger", "list", text],
        ] {
            harmless(&Run::of(&clean(APPLY, dir.path()).args(verb).output().unwrap()), "text", &format!("{verb:?}"));
        }
        for words in [
            &["serve", "--listen", text] as &[&str],
            &[text],
            &["control", "GET", text, "--state", text],
            &["exec", "--", text],
        ] {
            harmless(
                &Run::of(&clean(SANDBOX, dir.path()).args(words).output().unwrap()),
                "text",
                &format!("{words:?}"),
            );
        }
        let bytes: Vec<u8> = [b"\xff".as_slice(), text.as_bytes()].concat();
        all_harmless(dir.path(), &[OsStr::from_bytes(&bytes)], "a word that is not UTF-8");
    }
}

#[test]
fn an_annotation_names_the_file_as_github_knows_it_or_says_its_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    for (name, said) in [
        // GitHub's toolkit writes a property so, and its runner reads it back: `%25`, `%0D`, `%0A`, `%3A` and `%2C`.
        ("::error::x.yaml", "file=%3A%3Aerror%3A%3Ax.yaml,line=1,col=10::"),
        ("50%,a.yaml", "file=50%25%2Ca.yaml,line=1,col=10::"),
        ("##[x].yaml", "%0A#\\u{23}[x].yaml:1\n"),
        ("a\u{1b}[31m.yaml", "%0Aa\\u{1b}[31m.yaml:1\n"),
    ] {
        std::fs::write(dir.path().join(name), "version: 2\n").unwrap();
        let run = Run::of(&clean(PLAN, dir.path()).args(["validate", "--format", "github", name]).output().unwrap());
        assert!(run.out.contains(said), "{name:?}: {}", run.out);
        harmless(&run, "github", name);
    }
}

#[test]
fn carets_stand_under_what_they_mean_although_it_was_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let tenant = "{ account: us-oem, display_name: \"##[section]a\", displayname: x } # ##[b]";
    std::fs::write(dir.path().join("d.yaml"), format!("version: 1\nqlik: {{ tenants: {{ acme: {tenant}\n  }} }}\n"))
        .unwrap();
    let run = Run::of(&clean(PLAN, dir.path()).args(["validate", "d.yaml"]).output().unwrap()).exits(1);
    let lines: Vec<&str> = run.err.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("2 | ")).unwrap();
    assert!(lines[at].contains("#\\u{23}[section]a") && lines[at].ends_with("#\\u{23}[b]"), "{}", run.err);
    let marked = lines[at + 1].find("^^^^^^^^^^^").unwrap();
    assert!(lines[at][marked..].starts_with("displayname"), "{}", run.err);
}

#[test]
fn what_the_vendors_answer_is_shown_not_obeyed() {
    let stage = Stage::new(ONE_TENANT);
    stage.apply(&["--yes"]).exits(0);
    let text = HOSTILE.concat();
    let body = json!({ "errors": [{ "code": text, "title": text, "detail": text, "meta": { "title": text },
        "source": { "pointer": text } }], "traceId": text });
    let mut struck = 0;
    for (status, path) in [(400, "/oauth/token"), (403, "/api/v1/api-keys"), (400, "/api/v1/tenants/*")] {
        let fault =
            json!({ "match": { "path": path }, "action": { "status_before": { "status": status, "body": body } } });
        stage.control("POST", "/faults", &fault);
        let run = |program: &str, words: &[&str], format: &str| {
            let run = stage.command(program).arg("--sandbox").args(words).args(["--format", format]).output().unwrap();
            let run = Run::of(&run);
            harmless(&run, format, &format!("{words:?} {path}"));
            usize::from(run.all().contains("setvariable"))
        };
        for format in FORMATS {
            struck += run(PLAN, &[], format);
            struck += run(APPLY, &["--yes", "--replace", "qlik/acme/ci"], format);
        }
        for format in ["text", "json"] {
            struck += run(APPLY, &["rehearse", "us-oem"], format);
            struck += run(PLAN, &["explain", "qlik/acme"], format);
            struck += run(APPLY, &["resolve", "qlik/acme"], format);
            struck += run(APPLY, &["ledger", "list"], format);
        }
        stage.control("DELETE", "/faults", &Value::Null);
    }
    assert!(struck > 20, "the answers were shown in {struck} runs only");
}

/// Answers every request with the same status and a body that repeats what it was sent.
fn echo(status: u16, body: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answer = move |client: TcpStream| -> std::io::Result<()> {
        let (mut reader, mut head) = (BufReader::new(client), String::new());
        while reader.read_line(&mut head)? > 2 {}
        let body = body(&head);
        let mut client = reader.into_inner();
        write!(client, "HTTP/1.1 {status} No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    };
    // Whoever leaves before the answer does not matter to who comes next.
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|client| drop(answer(client))));
    host
}

const VAULT_TOKEN: &str = "hvs.CAESIJcanary0Vault1Token2Which3Nobody4May5See6Again7";
const STORE_SECRET: &str = "canary/of+the/Store1Secret2Which3Nobody4May5See";

type Form = (&'static str, fn(&str) -> String);

/// The forms in which servers and proxies say no: the error of S3 and Azure, of Google and others, of a vault, and plain words.
fn forms() -> [Form; 5] {
    [
        ("xml", |head| format!("<Error><Code>{}</Code><Message>{head}</Message></Error>", HOSTILE.concat())),
        ("json", |head| json!({ "error": { "message": HOSTILE.concat() + head } }).to_string()),
        ("errors", |head| json!({ "errors": [HOSTILE.concat()], "head": head }).to_string()),
        ("words", |head| HOSTILE.concat() + head),
        ("echo", |head| json!({ "errors": [format!("rejected: {head}")] }).to_string()),
    ]
}

#[test]
fn what_a_store_and_a_vault_answer_is_shown_not_obeyed_and_what_they_repeat_is_no_secret() {
    let run = |stage: &Stage, words: &[&str]| {
        let mut command = stage.command(SANDBOX);
        command
            .env("QLIK_SANDBOX_STATE", stage.dir().join(".qlik-sandbox"))
            .env("VAULT_TOKEN", VAULT_TOKEN)
            .env("AWS_ACCESS_KEY_ID", "AKIACANARY00000000")
            .env("AWS_SECRET_ACCESS_KEY", STORE_SECRET)
            .args(["exec", "--"])
            .args(words);
        Run::of(&command.output().unwrap())
    };
    let [at_vault, at_store] = [ONE_TENANT.replace("deliver_to: files", "deliver_to: vault"), ONE_TENANT.to_owned()]
        .map(|desired| {
            let stage = Stage::new(&desired);
            stage.write_desired(ONE_TENANT);
            run(&stage, &[APPLY, "ledger", "init", "--settings", "qlik-plan.settings.yaml"]).exits(0);
            run(&stage, &[APPLY, "rehearse", "us-oem", "--settings", "qlik-plan.settings.yaml"]).exits(0);
            stage.write_desired(&desired);
            stage
        });
    let mut struck = [0; 2];
    for (form, body) in forms() {
        // A store is asked again for a while after a 500.
        for status in if form == "xml" { &[400, 403, 500][..] } else { &[400, 403] } {
            let host = echo(*status, body);
            let vault = format!(
                "  vault: {{ kind: vault, address: 'http://{host}', mount: secret, token: {{ env: VAULT_TOKEN }} }}"
            );
            let (before, _) = SETTINGS.split_once("ledger:").unwrap();
            let store =
                format!("{before}ledger: {{ kind: object-store, url: s3://estate/qlik, endpoint: 'http://{host}' }}\n");
            let vault = SETTINGS.replace("  files: { kind: file, directory: ./secrets, durable: true }", &vault);
            let formats = if *status == 400 { &FORMATS[..] } else { &FORMATS[..1] };
            for (at, (stage, settings)) in [(&at_vault, vault), (&at_store, store)].into_iter().enumerate() {
                std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings).unwrap();
                for format in formats {
                    for words in [&[PLAN, "--preflight", "full"][..], &[APPLY, "--yes"]] {
                        let end = ["--format", format, "--settings", "qlik-plan.settings.yaml"];
                        let run = run(stage, &[words, &end].concat());
                        let what = format!("{words:?} {form} {status} {at}");
                        harmless(&run, format, &what);
                        assert_ne!(run.code, Some(0), "{what}: {}", run.all());
                        for secret in [VAULT_TOKEN, STORE_SECRET] {
                            assert!(!run.all().contains(&secret[8..24]), "{what}: {}", run.all());
                        }
                        struck[at] +=
                            usize::from(["setvariable", "(not shown"].iter().any(|word| run.all().contains(word)));
                    }
                }
            }
        }
    }
    assert!(struck.iter().all(|shown| *shown > 10), "the answers were shown in {struck:?} runs only");
}
