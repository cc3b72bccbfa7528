//! What whoever gives tokens is asked and answers, as OAuth has it: forms and JSON, which hold secrets.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;

use super::bearer::Given;

/// For a token whose end is told as a time of day, which nobody here knows: whoever gives it keeps it, and gives it again.
const SHORT: Duration = Duration::from_secs(300);

/// A request as a form.
pub(super) fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    // Room for every byte escaped, so that no copy is left behind by growing.
    let room = fields.iter().map(|(name, value)| (name.len() + value.len()) * 3 + 2).sum();
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    for (name, value) in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        body.extend_from_slice(name.as_bytes());
        body.push(b'=');
        for piece in utf8_percent_encode(value, NON_ALPHANUMERIC) {
            body.extend_from_slice(piece.as_bytes());
        }
    }
    body
}

/// The answer with a token. Most say in how many seconds it ends; some say it as text, and some say only the time.
pub(super) fn given(body: &[u8]) -> Option<Given> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: Option<Seconds>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    let Answer { access_token, expires_in } = serde_json::from_slice(body).ok()?;
    let token = Secret::new(access_token);
    let seconds = match expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.parse().ok(),
        None => None,
    };
    (!token.expose().is_empty()).then(|| Given { token, lasts: seconds.map_or(SHORT, Duration::from_secs) })
}

/// What is answered in place of a token.
#[derive(Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
    /// Entra's own numbers.
    #[serde(default)]
    pub(super) error_codes: Vec<u32>,
}

impl Refusal {
    pub(super) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// For a message, after the status: with a colon before it, or nothing.
    pub(super) fn told(&self, secrets: &[Secret]) -> String {
        let known: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose().as_bytes()).collect();
        // The ids of the request behind it are of no use here.
        let sentence = self.error_description.split(" Trace ID:").next().unwrap_or_default();
        let sentence = said(sentence.lines().next().unwrap_or_default().as_bytes(), &known, Speaker::Other);
        // OAuth's word and the numbers say it where the sentence may not be shown. What is no word may be anything.
        let is_word = self.error.len() <= 40 && self.error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let numbers = self.error_codes.iter().map(|code| format!("AADSTS{code}"));
        let told: Vec<String> = is_word
            .then(|| self.error.clone())
            .into_iter()
            .chain(numbers.filter(|number| !sentence.raw().contains(number)))
            .chain([sentence.raw().to_owned()])
            .filter(|word| !word.is_empty())
            .collect();
        if told.is_empty() { String::new() } else { format!(": {}", told.join(": ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lasts_as_long_as_is_told_in_whatever_form() {
        for (body, lasts) in [
            (r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#, 3_599),
            (r#"{"access_token":"t","expires_in":"86399","expires_on":"1700000000"}"#, 86_399),
            (r#"{"access_token":"t","expires_on":"1700000000"}"#, 300),
        ] {
            let given = given(body.as_bytes()).map(|given| (given.token.expose().to_owned(), given.lasts.as_secs()));
            assert_eq!(given, Some(("t".to_owned(), lasts)), "{body}");
        }
        for none in ["", "{}", r#"{"access_token":""}"#, r#"{"access_token":7}"#] {
            assert!(given(none.as_bytes()).is_none(), "{none}");
        }
    }

    #[test]
    fn what_is_sent_is_one_form_whatever_is_in_the_secret() {
        let body = form(&[("grant_type", "client_credentials"), ("client_secret", "a&b=c~ü")]);
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            "grant_type=client%5Fcredentials&client_secret=a%26b%3Dc%7E%C3%BC"
        );
    }
}
