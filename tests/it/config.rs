//! Configuration: the corpus in `fixtures/config`, the published schemas and the examples.

#![expect(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use qlik_plan::config::{self, Report, Source};
use qlik_plan::model::address::Address;
use qlik_plan::model::settings::Settings;
use qlik_plan::model::spec::Spec;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Source { name, text: fs::read_to_string(path).unwrap() }
}

/// The YAML files of a folder that are of one kind, in order.
fn files(folder: &str, kind: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(&format!(".{kind}.yaml")));
    files.sort();
    assert!(!files.is_empty(), "{folder} holds no {kind}");
    files
}

fn settings() -> Settings {
    let source = source(&root().join("fixtures/config/settings.yaml"));
    config::settings(&source, Path::new("/base")).unwrap_or_else(|report| panic!("{report}"))
}

fn load(kind: &str, source: &Source) -> Result<(), Report> {
    match kind {
        "settings" => config::settings(source, Path::new("/base")).map(|_| ()),
        "desired" => config::desired(std::slice::from_ref(source), &settings()).map(|_| ()),
        other => panic!("no kind {other}"),
    }
}

fn schema(kind: &str) -> jsonschema::Validator {
    let schema = if kind == "settings" { config::schema::settings() } else { config::schema::desired() };
    jsonschema::validator_for(&schema).unwrap()
}

/// Another reader of YAML than the decoder's.
fn value(text: &str) -> Value {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true }).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECTED").is_some()
}

