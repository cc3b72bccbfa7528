//! The vendor's calls that a reader makes, in each generation of its paths, and what to do when any call is refused.

use super::super::http::{RejectionKind, Tier, Verb};
use crate::model::imburse::Api;

/// One call of the vendor's.
#[derive(Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) verb: Verb,
    pub(super) what: What,
    /// The path in `v2`, `v1` and the tutorials of 2019.
    pub(super) paths: [&'static str; 3],
    /// The way out of a 403.
    pub(super) forbidden: &'static str,
}

/// What a call is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Token,
    Account,
    Tenant,
    Key,
    NewTenant,
    NewKey,
}

const READS: &str = "give the account key the role account-tenant-read or account-admin, in the vendor's Client Portal";
const ADMIN: &str = "give the account key the role account-admin, in the vendor's Client Portal";

/// The one POST of a reader: it gives the account a token and changes nothing else.
pub(super) const TOKEN: Endpoint = Endpoint {
    verb: Verb::Post,
    what: What::Token,
    paths: ["/v2/identity/hmac", "/v1/identity/hmac", "/identity/v1/hmac/management"],
    forbidden: "look in the vendor's Client Portal for an IP rule that keeps this machine out",
};
pub(super) const ACCOUNT: Endpoint = Endpoint {
    verb: Verb::Get,
    what: What::Account,
    paths: ["/v2/account", "/v1/account", "/v1/account"],
    forbidden: ADMIN,
};
pub(super) const ACCOUNT_KEY: Endpoint = Endpoint {
    verb: Verb::Get,
    what: What::Account,
    paths: ["/v2/account/keys/{key}", "/v1/account/keys/{key}", "/v1/account/keys/{key}"],
    forbidden: ADMIN,
};
pub(super) const TENANTS_PATHS: [&str; 3] = ["/v2/account/tenants", "/v1/account/tenants", "/v1/account/tenants"];
pub(super) const TENANTS: Endpoint =
    Endpoint { verb: Verb::Get, what: What::Account, paths: TENANTS_PATHS, forbidden: READS };
pub(super) const TENANT: Endpoint = Endpoint {
    verb: Verb::Get,
    what: What::Tenant,
    paths: ["/v2/account/tenants/{tenant}", "/v1/account/tenants/{tenant}", "/v1/account/tenants/{tenant}"],
    forbidden: READS,
};
pub(super) const KEYS_PATHS: [&str; 3] =
    ["/v2/account/tenants/{tenant}/keys", "/v1/account/tenants/{tenant}/keys", "/v1/tenant/{tenant}/keys"];
pub(super) const KEYS: Endpoint = Endpoint { verb: Verb::Get, what: What::Tenant, paths: KEYS_PATHS, forbidden: READS };
pub(super) const KEY_PATHS: [&str; 3] = [
    "/v2/account/tenants/{tenant}/keys/{key}",
    "/v1/account/tenants/{tenant}/keys/{key}",
    "/v1/tenant/{tenant}/keys/{key}",
];
pub(super) const KEY: Endpoint = Endpoint { verb: Verb::Get, what: What::Key, paths: KEY_PATHS, forbidden: READS };
pub(super) const OWN_KEYS: Endpoint = Endpoint {
    verb: Verb::Get,
    what: What::Tenant,
    paths: ["/v2/tenant/keys", "/v1/tenant/keys", "/v1/tenant/keys"],
    forbidden: "give the key the role tenant-admin if it is to list its tenant's keys",
};

impl Endpoint {
    pub(super) fn path(&self, api: Api) -> &'static str {
        let [v2, v1, y2019] = self.paths;
        match api {
            Api::V2 => v2,
            Api::V1 => v1,
            Api::Y2019 => y2019,
        }
    }

    /// The vendor publishes no limits per kind of request; one gate for reading and one for writing is manners.
    pub(super) fn tier(&self) -> Tier {
        if self.verb == Verb::Get { Tier::One } else { Tier::Two }
    }

    /// The way out of a refusal; `place` is where the credential stands.
    pub(super) fn next(&self, kind: RejectionKind, wait: Option<u64>, place: &str) -> String {
        match kind {
            RejectionKind::Unauthorized => format!(
                "check {place}: public and private half of one key, of this account, at this host (the vendor's sandbox and production have keys of their own)"
            ),
            RejectionKind::Forbidden => format!("{}; and check accounts.*.account_id ({place})", self.forbidden),
            RejectionKind::NotFound => match self.what {
                What::Token | What::Account => {
                    "check accounts.*.base_url and accounts.*.api: this host does not know the call".to_owned()
                }
                What::Tenant | What::NewKey => {
                    "check the tenant's id and the account it is declared under; if the tenant was deleted, take it out of the desired state".to_owned()
                }
                What::Key => "the key is gone; plan again".to_owned(),
                What::NewTenant => "check accounts.*.account_id".to_owned(),
            },
            RejectionKind::Invalid => match self.what {
                What::NewTenant => "correct the tenant's display_name or address; the errorCode says which".to_owned(),
                What::NewKey => "correct the key's name or roles; a tenant that waits for approval may have none yet".to_owned(),
                What::Token | What::Account | What::Tenant | What::Key => {
                    "correct what the errorCode names, or quote the correlationId to the vendor's support".to_owned()
                }
            },
            RejectionKind::RateLimited => match wait {
                Some(seconds) => format!("wait {seconds} s, then run it again; or lower --parallelism"),
                None => "wait a minute, then run it again; or lower --parallelism".to_owned(),
            },
            RejectionKind::Quota => {
                "the licence is at its end: ask the vendor for more tenants, or delete one that nobody needs".to_owned()
            }
            RejectionKind::Conflict | RejectionKind::TenantDisabled | RejectionKind::Other => {
                "quote the correlationId to the vendor's support".to_owned()
            }
        }
    }
}
