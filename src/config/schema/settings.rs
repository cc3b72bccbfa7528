//! Settings, as their schema says them.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::words::{
    ApiOrigin, Argument, Audience, AuthMount, AwsAccount, AzureName, AzureVault, BaseUrl, CloudWord, DataKey, DnsLabel,
    Domain, EnvironmentName, EnvironmentScope, GcpName, GitlabPath, ImburseApi, ImburseId, KmsKey, Label,
    OrganizationName, OriginText, PathTemplate, PathText, Proxy, RepositoryName, RoleWord, SecretName, Segments,
    StackOneWord, StoreEndpoint, StoreUrl, Timeout, Variable, VariableTemplate, Version, named,
};

/// Settings: accounts, sinks, ledger, limits. Trusted; names secrets and holds none.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "qlik-plan: settings")]
pub struct SettingsFile {
    /// The version of this format.
    pub version: Version,
    /// Credentials, by the name that desired state uses for them.
    #[schemars(schema_with = "named::<Account>")]
    #[schemars(default)]
    pub accounts: BTreeMap<String, Account>,
    /// Where keys are delivered, by the name that desired state uses.
    #[schemars(schema_with = "named::<Sink>")]
    #[schemars(default)]
    pub sinks: BTreeMap<String, Sink>,
    /// The durable record of what was begun and made.
    pub ledger: Option<Ledger>,
    /// What one run may create at most.
    pub limits: Option<Limits>,
    /// How the vendor is reached.
    pub network: Option<Network>,
}

/// Credentials at one vendor, in one region or environment.
#[derive(JsonSchema)]
#[schemars(tag = "vendor", rename_all = "snake_case", deny_unknown_fields)]
pub enum Account {
    /// Qlik Cloud.
    Qlik {
        /// `us`, `eu`, `de`, …: the label between the tenant and the domain.
        region: Label,
        /// `qlikcloud.com` if left out; a government's cloud has another. It stands in settings only.
        domain: Option<Domain>,
        /// The tenant where the licence key is read, its first label. Needed to create tenants.
        source_tenant: Option<Label>,
        /// The region-level OAuth client: creates tenants and reads them.
        client: Client,
        /// The tenant-level, published OAuth client: mints keys for `owner: { client: {} }`.
        key_client: Option<Client>,
        /// An organization-level OAuth client of the cloud console: lists tenants, so that unmanaged ones are seen.
        organization_client: Option<Client>,
        /// Tenants of the subscription that are not managed here, by the first label of their hostname.
        #[schemars(default)]
        ignore_tenants: Vec<Label>,
        /// Owners who mint with an API key of their own, by the name that `owner: { configured: NAME }` uses.
        #[schemars(schema_with = "named::<ConfiguredOwner>")]
        #[schemars(default)]
        owners: BTreeMap<String, ConfiguredOwner>,
    },
    /// Imburse Payments.
    Imburse {
        /// Where the vendor's API is: the sandbox, production, or a host of one's own.
        base_url: BaseUrl,
        /// The account's id.
        account_id: ImburseId,
        /// A key of the account: creates tenants and their keys.
        account_key: KeyPair,
        /// Which generation of the API; `v2` if left out.
        api: Option<ImburseApi>,
        /// Tenants of the account that are not managed here, by id.
        #[schemars(default)]
        ignore_tenants: Vec<ImburseId>,
    },
}

