//! What will be done, by tenant: one line each, and the details below it.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::plan::action::{Plan, Planned};
use crate::render::block::Block;
use crate::render::deeds::{deed, deeds, last_word};
use crate::render::layout::{pad, widest};
use crate::render::line::Line;
use crate::render::style::Sign;

use super::group::{Fold, Group, Item};
use super::page::Page;
use super::span::{cut, fenced, link, named};

/// Details of so many lines in all stand open: a reviewer reads them without a click.
const OPEN_LINES: usize = 60;
/// So many tenants are listed without a click, a line each.
const OPEN_TENANTS: usize = 25;

/// The routine of a plan: nothing is refused, revoked or found out in it.
pub(super) fn group(plan: &Plan, page: &Page) -> Group {
    let mut tenants: BTreeMap<Address, Vec<&Planned>> = BTreeMap::new();
    for planned in plan.actions.iter().filter(|planned| is_routine(Sign::of(&planned.action))) {
        tenants.entry(planned.address.parent()).or_default().push(planned);
    }
    let tenants: Vec<Tenant> = tenants.iter().map(|(address, of)| Tenant::of(plan, address, of)).collect();
    let small = tenants.iter().map(|tenant| tenant.lines.len()).sum::<usize>() <= OPEN_LINES;
    let fold = if tenants.len() <= OPEN_TENANTS { Fold::Open } else { Fold::Closed };
    Group::routine("To do, by tenant", fold, tenants.iter().map(|tenant| tenant.item(page, small)).collect())
}

fn is_routine(sign: Sign) -> bool {
    match sign {
        Sign::Create | Sign::Change | Sign::Renew => true,
        Sign::Reclaim | Sign::Keep | Sign::Drift | Sign::Wait | Sign::Refuse => false,
    }
}

/// One tenant and what is done to it and its keys.
struct Tenant<'a> {
    address: &'a Address,
    of: &'a [&'a Planned],
    /// What is done, and the objects to which it is done where they are not the tenant.
    deeds: Vec<(String, Vec<&'a Planned>)>,
    /// The lines of a fence.
    lines: Vec<String>,
}

impl<'a> Tenant<'a> {
    fn of(plan: &Plan, address: &'a Address, of: &'a [&'a Planned]) -> Self {
        let mut account = String::new();
        let lines =
            of.iter().flat_map(|planned| details(&Block::of(planned, plan.now), address, &mut account)).collect();
        Self { address, of, deeds: deeds(of, |planned| ours(&Block::of(planned, plan.now))), lines }
    }

    fn item(&self, page: &Page, open: bool) -> Item {
        let at = self.of.iter().find(|planned| planned.address.is_tenant()).or(self.of.first());
        let tenant = named(page, &self.address.to_string(), at.map(|planned| &planned.at));
        let deeds = |link: fn(&str, String) -> String| {
            let deeds = self.deeds.iter().map(|(what, with)| deed(what, with, |planned| part(page, planned, link)));
            deeds.collect::<Vec<_>>().join(", ")
        };
        // Where room is short, the tenant's link is enough to find the others.
        let short = format!("- {tenant}: {}\n", deeds(|name, _| name.to_owned()));
        let fence = if page.medium.folds() { "```diff" } else { "```" }; // Bitbucket would show the word
        let body = format!("{fence}\n{}\n```\n", self.lines.join("\n"));
        let whole = if open || !page.medium.folds() {
            format!("{tenant}: {}\n\n{body}\n", deeds(|name, url| format!("[{name}]({url})")))
        } else {
            let name = self.address.to_string();
            let url = at.and_then(|planned| link(page, &planned.at));
            let tenant = url.map_or_else(|| format!("<b>{name}</b>"), |url| anchor(&name, url));
            format!("<details><summary>{tenant}: {}</summary>\n\n{body}\n</details>\n", deeds(anchor))
        };
        Item { whole, short }
    }
}

/// A part's name, linked to its line.
fn part(page: &Page, planned: &Planned, linked: fn(&str, String) -> String) -> String {
    let name = last_word(planned);
    link(page, &planned.at).map(|url| linked(&name, url)).unwrap_or(name)
}

fn anchor(name: &str, url: String) -> String {
    // The one character of a URL that HTML reads as its own.
    format!("<a href=\"{}\"><b>{name}</b></a>", url.replace('&', "&amp;"))
}

/// What is done, where it is in words of ours alone; and else its sign's.
fn ours(block: &Block) -> String {
    let plain = |c: char| c.is_ascii_alphabetic() || " '-".contains(c);
    if block.what.chars().all(plain) { block.what.clone() } else { block.sign.meaning().to_owned() }
}

/// An action in a fence. What all of a tenant's actions share is said once: its account, and which tenant they are in.
fn details(block: &Block, tenant: &Address, account: &mut String) -> Vec<String> {
    let said = |line: &&Line| match line.label.as_str() {
        "account" => *account == line.value,
        "tenant" => true,
        _ => false,
    };
    let lines: Vec<&Line> = block.lines.iter().filter(|line| !said(line)).collect();
    if let Some(line) = block.lines.iter().find(|line| line.label == "account") {
        account.clone_from(&line.value);
    }
    // Diffs have no sign for it, and colour this one as a change.
    let mark = if block.sign == Sign::Change { "!" } else { block.sign.mark() };
    let part = block.address.strip_prefix(&format!("{tenant}/")).map(|part| format!(" {part}")).unwrap_or_default();
    let mut shown = vec![fenced(&format!("{mark} {}{part}", cut(&block.what)))];
    let labels = widest(lines.iter().map(|line| line.label.as_str())).min(40) + 1;
    let mut before = "";
    for Line { label, value } in lines {
        let label_shown = if label == before { String::new() } else { format!("{}:", cut(label)) };
        before = label;
        shown.push(fenced(&format!("    {} {}", pad(&label_shown, labels), cut(value))));
    }
    shown
}
