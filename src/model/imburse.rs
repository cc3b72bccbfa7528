//! Imburse Payments: what is declared of its tenants and keys, and what was read of them.

mod declared;
mod live;
mod refused;

pub use declared::{Api, ImburseFacts, ImburseKey, ImburseTenant, PairShape, PostalAddress, TENANT_ROLES};
pub use live::{
    AccountDetails, AccountLive, AccountRead, ImburseLive, ListedKey, ListedTenant, Standing, StatusDetails,
    TenantAddress, TenantLive, TenantRead,
};
pub use refused::MarkRefused;