/// A key pair of an account.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KeyPair {
    /// The public key, an identifier.
    pub public: Reference,
    /// The private key.
    pub private: Reference,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Client {
    /// The client's id.
    pub id: Reference,
    /// The client's secret.
    pub secret: Reference,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConfiguredOwner {
    /// The tenant that the API key belongs to, its first label.
    pub tenant: Label,
    /// The owner's API key.
    pub api_key: Reference,
}

/// Where a value stands that may not stand in YAML. Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Reference {
    /// In an environment variable of this name.
    Env(Variable),
    /// In a file, relative to the settings file.
    File(PathText),
    /// Printed by a program: it and its arguments. A program with a slash is relative to the settings file. No shell is involved.
    Command(#[schemars(length(min = 1))] Vec<Argument>),
}

/// Where secrets rest.
#[derive(JsonSchema)]
#[schemars(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sink {
    /// One file a key, in a folder.
    File {
        /// The folder, relative to the settings file.
        directory: PathText,
        /// Whether the folder outlives the machine; asked for where nobody is at a terminal, and in CI.
        #[schemars(default)]
        durable: bool,
        /// With a shared ledger: whether every machine sees the same folder.
        #[schemars(default)]
        shared: bool,
    },
    /// Programs of your own that store a payload and say what is stored.
    Command {
        /// The program and its arguments; it gets the payload on its standard input. A program with a slash is relative
        /// to the settings file. No shell is involved.
        #[schemars(length(min = 1))]
        deliver: Vec<Argument>,
        /// The program that says what is stored. Without it nothing can be read back.
        #[schemars(length(min = 1))]
        check: Option<Vec<Argument>>,
        /// How long a program may take, at most PT1H; PT1M if left out.
        timeout: Option<Timeout>,
        /// Variables of the environment that the programs may see, besides PATH, HOME, LANG, LC_ALL and TMPDIR.
        #[schemars(default)]
        allow_env: Vec<Variable>,
        /// With a shared ledger: whether every machine reaches the same place.
        #[schemars(default)]
        shared: bool,
    },
    /// A KV v2 engine of HashiCorp Vault or OpenBao. It is opened by `token` or by `login`.
    #[schemars(extend("anyOf" = [
        {
            "title": "with a token", "type": "object", "required": ["token"],
            "properties": { "token": true, "login": false }
        },
        {
            "title": "with a login", "type": "object", "required": ["login"],
            "properties": { "token": false, "login": true }
        }
    ]))]
    Vault {
        /// The exact origin. Plain http on loopback only.
        address: OriginText,
        /// The namespace, if there are any.
        namespace: Option<Segments>,
        /// Where the KV v2 engine is mounted.
        mount: Segments,
        /// Where each key's secret is, below the mount; `{vendor}/{tenant}/{key}` if left out.
        path: Option<PathTemplate>,
        /// A token that somebody keeps.
        token: Option<Reference>,
        /// A login that gives a token for the run. Exactly one method.
        login: Option<VaultLogin>,
        /// Certificates to trust besides the system's and `network.ca_file`, relative to the settings file.
        ca_file: Option<PathText>,
    },
    /// Accounts that are linked at StackOne: each gets a tenant's new key in place of the old one.
    Stackone {
        /// The project's API key.
        api_key: Reference,
        /// The id of each tenant's account, by the tenant's name in desired state.
        #[schemars(schema_with = "named_ids", extend("minProperties" = 1))]
        accounts: std::collections::BTreeMap<String, StackOneWord>,
        /// The connector's own names of what it asks for.
        fields: StackOneFields,
        /// StackOne's word for the connector; `qlik` if left out. An account of another is refused.
        provider: Option<StackOneWord>,
        /// StackOne's API; `https://api.stackone.com` if left out. Plain http on loopback only.
        endpoint: Option<OriginText>,
    },
    /// AWS Secrets Manager. Credentials come from the environment, by AWS's own names.
    AwsSecretsManager {
        /// The region of the secrets.
        region: CloudWord,
        /// The account of the secrets, by its twelve digits. Credentials of another account are refused.
        account: AwsAccount,
        /// The name of each key's secret; `{vendor}/{tenant}/{key}` if left out.
        name: Option<PathTemplate>,
        /// The key that encrypts secrets which are made, by id, ARN or alias; AWS's own if left out.
        kms_key_id: Option<KmsKey>,
        /// A stand-in in place of AWS. Plain http on loopback only.
        endpoint: Option<OriginText>,
    },
    /// A vault of Azure Key Vault. Credentials come from the environment, by Azure's own names.
    AzureKeyVault {
        /// The vault's exact origin, as in `https://my-vault.vault.azure.net`. A stand-in on loopback may speak plain http.
        vault: AzureVault,
        /// The name of each key's secret; `{vendor}--{tenant}--{key}` if left out.
        name: Option<AzureName>,
        /// Microsoft Entra, which gives tokens: its exact origin; that of the vault's cloud if left out.
        authority: Option<OriginText>,
        /// Whether the machine's or the platform's own identity logs in, whatever else the environment offers.
        #[schemars(default)]
        managed_identity: bool,
    },
    /// Secret Manager of Google Cloud. Credentials come from the file that GOOGLE_APPLICATION_CREDENTIALS names.
    GcpSecretManager {
        /// The project of the secrets.
        project: CloudWord,
        /// The region of regional secrets; left out, they are global.
        location: Option<CloudWord>,
        /// The name of each key's secret; `{vendor}_{tenant}_{key}` if left out.
        name: Option<GcpName>,
        /// Whether the service account that is attached to the machine logs in, whatever else the environment offers.
        #[schemars(default)]
        attached_service_account: bool,
        /// A stand-in in place of Google, also for tokens. Plain http on loopback only.
        endpoint: Option<OriginText>,
    },
    /// Secrets of one namespace in a Kubernetes cluster.
    #[schemars(extend("dependentRequired" = { "server": ["token"] }))]
    Kubernetes {
        /// The API server's exact origin. Left out, it is that of the cluster that the run is in, as a pod's environment names it.
        server: Option<OriginText>,
        /// The namespace of the Secrets. It must be there.
        namespace: DnsLabel,
        /// The name of each key's Secret; `{vendor}.{tenant}.{key}` if left out.
        name: Option<SecretName>,
        /// The key of the Secret's data that the payload stands under; `value` if left out.
        data_key: Option<DataKey>,
        /// A bearer token; read again at each request. Left out with `server`, it is that of the pod's service account.
        token: Option<Reference>,
        /// Certificates to trust besides the system's and `network.ca_file`, relative to the settings file. Left out with `server`, they
        /// are those of the pod's service account.
        ca_file: Option<PathText>,
    },
    /// CI/CD variables of one project, or of one group, at GitLab.
    #[schemars(extend("anyOf" = [
        {
            "title": "of a project", "type": "object", "required": ["project"],
            "properties": { "project": true, "group": false }
        },
        {
            "title": "of a group", "type": "object", "required": ["group"],
            "properties": { "project": false, "group": true, "environment_scope": { "const": "*" } }
        }
    ]))]
    GitlabVariables {
        /// The exact origin; `https://gitlab.com` if left out. Plain http on loopback only.
        server: Option<OriginText>,
        /// The project, by its whole path or its id.
        project: Option<GitlabPath>,
        /// The group, by its whole path or its id.
        group: Option<GitlabPath>,
        /// The name of each key's variable, in upper case and with `_` for `-`; `{vendor}_{tenant}_{key}` if left out.
        name: Option<VariableTemplate>,
        /// An access token of the project or group, with the scope `api`. A job's own token may not write variables.
        token: Reference,
        /// The environments whose jobs have the variables; `*` if left out, which is all. Of a project alone.
        environment_scope: Option<EnvironmentScope>,
        /// Whether logs of jobs show `[MASKED]` in place of the value; true if left out. It asks for `deliver_as: token`.
        #[schemars(default = "yes")]
        masked: bool,
        /// Whether nobody can look at the value again, this program included. It is masked too.
        #[schemars(default)]
        hidden: bool,
        /// Whether jobs of protected branches and tags alone have the variables; true if left out.
        #[schemars(default = "yes")]
        protected: bool,
        /// Whether a job finds the value in the variable, or in a file whose path the variable is; `env_var` if left out.
        variable_type: Option<VariableType>,
    },
    /// Secrets of GitHub Actions: of one repository, of one environment of it, or of one organization.
    #[schemars(extend("anyOf" = [
        {
            "title": "of a repository", "type": "object", "required": ["repository"],
            "properties": { "repository": true, "organization": false, "visibility": false, "repository_ids": false }
        },
        {
            "title": "of an organization", "type": "object", "required": ["organization", "visibility"],
            "properties": {
                "repository": false, "environment": false, "organization": true, "visibility": { "enum": ["all", "private"] },
                "repository_ids": false
            }
        },
        {
            "title": "of an organization, for some repositories", "type": "object",
            "required": ["organization", "visibility", "repository_ids"],
            "properties": {
                "repository": false, "environment": false, "organization": true, "visibility": { "const": "selected" },
                "repository_ids": true
            }
        }
    ]))]
    GithubActions {
        /// The exact origin of the API, or of an Enterprise Server; `https://api.github.com` if left out. Plain http on loopback only.
        server: Option<ApiOrigin>,
        /// The repository, as `owner/name`.
        repository: Option<RepositoryName>,
        /// The environment of the repository that has the secrets. It must be there.
        environment: Option<EnvironmentName>,
        /// The organization.
        organization: Option<OrganizationName>,
        /// Which repositories of the organization have the secrets.
        visibility: Option<Visibility>,
        /// The ids of those repositories, with `visibility: selected`.
        repository_ids: Option<Vec<u32>>,
        /// The name of each key's secret, in upper case and with `_` for `-`; `{vendor}_{tenant}_{key}` if left out.
        name: Option<VariableTemplate>,
        /// A token that may write secrets there. A job's own may not.
        token: Reference,
    },
}

