//! Hosts of the vendor that are no tenant's.

pub(super) const CONSOLE: &str = "console.qlikcloud.com";
