//! The numbers of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::object::ObjectKind;

use super::action::{Action, Plan};

/// The number of actions of each kind, for summaries and for JSON output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tenants that are created. Each costs a licence.
    pub tenants_to_create: usize,
    /// Tenants that are recorded as another group's.
    #[serde(default)]
    pub tenants_to_move: usize,
    /// Tenants that we made and that get name, alias and limits.
    pub tenants_to_settle: usize,
    /// Keys that are minted where none is in place.
    pub keys_to_create: usize,
    /// Keys that get a successor because they are due.
    pub keys_to_renew: usize,
    /// Keys that are revoked.
    pub keys_to_reclaim: usize,
    /// Keys whose marker is set to delivered.
    pub keys_to_mark: usize,
    /// Tenants in which the key client is trusted.
    pub to_trust: usize,
    /// Objects that are made, by kind; a kind of which none is made is not in it.
    #[serde(default)]
    pub objects_to_create: BTreeMap<ObjectKind, usize>,
    /// Tenants in which a permission is given.
    pub to_grant: usize,
    /// Objects that are as declared.
    pub kept: usize,
    /// Objects that differ from their declaration.
    pub drifted: usize,
    /// Actions that wait for another run.
    pub waiting: usize,
    /// Actions that are refused.
    pub refused: usize,
    /// Faults that no action mends.
    #[serde(default)]
    pub findings: usize,
}

impl Plan {
    /// Counts the actions and findings.
    pub fn counts(&self) -> Counts {
        let mut n = Counts { findings: self.findings.len(), ..Counts::default() };
        for planned in &self.actions {
            let slot = match &planned.action {
                Action::CreateTenant(_) => &mut n.tenants_to_create,
                Action::MoveGroup(_) => &mut n.tenants_to_move,
                Action::Settle(_) => &mut n.tenants_to_settle,
                Action::Trust(_) => &mut n.to_trust,
                Action::CreateObject(create) => n.objects_to_create.entry(create.object.kind()).or_default(),
                Action::Grant(_) => &mut n.to_grant,
                Action::Mark(_) => &mut n.keys_to_mark,
                Action::CreateKey(_) => &mut n.keys_to_create,
                Action::Renew(_) => &mut n.keys_to_renew,
                Action::Reclaim(_) => &mut n.keys_to_reclaim,
                Action::Keep(_) => &mut n.kept,
                Action::Drift(_) => &mut n.drifted,
                Action::Wait(_) => &mut n.waiting,
                Action::Refuse(_) => &mut n.refused,
            };
            *slot += 1;
        }
        n
    }
}