#[test]
fn every_good_file_loads_and_the_schema_accepts_it() {
    for kind in ["desired", "settings"] {
        let schema = schema(kind);
        for path in files("fixtures/config/good", kind) {
            let source = source(&path);
            load(kind, &source).unwrap_or_else(|report| panic!("{report}"));
            let errors: Vec<String> = schema.iter_errors(&value(&source.text)).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
}

#[test]
fn every_bad_file_gets_the_report_beside_it() {
    let mut wrong = Vec::new();
    for kind in ["desired", "settings"] {
        for path in files("fixtures/config/bad", kind) {
            let source = source(&path);
            let Err(report) = load(kind, &source) else { panic!("{} loads", path.display()) };
            assert!(!report.faults.is_empty());
            let rendered = report.render(std::slice::from_ref(&source), false);
            let expected = path.with_extension("txt");
            if is_update() {
                fs::write(&expected, &rendered).unwrap();
            } else if fs::read_to_string(&expected).unwrap_or_default() != rendered {
                wrong.push(format!("{}:\n{rendered}", expected.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_refuses_what_is_of_the_wrong_shape_and_only_that() {
    for kind in ["desired", "settings"] {
        let schema = schema(kind);
        for path in files("fixtures/config/bad", kind) {
            let name = path.to_string_lossy().into_owned();
            if name.contains(".syntax.") {
                continue;
            }
            let accepted = schema.is_valid(&value(&source(&path).text));
            assert_eq!(accepted, name.contains(".semantic."), "{name}");
        }
    }
}

#[test]
fn a_pasted_secret_is_shown_by_no_report() {
    for path in files("fixtures/config/bad", "settings") {
        let source = source(&path);
        let report = load("settings", &source).unwrap_err();
        let plain = report.render(std::slice::from_ref(&source), false);
        let styled = report.render(std::slice::from_ref(&source), true);
        let json = serde_json::to_string(&report).unwrap();
        for shown in [plain, styled, json, report.to_string()] {
            assert!(!shown.contains("s3cr3t"), "{}:\n{shown}", path.display());
        }
    }
}

#[test]
fn no_report_holds_a_character_that_moves_a_cursor_or_hides() {
    for kind in ["desired", "settings"] {
        for path in files("fixtures/config/bad", kind) {
            let source = source(&path);
            let report = load(kind, &source).unwrap_err();
            let shown = report.render(&[Source { name: source.name.clone(), text: source.text.clone() }], false);
            for line in shown.lines() {
                assert_eq!(qlik_plan::model::untrusted::escape(line), line, "{}", path.display());
            }
        }
    }
}

#[test]
fn the_published_schemas_are_those_of_the_program() {
    for (name, schema) in [("desired", config::schema::desired()), ("settings", config::schema::settings())] {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        // The kit for pipelines is copied as it stands, and finds its schemas in itself.
        for folder in ["schemas", "examples/gitops/schemas"] {
            let path = root().join(format!("{folder}/{name}.v1.json"));
            if is_update() {
                fs::create_dir_all(root().join(folder)).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let published = fs::read_to_string(&path).unwrap_or_default();
            assert!(published == text, "{folder}/{name}.v1.json is not what the program prints");
        }
    }
}

fn example(name: &str) -> (Settings, Vec<Source>) {
    let folder = root().join("examples").join(name);
    let settings = source(&folder.join("qlik-plan.settings.yaml"));
    assert!(schema("settings").is_valid(&value(&settings.text)));
    let settings = config::settings(&settings, &folder).unwrap_or_else(|report| panic!("{report}"));
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml") && !path.ends_with("qlik-plan.settings.yaml"));
    paths.sort();
    let sources: Vec<Source> = paths.iter().map(|path| source(path)).collect();
    for source in &sources {
        assert!(source.text.starts_with("# yaml-language-server: $schema=../../schemas/desired.v1.json\n"));
        assert!(schema("desired").is_valid(&value(&source.text)), "{}", source.name);
    }
    (settings, sources)
}

#[test]
fn the_quickstart_declares_one_tenant_and_two_keys() {
    let (settings, sources) = example("quickstart");
    let desired = config::desired(&sources, &settings).unwrap_or_else(|report| panic!("{report}"));
    let addresses: Vec<String> = desired.items.keys().map(ToString::to_string).collect();
    assert_eq!(addresses, ["qlik/acme", "qlik/acme/ci", "qlik/acme/reporting"]);
    assert_eq!(config::validate(&sources).unwrap(), 3);
}

#[test]
fn many_tenants_inherit_omit_override_and_adopt() {
    let (settings, sources) = example("many-tenants");
    let desired = config::desired(&sources, &settings).unwrap_or_else(|report| panic!("{report}"));
    let addresses: Vec<String> = desired.items.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "qlik/contoso",
            "qlik/contoso/ci",
            "qlik/fabrikam",
            "qlik/fabrikam/ci",
            "qlik/fabrikam/reporting",
            "qlik/house",
            "qlik/house/etl",
            "qlik/initech",
            "qlik/northwind",
            "qlik/northwind/ci",
            "qlik/northwind/reporting",
        ]
    );
    let key = |address: &str| {
        let declared = &desired.items[&address.parse::<Address>().unwrap()];
        match &declared.spec {
            Spec::QlikKey(key) => (key.expires_in.to_string(), key.renew_before.to_string(), declared.at.line),
            Spec::QlikTenant(_) | Spec::ImburseTenant(_) | Spec::ImburseKey(_) => panic!("{address} is no Qlik key"),
        }
    };
    // The profile's key, with the place in the profile; and the one that replaces it.
    assert_eq!(key("qlik/northwind/ci"), ("P7D".into(), "P1D".into(), 14));
    assert_eq!(key("qlik/fabrikam/ci"), ("P30D".into(), "P5D".into(), 44));
    assert_eq!(key("qlik/northwind/reporting"), ("P14D".into(), "P3DT12H".into(), 20));
}

#[test]
fn tenants_at_imburse_inherit_omit_and_override_as_those_at_qlik_do() {
    let (settings, sources) = example("imburse");
    let desired = config::desired(&sources, &settings).unwrap_or_else(|report| panic!("{report}"));
    let addresses: Vec<String> = desired.items.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "imburse/uk-retail",
            "imburse/uk-retail/admin",
            "imburse/uk-retail/reporting",
            "imburse/uk-wholesale",
            "imburse/uk-wholesale/admin",
        ]
    );
    // An inherited key has the place in the profile, a tenant its own.
    let line = |address: &str| desired.items[&address.parse::<Address>().unwrap()].at.line;
    assert_eq!((line("imburse/uk-retail"), line("imburse/uk-wholesale")), (31, 35));
    assert_eq!((line("imburse/uk-retail/admin"), line("imburse/uk-wholesale/admin")), (18, 18));
    assert_eq!(config::validate(&sources).unwrap(), 5);

    let good = source(&root().join("fixtures/config/good/imburse-profiles.desired.yaml"));
    let desired = config::desired(&[good], &self::settings()).unwrap_or_else(|report| panic!("{report}"));
    let tenants: Vec<(String, String, Vec<String>)> = desired
        .imburse_tenants()
        .map(|(address, tenant, _)| {
            // An address is inherited whole or not at all.
            let postal = tenant.address.iter().flat_map(|postal| postal.fields());
            let postal: Vec<&str> = postal.filter_map(|(_, part)| part).collect();
            let keys = desired.imburse_keys(address);
            let keys = keys.map(|(address, key, at)| {
                let roles: Vec<&str> = key.roles.iter().map(String::as_str).collect();
                let name = address.key().unwrap();
                format!(
                    "{name}: {}, {}, {}, line {}",
                    key.name,
                    roles.join("+"),
                    key.deliver_as.of(key.deliver_to.first()),
                    at.line
                )
            });
            assert_eq!(tenant.account.as_str(), "pay");
            (address.to_string(), postal.join(", "), keys.collect())
        })
        .collect();
    let tenant = |address: &str, postal: &str, keys: &[&str]| {
        (address.to_owned(), postal.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
    };
    let admin = "admin: Admin Key, tenant-admin, imburse, line 8";
    assert_eq!(
        tenants,
        [
            tenant("imburse/old", "GB", &[]),
            tenant("imburse/older", "", &[]),
            tenant("imburse/uk-online", "2 Low Road, Leeds, LS1 4AP, GB", &[admin]),
            tenant(
                "imburse/uk-retail",
                "1 High Street, London, SW1A 1AA, GB",
                &[admin, "reader: Reader, tenant-app-read, env, line 9"]
            ),
            tenant(
                "imburse/uk-trade",
                "1 High Street, London, SW1A 1AA, GB",
                &[
                    "admin: Trade Admin, tenant-management, imburse, line 24",
                    "reader: Theirs, tenant-app-read, imburse, line 26",
                    "writer: Writer, tenant-app-write, imburse, line 25",
                ]
            ),
        ]
    );
}

#[test]
fn a_name_that_is_declared_in_two_files_names_both() {
    for declared in [
        "qlik:\n  tenants:\n    acme: { account: us }",
        "qlik:\n  profiles:\n    acme: { account: us }",
        "imburse:\n  tenants:\n    acme: { account: pay, adopt: { tenant_id: a } }",
        "imburse:\n  profiles:\n    acme: { account: pay }",
    ] {
        let file = |name: &str| Source { name: name.to_owned(), text: format!("version: 1\n{declared}\n") };
        let sources = [file("a.yaml"), file("b.yaml")];
        let report = config::desired(&sources, &settings()).unwrap_err();
        let [fault] = report.faults.as_slice() else { panic!("{report}") };
        assert_eq!((fault.code, fault.file.as_str(), fault.line, fault.column), ("QP0130", "b.yaml", 4, 5));
        let first = &fault.secondary.as_ref().unwrap().place;
        assert_eq!((first.file.as_str(), first.line), ("a.yaml", 4));
        let shown = report.render(&sources, false);
        assert!(shown.contains("b.yaml:4:5") && shown.contains("a.yaml:4:5"), "{shown}");
    }
}

#[test]
fn a_profile_of_one_file_serves_tenants_of_another_and_each_vendor_has_its_own() {
    let file = |name: &str, text: &str| Source { name: name.to_owned(), text: format!("version: 1\n{text}") };
    let sources = [
        file("a.yaml", "imburse: { tenants: { acme: { profile: shared, adopt: { tenant_id: a } } } }\n"),
        file(
            "b.yaml",
            "imburse: { profiles: { shared: { account: pay } } }\nqlik: { tenants: { acme: { profile: shared } } }\n",
        ),
        file("c.yaml", "qlik: { profiles: { shared: { account: us } } }\n"),
    ];
    let desired = config::desired(&sources, &settings()).unwrap_or_else(|report| panic!("{report}"));
    let imburse: Vec<&str> = desired.imburse_tenants().map(|(_, tenant, _)| tenant.account.as_str()).collect();
    let qlik: Vec<&str> = desired.qlik_tenants().map(|(_, tenant, _)| tenant.account.as_str()).collect();
    assert_eq!((imburse, qlik), (vec!["pay"], vec!["us"]));
}

/// One value at a time, right or wrong: whatever the decoder says of it, the schema says too.
#[test]
fn schema_and_decoder_agree_on_every_value() {
    let key = "description: A, owner: { client: {} }, expires_in: P1D, deliver_to: files";
    let mut desired: Vec<String> = Vec::new();
    let texts = [
        "\"A  B\"",
        "\"A \"",
        "\" A\"",
        "\"A\\xA0B\"",
        "\"A\\xA0 B\"",
        "\"${A}\"",
        "\"{{ a }}\"",
        "\"##A##\"",
        "\"<%= a %>\"",
        "\"$(A)\"",
        "\"%A%\"",
        "\"{% a %}\"",
        "\"#{a}\"",
        "$5",
        "\"100 %\"",
        "\"50 % of 100 %\"",
        "\"${}\"",
        "\"{{}}\"",
        "\"C#\"",
        "\"$(1)\"",
        "\"a\\u200bb\"",
        "\"\\u202ea\"",
        "\"\\ufeffa\"",
        "שלום",
        "\"👩\u{200d}💻\"",
        "\"❤\u{fe0f}\"",
        "\"% A %\"",
        "\"80%OFF%\"",
        "\"a ## b ## c\"",
        "\"##a## b\"",
        "A",
        "\"\"",
        "\" \"",
        "\" A \"",
        "\"a\\tb\"",
        "\"\\x85\"",
        "\"[qp1:\"",
        "7",
        "true",
        "~",
        "[]",
        "{}",
        "ü",
    ];
    let names = ["a", "0-", "-a", "A", "a_b", "\"\"", "7", "\"7\"", "a.b", "ä", "~"];
    let labels =
        ["register", "Console", "LOGIN", "api", "apis", "a", "A-b", "-a", "a-", "a.b", "\"\"", "7", "~", "ä", "a_b"];
    let durations = [
        "P1D", "PT1M", "P1W", "P1W2D", "P1DT1H", "PT1H1M1S", "PT1H1S", "P1WT1S", "P0D", "PT0S", "PT59S", "PT60S",
        "PT09S", "PT1M0S", "P", "PT", "P1", "1D", "P1Y", "P1M", "PT1.5H", "P1D1D", "PT1M1H", "P1DT", "p1d", "-P1D",
        "7", "~", "\"\"", "P01D",
    ];
    let numbers = ["0", "5", "1000", "1001", "-1", "1.5", "\"5\"", "many", "~", "true"];
    let booleans = ["true", "false", "yes", "1", "\"true\"", "~"];
    let tenant = |body: String| format!("version: 1\nqlik: {{ tenants: {{ t: {{ account: us, {body} }} }} }}\n");
    desired.extend(texts.map(|v| tenant(format!("display_name: {v}"))));
    desired.extend(texts.map(|v| {
        tenant(format!("api_keys: {{ k: {{ {key}, description: {v} }} }}").replacen("description: A, ", "", 1))
    }));
    desired.extend(names.map(|v| format!("version: 1\nqlik: {{ tenants: {{ t: {{ account: {v} }} }} }}\n")));
    desired.extend(names.map(|v| tenant(format!("api_keys: {{ k: {{ adopt: {{ key_id: x }}, deliver_to: {v} }} }}"))));
    desired.extend(names.map(|v| tenant(format!("api_keys: {{ k: {{ adopt: {{ key_id: {v} }} }} }}"))));
    desired.extend(
        names.map(|v| tenant(format!("api_keys: {{ k: {{ adopt: {{ key_id: x }}, owner: {{ configured: {v} }} }} }}"))),
    );
    let user =
        |v: String| tenant(format!("api_keys: {{ k: {{ adopt: {{ key_id: x }}, owner: {{ user: {{ {v} }} }} }} }}"));
    let emails = ["a@b", "a", "\"@b\"", "a@", "a@b@c", "\"a @b\"", "\"\"", "7", "~", "\"a@b\\n\""];
    desired.extend(emails.map(|v| user(format!("email: {v}"))));
    desired.extend(texts.map(|v| user(format!("subject: {v}"))));
    desired.extend(texts.map(|v| user(format!("subject: s, name: {v}"))));
    desired.extend(names.map(|v| user(format!("id: {v}"))));
    let role = |v: String| tenant(format!("grants: {{ manage_api_keys: {{ role: {{ {v} }} }} }}"));
    desired.extend(texts.map(|v| role(format!("name: {v}, assign_to: {{ key_owners: true }}"))));
    desired.extend(booleans.map(|v| role(format!("name: R, assign_to: {{ key_owners: {v} }}"))));
    desired.extend(labels.map(|v| tenant(format!("alias: {v}"))));
    desired.extend(labels.map(|v| tenant(format!("adopt: {{ hostname: {v} }}"))));
    desired.extend(durations.map(|v| tenant(format!("api_key_limits: {{ max_expiry: {v} }}"))));
    desired.extend(numbers.map(|v| tenant(format!("api_key_limits: {{ max_keys_per_user: {v} }}"))));
    desired.extend(booleans.map(|v| {
        tenant(format!("api_keys: {{ k: {{ adopt: {{ key_id: x }}, override: {v} }} }}")).replace("true }", "false }")
    }));
    for name in ["description", "owner", "expires_in", "deliver_to"] {
        let without: Vec<&str> = key.split(", ").filter(|part| !part.starts_with(name)).collect();
        desired.push(tenant(format!("api_keys: {{ k: {{ {} }} }}", without.join(", "))));
    }
    for body in [
        "omit: []",
        "omit: ~",
        "omit: {}",
        "omit: [A]",
        "adopt: {}",
        "adopt: { hostname: a, key_id: b }",
        "grants: {}",
        "grants: ~",
        "grants: { manage_api_keys: {} }",
        "grants: { manage_api_keys: { everyone: {} } }",
        "grants: { manage_api_keys: { everyone: ~ } }",
        "grants: { manage_api_keys: { everyone: { x: 1 } } }",
        "grants: { manage_api_keys: { role: {} } }",
        "grants: { manage_api_keys: { role: { name: R } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: {} } } }",
        "grants: { manage_api_keys: { role: { name: UserDefault, assign_to: { key_owners: true } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { key_owners: true }, x: 1 } } }",
        "grants: { manage_api_keys: { everyone: {}, role: { name: R, assign_to: { key_owners: true } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { users: [] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { users: [a] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { users: [{}] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { users: [{ name: a }] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { users: [{ id: a }, { email: a@b }] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { groups: [] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { groups: [a, \"\"] } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { groups: a } } } }",
        "grants: { manage_api_keys: { role: { name: R, assign_to: { groups: [a], users: [{ subject: b }], key_owners: true } } } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: { user: {} } } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: { user: { name: a } } } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: { user: ~ } } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: { user: { subject: a, email: a@b, id: c, name: d } } } }",
        "api_keys: {}",
        "api_keys: ~",
        "api_keys: { k: ~ }",
        "api_keys: { K: { adopt: { key_id: x } } }",
        "api_keys: { k: { adopt: {} } }",
        "api_key_limits: {}",
        "other: 1",
        "api_keys: { k: { adopt: { key_id: x }, deliver_as: token } }",
        "api_keys: { k: { adopt: { key_id: x }, deliver_as: Token } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: {} } }",
        "api_keys: { k: { adopt: { key_id: x }, owner: { client: {}, configured: a } } }",
    ] {
        desired.push(tenant(body.to_owned()));
    }
    let postal = "{ street_address: A, locality: B, post_code: C, country: D }";
    let shop = |body: String| {
        let profiles = format!("p: {{ account: pay, address: {postal} }}, e: {{ account: pay }}");
        format!("version: 1\nimburse: {{ profiles: {{ {profiles} }}, tenants: {{ t: {{ {body} }} }} }}\n")
    };
    for body in [
        "profile: p",
        "profile: p, display_name: A",
        "profile: P, display_name: A",
        "profile: ~, display_name: A",
        "profile: [p], display_name: A",
        "profile: p, display_name: A, address: { country: D }",
        "profile: e, display_name: A, address: { country: D }",
        "profile: p, display_name: A, address: ~",
        "profile: p, adopt: { tenant_id: a }",
        "profile: e, adopt: { tenant_id: a }, address: { country: D }",
        "account: pay, display_name: A",
        "account: pay, adopt: { tenant_id: a }, omit: []",
        "account: pay, adopt: { tenant_id: a }, omit: ~",
        "account: pay, adopt: { tenant_id: a }, omit: {}",
        "account: pay, adopt: { tenant_id: a }, omit: k",
        "account: pay, adopt: { tenant_id: a }, omit: [K]",
        "account: pay, adopt: { tenant_id: a }, profiles: p",
    ] {
        desired.push(shop(body.to_owned()));
    }
    desired.push(shop(format!("profile: e, display_name: A, address: {postal}")));
    desired.push(shop(format!("account: pay, display_name: A, address: {postal}")));
    desired.extend(booleans.map(|v| {
        shop(format!("profile: p, display_name: A, api_keys: {{ k: {{ adopt: {{ public_key: x }}, override: {v} }} }}"))
            .replace("override: true", "override: false")
    }));
    let profile = |body: String| format!("version: 1\nimburse: {{ profiles: {{ {body} }} }}\n");
    desired.extend(["p: {}", "P: {}", "p: ~", "p: []", "p: 7"].map(|v| profile(v.to_owned())));
    desired.extend(names.map(|v| profile(format!("p: {{ account: {v} }}"))));
    desired.extend(texts.map(|v| profile(format!("p: {{ address: {{ country: {v} }} }}"))));
    for body in [
        "address: {}",
        "address: ~",
        "address: A",
        "address: { street: A }",
        "api_keys: {}",
        "api_keys: ~",
        "api_keys: { K: { adopt: { public_key: x } } }",
        "api_keys: { k: {} }",
        "api_keys: { k: { name: A, roles: [r], deliver_to: f } }",
        "api_keys: { k: { name: A, roles: [], deliver_to: f } }",
        "api_keys: { k: { adopt: { public_key: x }, override: true } }",
        "display_name: A",
        "adopt: { tenant_id: a }",
        "omit: []",
        "profile: p",
    ] {
        desired.push(profile(format!("p: {{ {body} }}")));
    }
    for root in [
        "version: 1",
        "version: 2",
        "version: \"1\"",
        "{}",
        "[]",
        "x",
        "7",
        "version: 1\nqlik: {}",
        "version: 1\nqlik: ~",
        "qlik: {}",
    ] {
        desired.push(format!("{root}\n"));
    }
    let validator = schema("desired");
    for text in &desired {
        let source = Source { name: "f".to_owned(), text: text.clone() };
        assert_eq!(config::validate(&[source]).is_ok(), validator.is_valid(&value(text)), "{text}");
    }

    let mut settings: Vec<String> = Vec::new();
    let references = [
        "{ env: A }",
        "{ env: _a1 }",
        "{ env: 1A }",
        "{ env: \"\" }",
        "{ env: A-B }",
        "{ env: 7 }",
        "{ file: a }",
        "{ file: \"\" }",
        "{ file: \" \" }",
        "{ file: ~ }",
        "{ env: A, file: a }",
        "{}",
        "A",
        "~",
        "[]",
        "{ value: A }",
    ];
    let account = |body: &str| format!("version: 1\naccounts: {{ us: {{ vendor: qlik, region: us, {body} }} }}\n");
    let client = "client: { id: { env: A }, secret: { env: B } }";
    settings.extend(references.map(|v| account(&format!("client: {{ id: {{ env: A }}, secret: {v} }}"))));
    settings.extend(references.map(|v| account(&format!("{client}, owners: {{ o: {{ tenant: t, api_key: {v} }} }}"))));
    settings.extend(labels.map(|v| account(&format!("{client}, source_tenant: {v}"))));
    for domain in [
        "qlikcloud.com",
        "qlikcloud",
        "Qlikcloud.com",
        "a..b",
        ".com",
        "a.com.",
        "-a.com",
        "127.0.0.1",
        "a.b.c",
        "a.com:443",
        "https://a.com",
        "7",
    ] {
        settings.push(account(&format!("{client}, domain: {domain}")));
    }
    settings.extend(
        ["", "key_client: ~", "key_client: {}", "organization_client: {}"].map(|v| account(&format!("{client}, {v}"))),
    );
    settings.push(account("source_tenant: t"));
    let pay = "vendor: imburse, base_url: \"https://pay.example\", account_id: a, account_key: { public: { env: A }, private: { env: B } }";
    let pay = |body: &str| format!("version: 1\naccounts: {{ pay: {{ {pay}, {body} }} }}\n");
    settings.extend(
        ["[]", "[a-1]", "[A, A]", "[a/b]", "[\"\"]", "[7]", "[~]", "a", "~", "{}"]
            .map(|v| pay(&format!("ignore_tenants: {v}"))),
    );
    settings.extend(["", "api: v1", "api: 2019", "api: v9", "source_tenant: t", "unmanaged: true"].map(pay));
    for body in [
        "{ kind: file, directory: a }",
        "{ kind: file }",
        "{ directory: a }",
        "{ kind: vault }",
        "{ kind: file, directory: \"\" }",
        "{ kind: file, directory: 7 }",
        "{ kind: file, directory: ~/a }",
        "{ kind: file, directory: ./~/a }",
        "{ kind: file, directory: a~ }",
        "{ kind: file, directory: \"$HOME/a\" }",
        "{ kind: file, directory: \"${HOME}/a\" }",
        "{ kind: file, directory: \"%TMP%/a\" }",
        "{ kind: file, directory: \"a$5\" }",
        "{ kind: file, directory: \"100%\" }",
        "{ kind: file, directory: 'a\\b' }",
        "{ kind: file, directory: 'C:\\a' }",
        "{ kind: file, directory: \"C:/a\" }",
        "{ kind: file, directory: \"file:///a\" }",
        "{ kind: file, directory: \"s3://a/b\" }",
        "{ kind: file, directory: \"./a:b\" }",
        "{ kind: file, directory: \" a\" }",
        "{ kind: file, directory: \"a \" }",
        "{ kind: file, directory: \"{{ a }}\" }",
        "{ kind: command, deliver: [a], timeout: PT0S }",
        "{ kind: command, deliver: [a], timeout: PT1S }",
        "{ kind: vault, address: https://v, mount: m, token: { env: A }, path: \"{vendor}/{tenant}/{key}\" }",
        "{ kind: vault, address: https://v, mount: m, token: { env: A }, path: \"a/{key}/{tenant}/{vendor}/b\" }",
        "{ kind: vault, address: https://v, mount: m, token: { env: A }, path: \"{vendor}/{tenant}\" }",
        "{ kind: vault, address: https://v, mount: m, token: { env: A }, path: \"{vendor}/{tenant}/{key}/{key}\" }",
        "{ kind: vault, address: https://v, mount: m, token: { env: A }, path: a }",
        "{ kind: file, directory: a, durable: true }",
        "{ kind: file, directory: a, durable: yes }",
        "{ kind: file, directory: a, x: 1 }",
        "~",
    ] {
        settings.push(format!("version: 1\nsinks: {{ s: {body} }}\n"));
    }
    for body in [
        "{ kind: directory }",
        "{ kind: directory, path: a }",
        "{ kind: directory, path: a, durable: true }",
        "{ kind: directory, durable: yes }",
        "{ path: a }",
        "{ kind: object-store }",
        "{ kind: object-store, url: s3://abc }",
        "{ kind: object-store, url: s3://abc, region: r }",
        "{ kind: object-store, url: s3://abc, endpoint: https://a }",
        "{ kind: object-store, url: s3://abc, region: r, account: a }",
        "{ kind: object-store, url: az://abc }",
        "{ kind: object-store, url: az://abc, account: a }",
        "{ kind: object-store, url: az://abc, account: a, region: r }",
        "{ kind: object-store, url: az://abc, account: a, endpoint: https://a }",
        "{ kind: object-store, url: gs://abc }",
        "{ kind: object-store, url: gs://abc, region: r }",
        "{ kind: object-store, url: gs://abc, account: a }",
        "{}",
        "~",
        "{ kind: directory, path: ~ }",
    ] {
        settings.push(format!("version: 1\nledger: {body}\n"));
    }
    settings.extend(
        numbers
            .map(|v| format!("version: 1\nlimits: {{ mint_keys: {v} }}\n"))
            .into_iter()
            .filter(|text| !text.contains("1001")),
    );
    for proxy in [
        "http://a:1",
        "http://[::1]:1",
        "http://a",
        "https://a:1",
        "http://u:p@a:1",
        "http://a:1/",
        "http://:1",
        "a:1",
        "7",
        "http://a.b-c:65535",
    ] {
        settings.push(format!("version: 1\nnetwork: {{ proxy: \"{proxy}\" }}\n"));
    }
    let validator = schema("settings");
    for text in &settings {
        let source = Source { name: "f".to_owned(), text: text.clone() };
        let loads = config::settings(&source, Path::new("/")).is_ok();
        assert_eq!(loads, validator.is_valid(&value(text)), "{text}");
    }
}
