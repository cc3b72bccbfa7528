//! Accounts that are there before the first request, each with a key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DOMAIN;
use super::state::{Account, Key, Ring};
use crate::sandbox::random;
use crate::sandbox::state::State;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedImburse {
    /// `sandbox-api.imbursepayments.com`.
    pub host: String,
    /// By default the host's first account, or a new one.
    #[serde(default)]
    pub account_id: Option<String>,
    /// A key to use where the sandbox has chosen none yet; by default it chooses.
    #[serde(default)]
    pub key: Option<SeededPair>,
}

/// An account and a key of its own that may do everything.
#[derive(Serialize, Deserialize)]
pub struct SeededImburse {
    pub host: String,
    pub account_id: String,
    pub key: SeededPair,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededPair {
    pub public_key: String,
    pub private_key: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SeedImburseError {
    #[error("{0} is not a host of one label under {DOMAIN}")]
    Host(String),
    #[error("{0} is not an account's id: at most 64 letters, digits and hyphens")]
    AccountId(String),
}

/// Far more than any example has; `imburse_set_account` sets another number.
const MAX_TENANTS: i64 = 10_000;

pub(in crate::sandbox) fn seed(
    state: &mut State,
    asked: &SeedImburse,
    now: Timestamp,
) -> Result<SeededImburse, SeedImburseError> {
    let host = asked.host.to_ascii_lowercase();
    let label = host.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.'));
    let plain = |text: &str| {
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let label = label.filter(|label| plain(label)).ok_or_else(|| SeedImburseError::Host(host.clone()))?;
    if let Some(id) = asked.account_id.as_ref().filter(|id| !plain(id)) {
        return Err(SeedImburseError::AccountId(id.clone()));
    }
    let fits = |account: &&Account| {
        let id = asked.account_id.as_ref();
        account.host == host && id.is_none_or(|id| account.account_id.eq_ignore_ascii_case(id))
    };
    let known = state.imburse.accounts().filter(fits).min_by_key(|account| account.created);
    let slot = match known {
        Some(account) => account.slot.clone(),
        None => {
            let account_id = asked.account_id.clone().unwrap_or_else(random::uuid);
            let slot = format!("{label}.{}", account_id.to_ascii_lowercase());
            state.imburse.add_account(Account {
                slot: slot.clone(),
                host: host.clone(),
                account_id,
                company: "Sandbox Ltd".to_owned(),
                approval_required: false,
                max_tenants: MAX_TENANTS,
                created: now,
                ring: Ring::default(),
            });
            slot
        }
    };
    let account = state.imburse.account(&slot).ok_or_else(|| SeedImburseError::Host(host.clone()))?;
    let wanted = |key: &&Key| match &asked.key {
        Some(asked) => key.public_key == asked.public_key && key.private_key == asked.private_key,
        None => key.name == SEEDED,
    };
    let account_id = account.account_id.clone();
    let shown = |key: &Key| SeededPair { public_key: key.public_key.clone(), private_key: key.private_key.clone() };
    if let Some(key) = account.ring.keys().find(wanted) {
        return Ok(SeededImburse { host, account_id, key: shown(key) });
    }
    let mut key = Key::new(Some(SEEDED.to_owned()), vec!["account-admin".to_owned()], now);
    if let Some(asked) = &asked.key {
        key.public_key.clone_from(&asked.public_key);
        key.private_key.clone_from(&asked.private_key);
    }
    let pair = shown(&key);
    if let Some(account) = state.imburse.account_mut(&slot) {
        account.ring.add(key);
    }
    Ok(SeededImburse { host, account_id, key: pair })
}

/// The name of the key that seeding makes.
const SEEDED: &str = "Sandbox account key";
