//! The commit and the run that a comment links to, as the platform's own variables and the folder's work tree say.
//! What is missing, or is none, is left out: a page without links is a page all the same.

use std::ffi::OsString;
use std::path::Path;

use crate::render::markdown::{Commit, Files, Medium, Origin, Web};
use crate::sink::work_tree;

/// `commit`: the one that somebody named. The plan of a pull request may run on a merge that nobody keeps.
pub(super) fn of(medium: Medium, commit: Option<&Commit>) -> Origin {
    let folder = std::env::current_dir().ok();
    origin(medium, commit, |name| std::env::var_os(name), folder.as_deref())
}

fn origin(
    medium: Medium,
    commit: Option<&Commit>,
    variable: impl Fn(&str) -> Option<OsString>,
    folder: Option<&Path>,
) -> Origin {
    let set = |name: &str| variable(name)?.into_string().ok().filter(|value| !value.is_empty());
    let joined =
        |parts: &[Option<String>]| parts.iter().cloned().collect::<Option<Vec<String>>>().map(|all| all.join("/"));
    let (repository, of_run, run) = match medium {
        // https://docs.github.com/en/actions/reference/workflows-and-actions/variables
        Medium::GithubComment | Medium::GithubSummary => {
            let repository = joined(&[set("GITHUB_SERVER_URL"), set("GITHUB_REPOSITORY")]);
            let run = joined(&[repository.clone(), Some("actions/runs".to_owned()), set("GITHUB_RUN_ID")]);
            (repository, set("GITHUB_SHA"), run)
        }
        // https://docs.gitlab.com/ci/variables/predefined_variables/
        Medium::Gitlab => (set("CI_PROJECT_URL"), set("CI_COMMIT_SHA"), set("CI_JOB_URL")),
        // https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
        Medium::Bitbucket => {
            let repository = set("BITBUCKET_GIT_HTTP_ORIGIN").map(|url| url.replacen("http://", "https://", 1));
            let number = set("BITBUCKET_BUILD_NUMBER");
            let run = joined(&[repository.clone(), Some("pipelines/results".to_owned()), number]);
            (repository, set("BITBUCKET_COMMIT"), run)
        }
        // https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
        Medium::Azure => {
            let collection = set("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI").map(|url| url.trim_end_matches('/').to_owned());
            let project = joined(&[collection, set("SYSTEM_TEAMPROJECT").map(|name| name.replace(' ', "%20"))]);
            let of_pull_request = set("SYSTEM_PULLREQUEST_SOURCECOMMITID");
            let build = set("BUILD_BUILDID").map(|id| format!("_build/results?buildId={id}"));
            (
                set("BUILD_REPOSITORY_URI").map(without_user),
                of_pull_request.or_else(|| set("BUILD_SOURCEVERSION")),
                joined(&[project, build]),
            )
        }
    };
    let commit = commit.cloned().or_else(|| Commit::parse(&of_run?));
    let files = repository.and_then(|url| Web::parse(&url)).zip(commit).zip(folder.and_then(within));
    Origin {
        files: files.map(|((repository, commit), folder)| Files { repository, commit, folder }),
        run: run.and_then(|url| Web::parse(&url)),
    }
}

/// `https://org@host/…` as Azure writes it, without the user.
fn without_user(url: String) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url,
    }
}

/// The folder's path within its work tree. `None`: it lies in none, or cannot be told.
fn within(folder: &Path) -> Option<String> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let root = work_tree(&folder).ok()??;
    let inside = folder.strip_prefix(std::fs::canonicalize(root).ok()?).ok()?;
    inside.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(medium: Medium, set: &[(&str, &str)], commit: Option<&Commit>) -> Origin {
        let set: BTreeMap<&str, &str> = set.iter().copied().collect();
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join(".git/refs")).unwrap();
        std::fs::create_dir_all(tree.path().join(".git/objects")).unwrap();
        std::fs::write(tree.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::create_dir(tree.path().join("eu")).unwrap();
        origin(medium, commit, |name| set.get(name).map(OsString::from), Some(&tree.path().join("eu")))
    }

    fn expected(repository: &str, commit: &str, run: &str) -> Origin {
        let files = Files {
            repository: Web::parse(repository).unwrap(),
            commit: Commit::parse(commit).unwrap(),
            folder: "eu".to_owned(),
        };
        Origin { files: Some(files), run: Some(Web::parse(run).unwrap()) }
    }

    #[test]
    fn each_platform_names_its_repository_commit_and_run() {
        let sha = &"ab".repeat(20);
        let of_github = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SHA", sha),
            ("GITHUB_RUN_ID", "12"),
        ];
        let on_github = |sha: &str| expected("https://github.com/o/r", sha, "https://github.com/o/r/actions/runs/12");
        assert_eq!(of(Medium::GithubComment, &of_github, None), on_github(sha));
        let head = "cd".repeat(20);
        assert_eq!(of(Medium::GithubComment, &of_github, Commit::parse(&head).as_ref()), on_github(&head));
        let of_gitlab = [
            ("CI_PROJECT_URL", "https://gitlab.example/g/p"),
            ("CI_COMMIT_SHA", sha),
            ("CI_JOB_URL", "https://gitlab.example/g/p/-/jobs/3"),
        ];
        let on_gitlab = expected("https://gitlab.example/g/p", sha, "https://gitlab.example/g/p/-/jobs/3");
        assert_eq!(of(Medium::Gitlab, &of_gitlab, None), on_gitlab);
        let of_bitbucket = [
            ("BITBUCKET_GIT_HTTP_ORIGIN", "http://bitbucket.org/w/r"),
            ("BITBUCKET_COMMIT", sha),
            ("BITBUCKET_BUILD_NUMBER", "4"),
        ];
        let on_bitbucket = expected("https://bitbucket.org/w/r", sha, "https://bitbucket.org/w/r/pipelines/results/4");
        assert_eq!(of(Medium::Bitbucket, &of_bitbucket, None), on_bitbucket);
        let of_azure = [
            ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://dev.azure.com/org/"),
            ("SYSTEM_TEAMPROJECT", "My Project"),
            ("BUILD_BUILDID", "5"),
            ("BUILD_REPOSITORY_URI", "https://org@dev.azure.com/org/p/_git/r"),
            ("BUILD_SOURCEVERSION", sha),
        ];
        let on_azure = expected(
            "https://dev.azure.com/org/p/_git/r",
            sha,
            "https://dev.azure.com/org/My%20Project/_build/results?buildId=5",
        );
        assert_eq!(of(Medium::Azure, &of_azure, None), on_azure);
        assert_eq!(of(Medium::Azure, &of_github, None), Origin::default(), "another platform's variables tell nothing");
    }
}
