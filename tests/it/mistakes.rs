//! Mistakes on the command line: each is answered with what is meant, and no answer does harm when it is followed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, clean};

/// What no mistake is answered with: it would replace, delete, insist or agree.
const HARMFUL: &[&str] =
    &["--replace", "--remint", "--reclaim", "--yes", "--new", "--unrehearsed", "--ledger-is-durable", "--not-created"];

/// Runs a line as a shell would, in a folder that nobody is at.
fn run(line: &str, folder: &Path) -> Run {
    let mut words = line.split(' ').peekable();
    let mut variables = Vec::new();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        variables.push((name, value));
        words.next();
    }
    let program = match words.next() {
        Some("qlik-plan") => PLAN,
        Some("qlik-apply") => APPLY,
        other => panic!("{other:?} is none of the programs"),
    };
    Run::of(&clean(program, folder).envs(variables).args(words).output().unwrap())
}

#[test]
fn every_mistake_is_answered_with_what_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [("tenants/acme.yaml", ONE_TENANT), ("prod/settings.yaml", SETTINGS), ("schema/a.yaml", "")] {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever writes the answers anew")]
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let (mut seen, mut wrong) = (0, Vec::new());
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mistakes");
    for entry in fs::read_dir(corpus).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let mut written = String::new();
        for case in text.trim_end().split("\n\n") {
            let mut lines = case.lines();
            let (name, line) = (lines.next().unwrap(), lines.next().unwrap().strip_prefix("$ ").unwrap());
            let expected: String = lines.map(|line| format!("{line}\n")).collect();
            let Run { code, out, err } = run(line, folder.path());
            seen += 1;
            assert_eq!((code, out.as_str()), (Some(1), ""), "{name}: {line}\n{err}");
            let next: Vec<&str> = err.lines().filter(|line| line.starts_with("  next: ")).collect();
            assert!(!next.is_empty(), "{name}: no way out is named\n{err}");
            let typed = |option: &str| line.split([' ', '=']).any(|word| word == option);
            for harmful in HARMFUL.iter().filter(|option| !typed(option)) {
                let is_named = next.iter().any(|line| line.split([' ', '=', '\'']).any(|word| word == *harmful));
                assert!(!is_named, "{name}: {harmful} is proposed\n{err}");
            }
            if err != expected && !update {
                wrong.push(format!("{name}\n$ {line}\nexpected:\n{expected}found:\n{err}"));
            }
            write!(written, "{name}\n$ {line}\n{err}\n").unwrap();
        }
        if update {
            fs::write(&file, written.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "UPDATE_FIXTURES=1 writes these anew:\n\n{}", wrong.join("\n"));
    assert!(seen >= 80, "{seen} mistakes");
}
