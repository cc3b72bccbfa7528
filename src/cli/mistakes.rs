//! What is wrong with a command line, in a user's words, with what to write instead. No tip here replaces, deletes, insists or agrees.

mod habits;

use std::error::Error as _;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::config::suggest::nearest;
use crate::model::untrusted::escape;

use super::args::Wrong;
use super::exit::Problem;
use super::line::{Line, ordered};
use super::sources::is_stream;

/// Options that no typing error is answered with: they replace, delete, insist or agree.
const NEVER_PROPOSED: &[&str] = &[
    "adopt",
    "approve",
    "ledger-is-durable",
    "new",
    "not-created",
    "reclaim",
    "remint",
    "replace",
    "settle",
    "unrehearsed",
    "yes",
];

/// Who is asked, and by which line.
pub(super) struct Asked<'a> {
    pub(super) line: &'a Line,
    /// The program, and the other one.
    pub(super) command: &'a Command,
    pub(super) other: &'a Command,
}

impl Asked<'_> {
    fn program(&self) -> &str {
        self.command.get_name()
    }

    /// The command that clap read.
    fn level(&self) -> &Command {
        self.line.verbs.iter().fold(self.command, |level, verb| level.find_subcommand(verb).unwrap_or(level))
    }

    /// Whether the verb that was named needs another.
    fn is_between(&self) -> bool {
        !self.line.verbs.is_empty() && self.level().has_subcommands()
    }

    /// `qlik-apply ledger init`.
    fn called(&self) -> String {
        [self.program()].into_iter().chain(self.line.verbs.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }

    fn help(&self) -> String {
        format!("{} --help shows what it takes", self.called())
    }

    /// What clap could not read.
    pub(super) fn explain(&self, error: &clap::Error) -> Problem {
        let text = |kind: ContextKind| match error.get(kind) {
            Some(ContextValue::String(text)) => text.clone(),
            Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
            Some(_) | None => String::new(),
        };
        let (argument, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
        match error.kind() {
            ErrorKind::UnknownArgument if self.is_between() => self.verb_missing(),
            ErrorKind::UnknownArgument if argument.starts_with('-') => self.unknown_option(&argument),
            ErrorKind::UnknownArgument => {
                Problem::new(format!("{} takes no {argument}", self.called()), format!("leave it out; {}", self.help()))
            }
            ErrorKind::InvalidSubcommand => self.unknown_verb(&text(ContextKind::InvalidSubcommand)),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => self.verb_missing(),
            ErrorKind::InvalidValue if value.is_empty() => self.value_missing(&argument),
            ErrorKind::ValueValidation if value.is_empty() && wrong(error).is_none() => self.value_missing(&argument),
            ErrorKind::InvalidValue => self.not_among(&argument, &value, error),
            ErrorKind::ValueValidation => self.wrong_value(&argument, &value, error),
            ErrorKind::MissingRequiredArgument => self.missing(&argument),
            ErrorKind::ArgumentConflict => self.conflict(&argument, &text(ContextKind::PriorArg)),
            ErrorKind::TooManyValues => {
                Problem::new(format!("{} takes no value", bare(&argument)), format!("write {} alone", bare(&argument)))
            }
            // What is left says itself what is wrong.
            ErrorKind::NoEquals
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::InvalidUtf8
            | ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::Io
            | ErrorKind::Format
            | _ => {
                let said = error.to_string();
                let first = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Problem::new(first, self.help())
            }
        }
    }

    fn unknown_option(&self, argument: &str) -> Problem {
        let typed = self.typed(argument);
        if let Some((why, next)) = habits::option(&typed, self.program()) {
            return Problem::new(format!("{typed}: {why}"), next);
        }
        let name = typed.trim_start_matches('-').split('=').next().unwrap_or_default();
        if let Some(found) = self.elsewhere(name) {
            return found;
        }
        let unknown = format!("unexpected argument '{argument}'");
        let known: Vec<&str> =
            self.level().get_arguments().filter_map(Arg::get_long).filter(|n| !NEVER_PROPOSED.contains(n)).collect();
        match nearest(name, known.iter().copied()).filter(|_| typed.starts_with("--")) {
            Some(near) => Problem::new(unknown, format!("did you mean '--{near}'?")),
            None => Problem::new(unknown, self.help()),
        }
    }

    /// The word that clap read an option in: of `-auto-approve` it names `-a`.
    fn typed(&self, argument: &str) -> String {
        let words = self.line.words.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        words.into_iter().find(|word| word.starts_with(argument)).unwrap_or_else(|| argument.to_owned())
    }

    /// An option that another verb has, or the other program.
    fn elsewhere(&self, name: &str) -> Option<Problem> {
        let has = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some(name));
        if has(self.command) {
            // The program has it where no verb is named.
            let next = if NEVER_PROPOSED.contains(&name) {
                format!("leave it out; {}", self.help())
            } else {
                format!("leave it out; {} takes it without a command: {}", self.program(), usage(self.command, name)?)
            };
            return Some(Problem::new(format!("--{name} is not for {}", self.line.verbs.join(" ")), next));
        }
        let verb = self.command.get_subcommands().find(|verb| has(verb));
        if let Some(verb) = verb {
            let known = usage(verb, name)?;
            return Some(Problem::new(
                format!("--{name} belongs to the command {}", verb.get_name()),
                format!("{} {known}", self.program()),
            ));
        }
        let holder =
            if has(self.other) { Some(self.other) } else { self.other.get_subcommands().find(|verb| has(verb)) }?;
        let mut form = usage(holder, name)?;
        if holder.get_name() != self.other.get_name() {
            form = format!("{} {form}", self.other.get_name());
        }
        Some(Problem::new(format!("--{name} belongs to {}", self.other.get_name()), self.as_typed().unwrap_or(form)))
    }

    /// The line as it was typed for the other program, where that takes it; without what agrees to anything.
    fn as_typed(&self) -> Option<String> {
        // What the other program does without a verb needs none.
        let default = self.other.get_name().trim_start_matches("qlik-");
        let words = self.line.words.iter().skip(1).filter(|word| *word != "--yes" && *word != default);
        let words: Vec<OsString> = words.cloned().collect();
        let known = words.iter().map(|word| word.to_string_lossy()).all(|word| {
            let name = word.strip_prefix("--").map(|name| name.split('=').next().unwrap_or_default());
            name.is_none_or(|name| !NEVER_PROPOSED.contains(&name) || name == "approve")
        });
        let all: Vec<OsString> = [self.other.get_name().into()].into_iter().chain(words).collect();
        let line = ordered(all.clone(), self.other, self.command);
        let taken = self.other.clone().try_get_matches_from(line.words).is_ok();
        (known && taken).then(|| all.iter().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" "))
    }

    fn unknown_verb(&self, word: &str) -> Problem {
        let level = self.level();
        if level.get_name() == self.program() {
            return self.neither(word);
        }
        let known: Vec<&str> = verbs(level).collect();
        let takes = format!("{} takes one of: {}; {word} is none", level.get_name(), known.join(", "));
        let next = habits::ledger_verb(word)
            .map(|verb| format!("{} {verb}", self.called()))
            .or_else(|| nearest(word, known.iter().copied()).map(|near| format!("did you mean {near}?")))
            .unwrap_or_else(|| self.help());
        Problem::new(takes, next)
    }

    fn verb_missing(&self) -> Problem {
        let known: Vec<&str> = verbs(self.level()).collect();
        Problem::new(
            format!("{} takes one of: {}", self.level().get_name(), known.join(", ")),
            format!("{} list, or {}", self.called(), self.help()),
        )
    }

    fn value_missing(&self, argument: &str) -> Problem {
        Problem::new(format!("{} needs a value", bare(argument)), format!("as in {}", argument.replace(['<', '>'], "")))
    }

    fn not_among(&self, argument: &str, value: &str, error: &clap::Error) -> Problem {
        let known = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(known)) => known.clone(),
            Some(_) | None => Vec::new(),
        };
        let name = if argument.starts_with('-') { bare(argument).to_owned() } else { self.line.verbs.join(" ") };
        let near = nearest(&value.to_ascii_lowercase(), known.iter().map(String::as_str));
        let first = known.first().map(String::as_str).unwrap_or_default();
        Problem::new(
            format!("{name} takes one of: {}; '{value}' is none", known.join(", ")),
            match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!("as in {name} {first}"),
            },
        )
    }

    fn wrong_value(&self, argument: &str, value: &str, error: &clap::Error) -> Problem {
        let name = if argument.starts_with('-') { bare(argument).to_owned() } else { self.called() };
        match wrong(error) {
            Some(Wrong { why, next }) => Problem::new(format!("{name} '{value}': {why}"), next.clone()),
            None => Problem::new(format!("{name} '{value}': this is no value for it"), self.help()),
        }
    }

    fn missing(&self, argument: &str) -> Problem {
        match self.line.verbs.join(" ").as_str() {
            "explain" => Problem::new(
                "explain needs the address of a declared object, or a code",
                "qlik-plan explain qlik/NAME, or: qlik-plan explain QP0203",
            ),
            "resolve" => Problem::new("resolve needs the address of a tenant", "qlik-apply resolve qlik/NAME"),
            "rehearse" => {
                Problem::new("rehearse needs the name of an account in settings", "qlik-apply rehearse ACCOUNT")
            }
            "ledger mv" => Problem::new("the address of a tenant is missing", "qlik-apply ledger mv qlik/OLD qlik/NEW"),
            "ledger forget" => Problem::new("the address of a tenant is missing", "qlik-apply ledger forget qlik/NAME"),
            "merge" => Problem::new("merge needs the parts that shards saved", "qlik-plan merge part-*.plan"),
            _ if argument.starts_with("--") => {
                Problem::new(format!("{} is missing", argument.replace(['<', '>'], "")), self.help())
            }
            _ => Problem::new(format!("{}: something is missing", self.called()), self.help()),
        }
    }

    fn conflict(&self, one: &str, other: &str) -> Problem {
        let (one, other) = (bare(one), bare(other));
        if one == other || other.is_empty() {
            return Problem::new(format!("{one} is given twice"), format!("say {one} once"));
        }
        Problem::new(format!("{one} and {other} exclude each other"), format!("leave out {one} or {other}"))
    }

    /// Words that must be files or folders: each is there, or looks like one.
    pub(super) fn paths(&self, paths: &[PathBuf]) -> Result<(), Problem> {
        let wrong = paths.iter().find(|path| {
            let text = path.to_string_lossy();
            !is_stream(path) && !path.exists() && !text.contains(['/', '.'])
        });
        wrong.map_or(Ok(()), |word| Err(self.neither(&word.to_string_lossy())))
    }

    /// A word where a verb or a path is meant.
    fn neither(&self, word: &str) -> Problem {
        let typed = escape(word);
        let without_verb = self.line.verbs.is_empty();
        if without_verb && let Some((why, next)) = habits::verb(word) {
            return Problem::new(format!("{typed}: {why}"), next);
        }
        if without_verb && self.other.find_subcommand(word).is_some() {
            let form = format!("{} {typed} --help", self.other.get_name());
            return Problem::new(
                format!("{typed} belongs to {}", self.other.get_name()),
                self.as_typed().unwrap_or(form),
            );
        }
        let known: Vec<&str> = verbs(self.command).collect();
        let neither = format!("{typed} is neither a command nor an existing file or directory");
        match nearest(word, known.iter().copied()).filter(|_| without_verb) {
            Some(near) => Problem::new(neither, format!("did you mean {near}?")),
            None => Problem::new(
                neither,
                format!("name a file or directory that exists; the commands are {}", known.join(", ")),
            ),
        }
    }
}

