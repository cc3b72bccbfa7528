//! The script's stories, and the proxy's manners.

use std::io::ErrorKind;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::wire::{self, Wire};
use super::{Place, REGISTER, SOURCE};

impl Place {
    async fn fault(&self, fault: Value) {
        self.control("POST", "/control/faults", fault).await;
    }

    async fn tenants(&self) -> usize {
        let state = self.control("GET", "/control/state", Value::Null).await;
        state["tenants"].as_array().unwrap().len()
    }

    /// A creation whose answer may never come.
    async fn try_create(&self) -> std::io::Result<wire::Answer> {
        let (token, licence) = (self.token(REGISTER).await, self.licence().await);
        let body = json!({ "licenseKey": licence });
        self.wire().send("POST", REGISTER, "/api/v1/tenants", Some(&token), &body).await
    }
}

#[tokio::test]
async fn a_dropped_request_did_or_did_not_commit_as_scripted() {
    for (action, made) in [("drop_before", 1), ("drop_after", 2)] {
        let place = Place::new().await;
        place
            .fault(json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "nth": 1, "action": action }))
            .await;
        assert!(place.try_create().await.is_err(), "{action}");
        assert_eq!(place.tenants().await, made, "{action}");
        let record = place.control("GET", "/control/requests", Value::Null).await;
        let last = record["requests"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["fault"], &last["status"]), (&json!(action), &Value::Null));
        assert_eq!(last["committed"], made == 2);
        assert_eq!(place.try_create().await.unwrap().status, 201, "once only");
        place.stop().await;
    }
}

#[tokio::test]
async fn statuses_come_before_or_after() {
    for (action, made) in [("status_before", 1), ("status_after", 2)] {
        let place = Place::new().await;
        let status = json!({ "status": 503, "headers": { "retry-after": "7" } });
        place.fault(json!({ "match": { "path": "/api/v1/tenants" }, "action": { action: status } })).await;
        let answer = place.try_create().await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
        assert_eq!(place.tenants().await, made);
        place.stop().await;
    }
}

#[tokio::test]
async fn bodies_are_cut_broken_or_of_another_kind() {
    let place = Place::new().await;
    let token = place.token(SOURCE).await;
    let get = async || place.wire().send("GET", SOURCE, "/api/v1/licenses/status", Some(&token), &Value::Null).await;
    let whole = get().await.unwrap();
    let script = async |action: Value| {
        place.control("DELETE", "/control/faults", Value::Null).await;
        place.fault(json!({ "action": action })).await;
    };
    script(json!("truncate")).await;
    assert!(get().await.is_err(), "shorter than the length it promised");
    script(json!("truncate_close")).await;
    let cut = get().await.unwrap();
    assert_eq!((cut.status, cut.header("content-length")), (200, None));
    assert!(whole.text.starts_with(&cut.text) && cut.text.len() < whole.text.len());
    script(json!("malformed")).await;
    let broken = get().await.unwrap();
    assert!(broken.status == 200 && serde_json::from_str::<Value>(&broken.text).is_err());
    script(json!("wrong_type")).await;
    assert_eq!(get().await.unwrap().header("content-type"), Some("text/html"));
    script(json!({ "redirect": { "status": 307, "location": "https://collector.example/" } })).await;
    assert_eq!(get().await.unwrap().header("location"), Some("https://collector.example/"));
    script(json!({ "retry_after": {} })).await;
    let limited = get().await.unwrap();
    assert_eq!((limited.status, limited.header("retry-after")), (429, None));
    place.stop().await;
}

