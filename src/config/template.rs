//! The templates of common tools, where nobody filled them in.

/// Whether what stands between two marks belongs there; the first text is what stands before them.
type Fits<'f> = &'f dyn Fn(&str, &str) -> bool;

/// What stands in the templates of common tools where a value belongs, with its marks.
pub(crate) fn template(text: &str) -> Option<&str> {
    let anything = |_: &str, inner: &str| !inner.trim().is_empty();
    let is_word = |inner: &str, more: &[u8]| {
        inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b) || more.contains(&b))
    };
    let words = |_: &str, inner: &str| is_word(inner.trim(), b" ");
    let word = |_: &str, inner: &str| is_word(inner, b"");
    // `80%OFF%` is a price, and `10%_20%` a range.
    let variable = |before: &str, inner: &str| {
        !before.ends_with(|c: char| c.is_ascii_digit())
            && inner.starts_with(|c: char| c.is_ascii_uppercase())
            && inner.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    // Shells, GitHub, Helm, Jinja, Ansible, ERB, Azure Pipelines, auth0-deploy-cli, Octopus, Windows.
    let marks: [(&str, &str, Fits<'_>); 8] = [
        ("${", "}", &anything),
        ("{{", "}}", &anything),
        ("{%", "%}", &anything),
        ("<%", "%>", &anything),
        ("#{", "}", &anything),
        ("$(", ")", &words),
        ("##", "##", &word),
        ("%", "%", &variable),
    ];
    marks.iter().filter_map(|(open, close, fits)| between(text, open, close, fits)).min_by_key(|found| found.as_ptr())
}

/// The first stretch from `open` to `close` whose inside fits.
fn between<'t>(text: &'t str, open: &str, close: &str, fits: Fits<'_>) -> Option<&'t str> {
    let mut from = 0;
    while let Some(start) = text.get(from..)?.find(open).map(|at| from + at) {
        let inside = start + open.len();
        let end = inside + text.get(inside..)?.find(close)?;
        if fits(text.get(..start)?, text.get(inside..end)?) {
            return text.get(start..end + close.len());
        }
        from = inside;
    }
    None
}
