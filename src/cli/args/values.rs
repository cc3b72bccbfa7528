//! What stands behind an option or for a word of the command line, read; what is wrong with it is said with the form that is meant.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::config::suggest::nearest;
use crate::model::address::{Address, Name};
use crate::model::clock::read_time;
use crate::model::duration::Duration;
use crate::model::host;
use crate::model::selection::{Label, Pattern, Shard};
use crate::plan::refusal::Code;
use crate::render::markdown::Commit;

/// Why a value is none, and how one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Wrong {
    pub(in crate::cli) why: String,
    pub(in crate::cli) next: String,
}

impl Wrong {
    fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: why.into(), next: next.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Wrong {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    Text,
    Json,
    /// A comment on a pull request.
    Markdown,
    /// Terraform's plan representation 1.2, in one line.
    TerraformJson,
    /// The counts of GitLab's `terraform` report.
    Gitlab,
    /// Annotations on the lines of YAML.
    Github,
}

/// A format, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Also {
    pub(in crate::cli) format: Format,
    pub(in crate::cli) file: PathBuf,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Only {
    /// Keys that were delivered and are due, or ended. Nothing else is created.
    Renewals,
    /// Objects whose addresses match.
    Matching(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Platform {
    /// A comment: 65,536 characters.
    Github,
    /// A job's summary: 1 MiB.
    GithubSummary,
    /// A comment: 1,000,000 characters.
    Gitlab,
    /// A comment: 32,768 characters, without HTML.
    Bitbucket,
    /// A comment: 150,000 characters.
    Azure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExitCodes {
    Coarse,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColourArg {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PreflightArg {
    Read,
    Sinks,
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    Desired,
    Settings,
    Plan,
}

/// The shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShellArg {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl ShellArg {
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
        }
    }
}

/// What `explain` explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Target {
    Object(Address),
    Code(Code),
}

pub(super) fn also(text: &str) -> Result<Also, Wrong> {
    let form = || "--also FORMAT=FILE, as in --also json=plan.json".to_owned();
    let (format, file) = text.split_once('=').ok_or_else(|| Wrong::new("the file is missing", form()))?;
    let known: Vec<String> = Format::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let format = Format::from_str(format, false).map_err(|_| {
        let near = nearest(&format.to_ascii_lowercase(), known.iter().map(String::as_str)).map(str::to_owned);
        Wrong::new(
            format!("the formats are {}", known.join(", ")),
            near.map_or_else(form, |near| format!("did you mean --also {near}={file}?")),
        )
    })?;
    if file.is_empty() {
        return Err(Wrong::new("the file behind the = is missing", form()));
    }
    Ok(Also { format, file: PathBuf::from(file) })
}

/// The hash of a plan, as plans print it.
pub(super) fn plan_hash(text: &str) -> Result<String, Wrong> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new(
            "a plan's hash is sha256: and 64 hexadecimal digits",
            "copy the hash that qlik-plan prints below its plan; a file is applied with --plan FILE",
        ))
    }
}

pub(super) fn time(text: &str) -> Result<Timestamp, Wrong> {
    read_time(text).ok_or_else(|| {
        Wrong::new("a time is written as in 2027-01-15T00:00:00Z", "write date, time and offset (RFC 3339)")
    })
}

/// A duration; what people write instead is told in our form.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    Duration::parse(text).map_err(|error| {
        let next = meant(text)
            .map(|meant| format!("did you mean {meant}?"))
            .unwrap_or_else(|| "write P14D for 14 days, PT2H for 2 hours, PT90M for 90 minutes".to_owned());
        Wrong::new(error.to_string(), next)
    })
}

/// `2h`, `pt2h`, `P12H`, `90` (seconds): the duration that was meant.
fn meant(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    let bare = upper.trim_start_matches('P').trim_start_matches('T');
    let digits = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    let (number, unit) = bare.split_at(digits);
    if number.is_empty() {
        return None;
    }
    let written = match unit.trim() {
        "" | "S" | "SEC" | "SECS" | "SECOND" | "SECONDS" => format!("PT{number}S"),
        // What stands behind a P without T are months.
        "M" if upper.starts_with('P') && !upper.starts_with("PT") => return None,
        "M" | "MIN" | "MINS" | "MINUTE" | "MINUTES" => format!("PT{number}M"),
        "H" | "HOUR" | "HOURS" => format!("PT{number}H"),
        "D" | "DAY" | "DAYS" => format!("P{number}D"),
        "W" | "WEEK" | "WEEKS" => format!("P{number}W"),
        _ => return None,
    };
    Duration::parse(&written).ok().map(|_| written)
}

