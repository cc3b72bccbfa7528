//! Why a run came to no plan, for a file: on a terminal, stderr says it with more colour.

use serde_json::Value;

use crate::model::untrusted::escape;
use crate::render::guard;

/// The message, the faults of the configuration, and the ways out; ends with a newline.
pub fn error(message: &str, next: &[String], faults: Option<&Value>) -> String {
    let mut lines = vec![format!("error: {}", escape(message))];
    for fault in faults.and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| fault.get(name).and_then(Value::as_str).map(escape).unwrap_or_default();
        let number = |name: &str| fault.get(name).and_then(Value::as_u64).unwrap_or_default();
        let place = format!("{}:{}:{}", text("file"), number("line"), number("column"));
        lines.push(format!("  {place}: {} {}", text("code"), text("message")));
    }
    lines.extend(next.iter().map(|step| format!("  next: {}", escape(step))));
    guard::text(lines.join("\n") + "\n")
}
