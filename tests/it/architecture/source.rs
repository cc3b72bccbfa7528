//! Reads Rust source just well enough to know its paths: comments, strings and test code do not count.

use std::sync::LazyLock;

/// A word or a sign of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Sign(char),
    /// `::`
    Colons,
}

/// A token and the line it stands in.
pub(super) type Placed = (Token, usize);

/// A path as code names it, its `{…}` groups spread out: `crate::model::{a, b}` is two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    /// `println!`
    pub(super) is_macro: bool,
    pub(super) line: usize,
}

/// The tokens of a file that are neither comment, literal nor test code.
pub(super) fn code(text: &str) -> Vec<Placed> {
    without_tests(&tokens(text))
}

fn tokens(text: &str) -> Vec<Placed> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut i, mut line, mut out) = (0, 1, Vec::new());
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => i = (i..chars.len()).find(|&j| at(j) == '\n').unwrap_or(chars.len()),
            '/' if at(i + 1) == '*' => i = end_of_comment(&chars, i),
            '"' => i = end_of_string(&chars, i),
            'r' | 'b' | 'c' if raw_string(&chars, i).is_some() => i = raw_string(&chars, i).unwrap(),
            // A lifetime has no closing quote two or more characters on.
            '\'' if at(i + 1) == '\\' => {
                i = (i + 3..chars.len()).find(|&j| at(j) == '\'').map_or(chars.len(), |j| j + 1)
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            ':' if at(i + 1) == ':' => {
                out.push((Token::Colons, line));
                i += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                i = (i..chars.len()).find(|&j| !(at(j).is_alphanumeric() || at(j) == '_')).unwrap_or(chars.len());
                out.push((Token::Word(chars.get(start..i).unwrap_or_default().iter().collect()), line));
            }
            c => {
                if !c.is_whitespace() {
                    out.push((Token::Sign(c), line));
                }
                i += 1;
            }
        }
        line += chars.get(start..i).unwrap_or_default().iter().filter(|c| **c == '\n').count();
    }
    out
}

fn end_of_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => (depth, i) = (depth + 1, i + 2),
            (Some('*'), Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() {
        match chars.get(i) {
            Some('\\') => i += 2,
            Some('"') => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of `r"…"`, `br##"…"##`, `b"…"`, if one starts here.
fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let prefix: String = chars.iter().skip(start).take(2).take_while(|c| c.is_alphabetic()).collect();
    let known = ["r", "b", "c", "br", "cr"].contains(&prefix.as_str());
    let after_word = start > 0 && chars.get(start - 1).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    if !known || after_word {
        return None;
    }
    let quote = start + prefix.len();
    let hashes = chars.iter().skip(quote).take_while(|c| **c == '#').count();
    if chars.get(quote + hashes) != Some(&'"') {
        return None;
    }
    if !prefix.contains('r') {
        return (hashes == 0).then(|| end_of_string(chars, quote));
    }
    let closes = |i: usize| (1..=hashes).all(|n| chars.get(i + n) == Some(&'#'));
    (quote + hashes + 1..chars.len()).find(|&i| chars.get(i) == Some(&'"') && closes(i)).map(|i| i + hashes + 1)
}

/// Leaves out every item under `#[cfg(test)]`: what is only for tests may stand on any floor.
fn without_tests(tokens: &[Placed]) -> Vec<Placed> {
    let mut out = Vec::new();
    let mut rest = tokens;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(item) = test_item(rest) {
            rest = after_item(item);
        } else {
            out.push(first.clone());
            rest = tail;
        }
    }
    out
}

/// The names of the files that a file declares as `#[cfg(test)] mod NAME;`, also with a feature beside it.
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let items = (0..tokens.len()).filter_map(|n| test_item(tokens.get(n..)?));
    items
        .filter_map(|item| match item {
            [(Token::Word(word), _), (Token::Word(name), _), (Token::Sign(';'), _), ..] if word == "mod" => {
                Some(name.clone())
            }
            _ => None,
        })
        .collect()
}

/// What follows `#[cfg(test)]` or `#[cfg(all(test, feature = "…"))]`, if one of these stands here.
fn test_item(tokens: &[Placed]) -> Option<&[Placed]> {
    static MARKS: LazyLock<[Vec<Placed>; 2]> =
        LazyLock::new(|| ["#[cfg(test)]", "#[cfg(all(test, feature = \"\"))]"].map(self::tokens));
    MARKS.iter().find_map(|mark| {
        let (here, rest) = tokens.split_at_checked(mark.len())?;
        here.iter().zip(mark).all(|((token, _), (expected, _))| token == expected).then_some(rest)
    })
}