fn yes() -> bool {
    true
}

/// Repositories of an organization.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Visibility {
    /// All of them.
    All,
    /// Those that are not public.
    Private,
    /// Those in `repository_ids`.
    Selected,
}

/// How a job finds a value.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum VariableType {
    /// In the variable.
    EnvVar,
    /// In a file.
    File,
}

fn named_ids(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    named::<StackOneWord>(generator)
}

/// A login at a vault. Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum VaultLogin {
    /// By an id token, as pipelines issue them.
    Jwt(JwtLogin),
    /// By a role's id and a secret id.
    Approle(AppRoleLogin),
    /// By the token of a pod's service account.
    Kubernetes(KubernetesLogin),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JwtLogin {
    /// Where the auth method is mounted, below `auth/`; `jwt` if left out.
    pub mount: Option<AuthMount>,
    /// The role at the vault.
    pub role: RoleWord,
    /// Where the id token comes from.
    pub token: IdToken,
}

/// Where an id token comes from. Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum IdToken {
    /// In an environment variable of this name.
    Env(Variable),
    /// In a file, relative to the settings file.
    File(PathText),
    /// Printed by a program: it and its arguments. A program with a slash is relative to the settings file. No shell is involved.
    Command(#[schemars(length(min = 1))] Vec<Argument>),
    /// From GitHub Actions, for this audience. The job needs `permissions: id-token: write`.
    GithubActions(Audience),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AppRoleLogin {
    /// Where the auth method is mounted, below `auth/`; `approle` if left out.
    pub mount: Option<AuthMount>,
    /// The id of the role. It is no secret.
    pub role_id: RoleWord,
    /// The secret id, or what it is wrapped in.
    pub secret_id: Reference,
    /// Whether `secret_id` is a token that unwraps the secret id, once.
    #[schemars(default)]
    pub wrapped: bool,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KubernetesLogin {
    /// Where the auth method is mounted, below `auth/`; `kubernetes` if left out.
    pub mount: Option<AuthMount>,
    /// The role at the vault.
    pub role: RoleWord,
    /// The service account's token; `/var/run/secrets/kubernetes.io/serviceaccount/token` if left out.
    pub token: Option<TokenFile>,
}

/// The file that a cluster writes a token into.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenFile {
    /// Relative to the settings file.
    pub file: PathText,
}

/// The names of a connector's fields.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StackOneFields {
    /// The field for the tenant's name.
    pub tenant_name: StackOneWord,
    /// The field for the region.
    pub region: StackOneWord,
    /// The field for the API key.
    pub api_key: StackOneWord,
}

