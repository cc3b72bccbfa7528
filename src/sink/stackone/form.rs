//! What StackOne is sent and answers: JSON, read so that no secret stays behind or is repeated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::settings::StackOneFields;

use super::super::content::Text;

/// A linked account: the answer to `GET /accounts/ID`. Its credentials, should they be among the rest, are not looked at.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) provider: String,
    pub(super) status: String,
    status_reasons: Option<Vec<Reason>>,
}

#[derive(Deserialize)]
struct Reason {
    code: Option<String>,
    description: Option<String>,
}

impl Account {
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Why it is as it is: a sentence each, or else a code.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        let reasons = self.status_reasons.iter().flatten();
        reasons.filter_map(|reason| reason.description.as_deref().or(reason.code.as_deref()))
    }
}

/// The change of an account: its credentials and nothing else, under the connector's own names. What is left out stays as it is.
pub(super) fn update(payload: &[u8], fields: &StackOneFields) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Deserialize)]
    struct Parts {
        tenant_name: String,
        region: String,
        api_key: Text,
    }
    #[derive(Serialize)]
    struct Update<'a> {
        credentials: BTreeMap<&'a str, &'a str>,
    }
    let Parts { tenant_name, region, api_key } = serde_json::from_slice(payload).ok()?;
    let credentials = BTreeMap::from([
        (fields.tenant_name.as_str(), tenant_name.as_str()),
        (fields.region.as_str(), region.as_str()),
        (fields.api_key.as_str(), api_key.0.as_str()),
    ]);
    // Room for every byte escaped, so that no copy is left behind by growing.
    let mut body = Zeroizing::new(Vec::with_capacity(payload.len() * 6 + 1_024));
    serde_json::to_writer(&mut *body, &Update { credentials }).ok()?;
    Some(body)
}

/// What it says of an error: a sentence, with what the provider said, or nothing.
pub(super) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        message: Option<String>,
        provider_response: Option<Provider>,
    }
    #[derive(Deserialize)]
    struct Provider {
        message: Option<String>,
    }
    let Ok(Answer { message, provider_response }) = serde_json::from_slice(body) else { return String::new() };
    let provider = provider_response.and_then(|provider| provider.message);
    [message, provider].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
