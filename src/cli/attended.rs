//! Whether a person is there: a terminal on standard input and error, and no variable of a CI system.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use super::stream::Stream;

/// A variable by which a CI system makes itself known, and the one in which it names the folder of its checkout.
struct System {
    mark: &'static str,
    checkout: Option<&'static str>,
}

const fn system(mark: &'static str, checkout: &'static str) -> System {
    System { mark, checkout: Some(checkout) }
}

const fn alone(mark: &'static str) -> System {
    System { mark, checkout: None }
}

/// What each system documents that it sets in every job. A job without any of these (cron, systemd, a Kubernetes Job, Tekton,
/// Concourse, Google Cloud Build) has no terminal either.
///
/// Whatever the value is, `false`, `0` and nothing included: a pipeline blanks `CI` to quieten other tools, and is one still.
const SYSTEMS: &[System] = &[
    // GitHub, GitLab, Travis, CircleCI, AppVeyor, Cirrus, Drone, Woodpecker, Buildkite, Bitbucket, Semaphore, Codemagic,
    // Bitrise, Netlify, Vercel, Cloudflare Pages, Xcode Cloud and others.
    alone("CI"),
    // Azure Pipelines sets no CI. learn.microsoft.com/azure/devops/pipelines/build/variables
    system("TF_BUILD", "BUILD_SOURCESDIRECTORY"),
    // docs.github.com/actions/reference/workflows-and-actions/variables; Gitea and Forgejo set it too.
    system("GITHUB_ACTIONS", "GITHUB_WORKSPACE"),
    alone("GITEA_ACTIONS"),
    alone("FORGEJO_ACTIONS"),
    // docs.gitlab.com/ci/variables/predefined_variables
    system("GITLAB_CI", "CI_PROJECT_DIR"),
    // JENKINS_URL is there only where the system configuration names one, and CI only since 2021.
    // www.jenkins.io/doc/book/pipeline/jenkinsfile
    system("JENKINS_URL", "WORKSPACE"),
    system("JENKINS_HOME", "WORKSPACE"),
    system("HUDSON_URL", "WORKSPACE"),
    // www.jetbrains.com/help/teamcity/predefined-build-parameters.html
    alone("TEAMCITY_VERSION"),
    // docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    system("CODEBUILD_BUILD_ID", "CODEBUILD_SRC_DIR"),
    alone("CODEBUILD_BUILD_ARN"),
    // circleci.com/docs/variables
    system("CIRCLECI", "CIRCLE_WORKING_DIRECTORY"),
    // buildkite.com/docs/pipelines/configure/environment-variables
    system("BUILDKITE", "BUILDKITE_BUILD_CHECKOUT_PATH"),
    // docs.travis-ci.com/user/environment-variables
    system("TRAVIS", "TRAVIS_BUILD_DIR"),
    // www.appveyor.com/docs/environment-variables
    system("APPVEYOR", "APPVEYOR_BUILD_FOLDER"),
    // docs.drone.io/pipeline/environment/reference
    system("DRONE", "DRONE_WORKSPACE"),
    // support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets
    system("BITBUCKET_BUILD_NUMBER", "BITBUCKET_CLONE_DIR"),
    alone("BITBUCKET_COMMIT"),
    // confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
    system("bamboo_buildKey", "bamboo_build_working_directory"),
    alone("bamboo_planKey"),
    // docs.semaphore.io/reference/env-vars
    system("SEMAPHORE", "SEMAPHORE_GIT_DIR"),
    // cirrus-ci.org/guide/writing-tasks
    system("CIRRUS_CI", "CIRRUS_WORKING_DIR"),
    // developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var
    alone("HARNESS_BUILD_ID"),
    alone("CF_BUILD_ID"),
    alone("BITRISE_IO"),
    alone("BUDDY_WORKSPACE_ID"),
    alone("GO_PIPELINE_NAME"),
    alone("GO_PIPELINE_LABEL"),
    alone("NETLIFY"),
    alone("VERCEL"),
    alone("CF_PAGES"),
    alone("RENDER"),
    alone("HEROKU_TEST_RUN_ID"),
    alone("PROW_JOB_ID"),
    alone("SCREWDRIVER"),
    alone("CI_NAME"),
    alone("ATLANTIS_TERRAFORM_VERSION"),
];

