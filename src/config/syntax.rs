//! YAML text → a tree with spans. The only module that knows the YAML parser.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};

use super::diagnostic::{Faults, code};
use super::source::Span;

/// Deep enough for every legitimate file, shallow enough that nothing here can exhaust the stack.
const DEPTH_MAX: usize = 32;

pub(crate) struct Node {
    pub(crate) at: Span,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Scalar {
        text: String,
        kind: Kind,
    },
    Map(Vec<Entry>),
    List(Vec<Node>),
    /// Its fault is already recorded; whoever meets it is silent.
    Broken,
}

pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Span,
    pub(crate) value: Node,
}

/// What a scalar is by YAML 1.2's core schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Null,
    Boolean,
    Integer,
    Float,
}

impl Node {
    /// In words, for "expected …, found …". Never the value itself.
    pub(crate) fn found(&self) -> &'static str {
        match &self.value {
            Value::Map(_) => "a map",
            Value::List(_) => "a list",
            Value::Broken => "something that cannot be read",
            Value::Scalar { kind: Kind::Text, .. } => "text",
            Value::Scalar { kind: Kind::Null, .. } => "nothing",
            Value::Scalar { kind: Kind::Boolean, .. } => "true or false",
            Value::Scalar { kind: Kind::Integer, .. } => "a whole number",
            Value::Scalar { kind: Kind::Float, .. } => "a number",
        }
    }
}

/// Reads one file. `None` where it is no YAML or holds nothing; the fault is recorded.
pub(crate) fn parse(file: usize, faults: &mut Faults<'_>) -> Option<Node> {
    let text = faults.text(file);
    let mut options =
        granit_parser::options! { emit_unresolved_aliases: true, emit_anchor_events: true, disallow_directives: true };
    options.set_emit_comments(false);
    let mut tree = Tree { file, stack: Vec::new(), root: None, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => {
                if !tree.take(event, &span, faults) {
                    return None;
                }
            }
            Err(error) => {
                broken(&error, file, faults);
                return None;
            }
        }
    }
    if tree.root.is_none() {
        faults.empty(file);
    }
    tree.root
}

/// A collection that is still open.
enum Open {
    Map { at: Span, entries: Vec<Entry>, seen: HashMap<String, Span>, key: Option<MapKey> },
    List { at: Span, items: Vec<Node> },
}

/// A key that waits for its value.
enum MapKey {
    Good(String, Span),
    /// Its value is read and dropped, with all that is in it.
    Dropped,
}

struct Tree {
    file: usize,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Tree {
    /// `false` where reading on makes no sense.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's set is open; what it adds is no node")]
    fn take(&mut self, event: Event<'_>, span: &granit_parser::Span, faults: &mut Faults<'_>) -> bool {
        let at = self.span(&span.start, &span.end);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    faults
                        .add(code::DOCUMENTS, at, "a second document begins here", "one file holds one document")
                        .help("put it into a file of its own: files are merged");
                    faults.hide_from(at);
                    return false;
                }
            }
            Event::Anchor(..) => {
                faults
                    .add(code::NOT_TAKEN, at, "YAML anchors are not taken", "an anchor")
                    .help("write the value where it is meant; what many tenants share goes into a profile");
                faults.hide_line(at);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                faults
                    .add(code::NOT_TAKEN, at, "YAML aliases are not taken", "an alias")
                    .help("write the value where it is meant (text that begins with `*` is put in quotes)");
                faults.hide_line(at);
                self.put(Node { at, value: Value::Broken }, faults);
            }
            Event::Scalar(text, style, _, tag) => {
                self.tag(tag.is_some(), span, faults);
                let kind = if matches!(style, ScalarStyle::Plain) { kind_of(&text) } else { Kind::Text };
                self.put(Node { at, value: Value::Scalar { text: text.into_owned(), kind } }, faults);
            }
            Event::SequenceStart(_, _, tag) => {
                self.tag(tag.is_some(), span, faults);
                return self.open(Open::List { at, items: Vec::new() }, at, faults);
            }
            Event::MappingStart(_, _, tag) => {
                self.tag(tag.is_some(), span, faults);
                return self.open(Open::Map { at, entries: Vec::new(), seen: HashMap::new(), key: None }, at, faults);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.stack.pop() {
                    Some(Open::Map { at: start, entries, .. }) => {
                        Node { at: Span { end: at.end.max(start.end), ..start }, value: Value::Map(entries) }
                    }
                    Some(Open::List { at: start, items }) => {
                        Node { at: Span { end: at.end.max(start.end), ..start }, value: Value::List(items) }
                    }
                    None => return true,
                };
                self.put(node, faults);
            }
            _ => {}
        }
        true
    }

    fn open(&mut self, open: Open, at: Span, faults: &mut Faults<'_>) -> bool {
        if self.stack.len() >= DEPTH_MAX {
            faults
                .add(code::DEPTH, at, format!("this is nested more than {DEPTH_MAX} levels deep"), "too deep")
                .help("no part of this format is: look for a bracket that is not closed");
            faults.hide_line(at);
            return false;
        }
        self.stack.push(open);
        true
    }

    fn tag(&self, is_tagged: bool, span: &granit_parser::Span, faults: &mut Faults<'_>) {
        if !is_tagged {
            return;
        }
        let at = match span.tag_span() {
            Some(tag) => self.span(&tag.start, &tag.end),
            None => self.span(&span.start, &span.end),
        };
        faults
            .add(code::NOT_TAKEN, at, "YAML tags are not taken", "a tag")
            .help("leave it out (text that begins with `!` is put in quotes)");
        faults.hide_line(at);
    }

    /// Puts a finished node where it belongs: as a key, as a key's value, into a list, or as the root.
    fn put(&mut self, mut node: Node, faults: &mut Faults<'_>) {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, seen, key, .. }) => match key.take() {
                None => *key = Some(as_key(node, seen, faults)),
                Some(MapKey::Good(text, key_at)) => {
                    // Nothing stands nowhere: its key is what can be shown.
                    if node.at.start == node.at.end && matches!(node.value, Value::Scalar { kind: Kind::Null, .. }) {
                        node.at = key_at;
                    }
                    entries.push(Entry { key: text, key_at, value: node });
                }
                // Nobody looks at it, so nobody knows what it is.
                Some(MapKey::Dropped) => faults.mask(node.at),
            },
        }
    }

    fn span(&self, start: &granit_parser::Marker, end: &granit_parser::Marker) -> Span {
        place(self.file, start, end.byte_offset())
    }
}

