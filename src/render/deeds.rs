//! What is done to a tenant and its parts, in one line: each deed once, with the names of the parts that it is done to.

use crate::plan::action::Planned;

/// So many parts are named behind one deed.
const NAMED: usize = 6;

/// Each deed in the plan's order, with the parts that it is done to; none where it is done to the tenant. `what`: the deed in words.
pub(super) fn deeds<'a>(of: &[&'a Planned], what: impl Fn(&Planned) -> String) -> Vec<(String, Vec<&'a Planned>)> {
    let mut deeds: Vec<(String, Vec<&Planned>)> = Vec::new();
    for planned in of {
        let what = what(planned);
        let part = (!planned.address.is_tenant()).then_some(*planned);
        match deeds.iter_mut().find(|(known, parts)| *known == what && !parts.is_empty() && part.is_some()) {
            Some((_, parts)) => parts.extend(part),
            None => deeds.push((what, part.into_iter().collect())),
        }
    }
    deeds
}

/// `create key ci, bi`. `named`: how a part is called here.
pub(super) fn deed(what: &str, parts: &[&Planned], named: impl Fn(&Planned) -> String) -> String {
    let mut names: Vec<String> = parts.iter().take(NAMED).map(|part| named(part)).collect();
    if parts.len() > NAMED {
        names.push(format!("{} more", parts.len() - NAMED));
    }
    if names.is_empty() { what.to_owned() } else { format!("{what} {}", names.join(", ")) }
}

/// The last word of a part's address.
pub(super) fn last_word(planned: &Planned) -> String {
    planned.address.to_string().rsplit('/').next().unwrap_or_default().to_owned()
}
