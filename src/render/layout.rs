//! Columns that align whatever script their text is in, and sentences that agree with their numbers.

use unicode_width::UnicodeWidthStr as _;

/// Terminal columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text and as many spaces as it lacks to `columns`.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The widest of some texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(width).max().unwrap_or(0)
}

/// `1 key`, `2 keys`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn join_and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Rows as lines, each cell padded to its column; no spaces at a line's end.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|at| widest(rows.iter().filter_map(|row| row.get(at)).map(String::as_str))).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width)).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_a_terminal_shows_not_by_bytes() {
        let rows = [vec!["漢字".to_owned(), "a".to_owned()], vec!["Größe".to_owned(), "b".to_owned()]];
        assert_eq!(table(&rows), ["漢字   a", "Größe  b"]);
    }

    #[test]
    fn numbers_and_lists_read_as_english() {
        assert_eq!(count(1, "key"), "1 key");
        assert_eq!(count(0, "key"), "0 keys");
        let words: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(join_and(&words), "a, b and c");
        assert_eq!(join_and(words.get(..2).unwrap()), "a and b");
    }
}