/// Whole seconds of one request.
pub(super) fn timeout(text: &str) -> Result<u64, Wrong> {
    match text.parse() {
        Ok(seconds @ 1..=600) => Ok(seconds),
        Ok(_) | Err(_) => {
            let number: String = text.chars().take_while(char::is_ascii_digit).collect();
            let near = number.parse().ok().filter(|seconds| (1..=600).contains(seconds)).unwrap_or(30_u64);
            Err(Wrong::new("whole seconds are taken, from 1 to 600", format!("as in --timeout {near}")))
        }
    }
}

pub(super) fn parallelism(text: &str) -> Result<u16, Wrong> {
    match text.parse() {
        Ok(number @ 1..=256) => Ok(number),
        Ok(_) | Err(_) => Err(Wrong::new("a whole number is taken, from 1 to 256", "as in --parallelism 8")),
    }
}

pub(in crate::cli) fn name(text: &str) -> Result<Name, Wrong> {
    Name::parse(text).map_err(|error| Wrong::new(error.to_string(), "as in eu-prod"))
}

pub(super) fn only(text: &str) -> Result<Only, Wrong> {
    match text {
        "renewals" => Ok(Only::Renewals),
        _ => pattern(text).map(Only::Matching),
    }
}

/// A pattern of addresses.
pub(super) fn pattern(text: &str) -> Result<Pattern, Wrong> {
    let example = if nearest(text, ["renewals"]).is_some() { "renewals" } else { "'qlik/acme-*'" };
    Pattern::parse(text).map_err(|why| Wrong::new(why, format!("as in --only {example}")))
}

/// `2/4`, or `auto`.
pub(super) fn shard(text: &str) -> Result<Shard, Wrong> {
    let next = "as in --shard 2/4, of at most 1000";
    if text == "auto" || text.starts_with("auto/") {
        return shard_of(|name| std::env::var(name).ok(), text.strip_prefix("auto/"));
    }
    let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    let (number, of) = parsed.ok_or_else(|| Wrong::new("a shard is K/N", next))?;
    Shard::of(number, of)
        .ok_or_else(|| Wrong::new(format!("there is no shard {number} of {of}: they count from 1"), next))
}

/// Variables by which engines tell a run which of several it is, from which number they count, and the variable that tells how many.
const ENGINES: [(&str, u32, Option<&str>); 5] = [
    ("CI_NODE_INDEX", 1, Some("CI_NODE_TOTAL")),
    ("JOB_COMPLETION_INDEX", 0, None),
    ("CLOUD_RUN_TASK_INDEX", 0, Some("CLOUD_RUN_TASK_COUNT")),
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0, Some("AWS_BATCH_JOB_ARRAY_SIZE")),
    ("NOMAD_ALLOC_INDEX", 0, None),
];

/// The shard that the engine's variables tell. `of`: how many there are, as it was typed.
fn shard_of(variable: impl Fn(&str) -> Option<String>, of: Option<&str>) -> Result<Shard, Wrong> {
    let found = ENGINES.iter().find_map(|(name, from, total)| Some((name, from, total, variable(name)?)));
    let Some((name, from, total, index)) = found else {
        let names = ENGINES.map(|(name, ..)| name).join(", ");
        return Err(Wrong::new(format!("none of {names} is set"), "say which shard it is, as in --shard 2/4"));
    };
    let Some(of) = of.map(str::to_owned).or_else(|| variable((*total)?)) else {
        return Err(Wrong::new(
            format!("{name} says which shard it is, and nothing says of how many"),
            "say how many there are, as in --shard auto/4",
        ));
    };
    let number = index.parse::<u32>().ok().and_then(|index| (index + 1).checked_sub(*from));
    let shard = number.zip(of.parse().ok()).and_then(|(number, of)| Shard::of(number, of));
    shard.ok_or_else(|| {
        Wrong::new(format!("{name} is {index}, of {of}: there is no such shard"), "say which it is, as in --shard 2/4")
    })
}

/// `tier=gold`.
pub(super) fn label(text: &str) -> Result<Label, Wrong> {
    let example = "as in --label tier=gold";
    let (key, value) =
        text.split_once('=').ok_or_else(|| Wrong::new("a label is KEY=VALUE, as desired state has it", example))?;
    let part = |part: &str| Name::parse(part).map_err(|error| Wrong::new(error.to_string(), example));
    Ok(Label { key: part(key)?, value: part(value)? })
}

pub(super) fn commit(text: &str) -> Result<Commit, Wrong> {
    Commit::parse(text)
        .ok_or_else(|| Wrong::new("it is no commit", "all 40 digits of it, as git rev-parse HEAD prints them"))
}

pub(super) fn address(text: &str) -> Result<Address, Wrong> {
    text.parse().map_err(|error: crate::model::address::NameError| Wrong::new(error.to_string(), form(text, "ci")))
}

