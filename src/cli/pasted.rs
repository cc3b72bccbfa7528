//! Commands in what is printed, made whole: with the settings and the paths of the line that was given, so that they can be pasted.

use std::path::Path;

use super::args::Common;
use super::mistakes::quoted;

/// Verbs, and whether they take desired state.
const VERBS: &[(&str, &str, bool)] = &[
    ("qlik-plan", "plan", true),
    ("qlik-plan", "validate", true),
    ("qlik-plan", "explain", true),
    ("qlik-plan", "doctor", true),
    ("qlik-plan", "import", true),
    ("qlik-plan", "merge", false),
    ("qlik-apply", "apply", true),
    ("qlik-apply", "ledger init", false),
    ("qlik-apply", "ledger list", false),
    ("qlik-apply", "ledger mv", true),
    ("qlik-apply", "ledger forget", true),
    ("qlik-apply", "rehearse", true),
    ("qlik-apply", "resolve", false),
];

/// Options of both programs that take a value.
const WITH_VALUE: &[&str] = &[
    "--account",
    "--adopt",
    "--also",
    "--approve",
    "--at",
    "--color",
    "--comment",
    "--commit",
    "--display-name",
    "--except",
    "--exit-codes",
    "--for",
    "--format",
    "--from",
    "--into",
    "--label",
    "--live",
    "--max-run",
    "--name-pattern",
    "--new",
    "--only",
    "--out",
    "--parallelism",
    "--pipeline",
    "--plan",
    "--preflight",
    "--reclaim",
    "--region",
    "--remint",
    "--replace",
    "--settings",
    "--shard",
    "--snapshot",
    "--source-tenant",
    "--tenant",
    "--timeout",
    "--warn-within",
];

/// What a line gave, as it is typed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    options: Vec<String>,
    paths: Vec<String>,
}

impl Given {
    pub(super) fn of(common: &Common) -> Self {
        let word = |path: &Path| quoted(&path.to_string_lossy());
        let mut options = Vec::new();
        options.extend(common.settings.iter().map(|file| format!("--settings {}", word(file))));
        options.extend(common.sandbox.then(|| "--sandbox".to_owned()));
        let mut paths: Vec<String> = common.paths.iter().map(|path| word(path)).collect();
        if common.recursive {
            paths.insert(0, "--recursive".to_owned());
        }
        Self { options, paths }
    }

    /// The text with every command in it made whole.
    pub(super) fn complete(&self, text: &str) -> String {
        if self.options.is_empty() && self.paths.is_empty() {
            return text.to_owned();
        }
        let (mut done, mut rest) = (String::new(), text);
        while let Some(at) = next_program(rest) {
            let (before, from) = rest.split_at(at);
            done.push_str(before);
            let (command, after) = from.split_at(end_of_command(from));
            done.push_str(command);
            self.add(command, after, &mut done);
            rest = after;
        }
        done + rest
    }

    /// What a command lacks, but for what stands behind it.
    fn add(&self, command: &str, after: &str, done: &mut String) {
        let Some((program, words)) = command.split_once(' ') else { return };
        let plain = without_options(words);
        let verb = VERBS.iter().find(|(of, verb, _)| *of == program && is_verb(&plain, verb));
        let takes_paths = match verb {
            // A code is explained without anything.
            Some((_, "explain", _)) if plain.starts_with("explain QP") || plain.starts_with("explain CODE") => return,
            // The parts know where they come from.
            Some((_, "merge", _)) => return,
            Some((_, _, takes_paths)) => *takes_paths,
            None if words.starts_with("--") => true,
            None => return,
        };
        let is_named = after.starts_with(" PATH") || after.starts_with(&format!(" {}", self.paths.join(" ")));
        let takes_paths = takes_paths && !is_named;
        let missing = self.options.iter().filter(|option| {
            let name = option.split(' ').next().unwrap_or_default();
            !words.split(' ').any(|word| word == name)
        });
        for more in missing.chain(self.paths.iter().filter(|_| takes_paths)) {
            done.push(' ');
            done.push_str(more);
        }
    }
}

/// Where the next word begins that is one of the programs.
fn next_program(text: &str) -> Option<usize> {
    let starts = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        // A path to a program, or a file named after one, is none; a style may end right before it.
        !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "-_./".contains(c)) || ends_in_style(before)
    };
    ["qlik-plan ", "qlik-apply "]
        .iter()
        .flat_map(|program| text.match_indices(program))
        .map(|(at, _)| at)
        .filter(|at| starts(*at))
        .min()
}

fn ends_in_style(text: &str) -> bool {
    text.rfind('\u{1b}').and_then(|at| text.get(at..)).is_some_and(|style| {
        style.ends_with('m') && style.chars().skip(2).all(|c| c.is_ascii_digit() || ";m".contains(c))
    })
}

fn without_options(words: &str) -> String {
    let mut is_value = false;
    let kept = words.split(' ').filter(|word| {
        let is_option = word.starts_with("--");
        !std::mem::replace(&mut is_value, WITH_VALUE.contains(word)) && !is_option
    });
    kept.collect::<Vec<_>>().join(" ")
}