/// What a value's own reader says of it.
fn wrong(error: &clap::Error) -> Option<&Wrong> {
    error.source().and_then(|source| source.downcast_ref::<Wrong>())
}

/// The verbs at a level.
fn verbs(level: &Command) -> impl Iterator<Item = &str> {
    level.get_subcommands().map(Command::get_name).filter(|name| *name != "help")
}

/// `--out <FILE>` as it is typed: `--out`.
fn bare(argument: &str) -> &str {
    argument.split([' ', '=']).next().unwrap_or_default()
}

/// `qlik-apply resolve ADDRESS --adopt HOSTNAME`, without the program where the command is a verb.
fn usage(command: &Command, name: &str) -> Option<String> {
    let option = command.get_arguments().find(|arg| arg.get_long() == Some(name))?;
    let value = |arg: &Arg| arg.get_value_names().and_then(|names| names.first().map(ToString::to_string));
    let about = command.get_positionals().filter(|arg| arg.is_required_set()).filter_map(value);
    let takes = if matches!(option.get_action(), ArgAction::SetTrue) { None } else { value(option) };
    let words = [command.get_name().to_owned()].into_iter().chain(about).chain([format!("--{name}")]).chain(takes);
    Some(words.collect::<Vec<_>>().join(" "))
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+~…".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
