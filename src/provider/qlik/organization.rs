//! The organization's list of tenants, at the cloud console: which exist, whoever made them.

use serde::Deserialize;

use crate::model::address::Name;
use crate::model::clock::read_time;
use crate::model::live::ListedTenant;

use super::super::http::ReadError;
use super::read::At;
use super::{QlikReader, Who, endpoints};

/// One entry. `id` is what the tenant itself calls its id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    #[serde(default)]
    original_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    hostnames: Vec<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
}

impl QlikReader {
    /// Whether the account can list tenants at all.
    pub fn lists_tenants(&self, account: &Name) -> bool {
        self.accounts.get(account).is_some_and(|account| account.organization_client.is_some())
    }

    /// Every tenant of the organization, in the order of their ids. The list may lag behind a creation.
    ///
    /// # Errors
    /// No such client, a refusal, or a list that cannot be read to its end.
    pub async fn organization_tenants(&self, account: &Name) -> Result<Vec<ListedTenant>, ReadError> {
        let host = self.account(account).map_err(ReadError::Trouble)?.region.console();
        let endpoint = &endpoints::ORGANIZATION_TENANTS;
        let at = At { account, host: &host, who: Who::Organization };
        let entries = self.list(&at, endpoint, &[], "a list of tenants", |entry: &Entry| &entry.id);
        let mut tenants: Vec<ListedTenant> = entries
            .await
            .map_err(ReadError::before_the_read)?
            .into_iter()
            .map(|entry| ListedTenant {
                created: entry.created_at.as_deref().and_then(read_time),
                id: entry.original_id.unwrap_or(entry.id).into(),
                name: entry.name.unwrap_or_default().into(),
                hostnames: entry.hostnames.into_iter().map(Into::into).collect(),
                status: entry.status.unwrap_or_default().into(),
            })
            .collect();
        tenants.sort_by(|a, b| a.id.cmp(&b.id));
        tenants.dedup_by(|a, b| a.id == b.id);
        Ok(tenants)
    }
}
