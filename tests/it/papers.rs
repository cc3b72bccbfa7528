//! The papers say what the program does: codes, commands, exit codes and the test command do not drift apart.

use std::fs;
use std::path::Path;

use qlik_plan::plan::refusal::Code;

use crate::stage::{APPLY, PLAN, Run, clean};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn every_refusal_is_explained_once_with_a_way_out() {
    let page = read("docs/operations.md");
    let explained: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")?.split(':').next()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(explained, codes, "docs/operations.md has one section a code, in their order");
}

#[test]
fn the_readmes_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["README.md", "CONTRIBUTING.md"] {
        let text = read(page);
        let targets: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(!targets.is_empty(), "{page} has links");
        for target in targets.into_iter().filter(|target| !target.starts_with("https://")) {
            assert!(root.join(target).exists(), "{page} links to {target}, which is not there");
        }
    }
}

#[test]
fn ci_runs_the_readmes_test_command() {
    let command = read(".ci/run").lines().find_map(|line| Some(line.strip_prefix("readme_test='")?.replace('\'', "")));
    assert!(read("README.md").lines().any(|line| Some(line) == command.as_deref()), "{command:?}");
}

#[test]
fn every_option_and_every_verb_of_the_help_is_in_the_readme() {
    let readme = read("README.md");
    let mut seen = 0;
    for program in [PLAN, APPLY] {
        let run =
            Run::of(&clean(program, Path::new(env!("CARGO_MANIFEST_DIR"))).arg("--help").output().unwrap()).exits(0);
        let options =
            run.out.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split_whitespace().next());
        for option in options {
            seen += 1;
            let is_named = ["`", " ", "|"].iter().any(|after| readme.contains(&format!("`--{option}{after}")));
            assert!(is_named, "--{option} of {program} is not in README.md");
        }
        let verbs = run.out.split("\nVerbs:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        for verb in verbs.lines().map(|line| line.trim().split("  ").next().unwrap()) {
            let known = readme.replace("\\|", "|");
            assert!(known.contains(&format!("{verb}`")) || known.contains(verb), "{verb} is not in README.md");
        }
    }
    assert!(seen > 20, "{seen} options were found in the help");
}
