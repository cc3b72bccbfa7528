//! What a sink is reached with. Values: the environment and the files were read elsewhere, and a token that is replaced meanwhile is
//! read by a function of whoever did.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use crate::flush::Flushes;
use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::wait::Waits;
use crate::net::Proxy;
use crate::net::aws::Login;

/// Credentials, the way through the network, and what programs may see of the environment.
#[derive(Default)]
pub struct Access {
    /// Of a `vault`. Where there is none, why; it is said when the sink is used.
    pub token: Option<Result<Secret, Unreadable>>,
    /// Of a `kubernetes` and of forges: read again at each request, since a pod's token is replaced while it runs.
    pub fresh_token: Option<Read>,
    /// Of a `kubernetes` whose settings name no server: the one that the environment names.
    pub server: Option<Result<Origin, Unreadable>>,
    /// Of a `vault` that is logged in to.
    pub proof: Option<Result<Proof, Unreadable>>,
    /// For `aws-secrets-manager`: what the environment says of one way to log in.
    pub login: Login,
    /// For `azure-key-vault`: the one way to log in that is taken, or why there is none.
    pub azure: Option<Result<AzureLogin, Unreadable>>,
    /// For `gcp-secret-manager`: the one way to log in that is taken, or why there is none.
    pub google: Option<Result<GoogleLogin, Unreadable>>,
    /// Other ways that are set and not heeded: for a message.
    pub passed_over: Vec<&'static str>,
    /// For a `command`: those of its variables that are set.
    pub environment: Vec<(String, Secret)>,
    /// Of settings or environment. Loopback is always reached directly.
    pub proxy: Option<Arc<Proxy>>,
    /// Certificates to trust besides the system's, each in PEM form.
    pub ca_pem: Vec<Vec<u8>>,
    pub ignore_env_proxy: bool,
    /// From start to the reply's last byte; and how long a lock is waited for.
    pub timeout: Duration,
    pub user_agent: String,
    /// What the run waits for.
    pub waits: Waits,
    /// What makes files durable.
    pub flushes: Flushes,
}

/// Reads a secret where it stands. It is read anew each time, since others may replace it there.
pub type Read = Arc<dyn Fn() -> Result<Secret, Unreadable> + Send + Sync>;

/// What proves to a vault who logs in.
pub enum Proof {
    Read(Read),
    /// GitHub Actions issues an id token to whoever asks with what the job was given.
    GitHubActions {
        url: Secret,
        bearer: Secret,
        audience: String,
    },
}

/// A way to log in to Azure.
pub enum AzureLogin {
    /// An application, which proves itself with a secret that somebody keeps.
    Secret(Application, Secret),
    /// An application or a user-assigned identity, for which somebody else's token speaks.
    Federated(Application, Proof),
    /// The identity of the platform that the run is on: App Service, Functions, Container Apps.
    Platform {
        endpoint: Origin,
        path: String,
        /// What the platform gave, to be sent along.
        header: Secret,
        /// Which identity, where there are several.
        client: Option<String>,
    },
    /// The identity of the machine, from its metadata service.
    Machine { endpoint: Origin, client: Option<String> },
}

/// A way to log in to Google.
pub enum GoogleLogin {
    /// A service account, whose key signs.
    Key { email: String, key_id: Option<String>, key: Secret, now: Now },
    /// A user, who logged in with `gcloud` before.
    User { client_id: String, client_secret: Secret, refresh_token: Secret },
    /// Whoever somebody else's token speaks for, who may borrow a service account: the path that lends it.
    External { audience: String, token_type: String, subject: Subject, impersonate: Option<String> },
    /// The service account of the machine, from its metadata service.
    Attached { endpoint: Origin },
}

/// Where somebody else's token comes from.
pub enum Subject {
    Read(Read),
    /// Whoever gives it is asked with these headers; it is a field of the answer, or all of it.
    Asked {
        origin: Origin,
        path: String,
        headers: Vec<(String, Secret)>,
        field: Option<String>,
    },
}

/// This machine's time.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Whom Entra is asked for a token of.
pub struct Application {
    /// The tenant of Entra, by its id or a domain of it.
    pub tenant: String,
    pub client: String,
}

/// The variables by which a job of GitHub Actions asks for an id token, as its documentation names them.
pub const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
pub const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// What every program of a `command` may see, if it is set: without them most programs do not run.
pub const ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"];

/// The files of a ledger's lock. Whoever has one open holds the lock too.
#[derive(Debug)]
pub struct Lock(pub(super) Vec<File>);

impl Lock {
    pub fn new(files: Vec<File>) -> Self {
        Self(files)
    }
}
