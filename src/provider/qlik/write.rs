//! What is changed in Qlik Cloud, each change at most once. A tenant's creation goes out on a connection of its own, whatever is
//! changed in a tenant on the tenant's.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::host::Host;
use crate::model::secret::Secret;
use crate::model::spec::{KeyLimits, Owner};
use crate::model::untrusted::Untrusted;

use super::super::http::{Change, Deed, Outcome, Trouble, bearer, is_segment};
use super::endpoints::Endpoint;
use super::exchange::Call;
use super::{QlikReader, Who, auth, wire};

mod endpoints;
mod people;

/// Changes Qlik Cloud. There is none without a reader of one's own: whoever was only lent one (`&QlikReader`) cannot make a writer.
///
/// ```compile_fail,E0308
/// use qlik_plan::provider::qlik::{QlikReader, QlikWriter};
///
/// fn mint(lent: &QlikReader) {
///     QlikWriter::over(lent);
/// }
/// ```
pub struct QlikWriter<'a> {
    reader: &'a QlikReader,
}

/// A tenant that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTenant {
    pub id: Untrusted,
    pub name: Untrusted,
    /// The server's own host of it: one label under the account's region.
    pub hostname: Host,
    pub created: Option<Timestamp>,
}

/// A key that was just made, with its secret.
pub struct MintedKey {
    pub id: String,
    pub expiry: Option<Timestamp>,
    pub created: Option<Timestamp>,
    pub sub: Untrusted,
    pub token: Secret,
}

#[derive(Serialize)]
struct NewTenant<'a> {
    #[serde(rename = "licenseKey")]
    licence_key: &'a str,
}

#[derive(Serialize)]
struct NewKey<'a> {
    description: &'a str,
    expiry: Duration,
}

#[derive(Serialize)]
struct Patch {
    op: &'static str,
    path: &'static str,
    value: Value,
}

fn replace(path: &'static str, value: impl Into<Value>) -> Patch {
    Patch { op: "replace", path, value: value.into() }
}

impl<'a> QlikWriter<'a> {
    /// Takes the reader for itself while it lives.
    pub fn over(reader: &'a mut QlikReader) -> Self {
        Self { reader }
    }

