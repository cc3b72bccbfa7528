//! Where a key's secret goes, and in which shape: `deliver_to` and `deliver_as`, of either vendor.

use std::collections::BTreeMap;

use super::diagnostic::{Faults, code};
use super::read;
use super::source::At;
use super::syntax::{Node, Value};
use crate::model::address::Name;
use crate::model::homes::{Homes, Shapes};

/// Reads one sink or a list of them; at least one, in the order in which they are written. `None`: at fault.
pub(super) fn to(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<At<Name>>> {
    let items = match &node.value {
        Value::Scalar { .. } => return Some(vec![read::name(node, "`deliver_to`", faults)?]),
        Value::List(items) => items,
        Value::Broken => return None,
        Value::Map(_) => {
            read::wrong_kind(node, "`deliver_to`", "a sink or a list of sinks", faults)
                .help("as in `deliver_to: files`, or `deliver_to: [vault, stackone]`");
            return None;
        }
    };
    if items.is_empty() {
        let message = "`deliver_to` is empty: the secret would be lost";
        faults.add(code::TEXT, node.at, message, "empty").help("name a sink, as in `deliver_to: files`");
        return None;
    }
    let (mut sinks, before): (Vec<At<Name>>, usize) = (Vec::new(), faults.count());
    for item in items {
        let Some(sink) = read::name(item, "a sink of `deliver_to`", faults) else { continue };
        if sinks.iter().any(|earlier| earlier.value == sink.value) {
            let message = format!("sink `{}` is named twice", sink.value);
            faults.add(code::TEXT, item.at, message, "again here").help("name each sink once");
        }
        sinks.push(sink);
    }
    (faults.count() == before).then_some(sinks)
}

/// Makes homes of what [`to`] has read; `None` of nothing.
pub(super) fn homes(sinks: &[At<Name>]) -> Option<Homes> {
    Homes::of(sinks.iter().map(|sink| sink.value.clone()))
}

/// Reads one shape, or one for each sink by its name. `None`: at fault.
pub(super) fn shapes<S>(
    node: &Node,
    sinks: &[At<Name>],
    one: impl Fn(&Node, &mut Faults<'_>) -> Option<S>,
    faults: &mut Faults<'_>,
) -> Option<Shapes<S>> {
    let Value::Map(entries) = &node.value else { return one(node, faults).map(Shapes::All) };
    let (mut each, before) = (BTreeMap::new(), faults.count());
    for entry in entries {
        let Some(sink) = read::key_name(entry, "a sink of `deliver_as`", faults) else { continue };
        if !sinks.is_empty() && !sinks.iter().any(|one| one.value == sink.value) {
            let message = format!("this key is not delivered to `{}`", sink.value);
            let names: Vec<String> = sinks.iter().map(|sink| format!("`{}`", sink.value)).collect();
            faults
                .add(code::TEXT, entry.key_at, message, "not in `deliver_to`")
                .help(format!("it goes to {}: add the sink there, or leave it out here", names.join(" and ")));
        }
        if let Some(shape) = one(&entry.value, faults) {
            each.insert(sink.value, shape);
        }
    }
    (faults.count() == before).then_some(Shapes::Each(each))
}
