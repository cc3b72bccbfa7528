//! What may be shown of a vendor's error; and Qlik's envelope of it: `{"errors":[{code,title,detail,meta,source}],"traceId"}`, read leniently and never echoed whole.

use serde_json::Value;

use crate::model::redact::of_vendor;
use crate::model::secret::Secret;

/// What of an error reply may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) code: Option<String>,
    pub(crate) title: String,
    pub(crate) trace: Option<String>,
}

impl Envelope {
    /// Reads an envelope; `None` if the body is none. Texts that repeat one of `secrets` lose it.
    pub(crate) fn read(body: &[u8], secrets: &[&Secret]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let error = value.get("errors")?.as_array()?.iter().find(|error| error.get("code").is_some_and(is_word))?;
        let clean = |text: &str| of_vendor(text, secrets);
        let mut title = word(error, "title").map(|t| clean(&t)).unwrap_or_default();
        if let Some(detail) = word(error, "detail").map(|t| clean(&t)).filter(|d| !d.is_empty() && *d != title) {
            title = match title.as_str() {
                "" => detail,
                whole if whole.ends_with(['.', ':', '!', '?']) => format!("{whole} {detail}"),
                whole => format!("{whole}: {detail}"),
            };
        }
        let mut more: Vec<String> =
            error.get("meta").map(meta_titles).unwrap_or_default().iter().map(|t| clean(t)).collect();
        if let Some(pointer) = error.get("source").and_then(|s| word(s, "pointer").or_else(|| word(s, "parameter"))) {
            more.insert(0, format!("at {}", clean(&pointer)));
        }
        if !more.is_empty() {
            title = format!("{title} ({})", more.join("; "));
        }
        let trace = word(&value, "traceId").map(|t| clean(&t)).filter(|t| !t.is_empty());
        Some(Self { code: word(error, "code").map(|t| clean(&t)), title: title.trim().to_owned(), trace })
    }
}

/// A vendor's word: text, or a number where it was careless.
fn word(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_word(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

/// `meta` is documented both as one object with a title and as a list of them.
fn meta_titles(meta: &Value) -> Vec<String> {
    match meta {
        Value::Array(items) => items.iter().take(10).filter_map(|item| word(item, "title")).collect(),
        Value::Object(_) => word(meta, "title").into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Envelope> {
        Envelope::read(text.as_bytes(), &[])
    }

    #[test]
    fn documented_envelopes_are_read() {
        let token = read(include_str!("../../../fixtures/wire/qlik/error-oauth-5.json")).unwrap();
        assert_eq!(token.code.as_deref(), Some("OAUTH-5"));
        assert_eq!(token.title, "Unauthorized");
        assert!(token.trace.is_some());
        let one = read(include_str!("../../../fixtures/wire/qlik/error-patch-meta-object.json")).unwrap();
        assert_eq!(
            one.title,
            "Invalid PATCH request (at /hostnames/1; Subdomain should be between 3 and 63 characters)"
        );
        let many = read(include_str!("../../../fixtures/wire/qlik/error-patch-meta-array.json")).unwrap();
        assert!(many.title.ends_with("characters; Invalid PATCH path)"), "{}", many.title);
        let limit = read(include_str!("../../../fixtures/wire/qlik/error-429.json")).unwrap();
        assert_eq!(limit.title, "API rate limit reached. You need to wait 13 seconds until limit is lifted.");
        let disabled = read(include_str!("../../../fixtures/wire/qlik/error-tenant-disabled.json")).unwrap();
        assert_eq!(disabled.code.as_deref(), Some("TENANT_DISABLED"));
    }

    #[test]
    fn what_is_not_the_vendors_is_no_envelope() {
        for other in [
            "",
            "<html>403</html>",
            "{}",
            "[]",
            "null",
            r#"{"errors":[]}"#,
            r#"{"errors":{"code":"X"}}"#,
            r#"{"errors":["x"]}"#,
            r#"{"errors":[{"title":"no code"}]}"#,
            r#"{"errors":[{"code":""}]}"#,
            r#"{"error":"access_denied"}"#,
            r#"{"errors":[{"code":"X"}"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_secret_that_the_vendor_repeats_is_withheld() {
        let secret = Secret::new("s3cr3t-value".to_owned());
        let body = br#"{"errors":[{"code":"X s3cr3t-value","title":"bad s3cr3t-value","detail":"s3cr3t-value","meta":{"title":"s3cr3t-value"}}],"traceId":"s3cr3t-value"}"#;
        let read = Envelope::read(body, &[&secret]).unwrap();
        for text in [read.code.unwrap(), read.title, read.trace.unwrap()] {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
    }
}
