//! How one object's actions come about: what was read of it, and the way through the decisions.

pub(super) mod key;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::live::Live;
use crate::model::spec::Spec;

use super::action::{Notice, Planned};
use super::fact::Fact;
use super::finding::Finding;
use super::scene::{Scene, Wishes};
use super::{imburse, qlik};

/// One object, from what was read to what is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The object.
    pub address: Address,
    /// The facts that were read of it, in words.
    pub read: Vec<Fact>,
    /// The decisions, in the order in which they are taken.
    pub path: Vec<String>,
    /// The planned actions on it.
    pub actions: Vec<Planned>,
    /// The notices and findings about it.
    pub notices: Vec<Notice>,
}

/// Explains a declared object; `None` where nothing of that name is declared.
pub fn explain(
    desired: &Desired,
    live: &Live,
    wishes: &Wishes,
    now: jiff::Timestamp,
    address: &Address,
) -> Option<Explanation> {
    let declared = desired.items.get(address)?;
    let plan = super::plan(desired, live, wishes, now);
    let scene = Scene::of(desired, live, wishes, now);
    let (mut read, mut path) = (Vec::new(), Vec::new());
    match &declared.spec {
        Spec::QlikTenant(spec) => qlik::explain::tenant(&scene, address, spec, &mut read, &mut path),
        Spec::QlikKey(spec) => qlik::explain::key(&scene, address, spec, &mut read, &mut path),
        Spec::ImburseTenant(spec) => imburse::explain::tenant(&scene, address, spec, &mut read, &mut path),
        Spec::ImburseKey(spec) => imburse::explain::key(&scene, address, spec, &mut read, &mut path),
        #[cfg(test)]
        Spec::QlikSpace(_) => path.push("it is made where no space of its name is listed".to_owned()),
    }
    let is_its = |of: &Option<Address>| of.as_ref() == Some(address);
    let found = plan.findings.into_iter().filter(|finding| is_its(&finding.address)).map(|finding| {
        let Finding { code, address, at, why, next } = finding;
        Notice { address, at, text: format!("{code}: {}; next: {}", why.raw(), next.join("; or: ")).into() }
    });
    let noticed = plan.notices.into_iter().filter(|notice| is_its(&notice.address));
    Some(Explanation {
        address: address.clone(),
        read,
        path,
        actions: plan.actions.into_iter().filter(|planned| planned.address == *address).collect(),
        notices: found.chain(noticed).collect(),
    })
}
