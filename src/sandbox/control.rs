//! The control API: a listener of its own, with a token of its own, for tests and for people at a shell.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::cloud::{Cloud, Inner, Release};
use super::edit::Edit;
use super::fault::Fault;
use super::seed::{self, Seed, Seeded};
use super::state::{Clock, State};
use super::switches::Switches;
use super::{imburse, qlik, view};

/// Every call: its methods, its path below `/control/`, and what it does.
pub(crate) const CALLS: [(&[&str], &str, &str); 11] = [
    (&["GET", "DELETE"], "requests", "what was asked, and what was answered; forgets it"),
    (&["GET"], "wait", "answers when `?requests=N` requests are over, or one is held"),
    (&["GET", "POST", "DELETE"], "faults", "scripts trouble: {\"match\": …, \"nth\": …, \"action\": …}"),
    (&["POST"], "release", "lets held requests go on; {\"drop\": true} drops them"),
    (&["POST"], "latency", "waits before every answer: {\"ms\": 20}"),
    (&["GET", "POST"], "clock", "moves time: {\"now\": …}, {\"advance\": \"PT3H\"}, {\"speed\": 60}"),
    (&["GET"], "state", "everything but secrets: tenants, users, roles, keys"),
    (&["GET", "POST"], "switches", "how it behaves: {\"quota_reached\": true}"),
    (&["POST"], "seed", "makes sure of accounts, and answers their credentials"),
    (&["POST"], "edit", "what people do by hand: {\"action\": \"purge_tenant\", …}"),
    (&["POST"], "reset", "an empty sandbox"),
];

/// Accepts until the server stops.
pub(super) async fn serve(cloud: Arc<Cloud>, token: Arc<str>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = cloud.stopped() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if cloud.spawn(connection(Arc::clone(&cloud), Arc::clone(&token), stream)).is_none() {
            return;
        }
    }
}

async fn connection(cloud: Arc<Cloud>, token: Arc<str>, stream: TcpStream) {
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (cloud, token) = (Arc::clone(&cloud), Arc::clone(&token));
        async move { Ok::<_, Infallible>(answer(&cloud, &token, request).await) }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How a connection ends is its client's affair.
        _ = connection => {}
        () = cloud.stopped() => {}
    }
}

/// What a control call could not do, as a status and a sentence.
struct Refusal(StatusCode, String);

fn bad(sentence: impl Into<String>) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, sentence.into())
}

async fn answer(cloud: &Arc<Cloud>, token: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match act(cloud, token, request).await {
        Ok(body) => (StatusCode::OK, body),
        Err(Refusal(status, sentence)) => (status, json!({ "error": sentence })),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}

async fn act(cloud: &Arc<Cloud>, token: &str, request: Request<Incoming>) -> Result<Value, Refusal> {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(token) {
        return Err(Refusal(StatusCode::UNAUTHORIZED, "the control API wants its own bearer token".to_owned()));
    }
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, 16 << 20).collect().await.map_err(|_| bad("the body cannot be read"))?.to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    match (parts.method.as_str(), parts.uri.path()) {
        ("GET", "/control/wait") => wait(cloud, query).await,
        (method, path) => now(cloud, method, path, &body),
    }
}

async fn wait(cloud: &Cloud, query: &str) -> Result<Value, Refusal> {
    let (mut requests, mut held) = (None, 1);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.parse::<u64>()) {
            ("requests", Ok(number)) => requests = Some(number),
            ("held", Ok(number)) if number > 0 => held = usize::try_from(number).unwrap_or(usize::MAX),
            _ => {
                return Err(bad("wait takes requests=NUMBER and held=NUMBER, or nothing to wait for one held request"));
            }
        }
    }
    let (answered, held) = cloud.wait(requests, held).await;
    Ok(json!({ "answered": answered, "held": held }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(default)]
    advance: Option<String>,
    #[serde(default)]
    speed: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HowToRelease {
    #[serde(default)]
    drop: bool,
    /// Only the request of this number; without it, all.
    #[serde(default)]
    request: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

/// Everything but waiting: done under the lock, saved before it is answered.
fn now(cloud: &Cloud, method: &str, path: &str, body: &[u8]) -> Result<Value, Refusal> {
    if (method, path) == ("POST", "/control/release") {
        let how: HowToRelease = if body.is_empty() { HowToRelease::default() } else { read(body)? };
        let count = cloud.release(if how.drop { Release::Drop } else { Release::GoOn }, how.request);
        return Ok(json!({ "released": count }));
    }
    let mut inner = cloud.lock();
    let at = cloud.now(&inner.state);
    qlik::purge(&mut inner.state, at);
    let answer = match (method, path) {
        ("GET", "/control/requests") => json!({ "requests": inner.record, "answered": inner.answered }),
        ("DELETE", "/control/requests") => {
            inner.record.clear();
            (inner.count, inner.answered) = (0, 0);
            json!({})
        }
        ("GET", "/control/faults") => json!({ "faults": inner.faults }),
        ("POST", "/control/faults") => {
            let faults = match read::<OneOrMany>(body)? {
                OneOrMany::Many(faults) => faults,
                OneOrMany::One(fault) => vec![fault],
            };
            let faults = faults.into_iter().map(said::<Fault>).collect::<Result<Vec<_>, _>>()?;
            inner.faults.extend(faults);
            json!({ "faults": inner.faults.len() })
        }
        ("DELETE", "/control/faults") => {
            inner.faults.clear();
            json!({})
        }
        ("POST", "/control/latency") => {
            inner.latency_ms = read::<Latency>(body)?.ms;
            json!({ "ms": inner.latency_ms })
        }
        ("GET", "/control/clock") => {
            json!({ "now": cloud.now(&inner.state), "speed": inner.state.main().clock.speed })
        }
        ("POST", "/control/clock") => set_clock(cloud, &mut inner, read(body)?)?,
        ("GET", "/control/state") => view::state(&inner.state, cloud.now(&inner.state)),
        ("GET", "/control/switches") => json!(inner.state.switches()),
        ("POST", "/control/switches") => {
            let switches = merge(inner.state.switches(), read(body)?)?;
            if qlik::end(cloud.now(&inner.state), &switches.source_max_expiry).is_none() {
                return Err(bad("source_max_expiry is an ISO 8601 duration such as PT24H"));
            }
            switch(&mut inner.state, switches)
        }
        ("POST", "/control/seed") => {
            let seed: Seed = read(body)?;
            let now = cloud.now(&inner.state);
            let seeded = seed::seed(&mut inner.state, &cloud.signer, &seed, now);
            json!(seeded.map_err(|error| bad(error.to_string()))?)
        }
        ("POST", "/control/edit") => {
            let edit: Value = read(body)?;
            let now = cloud.now(&inner.state);
            if imburse::Edit::is_meant(&edit) {
                let made = said::<imburse::Edit>(edit)?.apply(&mut inner.state, now);
                made.map_err(|error: imburse::EditError| bad(error.to_string()))?
            } else {
                said::<Edit>(edit)?.apply(&mut inner.state, now).map_err(|error| bad(error.to_string()))?
            }
        }
        ("POST", "/control/reset") => {
            reset(&mut inner);
            json!({})
        }
        _ => return Err(Refusal(StatusCode::NOT_FOUND, unknown(method, path))),
    };
    let saved = inner.save();
    saved.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(answer)
}

/// What there is, for who asked for something else.
fn unknown(method: &str, path: &str) -> String {
    let name = path.trim_start_matches("/control/");
    match CALLS.iter().find(|(_, known, _)| *known == name) {
        Some((methods, ..)) => format!("{name} takes {}, not {method}", methods.join(", ")),
        None => {
            let names: Vec<&str> = CALLS.iter().map(|(_, known, _)| *known).collect();
            format!("there is no control call {path}: there are {}", names.join(", "))
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(bad("this call takes a JSON body"));
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Syntax | Category::Eof => bad(format!("the body is not JSON: {error}")),
        Category::Data | Category::Io => bad(error.to_string()),
    })
}

fn said<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|error| bad(error.to_string()))
}

