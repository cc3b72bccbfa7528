//! Bytes → desired state and settings, or every fault at once. Reads no file: `cli` does.

mod azure;
mod delivery;
mod desired;
mod diagnostic;
mod fault;
mod gcp;
mod github;
mod gitlab;
mod group;
mod homes;
mod ignore;
mod imburse;
pub mod insert;
mod kubernetes;
mod login;
mod ours;
mod people;
mod place;
mod profile;
mod read;
mod reference;
mod report;
mod resolve;
pub mod schema;
mod settings;
mod sinks;
mod size;
mod source;
pub(crate) mod suggest;
mod syntax;
mod template;
mod texts;
mod variable;

use std::path::Path;

pub use fault::{Fault, Secondary, Spot};
pub use report::Report;
pub use source::Source;

use crate::model;
use diagnostic::Faults;

/// Reads the settings. `base` is the absolute folder of their file, which relative paths are relative to.
///
/// # Errors
/// Every fault of the file.
pub fn settings(source: &Source, base: &Path) -> Result<model::settings::Settings, Report> {
    let mut faults = Faults::new(std::slice::from_ref(source), true);
    let settings = settings::file(0, base, &mut faults);
    faults.finish(settings)
}

/// Reads the desired state: merges the files, applies profiles, checks references.
///
/// # Errors
/// Every fault of every file.
pub fn desired(sources: &[Source], settings: &model::settings::Settings) -> Result<model::desired::Desired, Report> {
    let mut faults = Faults::new(sources, false);
    let files = (0..sources.len()).map(|index| desired::file(index, &mut faults)).collect();
    let items = resolve::items(files, Some(settings), &mut faults);
    faults.finish(Some(resolve::join(items, settings)))
}

/// Whether a text, read as far as it is there, says at its top that it is desired state. It need not be valid.
pub fn looks_like_desired_state(text: &str) -> bool {
    ours::looks_like_desired_state(text)
}

/// The addresses that files declare, as far as they can be read: for whoever types one.
pub fn addresses(sources: &[Source]) -> Vec<model::address::Address> {
    let mut faults = Faults::new(sources, false);
    let files = (0..sources.len()).map(|index| desired::file(index, &mut faults)).collect();
    resolve::items(files, None, &mut faults).items.into_keys().collect()
}

