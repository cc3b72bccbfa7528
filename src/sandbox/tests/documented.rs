//! `docs/sandbox.md` against the program: every call, answer, switch, fault, edit and control call that it names, and no other.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sandbox::switches::Switches;

const PAGE: &str = include_str!("../../../docs/sandbox.md");
const CONSOLE: &str = "console.qlikcloud.com";

/// A row of the table of documented calls.
struct Row {
    host: String,
    method: String,
    path: String,
    /// Statuses, each with a code where the table names one.
    served: Vec<(u16, Option<String>)>,
    by_switch: String,
}

/// The rows below a heading, cell by cell, without the table's head.
fn table(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split_once(&format!("\n{heading}\n")).unwrap().1;
    let lines = section.lines().take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with('|'));
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    lines.skip(2).map(cells).collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let row = |cells: Vec<String>| {
        let [host, call, served, by_switch, _] = <[String; 5]>::try_from(cells).unwrap();
        let call = quoted(&call).remove(0);
        let (method, path) = call.split_once(' ').unwrap();
        let answers = served.split(", ").filter(|answer| !answer.is_empty()).map(|answer| {
            let status = answer.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{answer} in {served}"));
            (status, quoted(answer).pop())
        });
        Row { served: answers.collect(), host, method: method.to_owned(), path: path.to_owned(), by_switch }
    };
    table("## What is served").into_iter().map(row).collect()
}

/// Whether a path is one of this template's, and how many of its segments the template names.
fn fits(template: &str, path: &str) -> Option<usize> {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let is_variable = |segment: &str| segment.starts_with('{');
    let same = template.len() == path.len() && template.iter().zip(&path).all(|(t, p)| is_variable(t) || t == p);
    same.then(|| template.iter().filter(|segment| !is_variable(segment)).count())
}

/// What was answered to which row: statuses, with the codes of errors.
struct Witness {
    rows: Vec<Row>,
    seen: BTreeMap<(String, String, String), BTreeSet<(u16, String)>>,
}

impl Witness {
    fn saw(&mut self, host: &str, method: &str, path: &str, answer: &Answer) {
        let kind = match host {
            REGISTER => "register",
            CONSOLE => "console",
            _ => "tenant",
        };
        let path = path.split('?').next().unwrap();
        let named = |row: &&Row| row.host == kind && row.method == method && fits(&row.path, path).is_some();
        let row = self.rows.iter().filter(named).max_by_key(|row| fits(&row.path, path));
        let row = row.unwrap_or_else(|| panic!("{kind} {method} {path} is in no row"));
        let code = if answer.status >= 400 { answer.code() } else { String::new() };
        assert_ne!((answer.status, code.as_str()), (404, "HTTP-404"), "{kind} {method} {path} is not served");
        let key = (row.host.clone(), row.method.clone(), row.path.clone());
        self.seen.entry(key).or_default().insert((answer.status, code));
    }
}

/// A witness at work: the calls of one story.
struct Story {
    place: Place,
    witness: Witness,
}

impl Story {
    async fn ask(&mut self, token: &str, method: &str, host: &str, path: &str, body: Value) -> Answer {
        let answer = self.place.call(token, method, host, path, body).await;
        self.witness.saw(host, method, path, &answer);
        answer
    }