/// The durable record. Exactly one kind.
#[derive(JsonSchema)]
#[schemars(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ledger {
    /// A folder.
    Directory {
        /// The folder, relative to the settings file; `.qlik-plan/ledger` if left out.
        path: Option<PathText>,
        /// Whether the folder outlives the machine; asked for where nobody is at a terminal, and in CI. It may not lie in a
        /// Git work tree then: a clone is a copy of a ledger, not the ledger.
        #[schemars(default)]
        durable: bool,
    },
    /// A bucket that runs of several machines share. Credentials come from the environment, by the store's own names.
    #[schemars(extend("allOf" = [
        {
            "if": { "type": "object", "properties": { "url": { "type": "string", "pattern": "^s3:" } } },
            "then": {
                "type": "object",
                "properties": { "region": true, "endpoint": true, "account": false },
                "anyOf": [
                    { "title": "with a region", "type": "object", "required": ["region"], "properties": { "region": true } },
                    { "title": "with an endpoint", "type": "object", "required": ["endpoint"], "properties": { "endpoint": true } }
                ]
            }
        },
        {
            "if": { "type": "object", "properties": { "url": { "type": "string", "pattern": "^az:" } } },
            "then": { "type": "object", "required": ["account"], "properties": { "account": true, "region": false } }
        },
        {
            "if": { "type": "object", "properties": { "url": { "type": "string", "pattern": "^gs:" } } },
            "then": { "type": "object", "properties": { "account": false, "region": false } }
        }
    ]))]
    ObjectStore {
        /// `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`.
        url: StoreUrl,
        /// Of S3. Needed unless there is an `endpoint`.
        region: Option<CloudWord>,
        /// The storage account, for Azure.
        account: Option<CloudWord>,
        /// Instead of the cloud's own host. Plain http on loopback only. For Azure it may end in `/` and the account.
        endpoint: Option<StoreEndpoint>,
    },
}

/// What one run may create at most.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limits {
    /// Tenants; each costs licence quota. 5 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub create_tenants: Option<u32>,
    /// API keys. 50 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub mint_keys: Option<u32>,
    /// Tenants and keys that a desired state may declare, inherited keys included. 200000 if left out.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub objects: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Network {
    /// `http://host:port`.
    pub proxy: Option<Proxy>,
    /// Certificates to trust besides the system's, relative to the settings file.
    pub ca_file: Option<PathText>,
    /// Whether the environment's proxy is ignored.
    #[schemars(default)]
    pub ignore_env_proxy: bool,
}
