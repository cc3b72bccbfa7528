//! How long `qlik-plan validate` takes, and how much memory, for every file of the corpus and for small files that ask
//! for much. Ends with an error where one takes more than a second or 300 MB. Needs Python 3, which measures.
//!
//! `cargo bench --bench config`
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends, and says where")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const PLAN: &str = env!("CARGO_BIN_EXE_qlik-plan");
const SECONDS_MAX: f64 = 1.0;
const MEGABYTES_MAX: f64 = 300.0;
/// Runs a program, and prints its exit code, its seconds and the megabytes that it had at most.
const MEASURE: &str = "
import resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode
took = time.monotonic() - began
print(code, took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
";

/// What is validated: a name, the arguments, and whether it must be taken.
struct Case {
    name: String,
    args: Vec<String>,
    good: Option<bool>,
}

fn main() -> ExitCode {
    let dir = tempfile::tempdir().unwrap();
    let mut cases = corpus();
    cases.extend(bombs(dir.path()));
    println!("{} files; the slowest, and all that are over a bound", cases.len());
    println!("{:<44} {:>9} {:>9}", "file", "seconds", "MB");
    let mut measured: Vec<(f64, f64, String, bool)> = cases.iter().map(measure).collect();
    measured.sort_by(|a, b| b.0.total_cmp(&a.0));
    let is_over = |seconds: f64, megabytes: f64| seconds > SECONDS_MAX || megabytes > MEGABYTES_MAX;
    for (rank, (seconds, megabytes, name, right)) in measured.iter().enumerate() {
        if rank < 25 || is_over(*seconds, *megabytes) || !right {
            let note = if *right { "" } else { "  (not the exit code that it should have)" };
            println!("{name:<44} {seconds:>9.3} {megabytes:>9.1}{note}");
        }
    }
    let failed = measured.iter().any(|(seconds, megabytes, _, right)| is_over(*seconds, *megabytes) || !right);
    if failed {
        println!("a file takes more than {SECONDS_MAX} s or {MEGABYTES_MAX} MB, or is not judged as it should be");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn measure(case: &Case) -> (f64, f64, String, bool) {
    let out = Command::new("python3")
        .args(["-c", MEASURE, PLAN])
        .args(&case.args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [code, seconds, megabytes] = numbers.as_slice() else {
        return (f64::INFINITY, f64::INFINITY, case.name.clone(), false);
    };
    let right = match case.good {
        Some(good) => *code == if good { 0.0 } else { 1.0 },
        None => *code == 0.0 || *code == 1.0,
    };
    (*seconds, *megabytes, case.name.clone(), right)
}

fn corpus() -> Vec<Case> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/config");
    let mut cases = Vec::new();
    for folder in ["good", "bad"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let (name, file) =
                (format!("{folder}/{}", path.file_name().unwrap().display()), path.display().to_string());
            let good = root.join("good/adopted.desired.yaml").display().to_string();
            let settings = root.join("settings.yaml").display().to_string();
            let args = match name.rsplit_once('.') {
                Some((name, "yaml")) if name.ends_with(".settings") => vec!["validate", "--settings", &file, &good],
                Some((_, "yaml")) => vec!["validate", "--settings", &settings, &file],
                Some(_) | None => continue,
            };
            let args = args.into_iter().map(str::to_owned).collect();
            // Desired state that is good is not read with good settings of another estate.
            cases.push(Case { name, args, good: (folder == "bad").then_some(false) });
        }
    }
    cases
}

/// Small files that ask for much.
fn bombs(dir: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, text: String, good: bool| {
        let path = dir.join(format!("{}.yaml", name.replace([' ', ','], "-")));
        fs::write(&path, &text).unwrap();
        let name = format!("{name}, {} KiB", text.len() / 1024);
        cases.push(Case { name, args: vec!["validate".to_owned(), path.display().to_string()], good: Some(good) });
    };
    for (keys, tenants) in [(440, 450), (500, 500), (1_000, 1_000), (2_000, 2_000), (3_000, 3_000), (20_000, 20_000)] {
        add(format!("qlik, a profile of {keys} for {tenants}"), qlik(keys, tenants), keys * tenants < 200_000);
        add(format!("imburse, a profile of {keys} for {tenants}"), imburse(keys, tenants), keys * tenants < 200_000);
    }
    for n in [1_000, 3_000, 10_000, 50_000] {
        let mut text = "version: 1\nqlik:\n  profiles:\n".to_owned();
        (0..n).for_each(|i| writeln!(text, "    profile{i}: {{ account: a }}").unwrap());
        text.push_str("  tenants:\n");
        (0..n).for_each(|i| writeln!(text, "    t{i}: {{ profile: profil{i} }}").unwrap());
        add(format!("{n} mistyped profiles"), text, false);

        let mut text = "version: 1\nqlik:\n  tenants:\n".to_owned();
        (0..n).for_each(|i| writeln!(text, "    tenant{i}: {{ account: a }}").unwrap());
        text.push_str("ignore:\n");
        let entry = |name: &str, i: usize| format!("- {{ address: qlik/{name}{i}, field: alias, reason: x }}");
        (0..n).for_each(|i| writeln!(text, "  {}", entry("tenan", i)).unwrap());
        add(format!("{n} mistyped addresses"), text.clone(), false);
        add(format!("{n} ignored differences"), text.replace("qlik/tenan", "qlik/tenant"), true);

        let mut text = "version: 1\nqlik:\n  profiles:\n    p:\n      account: a\n      api_keys:\n".to_owned();
        (0..n).for_each(|i| writeln!(text, "        {}", key(i)).unwrap());
        let names = |word: &str| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>().join(", ");
        let omitting = |word: &str| format!("{text}  tenants:\n    t: {{ profile: p, omit: [{}] }}\n", names(word));
        add(format!("{n} mistyped keys left out"), omitting("ke"), false);
        add(format!("{n} keys left out"), omitting("key"), true);

        let unknown = |word: &str| (0..n).map(|i| format!("{word}{i}: x\n")).collect::<String>();
        add(format!("{n} unknown keys"), format!("version: 1\nqlik: {{}}\n{}", unknown("qlick")), false);
        add(format!("{n} foreign keys"), unknown("qlick"), false);
        add(format!("{n} of one key"), format!("version: 1\n{}", "qlik: {}\n".repeat(n)), false);
    }
    cases
}

fn key(i: usize) -> String {
    format!("key{i}: {{ description: d, owner: {{ client: {{}} }}, expires_in: P1D, deliver_to: f }}")
}

fn qlik(keys: usize, tenants: usize) -> String {
    let mut text = "version: 1\nqlik:\n  profiles:\n    p:\n      account: a\n      api_keys:\n".to_owned();
    (0..keys).for_each(|i| writeln!(text, "        {}", key(i)).unwrap());
    text.push_str("  tenants:\n");
    (0..tenants).for_each(|i| writeln!(text, "    t{i}: {{ profile: p }}").unwrap());
    text
}

fn imburse(keys: usize, tenants: usize) -> String {
    let mut text = "version: 1\nimburse:\n  profiles:\n    p:\n      account: a\n      api_keys:\n".to_owned();
    (0..keys).for_each(|i| writeln!(text, "        k{i}: {{ name: n, roles: [r], deliver_to: f }}").unwrap());
    text.push_str("  tenants:\n");
    (0..tenants).for_each(|i| writeln!(text, "    t{i}: {{ profile: p, adopt: {{ tenant_id: a{i} }} }}").unwrap());
    text
}
