//! The vendor's envelopes for everything that went wrong.

use serde_json::{Value, json};

use crate::sandbox::random;
pub(in crate::sandbox) use crate::sandbox::reply::Reply;

/// The envelope of most services: `status` is a string.
pub(in crate::sandbox) fn problem(status: u16, code: &str, title: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "status": status.to_string() }))
}

pub(in crate::sandbox) fn problem_with_detail(status: u16, code: &str, title: &str, detail: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "detail": detail, "status": status.to_string() }))
}

/// The envelope where `status` is an integer: API keys, users, groups.
pub(super) fn numbered_problem(status: u16, code: &str, title: &str, detail: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "detail": detail, "status": status }))
}

/// The licence service's older envelope, which says everything twice.
pub(super) fn licence_problem(status: u16, title: &str) -> Reply {
    let body = json!({
        "error": status.to_string(),
        "message": title,
        "errors": [{ "code": format!("LICENSES-{status}"), "title": title, "status": status.to_string() }],
        "traceId": random::hex_id(),
    });
    Reply::json(status, &body)
}

pub(super) fn envelope(status: u16, error: Value) -> Reply {
    Reply::json(status, &json!({ "errors": [error], "traceId": random::hex_id() }))
}

/// The same refusal in the envelope of one service. API keys, users and groups give `status` as an integer, roles and OAuth
/// clients give none, and licences say everything twice: so the vendor's OpenAPI documents of 2025 and 2026.
pub(super) fn in_envelope_of(service: &str, reply: Reply) -> Reply {
    if reply.status < 400 {
        return reply;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    let Some(errors) = body.get_mut("errors").and_then(Value::as_array_mut) else { return reply };
    for error in errors.iter_mut().filter_map(Value::as_object_mut) {
        match service {
            "api-keys" | "groups" | "identity-providers" | "users" => {
                error.insert("status".to_owned(), json!(reply.status));
            }
            "audits" | "oauth-clients" | "roles" | "spaces" => drop(error.remove("status")),
            _ => {}
        }
    }
    if service == "licenses" && body.get("error").is_none() {
        let title = body.pointer("/errors/0/title").cloned().unwrap_or_default();
        body["error"] = json!(reply.status.to_string());
        body["message"] = title;
    }
    Reply { body: body.to_string().into_bytes(), ..reply }
}

pub(super) fn not_found() -> Reply {
    problem(404, "HTTP-404", "Not found")
}

pub(super) fn unauthorized() -> Reply {
    problem(401, "HTTP-401", "Authorization Required")
}

pub(super) fn forbidden(detail: &str) -> Reply {
    problem_with_detail(403, "HTTP-403", "Forbidden", detail)
}

pub(super) fn bad_request(detail: &str) -> Reply {
    problem_with_detail(400, "HTTP-400", "Bad request", detail)
}
