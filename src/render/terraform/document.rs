//! The members of Terraform's plan representation that we write, as its documentation names them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::address::{Address, Vendor};
use crate::model::object::Object;

pub(super) type Values = Map<String, Value>;

/// The version of Terraform whose representation this is. Readers want one; it says nothing of this program.
const TERRAFORM_VERSION: &str = "1.11.4";
/// One for each vendor, as Terraform's own objects have one.
fn provider(kind: &str) -> &'static str {
    if kind.starts_with("imburse_") { "qlik-plan/imburse" } else { "qlik-plan/qlik" }
}
/// All objects of a type are instances of one resource; its index tells them apart.
const NAME: &str = "declared";

#[derive(Serialize)]
pub(super) struct Document {
    format_version: &'static str,
    terraform_version: &'static str,
    pub(super) planned_values: PlannedValues,
    pub(super) resource_drift: Vec<ResourceChange>,
    pub(super) resource_changes: Vec<ResourceChange>,
    pub(super) configuration: Configuration,
    pub(super) checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
    pub(super) applyable: bool,
    pub(super) complete: bool,
    pub(super) errored: bool,
}

impl Document {
    pub(super) fn new(now: Option<Timestamp>) -> Self {
        Self {
            format_version: "1.2",
            terraform_version: TERRAFORM_VERSION,
            planned_values: PlannedValues::empty(),
            resource_drift: Vec::new(),
            resource_changes: Vec::new(),
            configuration: Configuration { root_module: ModuleConfiguration { resources: Vec::new() } },
            checks: Vec::new(),
            timestamp: now,
            applyable: false,
            complete: true,
            errored: false,
        }
    }
}

#[derive(Serialize)]
pub(super) struct PlannedValues {
    pub(super) root_module: RootModule,
}

#[derive(Serialize)]
pub(super) struct RootModule {
    pub(super) resources: Vec<Resource>,
}

/// An object as it will be.
#[derive(Serialize)]
pub(super) struct Resource {
    address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    index: String,
    provider_name: &'static str,
    schema_version: u8,
    values: Values,
    sensitive_values: Values,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) root_module: ModuleConfiguration,
}

#[derive(Serialize)]
pub(super) struct ModuleConfiguration {
    pub(super) resources: Vec<ResourceConfiguration>,
}

/// Where objects of a type would be declared.
#[derive(Serialize)]
pub(super) struct ResourceConfiguration {
    address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    provider_config_key: &'static str,
    expressions: Values,
    schema_version: u8,
}

impl ResourceConfiguration {
    pub(super) fn of(kind: &'static str) -> Self {
        Self {
            address: format!("{kind}.{NAME}"),
            mode: "managed",
            kind,
            name: NAME,
            provider_config_key: provider(kind).trim_start_matches("qlik-plan/"),
            expressions: Map::new(),
            schema_version: 0,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ResourceChange {
    address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    index: String,
    provider_name: &'static str,
    /// An object of this address that is not the declared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deposed: Option<String>,
    pub(super) change: Change,
}

impl ResourceChange {
    pub(super) fn of(address: &Address, change: Change) -> Self {
        Self {
            address: full(address),
            mode: "managed",
            kind: kind(address),
            name: NAME,
            index: index(address),
            provider_name: provider(kind(address)),
            deposed: None,
            change,
        }
    }

    /// The change of an object of that tenant: `qlik_user.declared["acme/auth0|stackone"]`.
    pub(super) fn for_object(self, object: &Object) -> Self {
        let index = format!("{}/{}", self.index, object.unique());
        let quoted = index.replace('\\', "\\\\").replace('"', "\\\"");
        let kind = object.kind().with_vendor();
        Self { address: format!("{kind}.{NAME}[\"{quoted}\"]"), kind, index, ..self }
    }

    /// The object after the change; what is deleted is not asked for.
    pub(super) fn planned(&self) -> Resource {
        Resource {
            address: self.address.clone(),
            mode: self.mode,
            kind: self.kind,
            name: self.name,
            index: self.index.clone(),
            provider_name: self.provider_name,
            schema_version: 0,
            values: self.change.after.clone().unwrap_or_default(),
            sensitive_values: self.change.after_sensitive.as_object().cloned().unwrap_or_default(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }
}

#[derive(Serialize)]
pub(super) struct Change {
    pub(super) actions: [Verb; 1],
    pub(super) before: Option<Values>,
    pub(super) after: Option<Values>,
    pub(super) after_unknown: Values,
    /// `false`, or the members that are.
    pub(super) before_sensitive: Value,
    pub(super) after_sensitive: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) importing: Option<Importing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verb {
    NoOp,
    Update,
    Create,
    Delete,
}

#[derive(Serialize)]
pub(super) struct Importing {
    pub(super) id: String,
}

#[derive(Serialize)]
pub(super) struct Check {
    pub(super) address: CheckAddress,
    pub(super) status: Status,
    pub(super) instances: Vec<CheckInstance>,
}

#[derive(Clone, Serialize)]
pub(super) struct CheckAddress {
    pub(super) kind: &'static str,
    pub(super) to_display: String,
}

#[derive(Serialize)]
pub(super) struct CheckInstance {
    pub(super) address: CheckAddress,
    pub(super) status: Status,
    pub(super) problems: Vec<Problem>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Fail,
    Unknown,
}

#[derive(Serialize)]
pub(super) struct Problem {
    pub(super) message: String,
}

pub(super) fn kind(address: &Address) -> &'static str {
    match (address.vendor, address.is_tenant()) {
        (Vendor::Qlik, true) => "qlik_tenant",
        (Vendor::Qlik, false) => "qlik_api_key",
        (Vendor::Imburse, true) => "imburse_tenant",
        (Vendor::Imburse, false) => "imburse_api_key",
    }
}

/// `qlik_api_key.declared["acme/ci"]`.
pub(super) fn full(address: &Address) -> String {
    format!("{}.{NAME}[\"{}\"]", kind(address), index(address))
}

/// The address without its vendor, which the type tells.
fn index(address: &Address) -> String {
    let text = address.to_string();
    text.split_once('/').map_or(text.as_str(), |(_, rest)| rest).to_owned()
}