/// What follows one item: after its `;` or its closing brace.
fn after_item(tokens: &[Placed]) -> &[Placed] {
    let mut depth = 0usize;
    for (n, (token, _)) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth = depth.saturating_sub(1),
            Token::Sign(_) | Token::Word(_) | Token::Colons => {}
        }
        let ends = matches!(token, Token::Sign(';' | '}')) && depth == 0;
        if ends {
            return tokens.get(n + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// Every path in the code, in order.
pub(super) fn paths(tokens: &[Placed]) -> Vec<Named> {
    let mut out = Vec::new();
    let mut i = 0;
    while let Some((token, _)) = tokens.get(i) {
        if matches!(token, Token::Word(_)) {
            i = path(tokens, i, &[], &mut out);
        } else {
            i += 1;
        }
    }
    out
}

/// Reads one path (or a group's member) from `i`, and says where it ends.
fn path(tokens: &[Placed], mut i: usize, before: &[String], out: &mut Vec<Named>) -> usize {
    let mut segments = before.to_vec();
    loop {
        let Some((token, line)) = tokens.get(i) else { return i };
        match token {
            Token::Word(word) => segments.push(word.clone()),
            Token::Sign('*') => segments.push("*".to_owned()),
            Token::Sign('{') => return group(tokens, i + 1, &segments, out),
            Token::Sign(_) | Token::Colons => {}
        }
        let is_part = matches!(token, Token::Word(_) | Token::Sign('*'));
        let next = tokens.get(i + 1).map(|(token, _)| token);
        if is_part && next == Some(&Token::Colons) {
            i += 2;
            continue;
        }
        let is_macro = next == Some(&Token::Sign('!')) && tokens.get(i + 2).map(|t| &t.0) != Some(&Token::Sign('='));
        out.push(Named { segments, is_macro, line: *line });
        return i + 1;
    }
}

/// A name that a `use` declaration brings into its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// What it is called there; `*` where everything is meant.
    pub(super) name: String,
    pub(super) segments: Vec<String>,
    /// Others get it from there too: `pub use`, of whatever reach.
    pub(super) passed_on: bool,
}

/// What the code's `use` declarations bring in, and the code without them.
pub(super) fn imports(tokens: &[Placed]) -> (Vec<Import>, Vec<Placed>) {
    let word = |i: usize, text: &str| matches!(tokens.get(i), Some((Token::Word(word), _)) if word == text);
    let (mut imports, mut rest) = (Vec::new(), Vec::new());
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        if !word(i, "use") {
            rest.push(token.clone());
            i += 1;
            continue;
        }
        let end =
            (i..tokens.len()).find(|&n| matches!(tokens.get(n), Some((Token::Sign(';'), _)))).unwrap_or(tokens.len());
        let declaration = tokens.get(i + 1..end).unwrap_or_default();
        // `pub(crate)` ends in a parenthesis, and nothing else does before a `use`.
        let passed_on = i > 0 && (word(i - 1, "pub") || matches!(tokens.get(i - 1), Some((Token::Sign(')'), _))));
        use_tree(declaration, &[], passed_on, &mut imports);
        i = end + 1;
    }
    (imports, rest)
}

/// Reads the members of one `{…}`, or the one path of a declaration.
fn use_tree(tokens: &[Placed], before: &[String], passed_on: bool, out: &mut Vec<Import>) {
    let (mut depth, mut members, mut member) = (0usize, Vec::new(), Vec::new());
    for (token, line) in tokens {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth = depth.saturating_sub(1),
            Token::Sign(',') if depth == 0 => {
                members.push(std::mem::take(&mut member));
                continue;
            }
            Token::Sign(_) | Token::Word(_) | Token::Colons => {}
        }
        member.push((token.clone(), *line));
    }
    members.push(member);
    for member in members.iter().filter(|member| !member.is_empty()) {
        let mut segments = before.to_vec();
        let mut called = None;
        let mut i = 0;
        while let Some((token, _)) = member.get(i) {
            match token {
                Token::Sign('{') => {
                    let inside = member.get(i + 1..member.len() - 1).unwrap_or_default();
                    use_tree(inside, &segments, passed_on, out);
                    segments.clear();
                    break;
                }
                Token::Word(word) if word == "as" => {
                    if let Some((Token::Word(name), _)) = member.get(i + 1) {
                        called = Some(name.clone());
                    }
                    break;
                }
                Token::Word(word) => segments.push(word.clone()),
                Token::Sign('*') => segments.push("*".to_owned()),
                Token::Sign(_) | Token::Colons => {}
            }
            i += 1;
        }
        if segments.last().is_some_and(|last| last == "self") && segments.len() > 1 {
            segments.pop();
        }
        if let Some(last) = segments.last() {
            out.push(Import { name: called.unwrap_or_else(|| last.clone()), segments, passed_on });
        }
    }
}

