//! What is changed at Imburse, each change at most once; a tenant's creation on a connection of its own.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::address::Name;
use crate::model::imburse::{ListedTenant, PostalAddress};
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{Change, Deed, Outcome, Trouble, Verb, bearer, is_segment};
use super::endpoints::{Endpoint, KEY_PATHS, KEYS_PATHS, TENANTS_PATHS, What};
use super::exchange::Call;
use super::{ImburseReader, wire};

const WRITES: &str =
    "give the account key the role account-tenant-write or account-admin, in the vendor's Client Portal";
const CREATE_TENANT: Endpoint =
    Endpoint { verb: Verb::Post, what: What::NewTenant, paths: TENANTS_PATHS, forbidden: WRITES };
const CREATE_KEY: Endpoint = Endpoint { verb: Verb::Post, what: What::NewKey, paths: KEYS_PATHS, forbidden: WRITES };
const UPDATE_KEY: Endpoint = Endpoint { verb: Verb::Put, what: What::Key, paths: KEY_PATHS, forbidden: WRITES };
const DELETE_KEY: Endpoint = Endpoint { verb: Verb::Delete, what: What::Key, paths: KEY_PATHS, forbidden: WRITES };

/// Changes Imburse. There is none without a reader of one's own: whoever was only lent one (`&ImburseReader`) cannot make a writer.
///
/// ```compile_fail,E0308
/// use qlik_plan::provider::imburse::{ImburseReader, ImburseWriter};
///
/// fn mint(lent: &ImburseReader) {
///     ImburseWriter::over(lent);
/// }
/// ```
pub struct ImburseWriter<'a> {
    reader: &'a ImburseReader,
}

/// A key that was just made, with its secret.
pub struct MintedKey {
    pub public_key: String,
    /// As the vendor says it, the marker in it.
    pub name: Untrusted,
    pub roles: BTreeSet<Untrusted>,
    pub private_key: Secret,
}

impl<'a> ImburseWriter<'a> {
    /// Takes the reader for itself while it lives.
    pub fn over(reader: &'a mut ImburseReader) -> Self {
        Self { reader }
    }

    /// For reading meanwhile.
    pub fn reader(&self) -> &'a ImburseReader {
        self.reader
    }

    /// Waits until one more tenant may be asked for. To be called before anything is written of it.
    ///
    /// # Errors
    /// The run ends, or the vendor asks for more time than is waited.
    pub async fn turn_to_create(&self, account: &Name) -> Result<(), Trouble> {
        let call = self.reader.call(account, &CREATE_TENANT, &[])?;
        // A token that is fetched only now would take time, and a turn of its own.
        self.reader.token(call.name, call.account).await.map_err(|error| error.trouble())?;
        self.reader.line.turn(&call).await?;
        // One that has ended meanwhile is fetched here, and not under an intent.
        self.reader.token(call.name, call.account).await.map(drop).map_err(|error| error.trouble())
    }

    /// Makes a tenant, in one single request on its own connection that nothing repeats.
    pub async fn create_tenant(&self, account: &Name, name: &str, address: &PostalAddress) -> Outcome<ListedTenant> {
        let call = self.reader.call(account, &CREATE_TENANT, &[]);
        let api = call.as_ref().map(|call| call.account.api).unwrap_or_default();
        let body = json(&wire::NewTenant::new(name, address, api));
        self.change(call, Some(&body), Deed::CreateTenant, |body| {
            let tenant: wire::TenantReply = wire::parse(body, "a tenant")?;
            if is_segment(&tenant.tenant_id) {
                return Ok(tenant.live());
            }
            let id = Untrusted::new(tenant.tenant_id.chars().take(80).collect::<String>());
            Err(format!("a tenant was made, and its id {id} is not of Imburse's kind"))
        })
        .await
    }

    /// Makes a key: one POST. `name` carries the marker.
    pub async fn create_key(
        &self,
        account: &Name,
        tenant_id: &str,
        name: &str,
        roles: &BTreeSet<String>,
    ) -> Outcome<MintedKey> {
        let call = self.reader.call(account, &CREATE_KEY, &[tenant_id]);
        let body = json(&wire::NewKey { name, roles });
        self.change(call, Some(&body), Deed::CreateKey, |body| {
            let minted: wire::Minted = wire::parse(body, "a new key")?;
            if !is_segment(&minted.public_key) {
                return Err("a key was made, and its public key is not of Imburse's kind".to_owned());
            }
            if minted.private_key.is_empty() {
                return Err(format!("key {} was made, and came without its private key", minted.public_key));
            }
            let roles = minted.roles();
            let wire::Minted { public_key, private_key, name, .. } = minted;
            Ok(MintedKey { public_key, name, roles, private_key })
        })
        .await
    }

    /// `PUT {name, roles}`: always both, for nobody documents what leaving one out means.
    pub async fn rename_key(
        &self,
        account: &Name,
        tenant_id: &str,
        public_key: &str,
        name: &str,
        roles: &BTreeSet<String>,
    ) -> Outcome<()> {
        let call = self.reader.call(account, &UPDATE_KEY, &[tenant_id, public_key]);
        let body = json(&wire::NewKey { name, roles });
        self.change(call, Some(&body), Deed::Change, |_| Ok(())).await
    }

    /// Deletes a key. What is not there is deleted.
    pub async fn delete_key(&self, account: &Name, tenant_id: &str, public_key: &str) -> Outcome<()> {
        let call = self.reader.call(account, &DELETE_KEY, &[tenant_id, public_key]);
        self.change(call, None, Deed::Remove, |_| Ok(())).await
    }

    /// Sends a change as the account. `read` makes sense of a good reply's body.
    async fn change<T>(
        &self,
        call: Result<Call<'_>, Trouble>,
        body: Option<&[u8]>,
        deed: Deed,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Outcome<T> {
        let call = match call {
            Ok(call) => call,
            Err(trouble) => return Outcome::NotSent(trouble),
        };
        let held = match self.reader.token(call.name, call.account).await {
            Ok(held) => held,
            Err(error) => return Outcome::NotSent(error.trouble()),
        };
        let authorize = bearer(&held.secret);
        let change = Change { authorize: &authorize, body, secrets: &[&held.secret], deed };
        self.reader.line.change(&call, &change, read).await
    }
}

/// A request's body. These structs always serialize; were it ever otherwise, an empty body would be refused.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
