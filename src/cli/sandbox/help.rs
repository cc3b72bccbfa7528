//! What `--help` of `qlik-sandbox` says beyond its flags: first steps, and every control call. No line is wider than 96.

use crate::sandbox::CALLS;

pub(super) const FIRST_STEPS: &str = "\
First steps:
  qlik-sandbox exec -- ./my-script           my-script talks to the sandbox, not to a vendor
  qlik-sandbox serve                         for many: then `. .qlik-sandbox/env.sh` elsewhere
  qlik-apply --sandbox examples/quickstart   needs neither, and attaches to a server that runs
  qlik-sandbox control GET requests          what was asked of a server that runs

Any program that heeds HTTPS_PROXY and a CA file works unchanged, and so do Node of any age and
Java. Python's qlik-sdk reads no CA variable: docs/sandbox.md says where its file is.
The state in ./.qlik-sandbox outlives a server; remove the folder to start over.
docs/sandbox.md has what is served, every fault and every switch.";

pub(super) const SERVE: &str = "\
The line on standard output is JSON: proxy, ca, env, control, control_token_file. In another
shell, `. ENV` with the file that it calls env sets proxy, certificates and credentials
(QLIK_CLIENT_ID, QLIK_SOURCE_TENANT, IMBURSE_BASE_URL and more).";

pub(super) const EXEC: &str = "\
Examples:
  qlik-sandbox exec -- tests/clients/document-000.sh   the vendor's tutorial, with curl
  qlik-sandbox exec -- node my-client.mjs
  qlik-sandbox exec -- sh                              to look around: env | grep QLIK_

Attaches to a server that runs on the same state, or runs one as long as the command.
A program that reads no proxy variable is held inside by --isolate.
Credentials and proxy settings of your own are not handed on.";

/// Every call, with what it does.
pub(super) fn control() -> String {
    let lines = CALLS.iter().map(|(methods, path, does)| format!("  {:<18} {path:<9} {does}\n", methods.join(", ")));
    format!(
        "Calls:\n{}\nExamples:\n{}",
        lines.collect::<String>(),
        "  qlik-sandbox control GET requests\n  \
           qlik-sandbox control POST clock '{\"advance\": \"PT3H\"}'\n  \
           qlik-sandbox control POST switches '{\"quota_reached\": true}'\n  \
           qlik-sandbox control POST faults '{\"nth\": 2, \"action\": \"drop_after\"}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_broken_on_an_ordinary_terminal() {
        for text in [FIRST_STEPS, SERVE, EXEC, &control()] {
            assert!(text.lines().all(|line| line.chars().count() <= 96), "{text}");
        }
    }
}
