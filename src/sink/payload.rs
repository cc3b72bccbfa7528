//! What is delivered: a token in one of the shapes that people declare. Bytes that are wiped and never printed.

pub mod imburse;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::model::secret::{Fingerprint, Secret};
use crate::model::spec::Shape;

/// The bytes of a delivery, and the token within, to know it again. Like [`Secret`], it cannot be printed, compared or
/// cloned.
pub struct Payload {
    bytes: Zeroizing<Vec<u8>>,
    token: Zeroizing<Vec<u8>>,
}

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
        &self.bytes
    }

    /// What must not be seen in what others say.
    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.bytes)
    }
}

/// Makes the payload.
pub fn render(shape: Shape, parts: &Parts<'_>, token: &Secret) -> Payload {
    let Parts { tenant, region, server, key_id, description, expiry: _ } = *parts;
    // A context says the tenant twice, and variables say the server twice.
    let said = [tenant, tenant, region, server, server, key_id, description, token.expose()];
    // Room for every byte escaped, so that no copy of the token is left behind in memory by growing.
    let room = said.iter().map(|text| text.len()).sum::<usize>() * 6 + 512;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    match shape {
        // Nothing after it: most who read it put it into a header as it is, and a header takes no line end.
        Shape::Token => bytes.extend_from_slice(token.expose().as_bytes()),
        Shape::Env => {
            for (name, value) in [
                ("QLIK_TENANT", parts.tenant),
                ("QLIK_REGION", parts.region),
                ("QLIK_SERVER", parts.server),
                // What scripts that take a URL call it.
                ("QLIK_TENANT_URL", parts.server),
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
            json(&mut bytes, &object);
        }
        Shape::QlikCli => context(&mut bytes, parts, token),
        Shape::Stackone => {
            let form = Stackone { tenant_name: parts.tenant, region: parts.region, api_key: token.expose() };
            json(&mut bytes, &form);
        }
    }
    Payload { bytes, token: Zeroizing::new(token.expose().as_bytes().to_vec()) }
}

fn json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    // A struct of texts always becomes JSON, and a Vec takes every byte.
    let _ = serde_json::to_writer_pretty(&mut *bytes, value);
    bytes.push(b'\n');
}

/// `contexts.yml` as qlik-cli writes it for an API key. Every value is quoted: a tenant may be called `123` or `no`.
fn context(bytes: &mut Vec<u8>, parts: &Parts<'_>, token: &Secret) {
    for (before, pieces) in [
        ("current-context: ", [parts.tenant, ""]),
        ("\ncontexts:\n  ", [parts.tenant, ""]),
        (":\n    server: ", [parts.server, ""]),
        ("\n    server-type: ", ["cloud", ""]),
        ("\n    headers:\n      Authorization: ", ["Bearer ", token.expose()]),
        ("\n    comment: ", [parts.description, ""]),
    ] {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(b'"');
        for piece in pieces {
            escape(bytes, piece);
        }
        bytes.push(b'"');
    }
    bytes.push(b'\n');
}

/// Within YAML's double quotes. All but plain ASCII is written as an escape, which every reader of YAML 1.1 or 1.2 knows.
fn escape(bytes: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        match character {
            '"' | '\\' => bytes.extend_from_slice(&[b'\\', character as u8]),
            ' '..='~' => bytes.push(character as u8),
            _ => {
                let number = u32::from(character);
                let (letter, digits) = if number > 0xffff { (b'U', 8) } else { (b'u', 4) };
                bytes.extend_from_slice(&[b'\\', letter]);
                for place in (0..digits).rev() {
                    let digit = char::from_digit(number >> (4 * place) & 0xf, 16).unwrap_or('0');
                    bytes.push(digit as u8);
                }
            }
        }
    }
}

/// `NAME=value`, which all who read such files read alike; quoted only where a character asks for it, because some of them
/// (`docker --env-file`, `kubectl --from-env-file`) take quotes for a part of the value. Within single quotes everything
/// stands for itself but the single quote, for any POSIX shell.
fn assign(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'=');
    if value.bytes().all(is_plain) {
        bytes.extend_from_slice(value.as_bytes());
    } else if value.contains('\'') && !value.contains(['"', '$', '`', '\\', '!', '\n', '\r']) {
        // An escaped single quote is read in five ways, one between double quotes in one.
        bytes.push(b'"');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'"');
    } else {
        bytes.push(b'\'');
        for byte in value.bytes() {
            if byte == b'\'' {
                bytes.extend_from_slice(br"'\''");
            } else {
                bytes.push(byte);
            }
        }
        bytes.push(b'\'');
    }
    bytes.push(b'\n');
}

/// What means nothing but itself to any of them. Not `~`, which a shell expands; host names, https URLs, UUIDs, base64 and
/// tokens are made of these.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/+=@,".contains(&byte)
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

