//! Lists in pages: the cursor is taken from the vendor's link, the URL is our own; a list is whole or an error.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// One page as it comes.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<Value>,
}

/// The query parameter that asks for the next page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// The vendor's most entries on a page.
pub(crate) const LIMIT: usize = 100;
/// A hundred thousand entries; a list beyond that is a loop.
pub(crate) const MOST_PAGES: usize = 1_000;
const LONGEST_CURSOR: usize = 2_048;
/// Names that the vendor's links give their cursor, and what a request calls it: `offset` stands in links of the
/// organization's list, whose reference knows `next` only.
const NAMES: [(&str, &str); 4] =
    [("startingAfter", "startingAfter"), ("next", "next"), ("page", "page"), ("offset", "next")];

impl<T> Page<T> {
    /// The next page's cursor; `None` on the last page.
    pub(crate) fn next(&self) -> Result<Option<Cursor>, String> {
        let Some(links) = &self.links else {
            // Without links, only a page with room left is surely the last one.
            return if self.data.len() < LIMIT { Ok(None) } else { Err("a full page came without links".to_owned()) };
        };
        let href = match &links.next {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(href)) => href.as_str(),
            Some(Value::Object(next)) => match next.get("href") {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::String(href)) => href.as_str(),
                Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    return Err("the link to the next page is no text".to_owned());
                }
            },
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                return Err("the link to the next page is no text".to_owned());
            }
        };
        if href.is_empty() { Ok(None) } else { cursor(href).map(Some) }
    }
}

/// Takes the cursor out of a link and leaves everything else of it behind: its host is not trusted.
fn cursor(href: &str) -> Result<Cursor, String> {
    let base = Url::parse("https://page.invalid/").map_err(|_| "the base of links cannot be read".to_owned())?;
    let url = base.join(href).map_err(|_| "the link to the next page cannot be read".to_owned())?;
    let mut found = url.query_pairs().filter_map(|(name, value)| {
        let (_, name) = NAMES.iter().find(|(in_link, _)| *in_link == name)?;
        Some(Cursor { name, value: value.into_owned() })
    });
    let (Some(cursor), None) = (found.next(), found.next()) else {
        return Err("the link to the next page holds no cursor, or more than one".to_owned());
    };
    if cursor.value.is_empty() || cursor.value.len() > LONGEST_CURSOR {
        return Err("the cursor of the next page is empty or too long".to_owned());
    }
    Ok(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(links: &str) -> Result<Option<Cursor>, String> {
        let page: Page<Value> = serde_json::from_str(&format!(r#"{{"data":[1],"links":{links}}}"#)).unwrap();
        page.next()
    }

    #[test]
    fn the_cursor_is_found_in_every_documented_form_of_link() {
        for (href, name, value) in [
            ("http://api-keys/v1/api-keys?limit=100&startingAfter=abc", "startingAfter", "abc"),
            ("https://api.qlikcloud.com/core/tenants?limit=20&next=507f", "next", "507f"),
            ("https://console.qlikcloud.com/api/core/tenants?limit=20&offset=507f", "next", "507f"),
            ("/api/v1/roles?next=a%2Bb%26c", "next", "a+b&c"),
            ("https://foo.example/v1/x?page=2&prev=zz", "page", "2"),
            ("?next=x", "next", "x"),
        ] {
            let found = next(&format!(r#"{{"next":{{"href":"{href}"}}}}"#)).unwrap().unwrap();
            assert_eq!((found.name, found.value.as_str()), (name, value), "{href}");
        }
        assert_eq!(next(r#"{"next":"/x?next=1"}"#).unwrap().unwrap().value, "1");
    }

    #[test]
    fn the_end_is_a_missing_null_or_empty_link_and_nothing_else() {
        for end in
            ["null", "{}", r#"{"next":null}"#, r#"{"next":{}}"#, r#"{"next":{"href":null}}"#, r#"{"next":{"href":""}}"#]
        {
            assert_eq!(next(end), Ok(None), "{end}");
        }
        for hostile in [
            "https://x.us.qlikcloud.com/api/v1/api-keys?limit=100",
            "https://evil.example/?next=",
            "/x?next=1&startingAfter=2",
            "/x?next=1&next=2",
            "https://[broken/?next=1",
            "javascript:alert(1)",
        ] {
            assert!(next(&format!(r#"{{"next":{{"href":"{hostile}"}}}}"#)).is_err(), "{hostile}");
        }
        assert!(next(r#"{"next":{"href":7}}"#).is_err());
        assert!(next(r#"{"next":7}"#).is_err());
    }

    #[test]
    fn a_full_page_without_links_is_not_taken_for_the_last() {
        let full = Page { data: vec![0; LIMIT], links: None };
        assert!(full.next().is_err());
        let short = Page { data: vec![0; LIMIT - 1], links: None };
        assert_eq!(short.next(), Ok(None));
    }
}
