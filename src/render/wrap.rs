//! Long lines on a terminal: broken between words, with what follows below where the text began. Commands stay whole.

use super::Look;
use super::guard;
use super::layout::width;

/// Text that is broken below itself needs this much of a line.
const NARROWEST: usize = 20;

/// The text as the look's terminal takes it; as it is where there is none. It comes after everything that completes commands.
pub fn wrap(text: &str, look: &Look) -> String {
    if !look.wraps {
        return text.to_owned();
    }
    let columns = look.width.max(NARROWEST);
    let folded = text.split('\n').map(|line| fold(line, columns)).collect::<Vec<_>>().join("\n");
    // A word may stand at a line's beginning now, where runners obey it.
    guard::text(folded)
}

fn fold(line: &str, columns: usize) -> String {
    if shown(line) <= columns {
        return line.to_owned();
    }
    let hang = hang(line, columns);
    let (mut folded, mut at) = (String::new(), 0);
    for (gap, word) in pieces(line) {
        let wide = shown(&word);
        if at > hang && at + gap + wide > columns {
            folded.push('\n');
            folded.push_str(&" ".repeat(hang));
            at = hang + wide;
        } else {
            folded.push_str(&" ".repeat(gap));
            at += gap + wide;
        }
        folded.push_str(&word);
    }
    folded
}

/// Words with the spaces before them; a command is one word, up to a mark or a gap behind it.
fn pieces(line: &str) -> Vec<(usize, String)> {
    let mut pieces: Vec<(usize, String)> = Vec::new();
    let (mut gap, mut in_command) = (0, false);
    for word in line.split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        let goes_on = in_command && gap == 1;
        in_command = (goes_on || begins_command(word)) && !word.ends_with([',', ';', ':', ')', '`']);
        match pieces.last_mut() {
            Some((_, command)) if goes_on => {
                command.push(' ');
                command.push_str(word);
            }
            Some(_) | None => pieces.push((gap, word.to_owned())),
        }
        gap = 1;
    }
    pieces
}

fn begins_command(word: &str) -> bool {
    let bare = without_styles(word);
    let bare = bare.trim_start_matches(['(', '`', '"']);
    ["qlik-plan", "qlik-apply", "qlik-sandbox"].contains(&bare)
}

/// The column of the text itself: behind a sign and an address, behind a label, or where the line begins.
fn hang(line: &str, columns: usize) -> usize {
    let plain = without_styles(line);
    let text = plain.trim_start_matches(' ');
    let indent = plain.len() - text.len();
    let behind = |at: usize| {
        let (before, rest) = text.split_at(at);
        indent + width(before) + rest.len() - rest.trim_start_matches(' ').len()
    };
    let label = text.find(' ').filter(|at| text.get(..*at).is_some_and(|word| word.ends_with(':') || word == "-"));
    let column = label.or_else(|| text.find("  ")).map_or(indent, behind);
    if column <= columns / 2 { column } else { (indent + 4).min(columns / 2) }
}

/// Columns that a text takes, without its styles.
fn shown(text: &str) -> usize {
    width(&without_styles(text))
}

/// Styles are all that a terminal obeys in what this room makes: `ESC [ … m`.
fn without_styles(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(columns: usize, text: &str) -> String {
        wrap(text, &Look { wraps: true, width: columns, ..Look::PLAIN })
    }

    #[test]
    fn what_does_not_fit_goes_on_below_where_it_began() {
        let long = "      why:  one two three four five six";
        assert_eq!(at(30, long), "      why:  one two three four\n            five six");
        assert_eq!(at(30, "  - one two three four five six seven"), "  - one two three four five\n    six seven");
        assert_eq!(
            at(40, "  + qlik/acme  create tenant in us, set up tenant"),
            "  + qlik/acme  create tenant in us, set\n               up tenant"
        );
        assert_eq!(wrap(long, &Look { width: 30, ..Look::PLAIN }), long, "a pipe has no width");
    }

    #[test]
    fn a_command_is_not_broken_and_a_style_takes_no_room() {
        let line = "      next: say so with qlik-apply resolve qlik/acme --adopt HOSTNAME, then go on";
        let whole = "            qlik-apply resolve qlik/acme --adopt HOSTNAME,";
        assert_eq!(at(40, line), format!("      next: say so with\n{whole}\n            then go on"));
        let styled = "\u{1b}[1m12345678901\u{1b}[0m 2345678";
        assert_eq!(at(20, styled), styled);
    }
}
