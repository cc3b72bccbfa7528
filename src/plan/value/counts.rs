//! What a plan amounts to, in numbers.

use serde::{Deserialize, Serialize};

use super::action::{Action, Plan};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub tenants_to_create: usize,
    pub tenants_to_settle: usize,
    pub keys_to_create: usize,
    pub keys_to_renew: usize,
    pub keys_to_reclaim: usize,
    pub keys_to_mark: usize,
    pub to_trust: usize,
    #[serde(default)]
    pub users_to_create: usize,
    pub to_grant: usize,
    pub kept: usize,
    pub drifted: usize,
    pub waiting: usize,
    pub refused: usize,
    #[serde(default)]
    pub findings: usize,
}

impl Plan {
    pub fn counts(&self) -> Counts {
        let mut n = Counts { findings: self.findings.len(), ..Counts::default() };
        for planned in &self.actions {
            let slot = match &planned.action {
                Action::CreateTenant(_) => &mut n.tenants_to_create,
                Action::Settle(_) => &mut n.tenants_to_settle,
                Action::Trust(_) => &mut n.to_trust,
                Action::CreateUser(_) => &mut n.users_to_create,
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
