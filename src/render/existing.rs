//! An estate that exists → desired state as YAML, which adopts it.

use similar::TextDiff;

use crate::model::address::Name;
use crate::model::spec::KeyLimits;
use crate::model::untrusted::escape;

/// One tenant that exists, as desired state declares it.
pub struct Existing {
    /// The name that it gets in desired state.
    pub name: Name,
    /// The account in settings that it belongs to.
    pub account: Name,
    /// The key of `adopt:` and its value: `hostname` or `tenant_id`.
    pub adopt: (&'static str, String),
    /// The name that people see; `None` where it is not known, or too long to be declared.
    pub display_name: Option<String>,
    /// The label that a person chose for its host.
    pub alias: Option<String>,
    /// The limits on API keys that the tenant has.
    pub limits: KeyLimits,
    /// Facts that desired state does not declare, for whoever reads it.
    pub remarks: Vec<String>,
    /// The keys that live in it.
    pub keys: Vec<ExistingKey>,
}

/// One key that exists.
pub struct ExistingKey {
    /// The name that it gets in desired state.
    pub name: Name,
    /// The key of `adopt:` and its value: `key_id` or `public_key`.
    pub adopt: (&'static str, String),
    /// Facts for whoever reads it: its description and its end.
    pub remark: String,
}

/// The vendor's tenants below `vendor: tenants:`; empty without any.
fn of_vendor(vendor: &str, tenants: &[Existing]) -> String {
    if tenants.is_empty() {
        return String::new();
    }
    format!("{vendor}:\n  tenants:\n{}", self::tenants(tenants))
}

/// The lines of these tenants, indented as below `VENDOR:` and `tenants:`.
pub fn tenants(tenants: &[Existing]) -> String {
    tenants.iter().map(tenant).collect()
}

/// A desired state that declares these tenants, ending with a newline.
pub fn desired_state(qlik: &[Existing], imburse: &[Existing]) -> String {
    format!("version: 1\n{}{}", of_vendor("qlik", qlik), of_vendor("imburse", imburse))
}

/// The difference between two texts of a file, in unified form.
pub fn added_lines(before: &str, after: &str, file: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let text = unified.header(file, file).to_string();
    text.lines().map(|line| format!("{}\n", escape(line))).collect()
}

fn tenant(tenant: &Existing) -> String {
    let Existing { name, account, adopt: (key, value), display_name, alias, limits, remarks, keys } = tenant;
    let mut lines = vec![format!("    {name}:")];
    lines.push(format!("      account: {account}"));
    lines.push(format!("      adopt: {{ {key}: {} }}", quoted(value)));
    lines.extend(display_name.iter().map(|name| format!("      display_name: {}", quoted(name))));
    lines.extend(alias.iter().map(|alias| format!("      alias: {}", quoted(alias))));
    let expiry = limits.max_expiry.map(|longest| format!("max_expiry: {longest}"));
    let keys_per_user = limits.max_keys_per_user.map(|most| format!("max_keys_per_user: {most}"));
    let limits: Vec<String> = expiry.into_iter().chain(keys_per_user).collect();
    if !limits.is_empty() {
        lines.push(format!("      api_key_limits: {{ {} }}", limits.join(", ")));
    }
    lines.extend(remarks.iter().map(|remark| format!("      # {}", escape(remark))));
    if !keys.is_empty() {
        lines.push("      api_keys:".to_owned());
    }
    for ExistingKey { name, adopt: (key, value), remark } in keys {
        lines.push(format!("        {name}: {{ adopt: {{ {key}: {} }} }} # {}", quoted(value), escape(remark)));
    }
    lines.join("\n") + "\n"
}

/// A text as YAML reads it back, whatever is in it: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_vendor_says_stays_in_its_line() {
        let name: Name = Name::parse("acme").unwrap();
        let key = ExistingKey {
            name: name.clone(),
            adopt: ("key_id", "a\"b: [c]".to_owned()),
            remark: "two\nlines # and more".to_owned(),
        };
        let tenant = Existing {
            name: name.clone(),
            account: name,
            adopt: ("hostname", "acme".to_owned()),
            display_name: Some("Acme: \"{x}\"\n# no".to_owned()),
            alias: None,
            limits: KeyLimits::default(),
            remarks: vec!["a remark\nadopt: {}".to_owned()],
            keys: vec![key],
        };
        let text = desired_state(&[tenant], &[]);
        assert_eq!(text.lines().count(), 10, "{text}");
        assert!(text.contains("display_name: \"Acme: \\\"{x}\\\"\\n# no\"\n"), "{text}");
    }
}
