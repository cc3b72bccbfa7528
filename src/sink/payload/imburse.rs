//! What is delivered of an Imburse key: public and private key together, with what a caller needs besides.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::model::imburse::PairShape;
use crate::model::secret::Secret;

use super::{Payload, assign};

/// What shapes say besides the private key. None of it is secret.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// `https://host`.
    pub base_url: &'a str,
    pub account_id: &'a str,
    pub tenant_id: &'a str,
    /// As declared, without the marker.
    pub name: &'a str,
    pub public_key: &'a str,
    pub roles: &'a [&'a str],
}

/// Makes the payload.
pub fn render(shape: PairShape, parts: &Parts<'_>, private_key: &Secret) -> Payload {
    let Parts { base_url, account_id, tenant_id, name, public_key, roles } = *parts;
    let said = [base_url, account_id, tenant_id, name, public_key, private_key.expose()];
    let all = said.iter().chain(roles).map(|text| text.len() + 16).sum::<usize>();
    // Room for every byte escaped, so that no copy of the key is left behind in memory by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(all * 6 + 512));
    match shape {
        PairShape::Imburse => {
            let private_key = private_key.expose();
            write(&mut bytes, &Printed { tenant_id, account_id, name, public_key, private_key, roles });
        }
        PairShape::Env => {
            for (name, value) in [
                ("IMBURSE_BASE_URL", base_url),
                ("IMBURSE_ACCOUNT_ID", account_id),
                ("IMBURSE_TENANT_ID", tenant_id),
                ("IMBURSE_PUBLIC_KEY", public_key),
                ("IMBURSE_PRIVATE_KEY", private_key.expose()),
            ] {
                assign(&mut bytes, name, value);
            }
        }
        PairShape::Json => {
            let private_key = private_key.expose();
            write(&mut bytes, &Object { base_url, account_id, tenant_id, name, public_key, roles, private_key });
        }
    }
    Payload { bytes, token: Zeroizing::new(private_key.expose().as_bytes().to_vec()) }
}

fn write(bytes: &mut Vec<u8>, value: &impl Serialize) {
    // A struct of texts always becomes JSON, and a Vec takes every byte.
    let _ = serde_json::to_writer_pretty(&mut *bytes, value);
    bytes.push(b'\n');
}

/// The vendor's own answer to the creation of a key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    tenant_id: &'a str,
    account_id: &'a str,
    name: &'a str,
    public_key: &'a str,
    private_key: &'a str,
    roles: &'a [&'a str],
}

#[derive(Serialize)]
struct Object<'a> {
    base_url: &'a str,
    account_id: &'a str,
    tenant_id: &'a str,
    name: &'a str,
    public_key: &'a str,
    roles: &'a [&'a str],
    private_key: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(name: &'a str, roles: &'a [&'a str]) -> Parts<'a> {
        Parts {
            base_url: "https://sandbox-api.imbursepayments.com",
            account_id: "acc",
            tenant_id: "ten",
            name,
            public_key: "pub",
            roles,
        }
    }

    fn text(shape: PairShape) -> String {
        let payload = render(shape, &parts("Admin \"Key\"", &["tenant-admin"]), &Secret::new("c2VjcmV0=".to_owned()));
        String::from_utf8(payload.bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_shape_reads_as_documented() {
        assert_eq!(
            text(PairShape::Imburse),
            r#"{
  "tenantId": "ten",
  "accountId": "acc",
  "name": "Admin \"Key\"",
  "publicKey": "pub",
  "privateKey": "c2VjcmV0=",
  "roles": [
    "tenant-admin"
  ]
}
"#
        );
        assert_eq!(
            text(PairShape::Env),
            "IMBURSE_BASE_URL=https://sandbox-api.imbursepayments.com\nIMBURSE_ACCOUNT_ID=acc\n\
             IMBURSE_TENANT_ID=ten\nIMBURSE_PUBLIC_KEY=pub\nIMBURSE_PRIVATE_KEY=c2VjcmV0=\n"
        );
        let json: serde_json::Value = serde_json::from_str(&text(PairShape::Json)).unwrap();
        assert_eq!((json["private_key"].as_str(), json["tenant_id"].as_str()), (Some("c2VjcmV0="), Some("ten")));
    }

    #[test]
    fn no_shape_grows_its_buffer_and_leaves_a_copy_behind() {
        let roles: Vec<String> = (0..40).map(|n| format!("\u{1}{n}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        for (_, shape) in PairShape::ALL {
            let secret = Secret::new("\u{1}".repeat(4_000));
            let before = render(shape, &parts("", &[]), &Secret::new(String::new())).bytes.capacity();
            let payload = render(shape, &parts("\u{1}\u{1}", &roles), &secret);
            let room = before + (4_002 + roles.iter().map(|role| role.len() + 16).sum::<usize>()) * 6;
            assert_eq!(payload.bytes.capacity(), room);
        }
    }
}
