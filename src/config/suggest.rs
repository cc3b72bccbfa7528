//! "Did you mean": the known word that is nearest to what was written.

/// Among more than these nobody is helped by one: a list of names that was mistyped throughout would take minutes.
pub(crate) const AMONG_MAX: usize = 200;

/// The candidate within a third of the word's length, if there is one; the nearest, then the first.
pub(crate) fn nearest<'c, C>(word: &str, candidates: C) -> Option<&'c str>
where
    C: IntoIterator<Item = &'c str>,
    C::IntoIter: Clone,
{
    let candidates = candidates.into_iter();
    // Before the first is compared.
    if candidates.clone().nth(AMONG_MAX).is_some() {
        return None;
    }
    let word: Vec<char> = word.chars().take(80).collect();
    let allowed = (word.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // A letter has at most four bytes: what is this long is too long by letters, too.
        if candidate.len() > 4 * (word.len() + allowed) || 4 * candidate.len() < word.len().saturating_sub(allowed) {
            continue;
        }
        let letters: Vec<char> = candidate.chars().collect();
        if letters.len().abs_diff(word.len()) > allowed {
            continue;
        }
        let distance = distance(&word, &letters, allowed);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours; anything above `allowed` where there are more.
fn distance(a: &[char], b: &[char], allowed: usize) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX - 1);
            let replace = at(&last, j) + usize::from(x != y);
            let mut least = replace.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        // No later row has less than the least of two neighbours.
        let least = |row: &[usize]| row.iter().min().copied().unwrap_or_default();
        if least(&row) > allowed && least(&last) > allowed {
            return allowed + 1;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// Whether a word is one of ours, or nearly one.
pub(super) fn is_familiar(word: &str, familiar: &[&str]) -> bool {
    nearest(word, familiar.iter().copied()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not_offered() {
        let known = ["account", "alias", "api_keys", "api_key_limits"];
        assert_eq!(nearest("acount", known), Some("account"));
        assert_eq!(nearest("alais", known), Some("alias"));
        assert_eq!(nearest("apikeys", known), Some("api_keys"));
        assert_eq!(nearest("zebra", known), None);
        assert_eq!(nearest("", known), None);
    }
}
