//! How long each format takes for a plan of 5,000 actions. Ends with an error where one takes 200 ms or more.
//!
//! `cargo bench --bench render`
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]
#![expect(clippy::unwrap_used, reason = "the names below are valid")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use qlik_plan::model::homes::{Homes, Shapes};
use qlik_plan::model::place::Place;
use qlik_plan::model::spec::{Owner, QlikKey, Shape};
use qlik_plan::model::untrusted::Untrusted;
use qlik_plan::plan::action::{
    Action, CreateKey, Drift, DriftField, Keep, KeyShape, KeySpec, Parent, Plan, Planned, TenantRef, WhyMint,
};
use qlik_plan::plan::refusal::{Code, Refusal};
use qlik_plan::render::markdown::{self, Medium, Page};
use qlik_plan::render::{Look, Verdict, github, gitlab, json, terraform, text};

const ACTIONS: u32 = 5_000;
const RUNS: usize = 21;
const LIMIT: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let plan = plan();
    let verdict = Verdict::of_plan(&plan, 1);
    let page = |medium| Page { medium, ..Page::default() };
    println!("{ACTIONS} actions, {RUNS} runs each\n{:<28} {:>9} {:>9} {:>11}", "format", "median", "longest", "bytes");
    let mut slow = false;
    let mut time = |name: &str, render: &dyn Fn() -> String| {
        let mut bytes = 0;
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let began = Instant::now();
                bytes = std::hint::black_box(render()).len();
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        let (median, longest) = (times.get(RUNS / 2).copied().unwrap(), times.last().copied().unwrap());
        println!("{name:<28} {:>6.1} ms {:>6.1} ms {bytes:>11}", millis(median), millis(longest));
        slow |= median >= LIMIT;
    };
    time("text", &|| text::plan(&plan, &Look::PLAIN));
    time("text, coloured", &|| text::plan(&plan, &Look { colour: true, ..Look::PLAIN }));
    time("json", &|| json::plan(&plan, &verdict));
    for (name, medium) in [
        ("markdown, github", Medium::GithubComment),
        ("markdown, github-summary", Medium::GithubSummary),
        ("markdown, gitlab", Medium::Gitlab),
        ("markdown, bitbucket", Medium::Bitbucket),
        ("markdown, azure", Medium::Azure),
    ] {
        time(name, &|| markdown::plan(&plan, &page(medium)));
    }
    time("terraform-json", &|| terraform::plan(&plan, None));
    time("gitlab", &|| gitlab::plan(&plan));
    time("github", &|| github::plan(&plan));
    if slow {
        println!("a format takes {} ms or more", LIMIT.as_millis());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Half creations, the rest drifted, refused and kept in turn; names are not all ASCII.
fn plan() -> Plan {
    let planned = |n: u32| Planned {
        address: format!("qlik/tenant-{:03}/key-{n}", n / 50).parse().unwrap(),
        at: Place { file: "tenants/retail.yaml".into(), line: n + 1, column: 9 },
        action: action(n),
    };
    Plan { actions: (0..ACTIONS).map(planned).collect(), ..Plan::empty("2026-11-21T12:00:00Z".parse().unwrap()) }
}

fn action(n: u32) -> Action {
    match n % 6 {
        0..=2 => Action::CreateKey(CreateKey {
            account: "us-oem".parse().unwrap(),
            parent: Parent::Exists(TenantRef {
                id: Untrusted::new(format!("id-{n}")),
                hostname: Untrusted::new(format!("host-{n}.us.qlikcloud.com")),
            }),
            spec: KeySpec::Qlik(QlikKey {
                description: format!("Schlüssel für Kasse {n} 漢字"),
                owner: Owner::Client,
                expires_in: qlik_plan::model::duration::Duration::parse("P7D").unwrap(),
                renew_before: qlik_plan::model::duration::Duration::parse("P1D").unwrap(),
                deliver_to: Homes::one("files".parse().unwrap()),
                deliver_as: Shapes::All(Shape::Env),
                adopt: None,
            }),
            why: WhyMint::Missing,
            replaces: Vec::new(),
        }),
        3 => {
            let text =
                format!("Nightly reload of the sales dashboards for the retail division, run by team {n} in Leeds");
            Action::Drift(Drift::of(vec![DriftField {
                field: "description".into(),
                live: Untrusted::new(text.replace("the retail", "every")),
                declared: text,
            }]))
        }
        4 => Action::Refuse(Refusal::new(
            Code::UnmarkedKey,
            format!("key {n} of the same description carries no marker of ours"),
            format!("adopt: {{ key_id: key-{n} }}, or give the key another description"),
        )),
        _ => Action::Keep(Keep::Key {
            key_id: format!("key-{n}"),
            expires: "2026-11-28T12:00:00Z".parse().ok(),
            sink: "files".parse().unwrap(),
            shape: KeyShape::Qlik(Shape::Token),
            also: BTreeMap::new(),
        }),
    }
}
