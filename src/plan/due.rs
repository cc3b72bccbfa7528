//! `--warn-within`: keys that will be due, or end, before long.

use crate::model::duration::Duration;

use super::action::{Action, Keep, Notice, Plan};
use super::scene::Scene;

/// Names each kept key whose renewal or end comes within the time asked for.
pub(super) fn warn(scene: &Scene, within: Duration, plan: &mut Plan) {
    let seconds = |duration: Duration| i64::try_from(duration.seconds()).unwrap_or(i64::MAX);
    let soon = |at: i64| at.saturating_sub(scene.now.as_second()) <= seconds(within);
    let notices = plan.actions.iter().filter_map(|planned| {
        let address = &planned.address;
        let Action::Keep(keep) = &planned.action else { return None };
        let text = match keep {
            Keep::Key { expires: Some(expires), .. } => {
                let before = scene.desired.qlik_key(address).map(|key| key.renew_before)?;
                let due = expires.as_second().saturating_sub(seconds(before));
                let from = jiff::Timestamp::from_second(due).ok()?;
                soon(due).then(|| format!("due soon: it expires {expires}, and qlik-apply renews it from {from}"))
            }
            Keep::AdoptedKey { expires: Some(expires), .. } => soon(expires.as_second())
                .then(|| format!("ends soon: it expires {expires}, and an adopted key is renewed by its owner")),
            Keep::Key { expires: None, .. }
            | Keep::AdoptedKey { expires: None, .. }
            | Keep::Tenant { .. }
            | Keep::Object(_) => None,
        }?;
        Some(Notice { address: Some(address.clone()), at: None, text: text.into() })
    });
    let notices: Vec<Notice> = notices.collect();
    plan.notices.extend(notices);
}
