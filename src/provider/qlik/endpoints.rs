//! The vendor's calls that a reader makes, and what to do when any call is refused.

use crate::model::address::Name;

use super::super::http::{RejectionKind, Tier, Verb};

/// One call of the vendor's.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) tier: Tier,
    /// The way out of a 400.
    pub(super) invalid: &'static str,
    /// Of a 403.
    pub(super) forbidden: &'static str,
    /// Of a 404.
    pub(super) missing: &'static str,
}

pub(super) const fn endpoint(verb: Verb, path: &'static str, tier: Tier) -> Endpoint {
    Endpoint { verb, path, tier, invalid: "", forbidden: "", missing: "" }
}

pub(super) const ADMIN: &str = "give the client the role TenantAdmin (scope admin_classic) in this tenant";
pub(super) const NO_TENANT: &str =
    "check the host name and the tenant's id; if the tenant was deleted, take it out of the desired state";
pub(super) const NO_KEY_CLIENT: &str =
    "check accounts.*.key_client: the client must be tenant-level and published to the region";
pub(super) const NO_KEY: &str = "the key is gone; plan again";

/// One of the three POSTs of a reader: it gives the client a token and changes nothing else.
pub(crate) static TOKEN: Endpoint = Endpoint {
    forbidden: "the client's user is disabled in this tenant or holds too many tokens: enable it, or wait until its tokens expire (6 h at most)",
    missing: "check the host name: no tenant answers there",
    ..endpoint(Verb::Post, "/oauth/token", Tier::Two)
};
/// The second: the same call for a token on a user's behalf.
pub(crate) static IMPERSONATE: Endpoint = Endpoint {
    invalid: "allow the key client the grant type urn:qlik:oauth:user-impersonation with scope user_default, and check that the user is there and active",
    forbidden: "trust the key client in this tenant (consent method Trusted), and check that the user is active there and does not hold too many tokens",
    missing: "check the host name: no tenant answers there",
    ..endpoint(Verb::Post, "/oauth/token", Tier::Two)
};
/// The third: it ends a token that this run itself fetched, and nothing that anybody else has.
pub(crate) static REVOKE_TOKEN: Endpoint = endpoint(Verb::Post, "/oauth/revoke", Tier::Two);
pub(crate) static MY_TENANT: Endpoint =
    Endpoint { missing: NO_TENANT, forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/tenants/me", Tier::One) };
pub(crate) static TENANT: Endpoint =
    Endpoint { missing: NO_TENANT, forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/tenants/{id}", Tier::One) };
pub(crate) static KEYS_LIST: Endpoint =
    Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/api-keys", Tier::One) };
pub(crate) static KEY: Endpoint =
    Endpoint { forbidden: ADMIN, missing: NO_KEY, ..endpoint(Verb::Get, "/api/v1/api-keys/{id}", Tier::One) };
pub(crate) static LIMITS: Endpoint =
    Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/api-keys/configs/{tenantId}", Tier::One) };
pub(crate) static ROLES: Endpoint = Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/roles", Tier::One) };
pub(crate) static USERS: Endpoint = Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/users", Tier::One) };
#[cfg(test)]
pub(crate) static SPACES: Endpoint = endpoint(Verb::Get, "/api/v1/spaces", Tier::One);
pub(crate) static GROUPS: Endpoint = Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/groups", Tier::One) };
pub(crate) static CONSENT: Endpoint = Endpoint {
    missing: NO_KEY_CLIENT,
    forbidden: ADMIN,
    ..endpoint(Verb::Get, "/api/v1/oauth-clients/{id}/connection-configs/me", Tier::One)
};
pub(crate) static ORGANIZATION_TENANTS: Endpoint = Endpoint {
    forbidden: "check accounts.*.organization_client: the service account owner makes it in the cloud console, with the scope cloud-console.tenants:read",
    ..endpoint(Verb::Get, "/api/core/tenants", Tier::One)
};
pub(crate) static ME: Endpoint = endpoint(Verb::Get, "/api/v1/users/me", Tier::One);
pub(crate) static USER: Endpoint = endpoint(Verb::Get, "/api/v1/users/{id}", Tier::One);
pub(crate) static LICENCE_STATUS: Endpoint =
    Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/licenses/status", Tier::One) };
pub(crate) static LICENCE_OVERVIEW: Endpoint =
    Endpoint { forbidden: ADMIN, ..endpoint(Verb::Get, "/api/v1/licenses/overview", Tier::One) };

impl Endpoint {
    pub(crate) fn is_token(&self) -> bool {
        self.path.starts_with("/oauth/")
    }

    /// Whether it is documented to answer with a redirect to the object itself.
    pub(crate) fn redirects(&self) -> bool {
        self.path.ends_with("/users/me") || self.path.ends_with("/tenants/me")
    }

    /// The way out of a refusal. `credential`: where it stands in settings.
    pub(crate) fn next(
        &self,
        kind: RejectionKind,
        code: Option<&str>,
        wait: Option<u64>,
        account: &Name,
        credential: &str,
    ) -> String {
        let or = |special: &str, general: String| if special.is_empty() { general } else { special.to_owned() };
        match kind {
            RejectionKind::Unauthorized if self.is_token() => {
                format!(
                    "check the id and secret in {credential}, and that this host is a tenant of yours in the client's own region"
                )
            }
            RejectionKind::Unauthorized => format!(
                "check the credential ({credential}): it may be expired, revoked or of another tenant, its owner may have lost a permission, or an IP rule may refuse it"
            ),
            RejectionKind::Forbidden if code == Some("TENANTS-23") => {
                "the licence key was refused: check the account's source_tenant, or ask Qlik".to_owned()
            }
            RejectionKind::Forbidden => or(
                &self.forbidden.replace("{account}", account.as_str()),
                format!("give {credential} the permission for this call"),
            ),
            RejectionKind::NotFound => {
                or(self.missing, "check the host name and that the object still exists".to_owned())
            }
            RejectionKind::Invalid => or(self.invalid, "correct the value that the vendor names".to_owned()),
            RejectionKind::Conflict => "someone else may have changed it meanwhile: plan again".to_owned(),
            RejectionKind::RateLimited => {
                let wait = wait.map_or_else(|| "some minutes".to_owned(), |seconds| format!("{seconds} s"));
                format!("wait {wait} and run it again, with a lower --parallelism if it happens often")
            }
            RejectionKind::TenantDisabled => {
                "reactivate the tenant in My Qlik before its purge date, or take it out of the desired state".to_owned()
            }
            RejectionKind::Quota => {
                "the licence allows no more tenants: deactivate one that is no longer needed, or ask Qlik for more"
                    .to_owned()
            }
            RejectionKind::Other => {
                "see the vendor's message; if it says nothing, ask Qlik with the traceId".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do_about_it() {
        let account: Name = "us-oem".parse().unwrap();
        let credential = "settings: accounts.us-oem.client";
        let wrong = TOKEN.next(RejectionKind::Unauthorized, Some("OAUTH-5"), None, &account, credential);
        assert!(wrong.contains("id and secret in settings: accounts.us-oem.client"), "{wrong}");
        let slow = KEYS_LIST.next(RejectionKind::RateLimited, None, Some(13), &account, credential);
        assert!(slow.starts_with("wait 13 s"), "{slow}");
    }
}
