//! The words of a command line in the order that clap reads them: the verb first, wherever it stood, then what it is about, then paths.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, Command};

/// A command line, in order.
pub(super) struct Line {
    /// The program's name and what follows.
    pub(super) words: Vec<OsString>,
    /// The verbs, as in `ledger init`; none where the program does what it does without one.
    pub(super) verbs: Vec<String>,
}

/// Puts the verb of a line to its front. What stands behind `--` is no verb, and neither is what stands behind a verb of the other
/// program: `qlik-plan ledger init` is not `qlik-plan init`.
pub(super) fn ordered(words: impl IntoIterator<Item = OsString>, command: &Command, other: &Command) -> Line {
    let mut words = words.into_iter();
    let mut line = Line { words: words.next().into_iter().collect(), verbs: Vec::new() };
    let mut rest: Vec<OsString> = words.collect();
    let mut level = command;
    while let Some((at, verb)) = verb(&rest, command, level, if line.verbs.is_empty() { Some(other) } else { None }) {
        rest.remove(at);
        line.words.push(verb.get_name().into());
        line.verbs.push(verb.get_name().to_owned());
        level = verb;
        if verb.get_name() == "help" {
            break;
        }
    }
    if line.verbs.first().is_none_or(|verb| verb != "help") {
        rest = paths_last(rest, command, level);
    }
    line.words.extend(rest);
    line
}

/// The first word that is a verb at this level, and where it stands.
fn verb<'c>(
    words: &[OsString],
    command: &Command,
    level: &'c Command,
    other: Option<&Command>,
) -> Option<(usize, &'c Command)> {
    for at in positions(words, command) {
        let word = words.get(at)?;
        if let Some(verb) = level.find_subcommand(word) {
            return Some((at, verb));
        }
        if other.is_some_and(|other| other.find_subcommand(word).is_some()) && !Path::new(word).exists() {
            return None;
        }
    }
    None
}

/// Where a verb is about something, as `explain` is about an address, that may stand behind paths.
fn paths_last(words: Vec<OsString>, command: &Command, level: &Command) -> Vec<OsString> {
    let about =
        level.get_positionals().filter(|arg| !arg.get_action().takes_values() || arg.get_id() != "paths").count();
    let positions = positions(&words, command);
    if about == 0 || positions.len() <= about || words.iter().any(|word| word == "--") {
        return words;
    }
    let is_path = |at: usize, word: &OsStr| positions.contains(&at) && Path::new(word).exists();
    let (paths, mut others): (Vec<_>, Vec<_>) =
        words.into_iter().enumerate().partition(|(at, word)| is_path(*at, word));
    others.extend(paths);
    others.into_iter().map(|(_, word)| word).collect()
}

/// Where the words stand that are neither options nor what an option takes.
fn positions(words: &[OsString], command: &Command) -> Vec<usize> {
    let mut found = Vec::new();
    let mut taken = false;
    for (at, word) in words.iter().enumerate() {
        let text = word.to_string_lossy();
        if std::mem::take(&mut taken) {
            continue;
        }
        if text == "--" {
            break;
        }
        if text.starts_with('-') && text.len() > 1 {
            taken = option(command, &text).is_some_and(|arg| arg.get_action().takes_values());
        } else {
            found.push(at);
        }
    }
    found
}

/// The option that a word is, without its value, of whichever verb.
fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let is_it = |arg: &&Arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => {
            arg.get_short().is_some_and(|short| word.strip_prefix('-').is_some_and(|rest| rest.chars().eq([short])))
        }
    };
    command.get_arguments().find(is_it).or_else(|| command.get_subcommands().find_map(|verb| option(verb, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered_text(line: &str) -> (String, String) {
        let command = Command::new("p")
            .arg(Arg::new("paths").num_args(0..))
            .arg(Arg::new("out").long("out").num_args(1))
            .subcommand(Command::new("list").arg(Arg::new("paths").num_args(0..)))
            .subcommand(Command::new("explain").arg(Arg::new("target")).arg(Arg::new("paths").num_args(0..)))
            .subcommand(Command::new("ledger").subcommand(Command::new("init")).subcommand(Command::new("list")));
        let other = Command::new("q").subcommand(Command::new("theirs"));
        let line = ordered(line.split(' ').map(OsString::from), &command, &other);
        let words: Vec<_> = line.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        (words.join(" "), line.verbs.join(" "))
    }

    #[test]
    fn a_verb_comes_first_wherever_it_stood() {
        for (typed, read, verbs) in [
            ("p a b", "p a b", ""),
            ("p a list --out f", "p list a --out f", "list"),
            // What an option takes is no verb, and neither is what stands behind `--` or has a folder before it.
            ("p --out list a", "p --out list a", ""),
            ("p --out=f list", "p list --out=f", "list"),
            ("p -- list", "p -- list", ""),
            ("p ./list", "p ./list", ""),
            ("p theirs list", "p theirs list", ""),
            ("p init ledger", "p ledger init", "ledger init"),
            ("p --out f ledger --x init", "p ledger init --out f --x", "ledger init"),
            ("p explain src qlik/acme", "p explain qlik/acme src", "explain"),
            ("p explain src", "p explain src", "explain"),
        ] {
            assert_eq!(ordered_text(typed), (read.to_owned(), verbs.to_owned()), "{typed}");
        }
    }
}