fn place(file: usize, start: &granit_parser::Marker, end: Option<usize>) -> Span {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let from = start.byte_offset().unwrap_or_default();
    let to = end.unwrap_or(from).max(from);
    Span { file, line: number(start.line().max(1)), column: number(start.col() + 1), start: from, end: to }
}

fn as_key(node: Node, seen: &mut HashMap<String, Span>, faults: &mut Faults<'_>) -> MapKey {
    match node.value {
        Value::Scalar { text, kind: Kind::Text } if text == "<<" => {
            faults
                .add(code::NOT_TAKEN, node.at, "YAML merge keys are not taken", "a merge key")
                .help("what many tenants share goes into a profile");
            MapKey::Dropped
        }
        Value::Scalar { text, kind: Kind::Text } => match seen.get(&text) {
            Some(first) => {
                let first = faults.place(*first);
                let message = format!("the key {} stands here twice", faults.key(&text, node.at));
                faults
                    .add(code::DUPLICATE_KEY, node.at, message, "again here")
                    .also(first, "first here")
                    .help("keep one of them");
                MapKey::Dropped
            }
            None => {
                seen.insert(text.clone(), node.at);
                MapKey::Good(text, node.at)
            }
        },
        Value::Broken => MapKey::Dropped,
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) => {
            let message = format!("a key is text, and this is {}", node.found());
            faults.add(code::KEY_KIND, node.at, message, "not text").help("put it in quotes if it is a name");
            faults.hide_line(node.at);
            MapKey::Dropped
        }
    }
}

fn kind_of(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Kind::Boolean,
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, ok: fn(&u8) -> bool| !digits.is_empty() && digits.bytes().all(|b| ok(&b));
    let radix = text.strip_prefix("0o").is_some_and(|d| all(d, |b| (b'0'..=b'7').contains(b)))
        || text.strip_prefix("0x").is_some_and(|d| all(d, u8::is_ascii_hexdigit));
    if radix || all(unsigned, u8::is_ascii_digit) {
        return Kind::Integer;
    }
    let special = matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mantissa = digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty());
    let exponent = exponent.is_none_or(|e| all(e.strip_prefix(['-', '+']).unwrap_or(e), u8::is_ascii_digit));
    if special || (mantissa && exponent) { Kind::Float } else { Kind::Text }
}

/// Why the text is no YAML, in words for people who do not know the grammar's names.
fn broken(error: &ScanError, file: usize, faults: &mut Faults<'_>) {
    let at = place(file, error.marker(), None);
    let kind = error.kind();
    let tab = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    let open = matches!(
        kind,
        ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
    );
    let indentation = matches!(
        kind,
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry
    );
    let quoted = matches!(
        kind,
        ErrorKind::UnclosedQuotedScalar
            | ErrorKind::InvalidQuotedScalarIndent
            | ErrorKind::DocumentIndicatorInQuotedScalar
    );
    let (message, help) = if tab {
        ("a tab stands where YAML wants spaces".to_owned(), "indent with spaces")
    } else if open {
        (
            "a `[` or `{` is not closed, or a comma is missing between its parts".to_owned(),
            "close it, or put a comma between the parts",
        )
    } else if quoted {
        ("a quoted text is not closed".to_owned(), "end it with the quote that it began with")
    } else if indentation {
        (
            "this line does not fit the indentation above it".to_owned(),
            "keys of one map begin in the same column; a key ends with a colon and a space",
        )
    } else if matches!(kind, ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement) {
        ("a colon stands where no value can begin".to_owned(), "put text that holds `: ` in quotes")
    } else if matches!(kind, ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey) {
        ("a key is not followed by a colon".to_owned(), "a key ends with a colon and a space")
    } else if matches!(kind, ErrorKind::DirectiveDisallowed) {
        (
            "a directive (`%YAML`, `%TAG`) is not taken".to_owned(),
            "leave the line out, and the `---` below it: this is read as YAML 1.2",
        )
    } else if matches!(kind, ErrorKind::UnexpectedCharacter { .. }) {
        ("no text without quotes begins with this character".to_owned(), "put the text in quotes")
    } else {
        (format!("this is not YAML: {kind}"), "the rules are those of YAML 1.2")
    };
    let label = if faults.is_guarded() { "here (the line is not shown)" } else { "here" };
    faults.add(code::SYNTAX, at, message, label).help(help);
    faults.hide_line(at);
}
