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

/// The name that a heading has in a link: as GitHub and GitLab make it.
fn fragment(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|page| root.join(page)));
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let mut inside = false;
        let prose = text.lines().filter(|line| {
            inside ^= line.starts_with("```");
            !inside
        });
        let prose = prose.collect::<Vec<_>>().join("\n");
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.contains(' ')) {
            links += 1;
            let (file, at) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(to.exists(), "{} links to {target}, which is not there", page.display());
            if !at.is_empty() {
                let headings = fs::read_to_string(&to).unwrap();
                let mut headings = headings.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
                assert!(headings.any(|heading| fragment(heading) == at), "{}: {target} is no heading", page.display());
            }
        }
    }
    assert!(links > 100, "{links}");
}

/// Throw-away runners keep their ledger in an object store: a program without that feature refuses to run there.
#[test]
fn what_the_pipelines_install_can_share_a_ledger() {
    let mut installs = 0;
    for file in ["README.md", "action.yml", "examples/gitops/ci/install"] {
        for line in read(file).lines().filter(|line| line.contains("--no-default-features")) {
            installs += 1;
            assert!(line.contains("--features object-store"), "{file}: {line}");
        }
    }
    assert!(installs >= 3, "{installs}");
    let workflows = ["plan", "apply", "renew", "drift"].map(|name| format!(".github/workflows/{name}.yml"));
    for file in workflows.into_iter().chain([".gitlab-ci.yml", "azure-pipelines.yml"].map(str::to_owned)) {
        let text = read(&format!("examples/gitops/{file}"));
        assert!(text.contains("ci/install") && !text.contains("cargo install"), "{file}");
    }
}

#[test]
fn ci_runs_the_readmes_test_command() {
    let command = read(".ci/run").lines().find_map(|line| Some(line.strip_prefix("readme_test='")?.replace('\'', "")));
    assert!(read("README.md").lines().any(|line| Some(line) == command.as_deref()), "{command:?}");
}

#[test]
fn every_option_and_every_verb_of_the_help_is_on_its_page() {
    let page = read("docs/commands.md");
    let (mut seen, mut named) = (0, Vec::new());
    // Each verb has its own help, and a verb may have verbs.
    let mut asked: Vec<(&str, Vec<String>)> = vec![(PLAN, Vec::new()), (APPLY, Vec::new())];
    while let Some((program, verbs)) = asked.pop() {
        let mut command = clean(program, Path::new(env!("CARGO_MANIFEST_DIR")));
        let run = Run::of(&command.args(&verbs).arg("--help").output().unwrap()).exits(0);
        let options =
            run.out.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split_whitespace().next());
        for option in options {
            seen += 1;
            let is_named = ["`", " ", "|"].iter().any(|after| page.contains(&format!("`--{option}{after}")));
            assert!(is_named, "--{option} of {program} is not in docs/commands.md");
        }
        let below = run.out.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap();
        // A line that goes on in the next one begins deeper there.
        let first_lines =
            below.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
        for verb in first_lines.map(|line| line.split(' ').next().unwrap()).filter(|verb| *verb != "help") {
            let mut verbs = verbs.clone();
            verbs.push(verb.to_owned());
            let words = verbs.join(" ");
            assert!(
                ["`", " "].iter().any(|after| page.contains(&format!("{words}{after}"))),
                "{words} is not in docs/commands.md"
            );
            named.push(words);
            asked.push((program, verbs));
        }
    }
    assert!(named.len() > 10, "{named:?}");
    assert!(seen > 20, "{seen} options were found in the help");
}

/// What the plan prints for a refusal, or for a finding where nothing is refused, from the first folder of fixtures in which it occurs.
fn printed(code: &str) -> Option<String> {
    printed_as(&format!("refused, {code}"), code).or_else(|| printed_as(&format!("found, {code}"), code))
}

fn printed_as(words: &str, code: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plan");
    let mut files: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join("expected.txt")).collect();
    // A code's own folders come first.
    files.sort_by_key(|file| (!file.to_string_lossy().contains(code), file.clone()));
    let plans = files.into_iter().filter_map(|file| fs::read_to_string(file).ok());
    plans.into_iter().find_map(|plan| {
        let blocks = plan.split("\n\n");
        // A finding looks like a refusal; the first of them stands below a title.
        let mut blocks = blocks.map(|block| block.trim_start_matches("Findings:\n"));
        let block = blocks.find(|block| block.lines().next().unwrap_or_default().contains(words))?;
        let lines = block.trim_matches('\n').lines().map(|line| line.strip_prefix("  ").unwrap_or(line).trim_end());
        // Some lines hold columns for the sake of other lines of the plan.
        Some(lines.map(|line| format!("{line}\n")).collect())
    })
}

#[test]
fn operations_shows_what_every_refusal_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(&path).unwrap();
    let (mut written, mut shown) = (String::new(), 0);
    for (index, section) in page.split_inclusive("\n### ").enumerate() {
        let code = section.split(':').next().unwrap_or_default();
        let printed = if index > 0 && code.starts_with("QP") { printed(code) } else { None };
        let (Some(printed), Some((heading, rest))) = (printed, section.split_once("\n\n")) else {
            written += section;
            continue;
        };
        shown += 1;
        let rest = match rest.strip_prefix("```text\n").and_then(|block| block.split_once("```\n\n")) {
            Some((block, rest)) if block.starts_with("x ") || block.starts_with("! ") => rest,
            Some(_) | None => rest,
        };
        written.extend([heading, "\n\n```text\n", &printed, "```\n\n", rest]);
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever writes the page anew")]
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    if update {
        fs::write(&path, &written).unwrap();
    } else {
        assert!(
            page == written,
            "docs/operations.md shows other output than the fixtures; UPDATE_FIXTURES=1 writes it"
        );
    }
    assert!(shown > 30, "{shown} refusals are shown");
}

/// Two pages of one number would make "decision 28" mean either.
#[test]
fn every_decision_has_a_number_of_its_own() {
    let mut numbers = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/decisions")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number: u32 = name.split('-').next().unwrap().parse().unwrap_or_else(|_| panic!("{name} has no number"));
        let heading = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        let stated = heading.trim_start_matches("# ").split([':', '.']).next().unwrap().parse::<u32>();
        assert_eq!(stated, Ok(number), "{name}: {heading}");
        if let Some(other) = numbers.insert(number, name.clone()) {
            panic!("{other} and {name} have one number");
        }
    }
    assert!(numbers.len() > 20);
}
