//! Requests to AWS: the credentials that the environment of a machine or a pipeline offers, and the signature made with them. Both are
//! the work of the library that the shared ledger has (feature `object-store`).

use crate::model::secret::Secret;

pub const ID: &str = "AWS_ACCESS_KEY_ID";
pub const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
pub const TOKEN: &str = "AWS_SESSION_TOKEN";
const IDENTITY_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE: &str = "AWS_ROLE_ARN";
const SESSION: &str = "AWS_ROLE_SESSION_NAME";
const CONTAINER_PATH: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const CONTAINER_URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CONTAINER_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The variables of each way to log in, by the names that AWS's own tools use. The first way of which any is set counts: keys, a web
/// identity (the token of a pipeline or of a pod, exchanged for keys of an hour), a container's role, a pod's identity.
pub const WAYS: [&[&str]; 4] =
    [&[ID, SECRET, TOKEN], &[IDENTITY_FILE, ROLE, SESSION], &[CONTAINER_PATH], &[CONTAINER_URL, CONTAINER_FILE]];

/// Variables by which AWS's own tools log in, and which nobody heeds here.
pub const PASSED_OVER: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/// `aws configure export-credentials` of AWS CLI 2 prints `export` lines for whatever profile or role it is set up with.
pub const LOG_IN: &str = "log in by a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN) or a container's role, as AWS's own tools do; \
                          or assume the role first: eval \"$(aws configure export-credentials --format env)\"";

