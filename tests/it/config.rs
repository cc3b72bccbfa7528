//! Configuration: the corpus in `fixtures/config`, the published schemas and the examples.

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
    serde_saphyr::from_str(text).unwrap()
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
        let path = root().join(format!("schemas/{name}.v1.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if is_update() {
            fs::write(&path, &text).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(published == text, "schemas/{name}.v1.json is not what the program prints");
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
            "qlik/globex",
            "qlik/globex/ci",
            "qlik/globex/reporting",
            "qlik/initech",
            "qlik/initech/etl",
            "qlik/northwind",
            "qlik/northwind/ci",
            "qlik/northwind/reporting",
        ]
    );
    let key = |address: &str| {
        let declared = &desired.items[&address.parse::<Address>().unwrap()];
        match &declared.spec {
            Spec::QlikKey(key) => (key.expires_in.to_string(), key.renew_before.to_string(), declared.at.line),
            Spec::QlikTenant(_) => panic!("{address} is a tenant"),
        }
    };
    // The profile's key, with the place in the profile; and the one that replaces it.
    assert_eq!(key("qlik/northwind/ci"), ("P7D".into(), "P1D".into(), 14));
    assert_eq!(key("qlik/fabrikam/ci"), ("P30D".into(), "P5D".into(), 44));
    assert_eq!(key("qlik/globex/reporting"), ("P14D".into(), "P3DT12H".into(), 20));
}

#[test]
fn a_name_that_is_declared_in_two_files_names_both() {
    let file = |name: &str| Source {
        name: name.to_owned(),
        text: "version: 1\nqlik:\n  tenants:\n    acme: { account: us }\n".to_owned(),
    };
    let sources = [file("a.yaml"), file("b.yaml")];
    let report = config::desired(&sources, &settings()).unwrap_err();
    let [fault] = report.faults.as_slice() else { panic!("{report}") };
    assert_eq!((fault.code, fault.file.as_str(), fault.line, fault.column), ("QP0130", "b.yaml", 4, 5));
    let first = &fault.secondary.as_ref().unwrap().place;
    assert_eq!((first.file.as_str(), first.line), ("a.yaml", 4));
    let shown = report.render(&sources, false);
    assert!(shown.contains("b.yaml:4:5") && shown.contains("a.yaml:4:5"), "{shown}");
}
