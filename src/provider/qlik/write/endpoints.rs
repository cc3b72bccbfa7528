//! The vendor's calls that change something. Nobody but the writer can name them.

use super::super::endpoints::{ADMIN, Endpoint, NO_KEY, NO_KEY_CLIENT, NO_TENANT, endpoint};
use crate::provider::http::{Tier, Verb};

const KEYS: &str = "give the owner the permission \"Manage API keys\" (User Default, or a custom role), then: qlik-apply rehearse {account}";

pub(super) static CREATE_TENANT: Endpoint = Endpoint {
    invalid: "check the account's source_tenant: its licence key was not accepted",
    forbidden: "check that the account's client is region-level (scope tenants:create) and that the source tenant's licence allows more tenants",
    ..endpoint(Verb::Post, "/api/v1/tenants", Tier::Two)
};
pub(super) static PATCH_TENANT: Endpoint = Endpoint {
    invalid: "choose another name or alias: an alias has 3 to 63 characters, may be taken, and trials cannot set one",
    missing: NO_TENANT,
    forbidden: ADMIN,
    ..endpoint(Verb::Patch, "/api/v1/tenants/{id}", Tier::Two)
};
pub(super) static CREATE_KEY: Endpoint = Endpoint {
    invalid: "shorten expires_in to the tenant's limit, or raise api_key_limits; and check how many keys the owner has",
    forbidden: KEYS,
    ..endpoint(Verb::Post, "/api/v1/api-keys", Tier::Two)
};
pub(super) static PATCH_KEY: Endpoint =
    Endpoint { forbidden: KEYS, missing: NO_KEY, ..endpoint(Verb::Patch, "/api/v1/api-keys/{id}", Tier::Two) };
pub(super) static DELETE_KEY: Endpoint =
    Endpoint { forbidden: KEYS, missing: NO_KEY, ..endpoint(Verb::Delete, "/api/v1/api-keys/{id}", Tier::Two) };
pub(super) static PATCH_LIMITS: Endpoint = Endpoint {
    invalid: "check api_key_limits: max_keys_per_user lies between 0 and 1000",
    forbidden: ADMIN,
    ..endpoint(Verb::Patch, "/api/v1/api-keys/configs/{tenantId}", Tier::Two)
};
pub(super) static PATCH_ROLE: Endpoint = Endpoint {
    invalid: "the role may not be editable by API here: allow \"Manage API keys\" for it in Administration, Manage users, Permissions",
    forbidden: ADMIN,
    ..endpoint(Verb::Patch, "/api/v1/roles/{id}", Tier::Two)
};
pub(super) static CREATE_ROLE: Endpoint = Endpoint {
    invalid: "a role of this name may be there already, or the tenant has as many roles as it may: look in Administration, Manage users, Permissions",
    forbidden: ADMIN,
    ..endpoint(Verb::Post, "/api/v1/roles", Tier::Two)
};
#[cfg(test)]
pub(super) static CREATE_SPACE: Endpoint = endpoint(Verb::Post, "/api/v1/spaces", Tier::Two);
pub(super) static CREATE_USER: Endpoint = Endpoint {
    invalid: "correct the owner's subject, email or name",
    forbidden: ADMIN,
    ..endpoint(Verb::Post, "/api/v1/users", Tier::Two)
};
pub(super) static PATCH_USER: Endpoint = Endpoint {
    forbidden: ADMIN,
    missing: "the user is gone; plan again",
    ..endpoint(Verb::Patch, "/api/v1/users/{id}", Tier::Two)
};
pub(super) static DELETE_USER: Endpoint =
    Endpoint { forbidden: ADMIN, ..endpoint(Verb::Delete, "/api/v1/users/{id}", Tier::Two) };
pub(super) static PATCH_GROUP: Endpoint = Endpoint {
    forbidden: ADMIN,
    missing: "the group is gone; plan again",
    ..endpoint(Verb::Patch, "/api/v1/groups/{id}", Tier::Two)
};
pub(super) static PATCH_CONSENT: Endpoint = Endpoint {
    missing: NO_KEY_CLIENT,
    forbidden: ADMIN,
    ..endpoint(Verb::Patch, "/api/v1/oauth-clients/{id}/connection-configs/me", Tier::Two)
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::address::Name;
    use crate::provider::http::RejectionKind;

    #[test]
    fn each_refusal_says_what_to_do_about_it() {
        let account: Name = "us-oem".parse().unwrap();
        let credential = "settings: accounts.us-oem.client";
        let quota = CREATE_TENANT.next(RejectionKind::Quota, Some("TENANTS-22"), None, &account, credential);
        assert!(quota.contains("deactivate one") && quota.contains("ask Qlik"), "{quota}");
        let mint = CREATE_KEY.next(RejectionKind::Forbidden, None, None, &account, credential);
        assert!(mint.contains("Manage API keys") && mint.contains("rehearse"), "{mint}");
    }
}