/// The names of the items that stand in a file itself.
pub(super) fn items(tokens: &[Placed]) -> Vec<String> {
    const KEYWORDS: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"];
    let mut out = Vec::new();
    let mut depth = 0usize;
    for (i, (token, _)) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{' | '(' | '[') => depth += 1,
            Token::Sign('}' | ')' | ']') => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 && KEYWORDS.contains(&word.as_str()) => {
                let skip = usize::from(word == "macro_rules");
                if let Some((Token::Word(name), _)) = tokens.get(i + 1 + skip) {
                    out.push(name.clone());
                }
            }
            Token::Sign(_) | Token::Word(_) | Token::Colons => {}
        }
    }
    out
}

fn group(tokens: &[Placed], mut i: usize, before: &[String], out: &mut Vec<Named>) -> usize {
    while let Some((token, _)) = tokens.get(i) {
        match token {
            Token::Sign('}') => return i + 1,
            // `a as b` gives no further member.
            Token::Word(word) if word == "as" => i += 2,
            Token::Word(_) | Token::Sign('*') => i = path(tokens, i, before, out),
            Token::Sign(_) | Token::Colons => i += 1,
        }
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&code(text)).iter().map(|named| named.segments.join("::")).filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn groups_are_spread_out_however_deep() {
        let text = "use crate::{model::{host::Host, secret as s}, plan::*}; fn f() { crate::sink::put() }";
        assert_eq!(
            named(text),
            ["crate::model::host::Host", "crate::model::secret", "crate::plan::*", "crate::sink::put"]
        );
    }

    #[test]
    fn imports_are_told_from_the_rest_and_know_what_is_passed_on() {
        let text = "use super::{a::{self, B as C, d}, *}; pub(super) use e::F; struct G { h: I } const fn j() {} \
                    macro_rules! k { () => { struct L; } }";
        let (found, rest) = imports(&code(text));
        let found: Vec<(&str, String, bool)> =
            found.iter().map(|import| (import.name.as_str(), import.segments.join("::"), import.passed_on)).collect();
        assert_eq!(
            found,
            [
                ("a", "super::a".to_owned(), false),
                ("C", "super::a::B".to_owned(), false),
                ("d", "super::a::d".to_owned(), false),
                ("*", "super::*".to_owned(), false),
                ("F", "e::F".to_owned(), true)
            ]
        );
        // The word after `const` is no name here, and does no harm as one.
        assert_eq!(items(&rest), ["G", "fn", "j", "k"]);
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let text = r###"
            //! crate::a::b
            /* crate::c::d /* nested */ crate::e::f */
            const S: &str = "crate::g::h \" crate::i::j";
            const R: &str = r#"crate::k::l "quoted" "#;
            fn f<'a>(x: &'a str, c: char) -> bool { c == '"' || c == '\'' || crate::m::n(x) }
            #[cfg(test)]
            mod tests { fn t() { crate::o::p() } }
            #[cfg(test)]
            mod samples;
            #[cfg(all(test, feature = "x"))]
            mod served;
            fn after() { crate::q::r() }
        "###;
        assert_eq!(named(text), ["crate::m::n", "crate::q::r"]);
        assert_eq!(test_modules(text), ["samples", "served"]);
    }

    #[test]
    fn lines_count_from_one_and_macros_are_told_from_comparisons() {
        let found = paths(&code("\nprintln!(\"x\");\nif a != b {}"));
        let macros: Vec<(&str, usize)> =
            found.iter().filter(|n| n.is_macro).map(|n| (n.segments.first().unwrap().as_str(), n.line)).collect();
        assert_eq!(macros, [("println", 2)]);
    }
}
