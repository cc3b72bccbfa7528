//! The sandbox taken for the real cloud: no `--sandbox`. Settings name the proxy and its certificates, the environment holds
//! the credentials, ledger and sinks are the project's own: the path that a run against Qlik Cloud takes, and no other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::stage::{APPLY, PLAN, Run, SETTINGS, Stage};

pub(crate) struct Cloud {
    pub(crate) stage: Stage,
    /// What `env.sh` of the sandbox exports.
    variables: BTreeMap<String, String>,
}

impl Cloud {
    /// The stage's settings, led to the sandbox by `network:` alone.
    pub(crate) fn new(desired: &str) -> Self {
        let stage = Stage::new(desired);
        let text = std::fs::read_to_string(stage.dir().join(".qlik-sandbox/env.sh")).unwrap();
        let line = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        };
        let cloud = Self { variables: text.lines().filter_map(line).collect(), stage };
        cloud.write_settings(SETTINGS);
        cloud
    }

    pub(crate) fn write_settings(&self, text: &str) {
        let (proxy, ca) = (&self.variables["HTTPS_PROXY"], &self.variables["SSL_CERT_FILE"]);
        let text = format!("{text}network: {{ proxy: \"{proxy}\", ca_file: \"{ca}\" }}\n");
        std::fs::write(self.settings_file(), text).unwrap();
    }

    pub(crate) fn settings_file(&self) -> PathBuf {
        self.stage.dir().join("qlik-plan.settings.yaml")
    }

    /// A variable that the sandbox gives out, as `QLIK_CLIENT_SECRET`.
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// A program with the clients' credentials and nothing else of the sandbox's in its environment.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.stage.command(program);
        command.args(args);
        for name in [
            "QLIK_CLIENT_ID",
            "QLIK_CLIENT_SECRET",
            "QLIK_KEY_CLIENT_ID",
            "QLIK_KEY_CLIENT_SECRET",
            "IMBURSE_PUBLIC_KEY",
            "IMBURSE_PRIVATE_KEY",
        ] {
            command.env(name, self.variable(name));
        }
        command
    }

    /// The same, on a CI runner.
    pub(crate) fn in_ci(&self, program: &str, args: &[&str]) -> Run {
        self.ends(self.command(program, args).env("CI", "true"))
    }

    pub(crate) fn plan(&self, args: &[&str]) -> Run {
        self.ends(&mut self.command(PLAN, args))
    }

    pub(crate) fn apply(&self, args: &[&str]) -> Run {
        self.ends(&mut self.command(APPLY, args))
    }

    /// Runs it; whatever happens, no credential is printed.
    pub(crate) fn ends(&self, command: &mut Command) -> Run {
        let run = Run::of(&command.output().unwrap());
        for name in ["QLIK_CLIENT_SECRET", "QLIK_KEY_CLIENT_SECRET", "IMBURSE_PRIVATE_KEY"] {
            assert!(!run.all().contains(self.variable(name)), "{name} was printed:\n{}{}", run.out, run.err);
        }
        // A token of the vendor's or a key is a JWT.
        assert!(!run.shows_a_token(), "a token was printed:\n{}{}", run.out, run.err);
        run
    }

    /// Where a key is delivered.
    pub(crate) fn secret_file(&self, tenant: &str, key: &str) -> PathBuf {
        self.stage.dir().join("secrets/qlik").join(tenant).join(key)
    }
}