fn set_clock(cloud: &Cloud, inner: &mut Inner, clock: SetClock) -> Result<Value, Refusal> {
    let start = match (clock.now, &clock.advance) {
        (Some(now), None) => now,
        (None, Some(duration)) => {
            let span: Span = duration.parse().map_err(|_| bad("advance is an ISO 8601 duration such as PT3H"))?;
            let zoned = cloud.now(&inner.state).to_zoned(jiff::tz::TimeZone::UTC);
            zoned.checked_add(span).map_err(|_| bad("advance leads out of the calendar"))?.timestamp()
        }
        (None, None) if clock.speed.is_some() => cloud.now(&inner.state),
        (Some(_), Some(_)) | (None, None) => return Err(bad("clock takes now or advance, and speed")),
    };
    let speed = clock.speed.unwrap_or(inner.state.main().clock.speed);
    if !(1..=100_000).contains(&speed) {
        return Err(bad("speed is a whole number from 1 to 100000"));
    }
    inner.state.main_mut().clock = Clock { anchor: Some((start, cloud.real_now())), speed };
    Ok(json!({ "now": start, "speed": speed }))
}

/// The switches that are named change; the others stay.
fn merge(switches: &Switches, changes: Value) -> Result<Switches, Refusal> {
    let Value::Object(mut changes) = changes else { return Err(bad("switches are an object")) };
    let mut all = json!(switches);
    // The other vendor's switches are a level below.
    if let (Some(Value::Object(inner)), Some(known)) = (changes.remove("imburse"), all["imburse"].as_object_mut()) {
        known.extend(inner);
    }
    if let Some(all) = all.as_object_mut() {
        all.extend(changes);
    }
    said(all)
}

/// Sets the switches, and brings the source tenants in line with those that are about them.
fn switch(state: &mut State, switches: Switches) -> Value {
    let (permission, expiry) = (switches.source_permission, switches.source_max_expiry.clone());
    let old = state.switches();
    let moved = (permission != old.source_permission, expiry != old.source_max_expiry);
    let sources: Vec<String> = state.tenants().filter(|one| one.source).map(|one| one.id.clone()).collect();
    for id in sources {
        let Some(tenant) = state.tenant_mut(&id) else { continue };
        if moved.0 && permission {
            tenant.user_default.insert("api-keys".to_owned());
        } else if moved.0 {
            tenant.user_default.remove("api-keys");
        }
        if moved.1 {
            tenant.limits.max_api_key_expiry.clone_from(&expiry);
        }
    }
    let answer = json!(switches);
    state.main_mut().switches = switches;
    answer
}

/// As if the directory were new: nothing seeded, nothing recorded, nothing scripted.
fn reset(inner: &mut Inner) {
    inner.state.reset();
    inner.record.clear();
    inner.faults.clear();
    (inner.count, inner.answered, inner.latency_ms) = (0, 0, 0);
}

/// Seeding without the detour through HTTP.
pub(super) fn seed_directly(cloud: &Cloud, seed: &Seed) -> Result<Seeded, super::error::SandboxError> {
    let mut inner = cloud.lock();
    let now = cloud.now(&inner.state);
    let seeded = seed::seed(&mut inner.state, &cloud.signer, seed, now)?;
    inner.save()?;
    Ok(seeded)
}
