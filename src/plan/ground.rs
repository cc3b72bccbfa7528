//! The tenant that keys are planned in.

use crate::model::record::Record;

use super::action::TenantRef;

/// The tenant that keys are planned in; `L` is the type of what its vendor told of it.
pub(super) enum Ground<'a, L> {
    Exists {
        at: TenantRef,
        live: &'a L,
        record: Option<&'a Record>,
    },
    /// Made earlier in this plan.
    MadeBefore {
        /// Nothing can be made in it before a person has approved it.
        waits_for_approval: bool,
    },
    Refused,
    Waiting,
}
