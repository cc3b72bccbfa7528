//! What AWS Secrets Manager is asked and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::model::live::SinkEntry;
use crate::model::secret::Fingerprint;

use super::super::content::{Content, Others, Ours, Text};

/// The label of the version that readers get.
pub(super) const CURRENT: &str = "AWSCURRENT";

/// The label of a version that was stored and may become current: one for all, so that it keeps no older version from being
/// cleaned up. AWS's own `AWSPENDING` belongs to rotation functions.
pub(super) const OURS: &str = "qlik-plan";

/// The version that is current.
pub(super) struct Current {
    pub(super) version: String,
    /// It holds nothing, as in a secret that was made without a value.
    pub(super) is_empty: bool,
    /// `None`: not written by us.
    pub(super) ours: Option<(Box<SinkEntry>, Fingerprint)>,
    /// The text itself, for what others keep in it.
    text: Option<Zeroizing<String>>,
}

impl Current {
    /// What others keep in the same secret. What is no JSON object holds nothing of theirs beside ours.
    pub(super) fn others(&self) -> Others<'_> {
        let text = self.text.as_ref().map(|text| text.as_str()).unwrap_or_default();
        Others::of(serde_json::from_str::<BTreeMap<String, &RawValue>>(text).unwrap_or_default())
    }
}

/// The answer to `GetSecretValue`.
pub(super) fn current(body: &[u8]) -> Option<Current> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        version_id: String,
        secret_string: Option<Text>,
        secret_binary: Option<IgnoredAny>,
    }
    let Answer { version_id: version, secret_string, secret_binary } = serde_json::from_slice(body).ok()?;
    let is_empty = secret_string.is_none() && secret_binary.is_none();
    let text = secret_string.map(|text| text.0);
    let ours = text.as_ref().and_then(|text| serde_json::from_str::<Ours>(text).ok()).map(Ours::parts);
    Some(Current { version, is_empty, ours, text })
}

/// What is known of a secret besides its value: the answer to `DescribeSecret`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    #[serde(rename = "ARN")]
    pub(super) arn: Option<String>,
    /// When it ends for good, in seconds since 1970.
    deleted_date: Option<f64>,
    /// It is the copy of a secret in this region.
    pub(super) primary_region: Option<String>,
    /// A service of AWS keeps it.
    pub(super) owning_service: Option<String>,
    #[serde(default)]
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

impl Described {
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The version that is current, with a value or without.
    pub(super) fn current(self) -> Option<String> {
        let mut versions = self.version_ids_to_stages.into_iter();
        versions.find(|(_, labels)| labels.iter().any(|label| label == CURRENT)).map(|(version, _)| version)
    }

    /// The day of its end, where it is to be deleted.
    pub(super) fn deleted(&self) -> Option<String> {
        #[expect(clippy::cast_possible_truncation, reason = "a day is told, and no second is exact")]
        let second = self.deleted_date? as i64;
        Some(Timestamp::from_second(second).map_or_else(|_| "a time to come".to_owned(), |at| at.to_string()))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Create<'a> {
    name: &'a str,
    description: &'a str,
    client_request_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    secret_string: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    secret_id: &'a str,
    client_request_token: &'a str,
    version_stages: [&'a str; 1],
    secret_string: &'a str,
}

/// A secret that is to be made, with the version that is written.
pub(super) fn create(
    name: &str,
    description: &str,
    token: &str,
    kms_key_id: Option<&str>,
    content: &Content<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let secret = text(content)?;
    let secret_string = secret_text(&secret)?;
    written(&secret, &Create { name, description, client_request_token: token, kms_key_id, secret_string })
}

/// A version that is stored under our label, and not current.
pub(super) fn put(secret_id: &str, token: &str, content: &Content<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let secret = text(content)?;
    let secret_string = secret_text(&secret)?;
    written(&secret, &Put { secret_id, client_request_token: token, version_stages: [OURS], secret_string })
}

fn text(content: &Content<'_>) -> Option<Zeroizing<Vec<u8>>> {
    // Room for every byte escaped, so that no copy is left behind by growing.
    let mut secret = Zeroizing::new(Vec::with_capacity(content.room()));
    serde_json::to_writer(&mut *secret, content).ok()?;
    Some(secret)
}

fn secret_text(secret: &[u8]) -> Option<&str> {
    std::str::from_utf8(secret).ok()
}

fn written(secret: &[u8], request: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut body = Zeroizing::new(Vec::with_capacity(secret.len() * 6 + 4_096));
    serde_json::to_writer(&mut *body, request).ok()?;
    Some(body)
}

/// The request that makes a version current if that one still is which was looked at. `seen`: `None` where there was none.
pub(super) fn promote(secret_id: &str, version: &str, seen: Option<&str>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Promote<'a> {
        secret_id: &'a str,
        version_stage: &'a str,
        move_to_version_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        remove_from_version_id: Option<&'a str>,
    }
    let promote =
        Promote { secret_id, version_stage: CURRENT, move_to_version_id: version, remove_from_version_id: seen };
    // Four texts become JSON, always.
    serde_json::to_vec(&promote).unwrap_or_default()
}

/// The request for the value that is current. The label is said: a stand-in takes what was current first for it.
pub(super) fn value(secret_id: &str) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "SecretId": secret_id, "VersionStage": CURRENT })).unwrap_or_default()
}

