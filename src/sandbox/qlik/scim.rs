//! SCIM filters as far as the vendor documents them: which attribute takes which operator differs by service.

use super::reply::{Reply, bad_request};

/// Comparisons below `and`, `or` and `not`.
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare { attribute: String, operator: Operator, value: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Co,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "co" => Self::Co,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    fn holds(self, found: &str, wanted: &str) -> bool {
        match self {
            Self::Eq => found == wanted,
            Self::Ne => found != wanted,
            Self::Co => found.contains(wanted),
            Self::Gt => found > wanted,
            Self::Ge => found >= wanted,
            Self::Lt => found < wanted,
            Self::Le => found <= wanted,
        }
    }
}

/// What a time can be asked: RFC 3339 in UTC sorts as text.
pub(super) const TIME: &[Operator] =
    &[Operator::Eq, Operator::Ne, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];

/// The attributes that a service can be asked about, each with its operators.
pub(super) type Attributes = [(&'static str, &'static [Operator])];

/// Reads a filter. What is not documented for this service is refused.
pub(super) fn read(text: &str, allowed: &Attributes) -> Result<Filter, Reply> {
    let invalid = |what: &str| bad_request(&format!("filter: {what}"));
    let words =
        words(text).ok_or_else(|| invalid("a text in it does not end, or has a backslash that escapes nothing"))?;
    let mut rest = words.as_slice();
    let filter = any(&mut rest, allowed, 0).map_err(invalid)?;
    if !rest.is_empty() {
        return Err(invalid("something follows its end"));
    }
    Ok(filter)
}

enum Word {
    Open,
    Close,
    Bare(String),
    Text(String),
}

/// `None`: a text does not end, or is no JSON text.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '"' => {
                let end = end_of_text(rest)?;
                (Word::Text(serde_json::from_str(rest.get(..end)?).ok()?), end)
            }
            // A tutorial of the vendor's quotes so.
            '\'' => {
                let end = rest.get(1..)?.find('\'')? + 2;
                (Word::Text(rest.get(1..end - 1)?.to_owned()), end)
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()\"'".contains(c)).unwrap_or(rest.len());
                (Word::Bare(rest.get(..end)?.to_owned()), end)
            }
        };
        found.push(taken.0);
        rest = rest.get(taken.1..)?.trim_start();
    }
    Some(found)
}

/// The length of a quoted text, with both quotes.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// No filter of anybody's is deeper.
const DEEPEST: usize = 20;

fn take(rest: &mut &[Word], keyword: &str) -> bool {
    match rest.split_first() {
        Some((Word::Bare(word), after)) if word.eq_ignore_ascii_case(keyword) => {
            *rest = after;
            true
        }
        Some(_) | None => false,
    }
}

fn any(rest: &mut &[Word], allowed: &Attributes, depth: usize) -> Result<Filter, &'static str> {
    if depth > DEEPEST {
        return Err("too many parentheses");
    }
    let mut parts = vec![all(rest, allowed, depth)?];
    while take(rest, "or") {
        parts.push(all(rest, allowed, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
}

fn all(rest: &mut &[Word], allowed: &Attributes, depth: usize) -> Result<Filter, &'static str> {
    let mut parts = vec![one(rest, allowed, depth)?];
    while take(rest, "and") {
        parts.push(one(rest, allowed, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
}

fn one(rest: &mut &[Word], allowed: &Attributes, depth: usize) -> Result<Filter, &'static str> {
    if take(rest, "not") {
        return match rest.first() {
            Some(Word::Open) => Ok(Filter::Not(Box::new(one(rest, allowed, depth)?))),
            Some(_) | None => Err("not is followed by a parenthesis"),
        };
    }
    match *rest {
        [Word::Open, after @ ..] => {
            *rest = after;
            let inner = any(rest, allowed, depth + 1)?;
            let Some((Word::Close, after)) = rest.split_first() else { return Err("a parenthesis is not closed") };
            *rest = after;
            Ok(inner)
        }
        [Word::Bare(attribute), Word::Bare(operator), Word::Text(value) | Word::Bare(value), after @ ..] => {
            let known = allowed.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
            let (name, operators) = known.ok_or("an attribute that cannot be asked about here")?;
            let operator = Operator::named(operator).filter(|operator| operators.contains(operator));
            let operator = operator.ok_or("an operator that this attribute does not take")?;
            *rest = after;
            Ok(Filter::Compare { attribute: (*name).to_owned(), operator, value: value.to_lowercase() })
        }
        _ => Err("a comparison is an attribute, an operator and a value"),
    }
}

impl Filter {
    /// Whether something with these values passes. An attribute may have many; letters count alike in both cases.
    pub(super) fn passes(&self, values: &impl Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.passes(values)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(values)),
            Self::Not(part) => !part.passes(values),
            Self::Compare { attribute, operator: Operator::Ne, value } => {
                values(attribute).iter().all(|found| found.to_lowercase() != *value)
            }
            Self::Compare { attribute, operator, value } => {
                values(attribute).iter().any(|found| operator.holds(&found.to_lowercase(), value))
            }
        }
    }

    /// The parts that must all hold.
    pub(super) fn conjuncts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            Self::Any(_) | Self::Not(_) | Self::Compare { .. } => std::slice::from_ref(self),
        }
    }

    /// Every comparison in it.
    pub(super) fn comparisons(&self) -> Vec<(&str, &str)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::comparisons).collect(),
            Self::Not(part) => part.comparisons(),
            Self::Compare { attribute, operator: _, value } => vec![(attribute, value)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &Attributes = &[("name", &[Operator::Eq, Operator::Co]), ("status", &[Operator::Eq, Operator::Ne])];

    fn passes(filter: &str, name: &str, status: &str) -> bool {
        let filter = read(filter, ALLOWED).unwrap_or_else(|_| panic!("{filter}"));
        filter.passes(&|attribute| vec![if attribute == "name" { name } else { status }.to_owned()])
    }

    #[test]
    fn and_binds_closer_than_or() {
        let filter = r#"name eq "a" or name eq "b" and status eq "x""#;
        assert!(passes(filter, "a", "y"));
        assert!(!passes(filter, "b", "y"));
        assert!(passes(r#"(NAME eq "a" or name eq 'B') AND status ne "x""#, "b", "y"));
        assert!(!passes(r#"not (name co "b")"#, "abc", "y"));
    }

    #[test]
    fn a_backslash_in_a_text_is_escaped() {
        assert!(passes(r#"name eq "qlikbot\\7""#, r"qlikbot\7", ""));
        assert!(read(r#"name eq "qlikbot\7""#, ALLOWED).is_err());
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        let deep = format!("{}name eq \"a\"{}", "(".repeat(50), ")".repeat(50));
        for wrong in ["", "name", r#"age eq "1""#, r#"name ne "a""#, r#"name eq "a"#, r#"(name eq "a""#, &deep] {
            assert!(read(wrong, ALLOWED).is_err(), "{wrong}");
        }
    }
}