/// The address of a tenant.
pub(super) fn tenant(text: &str) -> Result<Address, Wrong> {
    let address: Address = text
        .parse()
        .map_err(|error: crate::model::address::NameError| Wrong::new(error.to_string(), form(text, "")))?;
    if address.is_tenant() {
        return Ok(address);
    }
    Err(Wrong::new("this is a key, and a tenant is meant", format!("give the tenant's address, {}", address.parent())))
}

/// How an address is written, with what was typed if it can be told.
fn form(text: &str, key: &str) -> String {
    let lower = text.trim_matches('/').to_ascii_lowercase().replace('_', "-");
    let candidates = [lower.clone(), lower.replacen('.', "/", 2), format!("qlik/{lower}")];
    let typed = candidates.iter().find(|candidate| Address::from_str(candidate).is_ok());
    match (typed, key) {
        (Some(typed), "") => format!("did you mean {typed}?"),
        (Some(typed), _) => format!("did you mean {typed}? An address is written as in qlik/acme or qlik/acme/ci"),
        (None, "") => "give a tenant's address, as in qlik/acme".to_owned(),
        (None, _) => "give an address as plans print it, as in qlik/acme/ci".to_owned(),
    }
}

/// An address, or the code of a refusal in whatever case.
pub(super) fn target(text: &str) -> Result<Target, Wrong> {
    let upper = text.to_ascii_uppercase();
    if upper.strip_prefix("QP").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Code::ALL.iter().find(|code| code.as_str() == upper).map(|code| Target::Code(*code)).ok_or_else(|| {
            Wrong::new(
                format!("no refusal has the code {upper}"),
                "give a code as plans print it, as in QP0203; faults of the configuration (QP01…) say themselves what to write",
            )
        });
    }
    address(text).map(Target::Object)
}

/// A tenant's host name. The region comes from settings; a whole host is cut down to its first label and checked against it later.
pub(super) fn hostname(text: &str) -> Result<host::Label, Wrong> {
    let bare = text.trim_start_matches("https://");
    host::Label::parse(bare.split('.').next().unwrap_or_default())
        .map_err(|error| Wrong::new(error.to_string(), "give the tenant's hostname, as in --adopt xzoau8xi93gyfo0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_is_told_by_the_engine() {
        let with = |set: &[(&str, &str)], of| {
            let set: Vec<(String, String)> =
                set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            shard_of(|name| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()), of)
        };
        for (set, of, shard) in [
            (&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")][..], None, "2/3"),
            (&[("JOB_COMPLETION_INDEX", "0")], Some("4"), "1/4"),
            (&[("CLOUD_RUN_TASK_INDEX", "3"), ("CLOUD_RUN_TASK_COUNT", "4")], None, "4/4"),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "1"), ("AWS_BATCH_JOB_ARRAY_SIZE", "2")], None, "2/2"),
            (&[("NOMAD_ALLOC_INDEX", "1")], Some("2"), "2/2"),
        ] {
            assert_eq!(with(set, of).unwrap().to_string(), shard, "{set:?}");
        }
        for (set, of, why) in [
            (&[][..], None, "none of CI_NODE_INDEX"),
            (&[("JOB_COMPLETION_INDEX", "0")], None, "nothing says of how many"),
            (&[("JOB_COMPLETION_INDEX", "4")], Some("4"), "JOB_COMPLETION_INDEX is 4, of 4"),
            (&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")], None, "CI_NODE_INDEX is 0, of 3"),
        ] {
            assert!(with(set, of).unwrap_err().why.contains(why), "{set:?}");
        }
    }

    #[test]
    fn durations_as_people_write_them_are_told_in_our_form() {
        for (typed, meant) in [
            ("2h", Some("PT2H")),
            ("P12H", Some("PT12H")),
            ("pt12h", Some("PT12H")),
            ("90", Some("PT90S")),
            ("30 min", Some("PT30M")),
            ("14d", Some("P14D")),
            ("p2w", Some("P2W")),
            ("P1M", None),
            ("soon", None),
        ] {
            assert_eq!(super::meant(typed).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn an_address_is_told_as_it_is_written() {
        for (typed, told) in [
            ("acme", "did you mean qlik/acme?"),
            ("acme/ci", "did you mean qlik/acme/ci?"),
            ("Qlik/Acme", "did you mean qlik/acme?"),
            ("qlik.acme.ci", "did you mean qlik/acme/ci?"),
            ("qlik/acme/ci/x", "give an address as plans print it"),
        ] {
            assert!(address(typed).unwrap_err().next.starts_with(told), "{typed}");
        }
    }
}