#[tokio::test]
async fn connections_end_as_scripted_though_the_client_would_keep_them() {
    for (action, says, ends) in
        [("close", Some("close"), None), ("close_after", None, None), ("reset", None, Some(ErrorKind::ConnectionReset))]
    {
        let place = Place::new().await;
        let (token, licence) = (place.token(REGISTER).await, place.licence().await);
        place.fault(json!({ "match": { "path": "/api/v1/tenants" }, "action": action })).await;
        let mut stream = place.wire().tunnel(REGISTER, REGISTER).await.unwrap();
        let body = json!({ "licenseKey": licence }).to_string();
        let head = format!(
            "POST /api/v1/tenants HTTP/1.1\r\nhost: {REGISTER}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // Comes to its end only because the server ends it.
        let end = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
        assert_eq!((header("connection"), end), (says, ends), "{action}");
        let promised: usize = header("content-length").unwrap().parse().unwrap();
        assert_eq!(body.len(), if ends.is_some() { 0 } else { promised }, "{action}");
        assert_eq!(place.tenants().await, 2, "{action}");
        place.stop().await;
    }
}

#[tokio::test]
async fn a_paused_request_waits_and_is_carried_out_after_its_client_has_left() {
    let place = Place::new().await;
    let (token, licence) = (place.token(REGISTER).await, place.licence().await);
    place.fault(json!({ "match": { "path": "/api/v1/tenants" }, "nth": 1, "action": "pause" })).await;
    let wire = place.wire();
    let client = tokio::spawn(async move {
        let body = json!({ "licenseKey": licence });
        wire.send("POST", REGISTER, "/api/v1/tenants", Some(&token), &body).await.map(|answer| answer.status)
    });
    let waited = place.control("GET", "/control/wait", Value::Null).await;
    assert_eq!(waited["held"].as_array().unwrap().len(), 1);
    assert_eq!(place.tenants().await, 1);
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    let answered = place.control("GET", "/control/requests", Value::Null).await["answered"].as_u64().unwrap();
    assert_eq!(place.control("POST", "/control/release", Value::Null).await["released"], 1);
    let path = format!("/control/wait?requests={}", answered + 1);
    place.control("GET", &path, Value::Null).await;
    assert_eq!(place.tenants().await, 2);
    place.stop().await;
}

#[tokio::test]
async fn a_hanging_answer_has_committed_and_comes_when_released() {
    let place = Place::new().await;
    let (token, licence) = (place.token(REGISTER).await, place.licence().await);
    let number = place.control("GET", "/control/requests", Value::Null).await["answered"].as_u64().unwrap() + 1;
    place.fault(json!({ "at_request": number, "action": "hang" })).await;
    let wire = place.wire();
    let client = tokio::spawn(async move {
        let body = json!({ "licenseKey": licence });
        wire.send("POST", REGISTER, "/api/v1/tenants", Some(&token), &body).await.map(|answer| answer.status)
    });
    place.control("GET", "/control/wait", Value::Null).await;
    assert_eq!(place.tenants().await, 2);
    place.control("POST", "/control/release", Value::Null).await;
    assert_eq!(client.await.unwrap().unwrap(), 201);
    place.stop().await;
}

#[tokio::test]
async fn a_stopping_server_lets_go_of_what_it_holds() {
    let place = Place::new().await;
    let token = place.token(SOURCE).await;
    place.fault(json!({ "action": "pause" })).await;
    let wire = place.wire();
    let client =
        tokio::spawn(
            async move { wire.send("GET", SOURCE, "/api/v1/users/me", Some(&token), &Value::Null).await.is_err() },
        );
    place.control("GET", "/control/wait", Value::Null).await;
    place.stop().await;
    assert!(client.await.unwrap());
}

#[tokio::test]
async fn lists_lag_and_repeat_themselves_where_switched() {
    let place = Place::new().await;
    place.control("POST", "/control/switches", json!({ "list_lag": 1 })).await;
    let (_, host) = place.create().await;
    let token = place.open(&host, true).await;
    assert_eq!(place.mint(&token, &host, json!({ "description": "late" })).await.status, 201);
    let admin = place.token(&host).await;
    let count = async || {
        let list = place.call(&admin, "GET", &host, "/api/v1/api-keys", Value::Null).await.json();
        list["data"].as_array().unwrap().len()
    };
    assert_eq!((count().await, count().await), (0, 1));
    place.fault(json!({ "action": "duplicate_ids" })).await;
    assert_eq!(count().await, 2);
    place.stop().await;
}

#[tokio::test]
async fn the_date_is_the_sandboxs_own() {
    let place = Place::new().await;
    place.control("POST", "/control/clock", json!({ "now": "2031-05-06T07:08:09Z" })).await;
    let answer = place.key_grant(SOURCE).await;
    assert_eq!(answer.header("date"), Some("Tue, 06 May 2031 07:08:09 GMT"));
    place.stop().await;
}

#[tokio::test]
async fn nothing_but_the_vendors_hosts_is_reached_through_the_proxy() {
    let place = Place::new().await;
    for request in [
        "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443",
        "CONNECT acme.us.qlikcloud.com:8443 HTTP/1.1\r\nhost: acme.us.qlikcloud.com:8443",
        "CONNECT 127.0.0.1:443 HTTP/1.1\r\nhost: 127.0.0.1:443",
        "CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443",
        "GET http://acme.us.qlikcloud.com/ HTTP/1.1\r\nhost: acme.us.qlikcloud.com",
        "GET / HTTP/1.1\r\nhost: acme.us.qlikcloud.com",
    ] {
        let answer = place.wire().raw(&format!("{request}\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(answer.status, 403, "{request}");
    }
    let record = place.control("GET", "/control/requests", Value::Null).await;
    assert_eq!(record["requests"].as_array().unwrap().len(), 6);
    place.stop().await;
}

#[tokio::test]
async fn tunnel_handshake_and_host_header_must_agree() {
    let place = Place::new().await;
    let ask = "GET /api/v1/users/me HTTP/1.1\r\nconnection: close\r\nhost: ";
    let tunnel = place.wire().tunnel(SOURCE, REGISTER).await.unwrap();
    assert_eq!(Wire::through(tunnel, &format!("{ask}{SOURCE}\r\n\r\n")).await.unwrap().status, 421);
    let tunnel = place.wire().tunnel(SOURCE, SOURCE).await.unwrap();
    assert_eq!(Wire::through(tunnel, &format!("{ask}{REGISTER}\r\n\r\n")).await.unwrap().status, 421);
    let tunnel = place.wire().tunnel(SOURCE, SOURCE).await.unwrap();
    assert_eq!(Wire::through(tunnel, &format!("{ask}{SOURCE}:443\r\n\r\n")).await.unwrap().status, 401);
    let record = place.control("GET", "/control/requests", Value::Null).await;
    assert_eq!(record["requests"][0]["status"], 421);
    place.stop().await;
}

#[tokio::test]
async fn the_control_api_wants_its_token() {
    let place = Place::new().await;
    let address = place.running.control().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /control/state HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 401"));
    let refused = wire::control(&place.running, "POST", "/control/switches", &json!({ "no_such": true })).await;
    assert_eq!(refused.status, 400);
    place.stop().await;
}
