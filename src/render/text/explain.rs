//! One object from what was read to what is planned, and one code's page.

use jiff::Timestamp;

use crate::model::untrusted::escape;
use crate::plan::explain::Explanation;
use crate::render::Look;
use crate::render::block::Block;
use crate::render::guard;
use crate::render::layout::table;
use crate::render::style::{FAINT, STRONG, paint};

/// `explain ADDRESS`, ending with a newline.
pub fn explanation(explanation: &Explanation, now: Timestamp, look: &Look) -> String {
    let Explanation { address, read, path, actions, notices } = explanation;
    let mut lines = vec![paint(&address.to_string(), STRONG, look)];
    let mut section = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            lines.push(String::new());
            lines.push(paint(title, FAINT, look));
            lines.extend(rows.into_iter().map(|row| format!("  {row}")));
        }
    };
    let rows: Vec<Vec<String>> = read.iter().map(|fact| vec![escape(&fact.name), fact.value.to_string()]).collect();
    section("Read:", table(&rows));
    section("Decided:", path.iter().enumerate().map(|(n, step)| format!("{}. {}", n + 1, escape(step))).collect());
    let blocks = actions.iter().map(|planned| Block::of(planned, now)).flat_map(|block| {
        let details = block.lines.into_iter().map(|line| format!("    {}: {}", line.label, line.value));
        std::iter::once(format!("{} {}  {}", block.sign.mark(), block.what, block.at))
            .chain(details)
            .collect::<Vec<_>>()
    });
    section("Planned:", blocks.collect());
    section("Notices:", notices.iter().map(|notice| notice.text.to_string()).collect());
    guard::text(lines.join("\n") + "\n")
}
