//! The way to a store: an HTTP client that goes nowhere else, the store's clock, and a thread to wait on.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use ::object_store::aws::AmazonS3Builder;
use ::object_store::azure::MicrosoftAzureBuilder;
use ::object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use ::object_store::gcp::GoogleCloudStorageBuilder;
use ::object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::ledger::access::{AZURE_ID, AZURE_KEY, AZURE_SECRET, AZURE_TENANT, Access};
use crate::ledger::error::LedgerError;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::{self, StoreService};
use crate::model::untrusted::Untrusted;
use crate::model::wait::{PATIENCE, STEP, Stake, Waits, asked_to_wait, http_date};
use crate::net::aws::{self, Unsigned};
use crate::net::{self, BuildError, Connections, Obstacle, Proxy, Roots, Way};

use super::answer::deepest;

/// A read may be repeated; a write is repeated by us, who look first at what became of it.
const READ_ATTEMPTS: usize = 4;

/// Far above any page of a list, and any file of a ledger.
const LARGEST: usize = 16 * 1024 * 1024;

const LOG_IN_TO_AZURE: &str = "export AZURE_STORAGE_ACCOUNT_KEY=\"$(az storage account keys list --account-name ACCOUNT \
                               --query '[0].value' --output tsv)\"; or export the three variables of a client secret";
const LOG_IN_TO_GOOGLE: &str = "name the file of a service account's key in GOOGLE_APPLICATION_CREDENTIALS: gcloud iam \
                                service-accounts keys create FILE --iam-account=ACCOUNT";

/// Two views of one store: where reads are repeated, and where nothing is.
pub(super) struct Stores {
    pub(super) read: Arc<dyn ObjectStore>,
    pub(super) write: Arc<dyn ObjectStore>,
    pub(super) clock: Clock,
}

/// The latest `Date` that the store has said.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<Mutex<Option<Timestamp>>>);

impl Clock {
    pub(super) fn now(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, response: &HttpResponse) {
        let said = response.headers().get("date").and_then(|date| date.to_str().ok());
        let said = said.and_then(http_date);
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(said);
    }
}

#[derive(Clone, Debug)]
struct Wire {
    client: reqwest::Client,
    clock: Clock,
    /// The URL of the ledger, for messages: `s3://bucket/prefix`.
    place: String,
    timeout: Duration,
    waits: Waits,
    proxy: Option<Arc<Proxy>>,
    /// Until when the store asks to be left alone.
    quiet: Arc<Mutex<Option<Instant>>>,
}

impl Wire {
    /// Waits as long as the store asked for, if that is not too long; asked again too early, it only asks for more.
    async fn heed(&self) -> Result<(), HttpError> {
        let refused = |why: String| HttpError::new(HttpErrorKind::Decode, std::io::Error::other(why));
        let mut waiting = None;
        loop {
            let quiet = *self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
            let left = quiet.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
            let seconds = left.as_secs_f64().round();
            if left.is_zero() {
                return Ok(());
            }
            if left > PATIENCE {
                return Err(refused(format!("the store asks for {seconds} s; run this again when they are over")));
            }
            if let Some(why) = self.waits.is_over(Stake::Nothing, left) {
                return Err(refused(format!("{why}, and the store asks for {seconds} s")));
            }
            waiting.get_or_insert_with(|| self.waits.begin(format!("{}: it asks for {seconds} s", self.place), left));
            tokio::time::sleep(left.min(STEP)).await;
        }
    }

    /// Adds to an error what the client's words leave out: which proxy, and what it answered.
    async fn in_our_words(&self, error: HttpError, authority: &str) -> HttpError {
        let client = error.source().and_then(|source| source.downcast_ref::<reqwest::Error>());
        let Some(client) = client.filter(|client| client.is_connect() && !client.is_timeout()) else { return error };
        match Obstacle::of(client, self.proxy.as_deref(), authority).await {
            Some(obstacle) => {
                let words = format!("{}; {}", obstacle.words(authority), obstacle.next());
                HttpError::new(error.kind(), std::io::Error::other(words))
            }
            None => error,
        }
    }

