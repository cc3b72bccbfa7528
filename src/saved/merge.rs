//! The parts of all shards, checked to belong together and made into one plan.

use crate::model::desired::Desired;
use crate::model::selection::{Selection, Shard};
use crate::plan::Wishes;
use crate::plan::action::Plan;
use crate::plan::merge::merge;

use super::part::{Line, Part};
use super::plan::SavedPlan;
use super::trouble::Unusable;

/// The plans of all shards as one.
#[derive(Debug)]
pub struct Merged {
    /// The plan that one process would have made.
    pub plan: Plan,
    /// What all shards looked at.
    pub desired: Desired,
    /// What was asked for when the parts were made.
    pub wishes: Wishes,
    /// True if some part found tenants that nobody manages.
    pub finds_unmanaged: bool,
    /// The command line of the parts.
    pub line: Line,
}

/// Makes one plan of the parts, each with the name of its file.
///
/// # Errors
/// A file is no part; a part is missing, is there twice, or belongs to another plan.
pub fn merge_parts(parts: Vec<(String, SavedPlan)>) -> Result<Merged, Unusable> {
    let mut all: Vec<(String, Shard, SavedPlan, Part)> = Vec::new();
    for (name, mut saved) in parts {
        let Some((part, shard)) = saved.part.take().zip(saved.selection.shard) else {
            let why = "is a whole plan, and no shard's part of one";
            return Err(Unusable::new(name, why, "merge what was saved with `qlik-plan --shard K/N --out FILE`"));
        };
        all.push((name, shard, saved, part));
    }
    all.sort_by_key(|(_, shard, ..)| shard.number());
    let Some((first_name, first_shard, first, first_part)) = all.first() else {
        return Err(Unusable::new("merge", "no part is named", "name the files of all shards"));
    };
    for (name, shard, saved, part) in &all {
        if shard.count() != first_shard.count() {
            let why = format!("is of shard {shard}, and {first_name} of shard {first_shard}");
            return Err(Unusable::new(name, why, "merge the parts of one run: all of one N"));
        }
        let asked = |saved: &SavedPlan| (saved.wishes(), saved.selection.of_all_shards());
        if part.estate != first_part.estate || asked(saved) != asked(first) {
            let why =
                format!("was planned from another desired state, other settings or another ledger than {first_name}");
            return Err(Unusable::new(
                name,
                why,
                "plan all shards from one commit, with the same options, and merge those",
            ));
        }
    }
    if let Some([(one, shard, ..), (other, ..)]) = all.array_windows::<2>().find(|[(_, a, ..), (_, b, ..)]| a == b) {
        return Err(Unusable::new(other, format!("is of shard {shard}, as {one} is"), "name each shard's part once"));
    }
    let there: Vec<u32> = all.iter().map(|(_, shard, ..)| shard.number()).collect();
    if let Some(missing) = (1..=first_shard.count()).find(|number| !there.contains(number)) {
        let why = format!("the part of shard {missing}/{} is missing", first_shard.count());
        return Err(Unusable::new("merge", why, "name the files of all shards; plan anew the one that failed"));
    }
    let (wishes, line) = (first.wishes(), first_part.line.clone());
    let mut desired = first_part.desired.clone();
    let (mut plans, mut finds_unmanaged) = (Vec::new(), false);
    for (_, _, saved, part) in all {
        desired.items.extend(part.desired.items);
        finds_unmanaged |= part.finds_unmanaged;
        plans.push(saved.plan);
    }
    desired.selection = Selection { shard: None, ..desired.selection };
    let plan =
        merge(plans, desired.limits).ok_or_else(|| Unusable::new("merge", "no part is named", "name the files"))?;
    Ok(Merged { plan, desired, wishes, finds_unmanaged, line })
}
