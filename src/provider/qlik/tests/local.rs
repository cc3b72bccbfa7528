//! Qlik's account for the wire's tests, against a scripted server.
#![expect(clippy::unwrap_used, reason = "all of this is test code, most of it outside a test function")]

use std::collections::BTreeMap;

use crate::model::address::Name;
use crate::model::host::{Host, Label, Region};
use crate::model::secret::Secret;
use crate::provider::http::local::network;
pub(super) use crate::provider::http::local::{Local, Play};
use crate::provider::qlik::{Credentials, OwnerKey, QlikReader};

impl Local {
    pub(super) fn qlik(&self) -> QlikReader {
        qlik_at(self.port(), Some(self.ca_pem()))
    }

    pub(super) fn qlik_without_trust(&self) -> QlikReader {
        qlik_at(self.port(), None)
    }
}

pub(super) const SECRETS: [&str; 5] =
    ["client-secret-9f3", "key-client-secret-77a", "owner-key-c01", "access-token-5e1", "licence-key-d44"];

pub(super) fn account() -> Name {
    Name::parse("us-oem").unwrap()
}

pub(super) fn region() -> Region {
    Region { label: Label::parse("us").unwrap(), domain: "qlikcloud.com".into() }
}

pub(super) fn host(label: &str) -> Host {
    region().host(&Label::parse(label).unwrap())
}

pub(super) fn qlik_at(port: u16, ca_pem: Option<&str>) -> QlikReader {
    let owner = OwnerKey { tenant: Label::parse("mycorp").unwrap(), api_key: Secret::new(SECRETS[2].into()) };
    let credentials = Credentials {
        client_id: Secret::new("client-id".into()),
        client_secret: Secret::new(SECRETS[0].into()),
        organization_client: None,
        key_client: Some((Secret::new("key-client-id".into()), Secret::new(SECRETS[1].into()))),
        owners: BTreeMap::from([(Name::parse("bot").unwrap(), owner)]),
    };
    let source = Label::parse("mycorp").ok();
    QlikReader::new(network(port, ca_pem), BTreeMap::from([(account(), (region(), source, credentials))]), 8).unwrap()
}

/// The reply to a request for a token; a script falls back on it.
pub(super) fn token(nth: usize) -> Play {
    let token = SECRETS[3];
    Play::Json(200, format!(r#"{{"access_token":"{token}-{nth}","token_type":"bearer","expires_in":21600}}"#))
}
