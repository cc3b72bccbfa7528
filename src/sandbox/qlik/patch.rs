//! JSON Patch as far as the vendor takes it.

use serde::Deserialize;
use serde_json::Value;

use super::Call;
use super::reply::{Reply, bad_request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) op: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) value: Value,
}

pub(super) fn read(call: &Call<'_>) -> Result<Vec<Change>, Reply> {
    let changes: Vec<Change> = serde_json::from_slice(call.body)
        .map_err(|_| bad_request("the body is not a list of {op, path, value} objects"))?;
    if changes.is_empty() {
        return Err(bad_request("the list of changes is empty"));
    }
    Ok(changes)
}
