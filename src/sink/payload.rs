//! What is delivered: a token in one of the shapes that people declare. Bytes that are wiped and never printed.

pub mod imburse;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::model::secret::{Fingerprint, Secret};
use crate::model::spec::Shape;

/// The bytes of a delivery. Like [`Secret`], it cannot be printed, compared or cloned.
pub struct Payload(Zeroizing<Vec<u8>>);

/// What shapes say besides the token. None of it is secret.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The label of `hostnames[0]`.
    pub tenant: &'a str,
    pub region: &'a str,
    /// `https://host`.
    pub server: &'a str,
    pub key_id: &'a str,
    /// As declared, without the marker.
    pub description: &'a str,
    pub expiry: Option<Timestamp>,
}

impl Payload {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

/// Makes the payload.
pub fn render(shape: Shape, parts: &Parts<'_>, token: &Secret) -> Payload {
    let said = [parts.tenant, parts.region, parts.server, parts.key_id, parts.description, token.expose()];
    // Room for every byte escaped, so that no copy of the token is left behind in memory by growing.
    let room = said.iter().map(|text| text.len()).sum::<usize>() * 6 + 512;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    match shape {
        Shape::Token => {
            bytes.extend_from_slice(token.expose().as_bytes());
            bytes.push(b'\n');
        }
        Shape::Env => {
            for (name, value) in [
                ("QLIK_TENANT", parts.tenant),
                ("QLIK_REGION", parts.region),
                ("QLIK_SERVER", parts.server),
                ("QLIK_API_KEY", token.expose()),
            ] {
                assign(&mut bytes, name, value);
            }
        }
        Shape::Json => {
            let object = Object {
                tenant: parts.tenant,
                region: parts.region,
                server: parts.server,
                key_id: parts.key_id,
                description: parts.description,
                expires: parts.expiry,
                api_key: token.expose(),
            };
            // A struct of texts always becomes JSON, and a Vec takes every byte.
            let _ = serde_json::to_writer_pretty(&mut *bytes, &object);
            bytes.push(b'\n');
        }
    }
    Payload(bytes)
}

/// `NAME='value'`, for any POSIX shell: within single quotes everything stands for itself but the single quote.
fn assign(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b"='");
    for byte in value.bytes() {
        if byte == b'\'' {
            bytes.extend_from_slice(br"'\''");
        } else {
            bytes.push(byte);
        }
    }
    bytes.extend_from_slice(b"'\n");
}

#[derive(Serialize)]
struct Object<'a> {
    tenant: &'a str,
    region: &'a str,
    server: &'a str,
    key_id: &'a str,
    description: &'a str,
    expires: Option<Timestamp>,
    api_key: &'a str,
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn parts(description: &str) -> Parts<'_> {
        Parts {
            tenant: "xzoau8",
            region: "us",
            server: "https://xzoau8.us.qlikcloud.com",
            key_id: "k1",
            description,
            expiry: Some("2027-01-15T08:00:00Z".parse().unwrap()),
        }
    }

    fn text(shape: Shape, token: &str) -> String {
        let payload = render(shape, &parts("CI \"deploys\"\n"), &Secret::new(token.to_owned()));
        assert_eq!(payload.fingerprint(), Fingerprint::of(payload.bytes()));
        String::from_utf8(payload.bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_shape_reads_as_documented() {
        assert_eq!(text(Shape::Token, "ey.J"), "ey.J\n");
        assert_eq!(
            text(Shape::Env, "ey.J"),
            "QLIK_TENANT='xzoau8'\nQLIK_REGION='us'\nQLIK_SERVER='https://xzoau8.us.qlikcloud.com'\nQLIK_API_KEY='ey.J'\n"
        );
        assert_eq!(
            text(Shape::Json, "ey.J"),
            r#"{
  "tenant": "xzoau8",
  "region": "us",
  "server": "https://xzoau8.us.qlikcloud.com",
  "key_id": "k1",
  "description": "CI \"deploys\"\n",
  "expires": "2027-01-15T08:00:00Z",
  "api_key": "ey.J"
}
"#
        );
    }

    #[test]
    fn a_shell_reads_every_value_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("key.env");
        for token in
            ["ey.J_-", "it's", "''", "a b\n\tc", "$HOME`id`$(id)\\", "\"!*?[~#;&|<>", "Größe 漢字", "'\\''", "-n"]
        {
            std::fs::write(&file, text(Shape::Env, token)).unwrap();
            let script = r#". "$0" && printf '%s|%s' "$QLIK_API_KEY" "$QLIK_SERVER""#;
            let output = Command::new("/bin/sh").arg("-euc").arg(script).arg(&file).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(said, format!("{token}|https://xzoau8.us.qlikcloud.com"));
        }
    }

    #[test]
    fn no_shape_grows_its_buffer_and_leaves_a_copy_behind() {
        for (_, shape) in Shape::ALL {
            for token in ["'".repeat(4_000), "\u{1}".repeat(4_000)] {
                let secret = Secret::new(token);
                let payload = render(shape, &parts("\u{1}\u{1}"), &secret);
                let said = ["xzoau8", "us", "https://xzoau8.us.qlikcloud.com", "k1", "\u{1}\u{1}", secret.expose()];
                let room = said.iter().map(|text| text.len()).sum::<usize>() * 6 + 512;
                assert!(payload.0.capacity() == room && payload.0.len() <= room);
            }
        }
    }
}