/// What the environment says: of one way to log in.
pub type Login = Vec<(&'static str, Secret)>;

/// Why nothing could be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// Nothing of any way is set.
    NoCredentials,
    /// This program cannot sign.
    NotBuilt,
    /// A way is set and incomplete: this variable is missing.
    Incomplete(&'static str),
    /// Whoever gives the credentials did not; in words that hold nothing of a request.
    NotGiven(String),
}

/// The headers of a signed request, and what may be seen in no message.
pub struct Signed {
    pub headers: reqwest::header::HeaderMap,
    pub secrets: Vec<Secret>,
}

#[cfg(feature = "object-store")]
pub use self::with::{Provider, Signer, provider};
#[cfg(not(feature = "object-store"))]
pub use self::without::Signer;

#[cfg(feature = "object-store")]
mod with {
    use std::error::Error;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::time::Duration;

    pub use object_store::aws::AwsCredentialProvider as Provider;
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredential};
    use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody};
    use object_store::{BackoffConfig, ClientOptions, CredentialProvider, RetryConfig};
    use reqwest::Method;
    use reqwest::header::{AUTHORIZATION, HeaderMap};
    use sha2::{Digest as _, Sha256};

    use super::{CONTAINER_FILE, CONTAINER_PATH, CONTAINER_URL, ID, IDENTITY_FILE, ROLE, SECRET, SESSION, TOKEN};
    use super::{Login, Signed, Unsigned};
    use crate::model::origin::Origin;
    use crate::model::secret::Secret;
    use crate::net::BuildError;

    /// Getting credentials is a read.
    const ATTEMPTS: usize = 3;

    /// Signs for one region.
    pub struct Signer {
        provider: Provider,
        region: String,
    }

    #[derive(Debug)]
    struct Own(reqwest::Client);

    impl HttpConnector for Own {
        fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
            Ok(HttpClient::new(self.0.clone()))
        }
    }

    /// Whoever gives credentials, and gives others when they end. Nothing is sent. `stand_in` is asked instead of AWS's token service.
    /// `client` is called where somebody must be asked; it is told whether that is on a link which ends at the machine.
    ///
    /// # Errors
    /// The environment offers no credentials, or half of them.
    pub fn provider(
        login: &Login,
        region: &str,
        timeout: Duration,
        client: impl FnOnce(bool) -> Result<reqwest::Client, BuildError>,
        stand_in: Option<&Origin>,
    ) -> Result<Provider, Unsigned> {
        let value = |name: &str| login.iter().find(|(known, _)| *known == name).map(|(_, value)| value.expose());
        let need = |name: &'static str| value(name).ok_or(Unsigned::Incomplete(name));
        let asks = |link_local| client(link_local).map(Own).map_err(|error| Unsigned::NotGiven(error.to_string()));
        let mut builder = AmazonS3Builder::new()
            // There is no bucket: of what is built, the credentials are taken.
            .with_bucket_name("credentials")
            .with_region(region)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: ATTEMPTS - 1,
                retry_timeout: timeout.saturating_mul(2).max(Duration::from_secs(1)),
            });
        builder = if value(ID).is_some() || value(SECRET).is_some() || value(TOKEN).is_some() {
            builder = builder.with_access_key_id(need(ID)?).with_secret_access_key(need(SECRET)?);
            match value(TOKEN) {
                Some(token) => builder.with_token(token),
                None => builder,
            }
        } else if value(IDENTITY_FILE).is_some() || value(ROLE).is_some() {
            builder
                .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, need(IDENTITY_FILE)?)
                .with_config(AmazonS3ConfigKey::RoleArn, need(ROLE)?)
                .with_config(AmazonS3ConfigKey::RoleSessionName, value(SESSION).unwrap_or("qlik-plan"))
                .with_config(
                    AmazonS3ConfigKey::StsEndpoint,
                    stand_in.cloned().unwrap_or_else(|| Origin::of_aws("sts", region)).as_str(),
                )
                .with_http_connector(asks(false)?)
        } else if let Some(path) = value(CONTAINER_PATH) {
            builder
                .with_config(AmazonS3ConfigKey::ContainerCredentialsRelativeUri, path)
                .with_http_connector(asks(true)?)
        } else if value(CONTAINER_URL).is_some() || value(CONTAINER_FILE).is_some() {
            if !is_near(need(CONTAINER_URL)?) {
                return Err(Unsigned::NotGiven(format!(
                    "{CONTAINER_URL} is neither https nor an address that ends at this machine (127.0.0.1, [::1], 169.254.170.23, [fd00:ec2::23])"
                )));
            }
            builder
                .with_config(AmazonS3ConfigKey::ContainerCredentialsFullUri, need(CONTAINER_URL)?)
                .with_config(AmazonS3ConfigKey::ContainerAuthorizationTokenFile, need(CONTAINER_FILE)?)
                .with_http_connector(asks(true)?)
        } else {
            return Err(Unsigned::NoCredentials);
        };
        let store = builder.build().map_err(|error| Unsigned::NotGiven(error.to_string()))?;
        Ok(Arc::new(Told(store.credentials().clone())))
    }

    impl Signer {
        /// See [`provider`]. Nothing is sent.
        ///
        /// # Errors
        /// The environment offers no credentials, or half of them.
        pub fn new(
            login: &Login,
            region: &str,
            timeout: Duration,
            client: impl FnOnce(bool) -> Result<reqwest::Client, BuildError>,
            stand_in: Option<&Origin>,
        ) -> Result<Self, Unsigned> {
            let provider = provider(login, region, timeout, client, stand_in)?;
            Ok(Self { provider, region: region.to_owned() })
        }

        /// Signs a POST to `url`, which has no query.
        ///
        /// # Errors
        /// There are no credentials to sign with.
        pub async fn sign(
            &self,
            service: &str,
            url: &str,
            mut headers: HeaderMap,
            body: &[u8],
        ) -> Result<Signed, Unsigned> {
            let given = self.provider.get_credential().await;
            let given = given.map_err(|error| Unsigned::NotGiven(deepest(&error)))?;
            // The body itself stays where it is wiped: the signature is of its digest.
            let mut request = HttpRequest::new(HttpRequestBody::empty());
            *request.method_mut() = Method::POST;
            *request.uri_mut() = url.parse().map_err(|_| Unsigned::NotGiven(format!("{url} is no URL")))?;
            std::mem::swap(request.headers_mut(), &mut headers);
            AwsAuthorizer::new(&given, service, &self.region)
                .try_authorize(&mut request, Some(&Sha256::digest(body)))
                .map_err(|error| Unsigned::NotGiven(error.to_string()))?;
            std::mem::swap(request.headers_mut(), &mut headers);
            for name in [AUTHORIZATION.as_str(), "x-amz-security-token"] {
                if let Some(value) = headers.get_mut(name) {
                    value.set_sensitive(true);
                }
            }
            let secrets = [Some(&given.secret_key), given.token.as_ref()];
            Ok(Signed { headers, secrets: secrets.into_iter().flatten().cloned().map(Secret::new).collect() })
        }
    }

    /// Whether what is sent there, the token of a pod among it, is read by nobody on the way: as AWS's own tools have it.
    fn is_near(url: &str) -> bool {
        let Ok(url) = url::Url::parse(url) else { return false };
        let near = ["127.0.0.1", "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
        url.scheme() == "https" || url.scheme() == "http" && url.host_str().is_some_and(|host| near.contains(&host))
    }

    /// Says of an error that it was about the credentials, and not about what they are for.
    #[derive(Debug)]
    struct Told(Provider);

    impl CredentialProvider for Told {
        type Credential = AwsCredential;

        fn get_credential<'a, 'b>(
            &'a self,
        ) -> Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async move {
                self.0.get_credential().await.map_err(|error| {
                    let words = format!("credentials for AWS were not given: {}", words(&deepest(&error)));
                    object_store::Error::Generic { store: "AWS", source: Box::new(std::io::Error::other(words)) }
                })
            })
        }
    }

    /// The deepest cause says why; those above repeat it, with URLs.
    fn deepest(error: &dyn Error) -> String {
        let mut cause = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        cause.to_string()
    }

    /// Of an answer its status, the code and the sentence in its XML; everything else as it is.
    fn words(text: &str) -> String {
        let Some(answer) = text.strip_prefix("Server returned non-2xx status code: ") else { return text.to_owned() };
        let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
        let element = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            rest.split_once("</").map(|(text, _)| text.trim().to_owned())
        };
        let said = [element("Code"), element("Message")].into_iter().flatten();
        std::iter::once(format!("whoever gives them answers {status}")).chain(said).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(not(feature = "object-store"))]
mod without {
    use std::time::Duration;

    use super::{Login, Signed, Unsigned};
    use crate::model::origin::Origin;
    use crate::net::BuildError;

    /// Signs nothing: the library is not built in.
    #[derive(Debug)]
    pub enum Signer {}

    impl Signer {
        /// # Errors
        /// Always.
        pub fn new(
            _: &Login,
            _: &str,
            _: Duration,
            _: impl FnOnce(bool) -> Result<reqwest::Client, BuildError>,
            _: Option<&Origin>,
        ) -> Result<Self, Unsigned> {
            Err(Unsigned::NotBuilt)
        }

        /// # Errors
        /// There is no such signer.
        #[expect(clippy::unused_async, reason = "the other one asks for its credentials")]
        pub async fn sign(
            &self,
            _: &str,
            _: &str,
            _: reqwest::header::HeaderMap,
            _: &[u8],
        ) -> Result<Signed, Unsigned> {
            match *self {}
        }
    }
}
