//! The commit and the run that a page tells of, and the addresses at which the platform shows them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::place::Place;

use super::medium::Medium;

/// What stays as it is in a path: nothing of it means anything to Markdown, HTML or a URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// What a page links to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `None`: it links to no file.
    pub files: Option<Files>,
    /// The run's own page.
    pub run: Option<Web>,
}

/// The files of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The repository's page.
    pub repository: Web,
    pub commit: Commit,
    /// The folder of the repository that the paths in a plan begin in; empty at its top.
    pub folder: String,
}

/// The address of a web page, made of characters that need no escape anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web(String);

impl Web {
    /// `None`: it is no web page, or has a name, a password or a character that means something to Markdown or HTML.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%?=&".contains(c);
        (!rest.is_empty() && rest.chars().all(plain)).then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a commit, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit(String);

impl Commit {
    /// `None`: it is none, in either of Git's two lengths.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        (digits && matches!(text.len(), 40 | 64)).then(|| Self(text.to_owned()))
    }

    pub(super) fn short(&self) -> &str {
        self.0.get(..7).unwrap_or_default()
    }
}

impl Files {
    pub(super) fn commit_page(&self, medium: Medium) -> String {
        let Self { repository, commit, folder: _ } = self;
        let (repository, commit) = (repository.as_str(), &commit.0);
        match medium {
            Medium::GithubComment | Medium::GithubSummary | Medium::Azure => format!("{repository}/commit/{commit}"),
            Medium::Gitlab => format!("{repository}/-/commit/{commit}"),
            Medium::Bitbucket => format!("{repository}/commits/{commit}"),
        }
    }

    /// The line of a file of this commit. `None`: the file lies outside of the repository, or is none.
    pub(super) fn line(&self, at: &Place, medium: Medium) -> Option<String> {
        let Self { repository, commit, folder } = self;
        let Place { file, line, column: _ } = at;
        let file = file.strip_prefix("./").unwrap_or(file);
        let outside = file.starts_with('/') || file.split('/').any(|part| part == "..");
        if outside || file.is_empty() || file == "-" {
            return None;
        }
        let path = [folder.trim_matches('/'), file].into_iter().filter(|part| !part.is_empty());
        let path = path.collect::<Vec<_>>().join("/");
        let path = utf8_percent_encode(&path, PATH);
        let (repository, commit) = (repository.as_str(), &commit.0);
        Some(match medium {
            Medium::GithubComment | Medium::GithubSummary => format!("{repository}/blob/{commit}/{path}#L{line}"),
            Medium::Gitlab => format!("{repository}/-/blob/{commit}/{path}#L{line}"),
            Medium::Bitbucket => format!("{repository}/src/{commit}/{path}#lines-{line}"),
            Medium::Azure => format!(
                "{repository}?path=/{path}&version=GC{commit}&line={line}&lineEnd={}&lineStartColumn=1&lineEndColumn=1",
                line.saturating_add(1)
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_where_each_platform_shows_it() {
        let files = |folder: &str| Files {
            repository: Web::parse("https://example.org/o/r/").unwrap(),
            commit: Commit::parse(&"ab".repeat(20)).unwrap(),
            folder: folder.to_owned(),
        };
        let at = |file: &str| Place { file: file.to_owned(), line: 7, column: 3 };
        let commit = "ab".repeat(20);
        let shown = |medium| files("eu").line(&at("./a b/(x).yaml"), medium).unwrap();
        let path = "eu/a%20b/%28x%29.yaml";
        assert_eq!(shown(Medium::GithubComment), format!("https://example.org/o/r/blob/{commit}/{path}#L7"));
        assert_eq!(shown(Medium::Gitlab), format!("https://example.org/o/r/-/blob/{commit}/{path}#L7"));
        assert_eq!(shown(Medium::Bitbucket), format!("https://example.org/o/r/src/{commit}/{path}#lines-7"));
        assert!(
            shown(Medium::Azure)
                .starts_with(&format!("https://example.org/o/r?path=/{path}&version=GC{commit}&line=7&"))
        );
        for outside in ["/etc/passwd", "../x.yaml", "a/../../x.yaml", "-", ""] {
            assert_eq!(files("").line(&at(outside), Medium::Gitlab), None, "{outside}");
        }
    }

    #[test]
    fn what_a_page_links_to_needs_no_escape() {
        for bad in
            ["", "https://", "javascript:alert(1)", "https://u@h/x", "https://h/x)", "https://h/\"x", "https://h/ x"]
        {
            assert_eq!(Web::parse(bad), None, "{bad}");
        }
        for bad in ["", "abc", "main", &"AB".repeat(20), &"g".repeat(40)] {
            assert_eq!(Commit::parse(bad), None, "{bad}");
        }
    }
}
