//! Plans and reports for the tests of this room: every action, every refusal, and names that attack a terminal.

mod others;

use std::collections::BTreeMap;

use jiff::Timestamp;

use qlik_plan::apply::event::{Failure, Report, ReportLine, ReportOutcome, Step};
use qlik_plan::model::address::{Address, Name};
use qlik_plan::model::duration::Duration;
use qlik_plan::model::homes::{Homes, Shapes};
use qlik_plan::model::host::{Label, Region};
use qlik_plan::model::marker::Letter;
use qlik_plan::model::place::Place;
use qlik_plan::model::spec::{KeyLimits, Owner, QlikKey, Shape};
use qlik_plan::model::untrusted::Untrusted;
use qlik_plan::plan::action::{
    Action, Adopted, CreateKey, CreateTenant, Drift, DriftField, Grant, Keep, KeptTenant, KeyShape, KeySpec, Mark,
    MarkOf, NewTenant, Notice, Parent, Permission, Plan, Planned, Reclaim, ReclaimOf, Renew, Settle, SettlePart,
    TenantRef, Trust, Unchecked, Wait, WhyMint,
};
use qlik_plan::plan::refusal::{Code, Refusal};

pub(crate) use self::others::others;

pub(crate) const HOSTILE: &str = "evil\u{1b}[2J\u{9b}31m\r\n\u{202e}txt\u{200b}\u{7}::error::##[error]\u{e0041}\"漢字";

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn at(line: u32) -> Place {
    Place { file: "desired.yaml".into(), line, column: 5 }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn planned(to: &str, line: u32, action: Action) -> Planned {
    Planned { address: address(to), at: at(line), action }
}

fn made(text: &str) -> Parent {
    Parent::MadeBefore(address(text))
}

fn tenant(label: &str) -> TenantRef {
    TenantRef { id: Untrusted::from("0123456789abcdef"), hostname: Untrusted::new(format!("{label}.us.qlikcloud.com")) }
}

fn account() -> Name {
    name("us-oem")
}

pub(crate) fn key(description: &str) -> QlikKey {
    QlikKey {
        description: description.into(),
        owner: Owner::Client,
        expires_in: Duration::parse("P7D").unwrap(),
        renew_before: Duration::parse("P1D").unwrap(),
        deliver_to: Homes::one(name("files")),
        deliver_as: Shapes::All(Shape::Env),
        adopt: None,
    }
}

pub(crate) fn create_key(description: &str, parent: Parent, why: WhyMint) -> CreateKey {
    CreateKey { account: account(), parent, spec: KeySpec::Qlik(key(description)), why, replaces: Vec::new() }
}

pub(crate) fn plan_of(actions: Vec<Planned>) -> Plan {
    Plan { actions, ..Plan::empty(time("2026-11-21T12:00:00Z")) }
}

pub(crate) fn create_tenant() -> Action {
    let region = Region { label: Label::parse("us").unwrap(), domain: "qlikcloud.com".into() };
    Action::CreateTenant(CreateTenant { account: account(), of: NewTenant::Qlik { region } })
}

pub(crate) fn kept_key() -> Action {
    Action::Keep(Keep::Key {
        key_id: "key-3".into(),
        expires: Some(time("2026-11-28T12:00:00Z")),
        sink: name("files"),
        shape: KeyShape::Qlik(Shape::Token),
        also: BTreeMap::new(),
    })
}

/// A new tenant with two keys: what a newcomer sees first.
pub(crate) fn newcomer() -> Plan {
    let owner = Owner::Configured(name("release-bot"));
    let spec = KeySpec::Qlik(QlikKey { owner, deliver_as: Shapes::All(Shape::Token), ..key("Nightly reload") });
    let robot = CreateKey { spec, ..create_key("Nightly reload", made("qlik/acme"), WhyMint::Missing) };
    plan_of(vec![
        planned("qlik/acme", 4, create_tenant()),
        planned(
            "qlik/acme",
            4,
            Action::Settle(Settle {
                account: account(),
                parent: made("qlik/acme"),
                parts: vec![
                    SettlePart::Name("Acme \"Corp\"".into()),
                    SettlePart::Alias {
                        label: Label::parse("acme-analytics").unwrap(),
                        host: "acme-analytics.us.qlikcloud.com".into(),
                    },
                    SettlePart::Limits(KeyLimits {
                        max_expiry: Duration::parse("P30D").ok(),
                        max_keys_per_user: Some(10),
                    }),
                ],
            }),
        ),
        planned("qlik/acme", 4, Action::Trust(Trust { account: account(), parent: made("qlik/acme") })),
        planned(
            "qlik/acme",
            4,
            Action::Grant(Grant {
                account: account(),
                parent: made("qlik/acme"),
                what: Permission::ManageApiKeysToEveryone,
            }),
        ),
        planned("qlik/acme/ci", 9, Action::CreateKey(create_key("CI deploys", made("qlik/acme"), WhyMint::Missing))),
        planned("qlik/acme/robot", 14, Action::CreateKey(robot)),
    ])
}

/// Every other kind of action, some with notices.
pub(crate) fn estate() -> Plan {
    let there = || Parent::Exists(tenant("xzoau8xi93gyfo0"));
    let dead = WhyMint::Dead { key_id: "key-1".into(), state: "revoked".into() };
    let mut plan = plan_of(vec![
        planned("qlik/acme", 3, Action::Settle(Settle { account: account(), parent: there(), parts: Vec::new() })),
        planned("qlik/acme/again", 5, Action::CreateKey(create_key("Asked", there(), WhyMint::Asked))),
        planned("qlik/acme/dead", 6, Action::CreateKey(create_key("Dead", there(), dead))),
        planned(
            "qlik/acme/due",
            7,
            Action::Renew(Renew {
                create: create_key("Due", there(), WhyMint::Missing),
                key_id: "key-2".into(),
                expires: time("2026-11-22T06:00:00Z"),
            }),
        ),
        planned("qlik/acme/kept", 8, kept_key()),
        planned(
            "qlik/acme/left",
            9,
            Action::CreateKey(create_key("Left", there(), WhyMint::Supersede { key_id: "key-4".into() })),
        ),
        planned(
            "qlik/acme/left",
            9,
            Action::Reclaim(Reclaim {
                account: account(),
                key_id: "key-4".into(),
                letter: Letter::Undelivered,
                after_delivery: true,
                of: ReclaimOf::Qlik {
                    parent: tenant("xzoau8xi93gyfo0"),
                    owner: Owner::Client,
                    created: Some(time("2026-11-20T10:00:00Z")),
                    expires: None,
                },
            }),
        ),
        planned(
            "qlik/acme/unmarked",
            10,
            Action::Mark(Mark {
                account: account(),
                key_id: "key-5".into(),
                description: Untrusted::from("Unmarked [qp1:01234567:89abcdef:0a1b:c0ffee00:d]"),
                of: MarkOf::Qlik { parent: tenant("xzoau8xi93gyfo0"), owner: Owner::Configured(name("release-bot")) },
            }),
        ),
    ]);
    plan.actions.extend(quiet());
    plan.notices = vec![
        Notice {
            address: Some(address("qlik/acme/due")),
            at: None,
            text: Untrusted::from("key key-0 is left to expire"),
        },
        Notice { address: None, at: None, text: Untrusted::from("new estate: the ledger is empty") },
    ];
    plan.unchecked =
        vec![Unchecked { address: address("qlik/acme/kept"), what: "whether its sink can be written".into() }];
    plan
}

/// What apply does nothing about.
fn quiet() -> Vec<Planned> {
    let drift = |field: &str, declared: &str, live: &str| DriftField {
        field: field.into(),
        declared: declared.into(),
        live: Untrusted::from(live),
    };
    let kept = |adopted| {
        Action::Keep(Keep::Tenant {
            id: Untrusted::from("abc"),
            of: KeptTenant::Qlik { hostname: Untrusted::from("g.us.qlikcloud.com") },
            adopted,
        })
    };
    vec![
        planned(
            "qlik/drifted",
            20,
            Action::Drift(Drift {
                next: vec!["declare what is live".into()],
                ..Drift::of(vec![
                    drift("display_name", "Drifted", "Drifted Inc."),
                    drift("api_key_limits.max_expiry", "P30D", "P1D"),
                ])
            }),
        ),
        planned("qlik/globex", 21, kept(Adopted::ToRecord { account: account() })),
        planned("qlik/globex/own", 22, Action::Keep(Keep::AdoptedKey { key_id: "key-6".into(), expires: None })),
        planned("qlik/initech", 23, kept(Adopted::Recorded)),
        planned(
            "qlik/pending",
            24,
            Action::Wait(Wait {
                run: Some("0123456789abcdef".into()),
                why: "another run is creating this tenant".into(),
            }),
        ),
    ]
}

/// One object per refusal code.
pub(crate) fn refusals() -> Plan {
    let refuse = |(n, code): (usize, &Code)| {
        let refusal = Refusal::new(*code, format!("{code} was found"), format!("qlik-apply resolve qlik/t{n}"))
            .or("or ask a colleague");
        planned(&format!("qlik/t{n}"), u32::try_from(n).unwrap() + 1, Action::Refuse(refusal))
    };
    plan_of(Code::ALL.iter().enumerate().map(refuse).collect())
}

/// `bad` in every place where text comes from outside.
pub(crate) fn hostile(bad: &str) -> Plan {
    let there = TenantRef { id: bad.into(), hostname: bad.into() };
    let parent = || Parent::Exists(there.clone());
    let mint = |why| create_key(bad, parent(), why);
    let region = Region { label: Label::parse("us").unwrap(), domain: bad.into() };
    let all = vec![
        Action::CreateTenant(CreateTenant { account: account(), of: NewTenant::Qlik { region } }),
        Action::Settle(Settle {
            account: account(),
            parent: parent(),
            parts: vec![
                SettlePart::Name(bad.into()),
                SettlePart::Alias { label: Label::parse("a").unwrap(), host: bad.into() },
            ],
        }),
        Action::Trust(Trust { account: account(), parent: parent() }),
        Action::Mark(Mark {
            account: account(),
            key_id: bad.into(),
            description: bad.into(),
            of: MarkOf::Qlik { parent: there.clone(), owner: Owner::Client },
        }),
        Action::CreateKey(mint(WhyMint::Dead { key_id: bad.into(), state: bad.into() })),
        Action::CreateKey(mint(WhyMint::Supersede { key_id: bad.into() })),
        Action::Renew(Renew {
            create: mint(WhyMint::Missing),
            key_id: bad.into(),
            expires: time("2026-11-22T06:00:00Z"),
        }),
        Action::Reclaim(Reclaim {
            account: account(),
            key_id: bad.into(),
            letter: Letter::Undelivered,
            after_delivery: false,
            of: ReclaimOf::Qlik { parent: there.clone(), owner: Owner::Client, created: None, expires: None },
        }),
        Action::Keep(Keep::Tenant {
            id: bad.into(),
            of: KeptTenant::Qlik { hostname: bad.into() },
            adopted: Adopted::No,
        }),
        Action::Keep(Keep::AdoptedKey { key_id: bad.into(), expires: None }),
        Action::Keep(Keep::Key {
            key_id: bad.into(),
            expires: None,
            sink: name("files"),
            shape: KeyShape::Qlik(Shape::Json),
            also: BTreeMap::from([(name("vault"), KeyShape::Qlik(Shape::Env))]),
        }),
        Action::Drift(Drift {
            next: vec![bad.into()],
            ..Drift::of(vec![DriftField { field: bad.into(), declared: bad.into(), live: bad.into() }])
        }),
        Action::Wait(Wait { run: Some(bad.into()), why: bad.into() }),
        Action::Refuse(Refusal::new(Code::Unreadable, bad, bad)),
    ];
    let mut plan = plan_of(all.into_iter().map(|action| planned("qlik/acme", 1, action)).collect());
    plan.actions.extend(others(bad));
    for planned in &mut plan.actions {
        planned.at.file = bad.into();
    }
    plan.notices = vec![Notice { address: None, at: None, text: bad.into() }];
    plan.unchecked = vec![Unchecked { address: address("qlik/acme"), what: bad.into() }];
    plan
}

pub(crate) fn report() -> Report {
    let line = |to: &str, step, outcome| ReportLine { address: address(to), step, outcome };
    let done = |detail: &str| ReportOutcome::Done { detail: detail.into() };
    Report {
        started: time("2026-11-21T12:00:01Z"),
        lines: vec![
            line("qlik/acme", Step::CreateTenant, done("xzoau8xi93gyfo0.us.qlikcloud.com")),
            line("qlik/acme", Step::Settle, done("")),
            line("qlik/acme", Step::Trust, done("")),
            line("qlik/acme", Step::Grant, done("")),
            line("qlik/acme/ci", Step::CreateKey, done("key key-7 in files")),
            line(
                "qlik/acme/robot",
                Step::CreateKey,
                ReportOutcome::Failed(Failure::new(
                    "the key limit of its owner is reached (API-KEY-004)",
                    "revoke a key of release-bot, then run qlik-apply again",
                )),
            ),
            line("qlik/beta", Step::CreateTenant, ReportOutcome::Skipped { because: "the run was stopped".into() }),
        ],
        stopped: Some("SIGTERM arrived; what was in flight was finished".into()),
    }
}

pub(crate) fn hostile_report(bad: &str) -> Report {
    let mut report = report();
    for (n, line) in report.lines.iter_mut().enumerate() {
        line.outcome = match n % 3 {
            0 => ReportOutcome::Done { detail: bad.into() },
            1 => ReportOutcome::Failed(Failure::new(bad, bad)),
            _ => ReportOutcome::Skipped { because: bad.into() },
        };
    }
    report.stopped = Some(bad.into());
    report
}