/// Checks desired state without settings, and counts its objects: all but the references into settings.
///
/// # Errors
/// Every fault of every file.
pub fn validate(sources: &[Source]) -> Result<usize, Report> {
    let mut faults = Faults::new(sources, false);
    let files = (0..sources.len()).map(|index| desired::file(index, &mut faults)).collect();
    let items = resolve::items(files, None, &mut faults).items;
    faults.finish(Some(items.len()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use model::settings::{Ledger, Limits, Reference, Sink};

    fn source(text: &str) -> Source {
        Source { name: "f.yaml".to_owned(), text: text.to_owned() }
    }

    fn full() -> Source {
        source(include_str!("../../fixtures/config/good/full.settings.yaml"))
    }

    #[test]
    fn settings_have_defaults_and_paths_under_their_folder() {
        let settings = settings(&full(), Path::new("/etc/plan")).unwrap();
        let account = settings.qlik.values().next().unwrap();
        assert_eq!(account.client.id, Reference::Env("ID".to_owned()));
        assert_eq!(account.client.secret, Reference::File(PathBuf::from("/etc/run/secret")));
        let key_client = account.key_client.as_ref().unwrap();
        assert_eq!(key_client.secret, Reference::File(PathBuf::from("/run/secrets/key")));
        let Some(Sink::File { directory, durable, shared: _ }) = settings.sinks.values().next() else {
            panic!("no file")
        };
        assert_eq!((directory.as_path(), *durable), (Path::new("/etc/plan/secrets"), true));
        assert_eq!(settings.limits, Limits { create_tenants: 0, mint_keys: 1_000_000, objects: 200_000 });

        let smallest = super::settings(&source("version: 1"), Path::new("/etc/plan")).unwrap();
        assert_eq!(smallest.limits, Limits::default());
        assert_eq!(
            smallest.ledger,
            Ledger::Directory { path: PathBuf::from("/etc/plan/.qlik-plan/ledger"), durable: false }
        );
    }

    #[test]
    fn a_secret_in_place_of_any_reference_is_refused_and_shown_nowhere() {
        let text = full().text;
        let pasted = [
            "s3cr3t",
            "\"s3cr3t: x\"",
            "\"s3cr3t",
            "'s3cr3t",
            "s3cr3t: x",
            "{ s3cr3t: x }",
            "{ s3cr3t",
            "{ env: s3cr3t-x }",
            "{ env: [s3cr3t] }",
            "{ env: 'A s3cr3t', file: s3cr3t }",
            "{ env: { s3cr3t: s3cr3t } }",
            "{ file: \"s3cr3t\\n\" }",
            "{ token: s3cr3t }",
            "[s3cr3t]",
            "@s3cr3t",
            "%s3cr3t",
            "`s3cr3t",
            "&s3cr3t s3cr3t",
            "&a { env: s3cr3t- }",
            "!s3cr3t s3cr3t",
            "*s3cr3t",
            "? s3cr3t",
            "|s3cr3t",
            "s3cr3t, s3cr3t: s3cr3t, ? [s3cr3t] : s3cr3t, 1: s3cr3t",
            "s3cr3t, id: s3cr3t, secret: s3cr3t, api_key: s3cr3t",
            "s3cr3t\n\ts3cr3t",
            "s3cr3t\n--- s3cr3t",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[s3cr3t]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        ];
        let references: Vec<(usize, usize)> = text
            .match_indices("{ env: ")
            .chain(text.match_indices("{ file: "))
            .map(|(start, _)| (start, start + text[start..].find('}').unwrap() + 1))
            .collect();
        assert_eq!(references.len(), 5);
        for (start, end) in references {
            for pasted in pasted {
                let source = source(&format!("{}{pasted}{}", &text[..start], &text[end..]));
                let report = settings(&source, Path::new("/")).err().unwrap_or_else(|| panic!("{pasted} is taken"));
                let json = serde_json::to_string(&report).unwrap();
                let rendered = report.render(std::slice::from_ref(&source), false);
                for shown in [rendered, json, report.to_string()] {
                    assert!(!shown.contains("s3cr3t"), "{pasted}:\n{shown}");
                }
            }
        }
    }

    #[test]
    fn two_hundred_thousand_lines_load() {
        let tenants = 22_500;
        let tenant = |n| {
            format!(
                "    t{n}:\n      account: us\n      display_name: Tenant {n}\n      alias: t-{n}\n      api_keys:\n        ci:\n          \
                 description: CI\n          owner: {{ client: {{}} }}\n          expires_in: P7D\n          deliver_to: files\n"
            )
        };
        let text = "version: 1\nqlik:\n  tenants:\n".to_owned() + &(0..tenants).map(tenant).collect::<String>();
        assert!(text.lines().count() >= 200_000);
        let count = validate(&[source(&text)]).map_err(|report| report.to_string());
        assert_eq!(count, Ok(tenants * 2));
    }

    #[test]
    fn a_file_that_is_wrong_on_every_line_gets_a_report_of_bounded_size() {
        let text = "version: 1\n".to_owned() + &"- *a\n".repeat(300_000);
        let report = validate(&[source(&text)]).unwrap_err();
        assert!(report.faults.len() <= 1000);
        let text = format!("version: 1\nqlik:\n  tenants:\n    a: [{}]\n", "*a, ".repeat(300_000));
        let source = source(&text);
        let report = validate(std::slice::from_ref(&source)).unwrap_err();
        assert_eq!((report.faults.len(), report.omitted), (1000, 299_001));
        assert!(
            report.render(&[source], false).ends_with("300001 errors in the configuration, the first 1000 shown\n")
        );
    }

    /// Pieces that YAML and this format give a meaning to, and some that nobody expects.
    fn pieces() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "version: 1\n",
            "qlik:\n",
            "  tenants:\n",
            "    acme:\n",
            "      account: us\n",
            "      alias: a\n",
            "accounts:\n",
            "  us: ",
            "{ ",
            " }",
            "[",
            "]",
            ": ",
            ", ",
            "- ",
            "? ",
            "&a ",
            "*a",
            "!t ",
            "<<: ",
            "\"",
            "'",
            "|\n",
            ">\n",
            "#",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "\t",
            "\r\n",
            "\n",
            "  ",
            "\u{feff}",
            "\u{202e}",
            "ä",
            "漢",
            "\u{1f600}",
            "\0",
            "~",
            "null",
            "1",
            "P1D",
            "secret: ",
            "client: ",
            "limits: ",
            "omit: ",
        ]);
        prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_text_makes_it_panic_and_every_report_is_safe_to_print(pieces in prop::collection::vec(pieces(), 0..40)) {
            let source = source(&pieces.concat());
            let reports = [
                validate(std::slice::from_ref(&source)).err(),
                settings(&source, Path::new("/")).err(),
            ];
            for report in reports.into_iter().flatten() {
                prop_assert!(!report.faults.is_empty());
                for line in report.render(std::slice::from_ref(&source), false).split('\n') {
                    let escaped = model::untrusted::escape(line);
                    prop_assert_eq!(escaped.as_str(), line);
                }
                for fault in &report.faults {
                    let span = fault.span.clone().unwrap();
                    prop_assert!(span.start <= source.text.len() && source.text.is_char_boundary(span.start));
                    prop_assert!(fault.line >= 1 && fault.column >= 1);
                }
            }
        }
    }
}
