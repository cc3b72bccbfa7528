//! What GitHub is asked and answers of secrets: JSON. Of a secret it tells its name and when it was changed, and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::settings::{GitHubOwner, Visibility};

/// The key that secrets are sealed for.
pub(super) struct PublicKey {
    pub(super) id: String,
    pub(super) key: [u8; 32],
}

impl PublicKey {
    /// `None`: no key.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Answer {
            key_id: String,
            key: String,
        }
        let Answer { key_id: id, key } = serde_json::from_slice(body).ok()?;
        let key = STANDARD.decode(key).ok()?.try_into().ok()?;
        (!id.is_empty()).then_some(Self { id, key })
    }
}

/// When a secret was changed last, in GitHub's words; `None`: no secret.
pub(super) fn updated_at(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        name: String,
        updated_at: String,
    }
    let Answer { name, updated_at } = serde_json::from_slice(body).ok()?;
    let is_time = |text: &str| {
        (10..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b"-:.+TZ".contains(&b))
    };
    (!name.is_empty() && is_time(&updated_at)).then_some(updated_at)
}

/// A secret as it is written.
pub(super) fn sealed(sealed: &[u8], key: &PublicKey, of: &GitHubOwner) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    struct Written<'a> {
        encrypted_value: String,
        key_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        visibility: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        selected_repository_ids: Option<&'a [u32]>,
    }
    let (visibility, selected_repository_ids) = match of {
        GitHubOwner::Repository(_) | GitHubOwner::Environment { .. } => (None, None),
        GitHubOwner::Organization { visibility, .. } => match visibility {
            Visibility::All => (Some("all"), None),
            Visibility::Private => (Some("private"), None),
            Visibility::Selected(ids) => (Some("selected"), Some(ids.as_slice())),
        },
    };
    let written =
        Written { encrypted_value: STANDARD.encode(sealed), key_id: &key.id, visibility, selected_repository_ids };
    serde_json::to_vec(&written).ok().map(Zeroizing::new)
}

/// What it says of an error: a sentence, or nothing.
pub(super) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        message: String,
    }
    serde_json::from_slice(body).map(|Answer { message }| message).unwrap_or_default()
}