    fn hear(&self, response: &HttpResponse) {
        if !matches!(response.status().as_u16(), 429 | 503) {
            return;
        }
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header("date").and_then(http_date);
        let asked = header("retry-after").and_then(|value| asked_to_wait(value, date));
        let until = asked.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        if let Some(until) = until {
            *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
    }
}

/// The reply with its body, if that is no larger than a store's may be: the library would take any.
async fn whole(response: HttpResponse, is_read: bool) -> Result<HttpResponse, HttpError> {
    // What came of a write stands in its status and headers.
    if !is_read && response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let (mut stream, mut body) = (body.bytes_stream(), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > LARGEST {
            let why = std::io::Error::other("the reply is larger than 16 MiB");
            return Err(HttpError::new(HttpErrorKind::Decode, why));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse::from_parts(parts, body.into()))
}

/// `HOST:PORT` of a request.
fn authority(request: &HttpRequest) -> String {
    let host = request.uri().host().unwrap_or_default();
    format!("{host}:{}", request.uri().port_u16().unwrap_or(443))
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> ::object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Wire {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            self.heed().await?;
            let _waiting = self.waits.begin(format!("{}: no answer yet", self.place), self.timeout);
            let (authority, is_read) = (authority(&request), request.method().as_str() == "GET");
            let mut asking = self.waits.requests().ask(request.method().as_str(), &authority, request.uri().path());
            let response = match HttpService::call(&self.client, request).await {
                Ok(response) => response,
                Err(error) => return Err(self.in_our_words(error, &authority).await),
            };
            asking.answered(response.status().as_u16());
            self.clock.hear(&response);
            self.hear(&response);
            whole(response, is_read).await
        })
    }
}

/// Makes both views. Nothing is sent.
pub(super) fn stores(settings: &settings::ObjectStore, access: &Access) -> Result<Stores, LedgerError> {
    let clock = Clock::default();
    let wire = Wire {
        client: client(settings, access)?,
        clock: clock.clone(),
        place: settings.url(),
        timeout: access.timeout,
        waits: access.waits.clone(),
        quiet: Arc::default(),
        proxy: access.proxy.clone(),
    };
    let make = |attempts: usize| {
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: attempts - 1,
            retry_timeout: access.timeout.saturating_mul(2),
        };
        store(settings, access, &wire, retry)
    };
    Ok(Stores { read: make(READ_ATTEMPTS)?, write: make(1)?, clock })
}

fn client(settings: &settings::ObjectStore, access: &Access) -> Result<reqwest::Client, LedgerError> {
    let loopback = settings.endpoint.as_ref().is_some_and(Origin::is_loopback);
    client_of(access, loopback).map_err(|error| {
        let why = match error {
            BuildError::Proxy(malformed) => malformed.to_string(),
            BuildError::Certificates => BuildError::Certificates.to_string(),
            BuildError::Client(why) => why,
        };
        LedgerError::Unusable { place: settings.url(), why: Untrusted::new(why) }
    })
}

fn client_of(access: &Access, loopback: bool) -> Result<reqwest::Client, BuildError> {
    net::client(&Way {
        proxy: access.proxy.as_deref(),
        trust: &Roots::read(&access.ca_pem)?,
        ignore_env_proxy: access.ignore_env_proxy,
        user_agent: &access.user_agent,
        connect: access.timeout.min(Duration::from_secs(10)),
        whole: access.timeout,
        loopback,
        connections: Connections::Kept,
    })
}

