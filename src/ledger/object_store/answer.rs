//! A store's answers in a sentence each: its status and its own word for the trouble, and nothing of a body that is
//! neither.

use std::error::Error as StdError;

use ::object_store::Error;
use serde_json::Value;

use crate::ledger::error::LedgerError;
use crate::model::redact::of_vendor;
use crate::model::untrusted::Untrusted;

/// Before a status line and a body in object_store's errors.
const NOT_2XX: &str = "Server returned non-2xx status code: ";

/// Statuses of a store that does not know the operation.
const UNKNOWN: [&str; 2] = ["405 ", "501 "];

/// Enough for any code, and for the beginning of a sentence.
const SHOWN: usize = 120;

pub(super) fn store_error(doing: &'static str, path: String, error: &Error) -> LedgerError {
    let why = if matches!(error, Error::PermissionDenied { .. }) {
        "the store refuses it to these credentials (403)".to_owned()
    } else if matches!(error, Error::Unauthenticated { .. }) {
        "the store does not accept these credentials (401)".to_owned()
    } else if matches!(error, Error::NotFound { .. }) {
        "the store says that the bucket is not there (404)".to_owned()
    } else {
        deepest(error)
    };
    let unable = matches!(error, Error::NotImplemented { .. } | Error::NotSupported { .. });
    let why = Untrusted::new(why);
    if unable || UNKNOWN.iter().any(|status| why.raw().starts_with(&format!("the store answers {status}"))) {
        return LedgerError::Unable { doing, path, why };
    }
    LedgerError::Store { doing, path, why }
}

/// The last of an error's causes: the others repeat it, with URLs. A store, or a proxy before it, may repeat what it was sent:
/// what looks like a token is withheld.
pub(super) fn deepest(error: &dyn StdError) -> String {
    of_vendor(&last(error), &[])
}

fn last(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    match text.strip_prefix(NOT_2XX) {
        // Of our own clients: a proxy's way out is the longest.
        None => text.chars().take(400).collect(),
        Some(answer) => {
            let (status, body) = answer.split_once(": ").unwrap_or((answer.trim_end_matches([':', ' ']), ""));
            format!("the store answers {status}{}", said(status, body))
        }
    }
}

/// Returns the words of a body besides the status: the code that S3 and Azure put there, the message of Google's JSON,
/// or the plain words of a store that knows neither.
fn said(status: &str, body: &str) -> String {
    if let Some((code, _)) = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")) {
        return format!(", {}", code.chars().take(80).collect::<String>());
    }
    let json: Option<Value> = serde_json::from_str(body).ok();
    let message = json.as_ref().and_then(|json| {
        let error = json.get("error").unwrap_or(json);
        [error.get("message"), json.get("error_description"), Some(error)].into_iter().flatten().find_map(Value::as_str)
    });
    let words = match (message, &json) {
        (Some(message), _) => message,
        // A page for a browser says nothing here, nor does JSON without a message.
        (None, Some(_)) => "",
        (None, None) if body.trim_start().starts_with('<') => "",
        (None, None) => body,
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() || status.ends_with(&words) {
        return String::new();
    }
    format!(": {}", words.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies of moto 5.2.5, Azurite 3.37.0, fake-gcs-server 1.54.0, gcp-storage-emulator 2026.7.19 and Google's token endpoint.
    #[test]
    fn an_answer_is_told_by_its_status_and_its_own_word() {
        for (answer, told) in [
            (
                "404 Not Found: <Error><Code>NoSuchBucket</Code></Error>",
                "the store answers 404 Not Found, NoSuchBucket",
            ),
            ("404 Not Found: Not Found\n", "the store answers 404 Not Found"),
            ("404 Not Found: no such\n  thing \n", "the store answers 404 Not Found: no such thing"),
            ("501 Not Implemented: ", "the store answers 501 Not Implemented"),
            ("501 Not Implemented", "the store answers 501 Not Implemented"),
            (
                "412 Precondition Failed: {\"error\":{\"code\":412,\"message\":\"At least one\\nof them\"}}\n",
                "the store answers 412 Precondition Failed: At least one of them",
            ),
            (
                "400 Bad Request: {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT\"}",
                "the store answers 400 Bad Request: Invalid JWT",
            ),
            ("400 Bad Request: {\"error\":\"invalid_grant\"}", "the store answers 400 Bad Request: invalid_grant"),
            ("502 Bad Gateway: <!doctype html><title>502</title>", "the store answers 502 Bad Gateway"),
            ("500 Internal Server Error: {\"a\":1}", "the store answers 500 Internal Server Error"),
            (
                "403 Forbidden: no to Bearer ya29.c0AbCdEfGh1jKlMnOpQrStUvWxYz0123456789abcdEFGH",
                "the store answers 403 Forbidden: no to Bearer ya29.(…)",
            ),
        ] {
            let error = std::io::Error::other(format!("{NOT_2XX}{answer}"));
            assert_eq!(deepest(&error), told, "{answer}");
        }
    }

    #[test]
    fn a_store_that_cannot_list_is_not_called_the_wrong_place() {
        for (status, next) in [("501 Not Implemented", "use a store that"), ("404 Not Found", "is the right place")] {
            let source = std::io::Error::other(format!("{NOT_2XX}{status}: ")).into();
            let error = store_error("list", "gs://estate/p".to_owned(), &Error::Generic { store: "GCS", source });
            assert!(error.next().contains(next), "{}", error.next());
            assert_eq!(error.to_string(), format!("could not list gs://estate/p: the store answers {status}"));
        }
    }
}