#[derive(Serialize)]
struct Stackone<'a> {
    tenant_name: &'a str,
    region: &'a str,
    api_key: &'a str,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use serde::Deserialize;

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
        assert_eq!(text(Shape::Token, "ey.J"), "ey.J", "a header takes no line end");
        assert_eq!(
            text(Shape::Env, "ey.J"),
            "QLIK_TENANT=xzoau8\nQLIK_REGION=us\nQLIK_SERVER=https://xzoau8.us.qlikcloud.com\n\
             QLIK_TENANT_URL=https://xzoau8.us.qlikcloud.com\nQLIK_API_KEY=ey.J\n"
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
    fn what_other_programs_read_has_their_form() {
        assert_eq!(
            text(Shape::QlikCli, "ey.J"),
            r#"current-context: "xzoau8"
contexts:
  "xzoau8":
    server: "https://xzoau8.us.qlikcloud.com"
    server-type: "cloud"
    headers:
      Authorization: "Bearer ey.J"
    comment: "CI \"deploys\"\u000a"
"#
        );
        assert_eq!(
            text(Shape::Stackone, "ey.J"),
            "{\n  \"tenant_name\": \"xzoau8\",\n  \"region\": \"us\",\n  \"api_key\": \"ey.J\"\n}\n"
        );
    }

    /// The fields that qlik-cli's ancestor reads, by another reader of YAML than ours.
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Contexts {
        current_context: String,
        contexts: BTreeMap<String, Context>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Context {
        server: String,
        server_type: String,
        headers: BTreeMap<String, String>,
        comment: String,
    }

    const AWKWARD: [&str; 9] = [
        "ey.J_-",
        "it's",
        "\"\\",
        "a b\n\tc",
        "#: {}[]&*!|>%@`",
        "Größe 漢字 😀",
        "\u{1}\u{7f}\u{85}\u{2028}",
        "-n",
        "no",
    ];

    #[test]
    fn a_context_reads_back_as_it_was() {
        for token in AWKWARD {
            for tenant in ["xzoau8", "123", "no", "1e3", "0x1f"] {
                let parts = Parts { tenant, ..parts(token) };
                let payload = render(Shape::QlikCli, &parts, &Secret::new(token.to_owned()));
                let read: Contexts = serde_saphyr::from_slice(payload.bytes()).unwrap();
                assert_eq!(read.current_context, tenant);
                assert_eq!(read.contexts.len(), 1);
                let context = &read.contexts[tenant];
                assert_eq!(context.server, parts.server);
                assert_eq!(context.server_type, "cloud");
                assert_eq!(context.headers, BTreeMap::from([("Authorization".to_owned(), format!("Bearer {token}"))]));
                assert_eq!(context.comment, token);
            }
        }
    }

    #[test]
    fn what_stackone_asks_for_reads_back_as_it_was() {
        for token in AWKWARD {
            let read: BTreeMap<String, String> = serde_json::from_str(&text(Shape::Stackone, token)).unwrap();
            let expected = [("tenant_name", "xzoau8"), ("region", "us"), ("api_key", token)];
            assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        }
    }

    /// The file that `tests/clients/env-readers.sh` shows to all readers.
    #[test]
    fn quotes_stand_where_a_character_asks_for_them() {
        let mut bytes = Vec::new();
        for (name, value) in [
            ("SPACE", "two words"),
            ("HASH", "a #b"),
            ("DOLLAR", "a$HOME"),
            ("DOUBLE", "say \"hi\""),
            ("BACKSLASH", "a\\nb"),
            ("TILDE", "~/x"),
            ("APOSTROPHE", "it's"),
            ("BOTH", "it's $5"),
        ] {
            assign(&mut bytes, name, value);
        }
        assert_eq!(String::from_utf8(bytes).unwrap(), include_str!("../../tests/clients/env-readers/quoted.env"));
    }

    #[test]
    fn a_shell_reads_every_value_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("key.env");
        for token in [
            "ey.J_-",
            "it's",
            "''",
            "a b\n\tc",
            "$HOME`id`$(id)\\",
            "\"!*?[~#;&|<>",
            "Größe 漢字",
            "'\\''",
            "-n",
            "~",
            "a:~",
            "",
            "a=b+/==",
            "%40",
        ] {
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
                let server = "https://xzoau8.us.qlikcloud.com";
                let said = ["xzoau8", "xzoau8", "us", server, server, "k1", "\u{1}\u{1}", secret.expose()];
                let room = said.iter().map(|text| text.len()).sum::<usize>() * 6 + 512;
                assert!(payload.bytes.capacity() == room && payload.bytes.len() <= room);
            }
        }
    }
}