/// Whoever gives the credentials for S3.
fn aws_credentials(
    settings: &settings::ObjectStore,
    region: &str,
    access: &Access,
) -> Result<aws::Provider, LedgerError> {
    // A server of one's own that speaks as S3 does answers for the token service as well.
    let own = settings.endpoint.as_ref().filter(|endpoint| !endpoint.as_str().ends_with(".amazonaws.com"));
    let client = |link_local| client_of(access, link_local || own.is_some_and(Origin::is_loopback));
    let none = |names| LedgerError::Credentials {
        place: settings.url(),
        names,
        passed_over: access.passed_over.clone(),
        next: aws::LOG_IN,
    };
    aws::provider(&access.credentials, region, access.timeout, client, own).map_err(|unsigned| match unsigned {
        Unsigned::NoCredentials => none("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        Unsigned::Incomplete(name) => none(name),
        Unsigned::NotGiven(why) => LedgerError::Unusable { place: settings.url(), why: Untrusted::new(why) },
        Unsigned::NotBuilt => LedgerError::NotBuilt { place: settings.url() },
    })
}

fn store<'a>(
    settings: &settings::ObjectStore,
    access: &'a Access,
    wire: &Wire,
    retry: RetryConfig,
) -> Result<Arc<dyn ObjectStore>, LedgerError> {
    let present = |secret: Option<&'a Secret>| {
        secret.map(Secret::expose).ok_or_else(|| LedgerError::Credentials {
            place: settings.url(),
            names: match settings.service {
                StoreService::S3 { .. } => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                StoreService::Azure { .. } => {
                    "AZURE_STORAGE_ACCOUNT_KEY, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
                }
                StoreService::Gcs => "GOOGLE_APPLICATION_CREDENTIALS (a file) or GOOGLE_SERVICE_ACCOUNT_KEY (its JSON)",
            },
            passed_over: access.passed_over.clone(),
            next: match settings.service {
                StoreService::S3 { .. } => aws::LOG_IN,
                StoreService::Azure { .. } => LOG_IN_TO_AZURE,
                StoreService::Gcs => LOG_IN_TO_GOOGLE,
            },
        })
    };
    let need = |name: &'static str| present(access.credential(name));
    let plain = settings.endpoint.as_ref().is_some_and(|endpoint| endpoint.as_str().starts_with("http://"));
    let endpoint = settings.endpoint.as_ref().map(|endpoint| endpoint.as_str());
    let unusable = |error: ::object_store::Error| LedgerError::Unusable {
        place: settings.url(),
        why: Untrusted::new(deepest(&error)),
    };
    Ok(match &settings.service {
        StoreService::S3 { region } => {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(&settings.bucket)
                .with_region(region)
                .with_credentials(aws_credentials(settings, region, access)?)
                .with_allow_http(plain)
                .with_retry(retry)
                .with_http_connector(wire.clone());
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            Arc::new(builder.build().map_err(unusable)?)
        }
        StoreService::Azure { account, in_path } => {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_account(account)
                .with_container_name(&settings.bucket)
                .with_allow_http(plain)
                .with_retry(retry)
                .with_http_connector(wire.clone());
            builder = match access.credential(AZURE_KEY) {
                Some(key) => builder.with_access_key(key.expose()),
                None => {
                    builder.with_client_secret_authorization(need(AZURE_ID)?, need(AZURE_SECRET)?, need(AZURE_TENANT)?)
                }
            };
            if let Some(endpoint) = endpoint {
                // Not the library's own emulator mode: that reads an address from the environment.
                let account = if *in_path { format!("/{account}") } else { String::new() };
                builder = builder.with_endpoint(format!("{endpoint}{account}"));
            }
            Arc::new(builder.build().map_err(unusable)?)
        }
        StoreService::Gcs => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_bucket_name(&settings.bucket)
                .with_service_account_key(present(access.google())?)
                .with_retry(retry)
                .with_http_connector(wire.clone());
            if let Some(endpoint) = endpoint {
                builder = builder.with_base_url(endpoint);
            }
            Arc::new(builder.build().map_err(unusable)?)
        }
    })
}

/// A thread of its own that does what waits for the network.
#[derive(Debug)]
pub(super) struct Thread(Option<Runtime>);

impl Thread {
    pub(super) fn start() -> Result<Self, LedgerError> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|source| LedgerError::Io { doing: "start a thread for", path: "the ledger".to_owned(), source })
    }

    /// Runs the work while the caller goes on with others; `None` only where the thread is gone, or the work ended in a defect.
    pub(super) async fn beside<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.0.as_ref()?.spawn(work).await.ok()
    }

    /// Runs the work and returns its result; `None` only where the thread is gone.
    pub(super) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (tell, hear) = mpsc::sync_channel(1);
        self.0.as_ref()?.spawn(async move {
            // The caller waits below; it is gone only if its thread is.
            drop(tell.send(work.await));
        });
        hear.recv().ok()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A runtime may not wait for another one's end.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_fails_by_a_defect_is_told_and_does_not_end_the_thread() {
        let thread = Thread::start().unwrap();
        assert_eq!(thread.run(async { panic!("a defect of a library") }), None::<()>);
        assert_eq!(thread.run(async { 1 }), Some(1));
    }
}