/// Whether somebody is there, and by which rule that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Attended,
    Unattended {
        /// Half a sentence, as "TF_BUILD is set".
        rule: String,
        /// Where the CI system keeps its copy of the repository, with or without a `.git`.
        checkouts: Vec<PathBuf>,
    },
}

impl Presence {
    /// Of this process; asked once.
    pub(super) fn of_this_run() -> Self {
        Self::of(|name| std::env::var_os(name), io::stdin().is_terminal(), Stream::Err.is_terminal())
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>, stdin: bool, stderr: bool) -> Self {
        let systems: Vec<&System> = SYSTEMS.iter().filter(|system| variable(system.mark).is_some()).collect();
        let rule = match (systems.first(), stdin, stderr) {
            (Some(system), _, _) => format!("{} is set", system.mark),
            (None, false, _) => "standard input is not a terminal".to_owned(),
            (None, true, false) => "standard error is not a terminal".to_owned(),
            (None, true, true) => return Self::Attended,
        };
        let checkouts = systems.iter().filter_map(|system| variable(system.checkout?)).map(PathBuf::from);
        Self::Unattended { rule, checkouts: checkouts.filter(|folder| folder.is_absolute()).collect() }
    }

    /// Why nobody is there, if nobody is.
    pub(super) fn absence(&self) -> Option<&str> {
        match self {
            Self::Attended => None,
            Self::Unattended { rule, .. } => Some(rule),
        }
    }

    /// The CI system's copy of the repository that a path lies in.
    pub(super) fn checkout_of(&self, path: &Path) -> Option<&Path> {
        match self {
            Self::Attended => None,
            Self::Unattended { checkouts, .. } => {
                checkouts.iter().find(|folder| path.starts_with(folder)).map(PathBuf::as_path)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_there_with_a_terminal_on_both_sides_and_no_variable_of_a_ci_system() {
        let none = |_: &str| None;
        assert_eq!(Presence::of(none, true, true), Presence::Attended);
        for (stdin, stderr, rule) in [
            (false, true, "standard input is not a terminal"),
            (true, false, "standard error is not a terminal"),
            (false, false, "standard input is not a terminal"),
        ] {
            assert_eq!(Presence::of(none, stdin, stderr).absence(), Some(rule));
        }
    }

    #[test]
    fn each_mark_of_a_ci_system_is_enough_whatever_its_value_and_is_named() {
        for system in SYSTEMS {
            for value in ["true", "false", "0", ""] {
                let presence = Presence::of(|name| (name == system.mark).then(|| value.into()), true, true);
                assert_eq!(presence.absence(), Some(format!("{} is set", system.mark).as_str()));
            }
        }
    }

    #[test]
    fn the_checkout_is_where_the_system_says_it_is() {
        let codebuild = |name: &str| match name {
            "CODEBUILD_BUILD_ID" => Some("estate:1".into()),
            "CODEBUILD_SRC_DIR" => Some("/codebuild/output/src1/src".into()),
            _ => None,
        };
        let presence = Presence::of(codebuild, false, false);
        let within = |path: &str| presence.checkout_of(Path::new(path)).is_some();
        assert!(within("/codebuild/output/src1/src/ledger"));
        assert!(!within("/codebuild/output/src1/srcledger"));
        // CircleCI names it as its users write it.
        let circle = |name: &str| match name {
            "CIRCLECI" => Some("true".into()),
            "CIRCLE_WORKING_DIRECTORY" => Some("~/project".into()),
            _ => None,
        };
        assert_eq!(Presence::of(circle, false, false).checkout_of(Path::new("/root/project/ledger")), None);
    }
}
