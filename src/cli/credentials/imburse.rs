//! The key pair of an Imburse account.

use crate::model::address::Name;
use crate::model::settings::ImburseAccount;
use crate::provider::imburse::Account;

use super::reference::{Missing, read};
use super::text::Carried;

pub(super) fn account(name: &Name, account: &ImburseAccount, missing: &mut Missing) -> Option<Account> {
    let public_key =
        read(&format!("accounts.{name}.account_key.public"), &account.public_key, Carried::Header, missing);
    let private_key =
        read(&format!("accounts.{name}.account_key.private"), &account.private_key, Carried::Body, missing);
    Some(Account {
        host: account.host.clone(),
        account_id: account.account_id.clone(),
        api: account.api,
        public_key: public_key?,
        private_key: private_key?,
    })
}
