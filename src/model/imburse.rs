//! Imburse Payments: what is declared of its tenants and keys, and what was read of them.

mod declared;
mod live;
mod refused;

pub use declared::{Api, ImburseFacts, ImburseKey, ImburseTenant, PostalAddress, Shape, TENANT_ROLES};
pub use live::{
    Account, AccountLive, AccountRead, ImburseLive, Key, Standing, StatusDetails, Tenant, TenantAddress, TenantLive,
    TenantRead,
};
pub use refused::MarkRefused;