fn is_verb(words: &str, verb: &str) -> bool {
    words.strip_prefix(verb).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Where a command ends, which begins with its program: at what is no word of it, or at a mark behind one.
fn end_of_command(text: &str) -> usize {
    let mut words = text.split(' ');
    let mut end = words.next().map(str::len).unwrap_or_default();
    let program = text.get(..end).unwrap_or_default();
    let (mut place, mut is_value) = (0, false);
    for word in words {
        let bare = word
            .split(['\u{1b}', '\n'])
            .next()
            .unwrap_or_default()
            .trim_end_matches([',', ';', ':', ')', '`', '?', '.']);
        let is_placeholder =
            bare.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !bare.is_empty() && bare != "PATH";
        let is_its = match place {
            _ if bare.is_empty() => false,
            _ if is_value => true,
            _ if bare.starts_with("--") => true,
            0 => VERBS.iter().any(|(of, verb, _)| *of == program && verb.split(' ').next() == Some(bare)),
            1 if text.contains(" ledger ") => VERBS.iter().any(|(_, verb, _)| verb.split(' ').nth(1) == Some(bare)),
            1 if text.get(end..).is_some() && text.contains(" rehearse ") => true,
            _ => is_placeholder || bare.starts_with("qlik/") || bare.starts_with("imburse/") || bare.starts_with("QP"),
        };
        if !is_its {
            break;
        }
        place += usize::from(!is_value && !bare.starts_with("--"));
        is_value = !is_value && WITH_VALUE.contains(&bare);
        end += 1 + bare.len();
        if bare.len() < word.len() {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::super::args::{ApplyLine, PlanLine};
    use super::*;

    fn given(options: &[&str], paths: &[&str]) -> Given {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Given { options: owned(options), paths: owned(paths) }
    }

    /// The options of a program and of its verbs that take a value of their own.
    fn valued(command: &clap::Command) -> Vec<String> {
        let own = command.get_arguments().filter(|arg| arg.get_action().takes_values());
        let own = own.filter_map(|arg| arg.get_long()).map(|name| format!("--{name}"));
        own.chain(command.get_subcommands().flat_map(valued)).collect()
    }

    #[test]
    fn every_option_that_takes_a_value_is_known() {
        use clap::CommandFactory as _;
        for command in [PlanLine::command(), ApplyLine::command()] {
            for option in valued(&command) {
                assert!(WITH_VALUE.contains(&option.as_str()), "{option}");
            }
        }
    }

    #[test]
    fn commands_are_made_whole_and_sentences_stay() {
        let given = given(&["--settings p/s.yaml"], &["tenants/"]);
        for (printed, whole) in [
            (
                "if there never was one: qlik-apply ledger init",
                "if there never was one: qlik-apply ledger init --settings p/s.yaml",
            ),
            (
                "qlik-apply rehearse us-oem   (mints and removes a key)",
                "qlik-apply rehearse us-oem --settings p/s.yaml tenants/   (mints and removes a key)",
            ),
            ("`qlik-apply ledger init` makes it", "`qlik-apply ledger init --settings p/s.yaml` makes it"),
            (
                "qlik-apply resolve qlik/acme --adopt HOSTNAME   (it is there)",
                "qlik-apply resolve qlik/acme --adopt HOSTNAME --settings p/s.yaml   (it is there)",
            ),
            (
                "qlik-apply --remint qlik/acme/ci, once",
                "qlik-apply --remint qlik/acme/ci --settings p/s.yaml tenants/, once",
            ),
            (
                "look (qlik-plan --preflight full sees all that it sees), and approve",
                "look (qlik-plan --preflight full --settings p/s.yaml tenants/ sees all that it sees), and approve",
            ),
            (
                "qlik-apply ledger forget qlik/acme --yes",
                "qlik-apply ledger forget qlik/acme --yes --settings p/s.yaml tenants/",
            ),
            (
                "qlik-apply ledger mv qlik/globex NEW, then qlik-apply --new qlik/acme",
                "qlik-apply ledger mv qlik/globex NEW --settings p/s.yaml tenants/, then qlik-apply --new qlik/acme --settings p/s.yaml tenants/",
            ),
            (
                "\u{1b}[2mqlik-apply ledger init\u{1b}[0m",
                "\u{1b}[2mqlik-apply ledger init --settings p/s.yaml\u{1b}[0m",
            ),
            ("a\nqlik-apply --new qlik/a\nb", "a\nqlik-apply --new qlik/a --settings p/s.yaml tenants/\nb"),
            (
                "qlik-plan --at TIME shows the plan of a time that you give",
                "qlik-plan --at TIME --settings p/s.yaml tenants/ shows the plan of a time that you give",
            ),
            // Whole already, or no command.
            ("qlik-apply --settings x.yaml ledger init", "qlik-apply --settings x.yaml ledger init"),
            ("qlik-plan explain QP0203", "qlik-plan explain QP0203"),
            ("qlik-plan schema desired", "qlik-plan schema desired"),
            ("qlik-apply again: it goes on", "qlik-apply again: it goes on"),
            ("a file that qlik-plan did not write", "a file that qlik-plan did not write"),
            ("./qlik-apply ledger init", "./qlik-apply ledger init"),
        ] {
            assert_eq!(given.complete(printed), whole);
            assert_eq!(given.complete(whole), whole, "what is whole stays as it is");
        }
        assert_eq!(Given::default().complete("qlik-apply ledger init"), "qlik-apply ledger init");
    }
}
