//! What kubectl sends since 1.36: the two kinds of objects that it makes here, as `generated.proto` of `k8s.io/api` has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The fields of a message that have a length.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes);
        let value = number(&mut bytes);
        match tag & 7 {
            0 => {}
            2 => {
                let (field, rest) = bytes.split_at(usize::try_from(value).unwrap());
                found.push((tag >> 3, field));
                bytes = rest;
            }
            other => panic!("a field of wire type {other}"),
        }
    }
    found
}

fn number(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        shift += 7;
        if first & 0x80 == 0 {
            return number;
        }
    }
}

fn field(message: &[u8], number: u64) -> &[u8] {
    fields(message).into_iter().find(|(found, _)| *found == number).map(|(_, bytes)| bytes).unwrap_or_default()
}

fn text(message: &[u8], number: u64) -> &str {
    std::str::from_utf8(field(message, number)).unwrap()
}

/// The same object as JSON.
pub(super) fn object(bytes: &[u8]) -> Option<Value> {
    let envelope = bytes.strip_prefix(b"k8s\0")?;
    let (kind, raw) = (text(field(envelope, 1), 2), field(envelope, 2));
    Some(match kind {
        "Secret" => {
            let metadata = field(raw, 1);
            let data: Map<String, Value> = fields(raw)
                .into_iter()
                .filter(|(number, _)| *number == 2)
                .map(|(_, entry)| (text(entry, 1).to_owned(), json!(STANDARD.encode(field(entry, 2)))))
                .collect();
            json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": text(metadata, 1) }, "data": data })
        }
        "SelfSubjectAccessReview" => {
            let asked = field(field(raw, 2), 1);
            let names = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
            let asked: Map<String, Value> =
                (1..).zip(names).map(|(number, name)| (name.to_owned(), json!(text(asked, number)))).collect();
            json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": { "resourceAttributes": asked },
            })
        }
        other => panic!("{other} is not played"),
    })
}
