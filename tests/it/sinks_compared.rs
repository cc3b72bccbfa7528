//! What the protocol rests on, kind by kind: the table of `docs/sinks.md` is the program's own.

use std::fmt::Write as _;
use std::path::Path;

use qlik_plan::config;
use qlik_plan::config::Source;

const PAGE: &str = include_str!("../../docs/sinks.md");

/// One sink of each kind; a second of those whose settings decide.
const SETTINGS: &str = r#"version: 1
accounts:
  us: { vendor: qlik, region: us, client: { id: { env: ID }, secret: { env: SECRET } } }
sinks:
  a: { kind: file, directory: ./secrets }
  b: { kind: command, deliver: [./put], check: [./check] }
  c: { kind: command, deliver: [./put] }
  d: { kind: vault, address: "https://vault.example:8200", mount: secret, token: { env: VAULT_TOKEN } }
  e: { kind: aws-secrets-manager, region: eu-central-1, account: "123456789012" }
  f: { kind: azure-key-vault, vault: "https://my-vault.vault.azure.net" }
  g: { kind: gcp-secret-manager, project: my-project }
  h: { kind: kubernetes, namespace: qlik }
  i: { kind: gitlab-variables, project: group/keys, token: { env: GITLAB_TOKEN } }
  j: { kind: gitlab-variables, project: group/keys, token: { env: GITLAB_TOKEN }, hidden: true }
  k: { kind: github-actions, repository: mycorp/deploy, token: { env: GITHUB_TOKEN } }
  l: { kind: stackone, api_key: { env: STACKONE_API_KEY }, accounts: { acme: "45355976281015164504" }, fields: { tenant_name: tenantName, region: region, api_key: apiKey } }
ledger: { kind: directory, path: .qlik-plan/ledger }
"#;

#[test]
fn the_page_says_of_each_kind_what_the_program_takes_it_for() {
    let source = Source { name: "settings.yaml".to_owned(), text: SETTINGS.to_owned() };
    let settings = config::settings(&source, Path::new("/base")).unwrap_or_else(|report| panic!("{report}"));
    let word = |is| if is { "yes" } else { "no" };
    let mut table = String::new();
    for (name, sink) in &settings.sinks {
        let with = match name.as_str() {
            "b" => " with `check`",
            "c" => " without `check`",
            "j" => " with `hidden: true`",
            _ => "",
        };
        writeln!(
            table,
            "| `{}`{with} | {} | {} | {} |",
            sink.kind(),
            word(sink.compares_versions()),
            word(!sink.is_blind()),
            word(sink.takes_what_is_late())
        )
        .unwrap();
    }
    assert!(PAGE.contains(&table), "docs/sinks.md is to have this table:\n{table}");
}