    /// For reading meanwhile.
    pub fn reader(&self) -> &'a QlikReader {
        self.reader
    }

    /// Waits until one more tenant may be asked for: the vendor takes so many a minute. To be called before anything is written of it.
    ///
    /// # Errors
    /// The run ends, or the vendor asks for more time than is waited.
    pub async fn turn_to_create(&self, account: &Name) -> Result<(), Trouble> {
        let host = self.reader.account(account)?.region.register();
        let call = Call::new(account, &host, Who::Client, &endpoints::CREATE_TENANT, &[], &[])?;
        // A token that is fetched only now would take time, and a turn of its own.
        self.reader.bearer(&call).await.map_err(|error| error.trouble())?;
        self.reader.line.turn(&call).await?;
        // One that has ended meanwhile is fetched here, and not under an intent.
        self.reader.bearer(&call).await.map(drop).map_err(|error| error.trouble())
    }

    /// Makes a tenant, in one single request. `datacenter` is not sent: the register host decides.
    pub async fn create_tenant(&self, account: &Name, licence_key: &Secret) -> Outcome<CreatedTenant> {
        let known = match self.reader.account(account) {
            Ok(known) => known,
            Err(trouble) => return Outcome::NotSent(trouble),
        };
        let host = known.region.register();
        let call = match Call::new(account, &host, Who::Client, &endpoints::CREATE_TENANT, &[], &[]) {
            Ok(call) => call,
            Err(trouble) => return Outcome::NotSent(trouble),
        };
        let body = auth::json(&NewTenant { licence_key: licence_key.expose() });
        let region = known.region.clone();
        self.change(&call, Some(&body), &[licence_key], Deed::CreateTenant, move |body| {
            let tenant: wire::TenantReply = wire::parse(body, "a tenant")?;
            let id = Untrusted::new(tenant.id.chars().take(80).collect::<String>());
            if !is_segment(&tenant.id) {
                return Err(format!("a tenant was made, and its id {id} is not of Qlik's kind"));
            }
            let first = tenant.hostnames.first().map(String::as_str).unwrap_or_default();
            let Some(hostname) = region.accept(first) else {
                let first = Untrusted::new(first.chars().take(300).collect::<String>());
                let (label, domain) = (&region.label, &region.domain);
                return Err(format!(
                    "tenant {id} was made, and its host name {first} is not one label under {label}.{domain}"
                ));
            };
            Ok(CreatedTenant {
                id,
                name: tenant.name.into(),
                hostname,
                // Its date is worth less than the tenant: one that cannot be read is left out.
                created: tenant.created.and_then(|text| text.parse().ok()),
            })
        })
        .await
    }

    pub async fn rename(&self, account: &Name, host: &Host, tenant_id: &str, name: &str) -> Outcome<()> {
        let patch = [replace("/name", name)];
        self.patch(account, host, Who::Client, &endpoints::PATCH_TENANT, tenant_id, &patch).await
    }

    /// `alias_host` is the whole host, as in `acme-analytics.us.qlikcloud.com`.
    pub async fn set_alias(&self, account: &Name, host: &Host, tenant_id: &str, alias_host: &str) -> Outcome<()> {
        let patch = [replace("/hostnames/1", alias_host)];
        self.patch(account, host, Who::Client, &endpoints::PATCH_TENANT, tenant_id, &patch).await
    }

    /// Sends what is declared; with nothing declared, nothing is sent.
    pub async fn set_limits(&self, account: &Name, host: &Host, tenant_id: &str, limits: &KeyLimits) -> Outcome<()> {
        let expiry = limits.max_expiry.map(|expiry| replace("/max_api_key_expiry", expiry.to_string()));
        let keys = limits.max_keys_per_user.map(|keys| replace("/max_keys_per_user", keys));
        let patch: Vec<Patch> = expiry.into_iter().chain(keys).collect();
        if patch.is_empty() {
            return Outcome::Committed(());
        }
        self.patch(account, host, Who::Client, &endpoints::PATCH_LIMITS, tenant_id, &patch).await
    }

    /// Trusts the account's key client in a tenant.
    pub async fn trust(&self, account: &Name, host: &Host) -> Outcome<()> {
        let id = match self.reader.key_client_id(account) {
            Ok(id) => id,
            Err(trouble) => return Outcome::NotSent(trouble),
        };
        let patch = [replace("/consentMethod", "trusted")];
        self.patch(account, host, Who::Client, &endpoints::PATCH_CONSENT, id, &patch).await
    }

    /// Lets whoever has a role manage their own keys; everyone has the user default. It adds one scope and touches no other.
    pub async fn permit(&self, account: &Name, host: &Host, role_id: &str) -> Outcome<()> {
        let patch = [Patch { op: "add", path: "/assignedScopes/-", value: json!("api-keys") }];
        self.patch(account, host, Who::Client, &endpoints::PATCH_ROLE, role_id, &patch).await
    }

    /// Mints a key as its owner.
    pub async fn mint(
        &self,
        account: &Name,
        host: &Host,
        owner: &Owner,
        description: &str,
        expires_in: Duration,
    ) -> Outcome<MintedKey> {
        let who = match self.reader.who(account, host, owner).await {
            Ok(who) => who,
            Err(error) => return Outcome::NotSent(error.trouble()),
        };
        let call =
            match Call::new(account, self.reader.seat(account, &who, host), who, &endpoints::CREATE_KEY, &[], &[]) {
                Ok(call) => call,
                Err(trouble) => return Outcome::NotSent(trouble),
            };
        let body = auth::json(&NewKey { description, expiry: expires_in });
        self.change(&call, Some(&body), &[], Deed::CreateKey, |body| {
            let minted: wire::Minted = wire::parse(body, "a new key")?;
            let (expiry, created) = minted.times()?;
            if !is_segment(&minted.id) {
                return Err("a key was made, and its id is not of Qlik's kind".to_owned());
            }
            if wire::key_id_of(&minted.token).as_deref() != Some(minted.id.as_str()) {
                return Err(format!("key {} was made, and the token that came with it is not that key's", minted.id));
            }
            let sub = minted.sub.unwrap_or_default().into();
            Ok(MintedKey { id: minted.id, expiry, created, sub, token: minted.token })
        })
        .await
    }

    /// Sets a key's description, as its owner.
    pub async fn describe(
        &self,
        account: &Name,
        host: &Host,
        owner: &Owner,
        key_id: &str,
        description: &str,
    ) -> Outcome<()> {
        let patch = [replace("/description", description)];
        match self.reader.who(account, host, owner).await {
            Ok(who) => self.patch(account, host, who, &endpoints::PATCH_KEY, key_id, &patch).await,
            Err(error) => Outcome::NotSent(error.trouble()),
        }
    }

    /// Deletes a key as its owner. What is not there is deleted.
    pub async fn revoke(&self, account: &Name, host: &Host, owner: &Owner, key_id: &str) -> Outcome<()> {
        match self.reader.who(account, host, owner).await {
            Ok(who) => self.remove(account, host, who, &endpoints::DELETE_KEY, key_id).await,
            Err(error) => Outcome::NotSent(error.trouble()),
        }
    }

    async fn remove(
        &self,
        account: &Name,
        host: &Host,
        who: Who,
        endpoint: &'static Endpoint,
        id: &str,
    ) -> Outcome<()> {
        match Call::new(account, self.reader.seat(account, &who, host), who, endpoint, &[id], &[]) {
            Ok(call) => self.change(&call, None, &[], Deed::Remove, |_| Ok(())).await,
            Err(trouble) => Outcome::NotSent(trouble),
        }
    }

    async fn patch(
        &self,
        account: &Name,
        host: &Host,
        who: Who,
        endpoint: &'static Endpoint,
        id: &str,
        patch: &[Patch],
    ) -> Outcome<()> {
        let body: Zeroizing<Vec<u8>> = auth::json(&patch);
        match Call::new(account, self.reader.seat(account, &who, host), who, endpoint, &[id], &[]) {
            Ok(call) => self.change(&call, Some(&body), &[], Deed::Change, |_| Ok(())).await,
            Err(trouble) => Outcome::NotSent(trouble),
        }
    }
    /// Sends a change. It is sent again only after a try that certainly did nothing, and a tenant's creation never.
    /// `read` makes sense of a good reply's body.
    async fn change<T>(
        &self,
        call: &Call<'_>,
        body: Option<&[u8]>,
        secrets: &[&Secret],
        deed: Deed,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Outcome<T> {
        let token = match self.reader.bearer(call).await {
            Ok(token) => token,
            Err(error) => return Outcome::NotSent(error.trouble()),
        };
        let mut secrets = secrets.to_vec();
        secrets.push(&token.secret);
        let authorize = bearer(&token.secret);
        let change = Change { authorize: &authorize, body, secrets: &secrets, deed };
        self.reader.line.change(call, &change, read).await
    }
}
