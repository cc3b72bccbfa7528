//! Why a saved file is not taken, with the place in it.

use serde_json::Value;
use serde_json::error::Category;

/// A file that is not what it should be. Says nothing of its contents: it may be any file that somebody named by mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Unusable {
    /// `FILE`, or `FILE:LINE` with what stands there.
    pub place: String,
    pub why: String,
    /// What to do about it.
    pub next: String,
}

impl Unusable {
    pub(super) fn new(place: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { place: place.into(), why: why.into(), next: next.into() }
    }
}

/// What kind of file this is asked to be.
pub(super) struct Kind {
    /// `a saved plan`.
    pub(super) noun: &'static str,
    pub(super) format: &'static str,
    pub(super) version: u64,
    /// The command that writes one.
    pub(super) again: &'static str,
}

/// The text as JSON of this kind and version.
pub(super) fn open(kind: &Kind, name: &str, text: &str) -> Result<Value, Unusable> {
    let value: Value = serde_json::from_str(text).map_err(|error| broken(kind, name, &error))?;
    let format = value.get("format").and_then(Value::as_str);
    if format != Some(kind.format) {
        let why = match format {
            Some("qlik-plan/plan") => "is a plan to read (--format json), not one to apply".to_owned(),
            Some("qlik-plan/saved") => "is a saved plan".to_owned(),
            Some("qlik-plan/snapshot") => "is a snapshot of what was read".to_owned(),
            Some(_) | None => format!("is not {}", kind.noun),
        };
        return Err(Unusable::new(name, why, format!("name a file that `{}` wrote", kind.again)));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == kind.version => Ok(value),
        version => {
            let found = version.map_or_else(|| "of no version".to_owned(), |version| format!("of version {version}"));
            Err(Unusable::new(
                name,
                format!("is {} {found}, and this program reads version {}", kind.noun, kind.version),
                format!("use the program that wrote it, or write it anew: {}", kind.again),
            ))
        }
    }
}

/// The reader's own words quote what they met, so only the place is taken from them.
fn broken(kind: &Kind, name: &str, error: &serde_json::Error) -> Unusable {
    let place = format!("{name}:{}:{}", error.line(), error.column());
    let why = match error.classify() {
        Category::Eof => format!("the file ends before {} does: it was not written or copied whole", kind.noun),
        Category::Syntax | Category::Data | Category::Io => format!("this is no JSON, so no {}", bare(kind.noun)),
    };
    Unusable::new(place, why, format!("write it anew: {}", kind.again))
}

fn bare(noun: &str) -> &str {
    noun.trim_start_matches("a ")
}