/// The request for one version.
pub(super) fn of_version(secret_id: &str, version: &str) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "SecretId": secret_id, "VersionId": version })).unwrap_or_default()
}

/// A request that names a secret and nothing else.
pub(super) fn of(secret_id: &str) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "SecretId": secret_id })).unwrap_or_default()
}

/// Whether what was just stored is current already, as the first version of a secret is: the answer to `PutSecretValue`.
pub(super) fn is_current(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        version_stages: Vec<String>,
    }
    serde_json::from_slice::<Answer>(body).is_ok_and(|answer| answer.version_stages.iter().any(|one| one == CURRENT))
}

/// What it says of an error: a code of its own, and a sentence.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) words: String,
}

impl Fault {
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "__type")]
            code: String,
            #[serde(alias = "Message")]
            message: Option<String>,
        }
        let (code, words) = match serde_json::from_slice(body) {
            Ok(Answer { code, message }) => (code, message.unwrap_or_default()),
            // The token service answers in XML.
            Err(_) => (element(body, "Code").unwrap_or_default(), element(body, "Message").unwrap_or_default()),
        };
        let code = code.rsplit('#').next().unwrap_or_default();
        // Of their codes all are letters; what is none may be anything.
        let code = if code.bytes().all(|b| b.is_ascii_alphanumeric()) { code } else { "" };
        Self { code: code.to_owned(), words }
    }

    /// Nothing is there: no secret, or no version of it.
    pub(super) fn is_nothing(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }

    /// These credentials are not taken, whatever is asked.
    pub(super) fn is_of_credentials(&self) -> bool {
        [
            "ExpiredTokenException",
            "ExpiredToken",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignatureException",
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
        ]
        .contains(&self.code.as_str())
    }

    /// The right is missing; it is the secret's, or the key's that encrypts it.
    pub(super) fn is_of_rights(&self) -> bool {
        ["AccessDeniedException", "AccessDenied", "DecryptionFailure", "EncryptionFailure"]
            .contains(&self.code.as_str())
    }

    /// It is asked too often.
    pub(super) fn is_of_pace(&self) -> bool {
        ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"]
            .contains(&self.code.as_str())
    }
}

/// The text of the first element of that name.
fn element(body: &[u8], name: &str) -> Option<String> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text.to_owned())
}

/// The account in an answer of the token service, which is XML, or JSON where it takes our wish: the first twelve digits behind the
/// word.
pub(super) fn account(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split("Account").skip(1).find_map(|rest| {
        let digits = rest.trim_start_matches(['>', '"', ':', ' ']).get(..12)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.to_owned())
    })
}

/// The account in the name of a resource: `arn:aws:secretsmanager:REGION:ACCOUNT:secret:…`.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}