    /// Makes something and answers its id.
    async fn make(&mut self, token: &str, host: &str, path: &str, body: Value) -> String {
        let answer = self.ask(token, "POST", host, path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn confirmed(&mut self, token: &str, path: &str, confirm: &str, body: &str) {
        let answer = self.place.wire().confirmed(REGISTER, path, token, confirm, body).await;
        self.witness.saw(REGISTER, "POST", path, &answer);
    }

    async fn grants(&mut self, host: &str, id: &str, secret: &str) -> String {
        let body = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials" });
        self.ask("", "POST", host, "/oauth/token", json!({})).await;
        let mut wrong = body.clone();
        wrong["client_secret"] = json!("wrong");
        self.ask("", "POST", host, "/oauth/token", wrong).await;
        let granted = self.ask("", "POST", host, "/oauth/token", body).await.json();
        self.ask("", "POST", host, "/oauth/revoke", json!({})).await;
        self.ask("", "POST", host, "/oauth/revoke", json!({ "token": "another" })).await;
        granted["access_token"].as_str().unwrap().to_owned()
    }
}

fn change(op: &str, path: &str, value: Value) -> Value {
    json!([{ "op": op, "path": path, "value": value }])
}

/// Where a variable of the path is put, besides the tenant's own id for the limits of keys.
fn concrete(row: &Row, ids: &BTreeMap<&str, String>, tenant: &str, missing: bool) -> String {
    let service = row.path.trim_start_matches("/api/v1/").split('/').next().unwrap();
    let id = match service {
        _ if missing => "nope",
        "tenants" => tenant,
        "api-keys" if row.path.contains("configs") => tenant,
        other => ids.get(other).map_or("nope", String::as_str),
    };
    let mut path = Vec::new();
    for part in row.path.split('/') {
        // What is below another thing has an id of its own.
        let below = path.last().filter(|_| path.len() > 4 && !missing).and_then(|name| ids.get(name));
        path.push(match part.starts_with('{') {
            true => below.map_or(id, String::as_str),
            false => part,
        });
    }
    path.join("/")
}

/// A space, somebody in it, and an identity provider, each also refused as it can be.
async fn stored(story: &mut Story, admin: &str, host: &str, user: &str) -> (String, String, String) {
    let body = json!({ "name": "Sales", "type": "shared" });
    let space = story.make(admin, host, "/api/v1/spaces", body.clone()).await;
    story.ask(admin, "POST", host, "/api/v1/spaces", body).await;
    story.ask(admin, "PUT", host, &format!("/api/v1/spaces/{space}"), json!({ "description": "Ours" })).await;
    let renamed = change("replace", "/name", json!("Sales and more"));
    assert_eq!(story.ask(admin, "PATCH", host, &format!("/api/v1/spaces/{space}"), renamed).await.status, 200);
    let path = format!("/api/v1/spaces/{space}/assignments");
    let body = json!({ "type": "user", "assigneeId": user, "roles": ["consumer"] });
    let assignment = story.make(admin, host, &path, body.clone()).await;
    story.ask(admin, "POST", host, &path, body).await;
    let options = json!({ "issuer": "https://other.example", "staticKeys": [{ "kid": "one", "pem": "…" }] });
    let provider = json!({ "protocol": "jwtAuth", "provider": "external", "options": options });
    let provider = story.make(admin, host, "/api/v1/identity-providers", provider).await;
    (space, assignment, provider)
}

/// A session of somebody's, and what it alone has.
async fn login(story: &mut Story, host: &str, admin: &str) {
    let key = super::login::key();
    let provider = story.make(admin, host, "/api/v1/identity-providers", super::login::provider(&key)).await;
    let jwt = super::login::signed(&key, &super::login::claims());
    assert_eq!(story.ask("nobody's", "POST", host, "/login/jwt-session", Value::Null).await.status, 401);
    let session = story.ask(&jwt, "POST", host, "/login/jwt-session", Value::Null).await;
    let cookie = session.header("set-cookie").unwrap().split(';').next().unwrap();
    let call = ("GET", host, "/api/v1/csrf-token");
    let answer = story.place.wire().plain(call, &[("cookie", cookie)], "").await;
    story.witness.saw(host, "GET", call.2, &answer);
    story.ask(admin, "GET", host, call.2, Value::Null).await;
    story.ask(admin, "DELETE", host, &format!("/api/v1/identity-providers/{provider}"), Value::Null).await;
}

/// A client of the tenant's own, a hint of one of its secrets, and a token that was given to it.
async fn clients(story: &mut Story, admin: &str, host: &str) -> (String, String, String) {
    let trusted = json!({ "consentMethod": "trusted" });
    let body = json!({ "appType": "web", "clientName": "Minter", "connectionConfig": trusted });
    let made = story.ask(admin, "POST", host, "/api/v1/oauth-clients", body).await.json();
    let (id, secret) = (made["clientId"].as_str().unwrap(), made["clientSecret"].as_str().unwrap());
    story.grants(host, id, secret).await;
    let path = format!("/api/v1/oauth-clients/{id}");
    assert_eq!(story.ask(admin, "POST", host, &format!("{path}/actions/publish"), Value::Null).await.status, 201);
    let path = format!("{path}/client-secrets");
    let one = story.ask(admin, "POST", host, &path, Value::Null).await.json();
    for _ in 0..4 {
        story.ask(admin, "POST", host, &path, Value::Null).await;
    }
    let users =
        story.ask(admin, "GET", host, "/api/v1/users?filter=name%20eq%20%22Minter%22", Value::Null).await.json();
    let bot = users["data"][0]["id"].as_str().unwrap();
    let tokens = story.ask(admin, "GET", host, &format!("/api/v1/oauth-tokens?userId={bot}"), Value::Null).await.json();
    let token = tokens["data"][0]["id"].as_str().unwrap().to_owned();
    (id.to_owned(), one["hint"].as_str().unwrap().to_owned(), token)
}

#[tokio::test]
async fn every_answer_that_the_page_calls_served_is_given_and_no_other() {
    let place = Place::new().await;
    let (tenant, host) = place.create().await;
    let person = place.open(&host, false).await;
    let admin = place.token(&host).await;
    let pair = |client: &crate::sandbox::SeededClient| (client.id.clone(), client.secret.clone());
    let region_client = pair(&place.account.client);
    let key_client = pair(&place.account.key_client);
    let organization_client = pair(&place.account.organization_client);
    let mut story = Story { place, witness: Witness { rows: rows(), seen: BTreeMap::new() } };

    // Everything that is made, read, changed and listed.
    story.ask("", "POST", &host, "/oauth/token", json!({})).await;
    let (id, secret) = region_client.clone();
    story.grants(&host, &id, &secret).await;
    let licence = story.place.licence().await;
    story.ask("", "GET", &host, "/.well-known/oauth-authorization-server", Value::Null).await;
    story
        .ask(
            &admin,
            "PATCH",
            &host,
            "/api/v1/tenants/{}".replace("{}", &tenant).as_str(),
            change("replace", "/name", json!("Acme")),
        )
        .await;
    let someone = json!({ "name": "Ada", "subject": "ada", "email": "ada@example.com", "status": "active" });
    let user = story.make(&admin, &host, "/api/v1/users", someone.clone()).await;
    story.ask(&admin, "POST", &host, "/api/v1/users", someone).await;
    let group = story.make(&admin, &host, "/api/v1/groups", json!({ "name": "Builders" })).await;
    story.ask(&admin, "POST", &host, "/api/v1/groups", json!({ "name": "Builders" })).await;
    let role =
        story.make(&admin, &host, "/api/v1/roles", json!({ "name": "Holders", "assignedScopes": ["api-keys"] })).await;
    let me = story.ask(&person, "GET", &host, "/api/v1/users/me", Value::Null).await;
    let bot = me.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let roles = |names: Value| change("replace", "/assignedRoles", names);
    for names in [json!([{ "name": "Holders" }, { "name": "Nobody" }]), json!([{ "name": "Holders" }])] {
        story.ask(&admin, "PATCH", &host, &format!("/api/v1/users/{bot}"), roles(names)).await;
    }
    let key = story.make(&person, &host, "/api/v1/api-keys", json!({ "description": "A key" })).await;
    story.ask(&person, "POST", &host, "/api/v1/api-keys", json!({ "bogus": 1 })).await;
    let (space, assignment, provider) = stored(&mut story, &admin, &host, &user).await;
    let (own_client, hint, token) = clients(&mut story, &admin, &host).await;
    let ids = BTreeMap::from([
        ("users", user),
        ("groups", group),
        ("roles", role),
        ("api-keys", key),
        ("oauth-clients", own_client.clone()),
        ("client-secrets", hint),
        ("oauth-tokens", token),
        ("spaces", space),
        ("assignments", assignment),
        ("identity-providers", provider),
    ]);
    let bodies = [
        ("api-keys/configs", change("replace", "/max_keys_per_user", json!(9))),
        ("api-keys", change("replace", "/description", json!("The key"))),
        ("connection-configs", change("replace", "/consentMethod", json!("trusted"))),
        ("assignments/{assignmentId}", json!({ "roles": ["facilitator"] })),
        ("identity-providers", change("replace", "/description", json!("Log in here"))),
        ("oauth-clients", change("replace", "/description", json!("Ours"))),
        ("groups/settings", change("replace", "/autoCreateGroups", json!(true))),
        ("roles", change("replace", "/description", json!("May"))),
        ("actions/add", json!({ "add": [] })),
        ("actions/update", json!({ "update": [] })),
        ("actions/delete", json!({ "delete": [] })),
        ("actions/filter", json!({ "filter": "" })),
        ("actions/invite", json!({ "invitees": [] })),
        ("licenses/settings", json!({})),
        ("users", change("replace", "/name", json!("Ada"))),
        ("groups", change("replace", "/assignedRoles", json!([]))),
    ];
    let body = |row: &Row| {
        bodies.iter().find(|(part, _)| row.path.contains(part)).map_or(Value::Null, |(_, body)| body.clone())
    };
    let all: Vec<Row> =
        rows().into_iter().filter(|row| !row.served.is_empty() && row.path.starts_with("/api/")).collect();
    let tenants: Vec<&Row> = all.iter().filter(|row| row.host == "tenant").collect();
    for row in tenants.iter().filter(|row| row.method != "DELETE" && row.served[0].0 != 201) {
        story.ask(&admin, &row.method, &host, &concrete(row, &ids, &tenant, false), body(row)).await;
    }
    // What is wrong in one way each: the body or the query, the id.
    let wrong = |row: &Row| match row.method.as_str() {
        "PATCH" => change("explode", "/x", json!(1)),
        "GET" => Value::Null,
        _ => json!({ "bogus": 1 }),
    };
    for row in &tenants {
        let takes = |status: u16| row.served.iter().any(|(served, _)| *served == status);
        if takes(400) {
            let query = if row.method == "GET" { "?bogus=1" } else { "" };
            // What a DELETE refuses so is an id.
            let path = concrete(row, &ids, &tenant, row.method == "DELETE") + query;
            story.ask(&admin, &row.method, &host, &path, wrong(row)).await;
        }
        if takes(404) {
            story.ask(&admin, &row.method, &host, &concrete(row, &ids, &tenant, true), body(row)).await;
        }
    }
    login(&mut story, &host, &admin).await;
    // Who may not: nobody known, and somebody without any right.
    let nobodys = change("replace", "/assignedRoles", json!([]));
    assert_eq!(story.ask(&admin, "PATCH", &host, &format!("/api/v1/users/{bot}"), nobodys).await.status, 204);
    for row in &tenants {
        let path = concrete(row, &ids, &tenant, false);
        story.ask("nobody's", &row.method, &host, &path, body(row)).await;
        if row.served.iter().any(|(status, _)| *status == 403) {
            assert_eq!(story.ask(&person, &row.method, &host, &path, body(row)).await.status, 403, "{path}");
        }
    }
    let mut deletions: Vec<_> = tenants.iter().filter(|row| row.method == "DELETE").collect();
    // What is below a thing goes before it.
    deletions.sort_by_key(|row| std::cmp::Reverse(row.path.len()));
    for row in deletions {
        let path = concrete(row, &ids, &tenant, false);
        assert_eq!(story.ask(&admin, "DELETE", &host, &path, Value::Null).await.status, 204, "{path}");
    }
    // A client that the tenant has not been asked to trust.
    let (other_id, other) = story.place.create().await;
    let (id, secret) = key_client.clone();
    let refused = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials" });
    assert_eq!(story.ask("", "POST", &other, "/oauth/token", refused).await.status, 403);

    // The register host.
    let (id, secret) = region_client.clone();
    let token = story.grants(REGISTER, &id, &secret).await;
    for body in [json!({}), json!({ "licenseKey": "another" }), json!({ "licenseKey": licence })] {
        story.ask(&token, "POST", REGISTER, "/api/v1/tenants", body).await;
    }
    story.ask("nobody's", "POST", REGISTER, "/api/v1/tenants", json!({})).await;
    let narrow = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials", "scope": "tenants:create" });
    let narrow = story.ask("", "POST", REGISTER, "/oauth/token", narrow).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for action in ["deactivate", "reactivate"] {
        let path = format!("/api/v1/tenants/{other_id}/actions/{action}");
        if action == "deactivate" {
            story.confirmed(&token, &path, &other, r#"{"purgeAfterDays":91}"#).await;
        }
        story.confirmed(&token, &path, "another.us.qlikcloud.com", "").await;
        story.confirmed(&narrow, &path, &other, "").await;
        story.confirmed("nobody's", &path, &other, "").await;
        story.confirmed(&token, &format!("/api/v1/tenants/nope/actions/{action}"), &other, "").await;
        story.confirmed(&token, &path, &other, "").await;
    }

    // The console.
    let (id, secret) = organization_client.clone();
    let token = story.grants(CONSOLE, &id, &secret).await;
    let source = story.place.token(SOURCE).await;
    let overview = story.place.call(&source, "GET", SOURCE, "/api/v1/licenses/overview", Value::Null).await.json();
    let ours = format!("subscriptionId eq \"{}\"", overview["licenseNumber"].as_str().unwrap());
    for filter in [ours.as_str(), "subscriptionId eq \"1\"", "name eq"] {
        let encoded: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        for path in ["/api/core/tenants", "/api/core/tenants/actions/count"] {
            story.ask(&token, "GET", CONSOLE, &format!("{path}?filter={encoded}"), Value::Null).await;
        }
        story.ask(&token, "POST", CONSOLE, "/api/core/tenants/actions/filter", json!({ "filter": filter })).await;
    }
    for id in [tenant.as_str(), "nope"] {
        story.ask(&token, "GET", CONSOLE, &format!("/api/core/tenants/{id}"), Value::Null).await;
    }
    for row in all.iter().filter(|row| row.host == "console") {
        story.ask("nobody's", &row.method, CONSOLE, &concrete(row, &ids, &tenant, true), Value::Null).await;
    }

    let mut faults = Vec::new();
    for row in &story.witness.rows {
        let name = format!("{} {} {}", row.host, row.method, row.path);
        let key = (row.host.clone(), row.method.clone(), row.path.clone());
        let seen = story.witness.seen.remove(&key).unwrap_or_default();
        for (status, code) in &row.served {
            if !seen.iter().any(|(found, its)| found == status && code.as_ref().is_none_or(|code| code == its)) {
                faults.push(format!("{name}: {status} {code:?} is on the page and was never answered; {seen:?} was"));
            }
        }
        for (status, code) in &seen {
            if !row.served.iter().any(|(served, _)| served == status) {
                faults.push(format!("{name}: {status} {code} was answered and is not on the page"));
            }
        }
        if row.served.is_empty() {
            let (at, token) = match row.host.as_str() {
                "register" => (REGISTER, narrow.as_str()),
                _ => (host.as_str(), admin.as_str()),
            };
            let path = row.path.replace(['{', '}'], "");
            let answer = story.place.call(token, &row.method, at, &path, json!({})).await;
            if (answer.status, answer.code().as_str()) != (404, "HTTP-404") {
                faults.push(format!(
                    "{name}: not served on the page, and {} {} was answered",
                    answer.status,
                    answer.code()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    story.place.stop().await;
}

/// The calls that a router's source has, as it writes them: `("GET", ["users", id])`.
fn routes(source: &str, prefix: &str) -> Vec<(String, String)> {
    let arms = source.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", ["));
    let path = |rest: &str| -> Option<String> {
        let segments = rest.split("])").next()?.split(", ").map(|segment| match segment.strip_prefix('"') {
            Some(name) => name.trim_end_matches('"').to_owned(),
            None => "{}".to_owned(),
        });
        Some(
            segments
                .filter(|segment| !segment.is_empty())
                .fold(prefix.to_owned(), |path, segment| path + "/" + &segment),
        )
    };
    arms.filter_map(|(method, rest)| Some((method.to_owned(), path(rest)?))).collect()
}

#[test]
fn every_route_of_the_program_is_on_the_page() {
    let router = include_str!("../qlik/mod.rs");
    let (hosts, service) = router.split_once("fn service(").unwrap();
    let console = include_str!("../qlik/organization.rs");
    let (console_oauth, console) = console.split_once("let outcome").unwrap();
    let found: Vec<_> = [(hosts, ""), (service, "/api/v1"), (console_oauth, ""), (console, "/api/core/tenants")]
        .into_iter()
        .flat_map(|(source, prefix)| routes(source, prefix))
        .collect();
    assert!(found.len() > 50, "{found:?}");
    let rows = rows();
    for (method, path) in found {
        let named = rows.iter().any(|row| {
            // What is a variable in the program may be a list of words on the page.
            let (program, page): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), row.path.split('/').collect());
            let same = |(ours, theirs): (&&str, &&str)| ours == theirs || *ours == "{}";
            row.method == method && program.len() == page.len() && program.iter().zip(&page).all(same)
        });
        assert!(named, "{method} {path} is not on the page");
    }
}

/// The words of a table's first column.
fn first_column(heading: &str) -> BTreeSet<String> {
    table(heading).iter().flat_map(|cells| quoted(&cells[0])).collect()
}

#[test]
fn every_switch_fault_and_edit_is_on_the_page_and_there() {
    let all = json!(Switches::default());
    let switches: BTreeSet<String> = all.as_object().unwrap().keys().cloned().collect();
    assert_eq!(first_column("### Switches"), switches);

    let actions: BTreeSet<String> = variants(include_str!("../fault.rs"), "pub(super) enum Action {");
    let words =
        |text: &str| text.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).map(str::to_owned).collect::<Vec<_>>();
    let named: BTreeSet<String> = first_column("### Faults").iter().flat_map(|quoted| words(quoted)).collect();
    assert!(actions.is_subset(&named), "{actions:?}, {named:?}");

    let edits = variants(include_str!("../edit.rs"), "pub(super) enum Edit {");
    let section = PAGE.split_once("\n### Edits\n").unwrap().1;
    let named: BTreeSet<String> = quoted(section.split("\n#").next().unwrap()).into_iter().collect();
    assert!(edits.len() > 10 && edits.is_subset(&named), "{:?}", edits.difference(&named));

    for row in rows() {
        for name in quoted(&row.by_switch)
            .iter()
            .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '1' || c == '2'))
        {
            assert!(switches.contains(name) || actions.contains(name), "{name} is no switch and no fault");
        }
    }
}

/// An enum's variants, as its reader writes them.
fn variants(source: &str, head: &str) -> BTreeSet<String> {
    let body = source.split_once(head).unwrap().1.split("\n}").next().unwrap();
    let names =
        body.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
    let snake = |name: &str| {
        name.chars().enumerate().fold(String::new(), |text, (at, c)| {
            let dash = if c.is_ascii_uppercase() && at > 0 { "_" } else { "" };
            text + dash + &c.to_ascii_lowercase().to_string()
        })
    };
    names.map(|line| snake(line.split(|c: char| !c.is_alphanumeric()).next().unwrap())).collect()
}

#[test]
fn every_control_call_is_on_the_page() {
    let control = include_str!("../control.rs");
    let page: BTreeSet<(String, String)> = table("## Control API")
        .iter()
        .flat_map(|cells| {
            let words: Vec<String> = quoted(&cells[0]).join(" ").split([' ', ',', '?']).map(str::to_owned).collect();
            let path = words.iter().find(|word| word.starts_with("/control/")).cloned().unwrap();
            let methods = words.into_iter().filter(|word| ["GET", "POST", "DELETE"].contains(&word.as_str()));
            methods.map(move |method| (method, path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let program: BTreeSet<(String, String)> = control
        .split("(\"")
        .skip(1)
        .filter_map(|rest| rest.split("\")").next()?.split_once("\", \""))
        .filter(|(_, path)| path.starts_with("/control/"))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert!(program.len() > 10);
    assert_eq!(page, program);
    // And what the help and a refusal list.
    let named = crate::sandbox::CALLS.iter().flat_map(|(methods, path, _)| {
        methods.iter().map(move |method| ((*method).to_owned(), format!("/control/{path}")))
    });
    assert_eq!(named.collect::<BTreeSet<_>>(), program);
}
