//! What a CI runner would take for a command is shown as text.
//!
//! Runners read what a job prints. Some obey `##[…]` and `##vso[…]` anywhere in a line, some `::…::` at its beginning.

/// Text in which no runner finds a command. For a person little changes: `#\u{23}`, `\u{3a}:`.
pub(super) fn text(text: String) -> String {
    let begins = |line: &str| unstyled(line).starts_with("::");
    if !text.contains("##") && !text.lines().any(begins) {
        return text;
    }
    let broken = text.replace("##", "#\\u{23}");
    let lines =
        broken.split('\n').map(|line| if begins(line) { line.replacen(':', "\\u{3a}", 1) } else { line.into() });
    lines.collect::<Vec<String>>().join("\n")
}

/// A line from its first visible character on, so that colour changes nothing.
fn unstyled(mut line: &str) -> &str {
    loop {
        line = line.trim_start();
        match line.strip_prefix("\u{1b}[").and_then(|style| style.split_once('m')) {
            Some((_, rest)) => line = rest,
            None => return line,
        }
    }
}

/// JSON in which no runner finds a command; it reads back as the same. Only its strings hold a `#`, and its lines begin
/// with a quote or a bracket.
pub(super) fn json(json: String) -> String {
    if json.contains("##") { json.replace("##", "#\\u0023") } else { json }
}
