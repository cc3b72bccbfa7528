//! The platforms whose comments Markdown is for, and what they take.

/// Where the text will stand: what it may weigh, and what it is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    #[default]
    GithubComment,
    GithubSummary,
    Gitlab,
    Bitbucket,
    Azure,
}

impl Medium {
    pub const ALL: [Self; 5] = [Self::GithubComment, Self::GithubSummary, Self::Gitlab, Self::Bitbucket, Self::Azure];

    /// The most that the platform takes. It counts characters; we count bytes, which are never fewer.
    pub fn limit(self) -> usize {
        match self {
            Self::GithubComment => 65_536,
            Self::GithubSummary => 1_048_576,
            Self::Gitlab => 1_000_000,
            Self::Bitbucket => 32_768,
            Self::Azure => 150_000,
        }
    }

    /// Bitbucket shows HTML as text, and so has nothing that folds.
    pub(super) fn folds(self) -> bool {
        match self {
            Self::GithubComment | Self::GithubSummary | Self::Gitlab | Self::Azure => true,
            Self::Bitbucket => false,
        }
    }
}
