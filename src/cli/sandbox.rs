//! The program `qlik-sandbox`: serve, exec, control; and attaching to a sandbox from the other programs.
#![expect(clippy::disallowed_methods, reason = "cli reads the environment, the working directory and the clock")]

mod attach;
mod call;
mod environment;
mod help;
mod hold;

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use hyper::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::process::{Child, Command};

pub use self::attach::{Attached, CliSandboxError, attach};
use self::attach::{Lifetime, any_port, attach_as, options, running};
pub use self::call::CallError;
use self::hold::Hold;
use super::harden::guarded;
use super::run::said_by_clap;
use super::stream::{Kind, Stream};
use crate::model::untrusted::escape;
use crate::sandbox::{self, Seeded, SeededAccount, SeededImburse};

use super::signals::{Heard, Kind as Signalled};

/// A stand-in for Qlik Cloud and Imburse Payments on this machine: nothing leaves it, nothing costs anything.
#[derive(Parser)]
#[command(name = "qlik-sandbox", version, after_help = help::FIRST_STEPS)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the sandbox until SIGINT or SIGTERM; print one line of JSON when it is ready
    #[command(after_help = help::SERVE)]
    Serve {
        /// Where the proxy listens; loopback only
        #[arg(long, value_name = "ADDRESS", default_value_t = any_port())]
        listen: SocketAddr,
        #[command(flatten)]
        state: StateDir,
    },
    /// Run a command that sees the sandbox instead of the vendors; exit with its code
    #[command(after_help = help::EXEC)]
    Exec {
        #[command(flatten)]
        state: StateDir,
        /// Run it in a network of its own that has nothing but the sandbox; needs Linux with `unshare` and `ip`
        #[arg(long)]
        isolate: bool,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Call the control API of the running sandbox: recorded requests, faults, clock, state
    #[command(after_help = help::control())]
    Control {
        #[command(flatten)]
        state: StateDir,
        /// GET, POST or DELETE
        method: String,
        /// One of the calls below
        path: String,
        /// What POST sends
        json: Option<String>,
    },
}

#[derive(clap::Args)]
struct StateDir {
    /// Where the sandbox keeps its state
    #[arg(long = "state", value_name = "DIR", env = "QLIK_SANDBOX_STATE", default_value = ".qlik-sandbox")]
    directory: PathBuf,
}

pub fn main() -> ExitCode {
    guarded(start, None)
}

fn start() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let stream = if error.use_stderr() { Stream::Err } else { Stream::Out };
            // Where the stream is closed there is nobody to tell.
            drop(said_by_clap(&error, stream));
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(run(arguments.verb)));
    outcome.unwrap_or_else(|error| {
        tell(&format!("error: {}", escape(&format!("{error:#}"))));
        ExitCode::FAILURE
    })
}

async fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Serve { listen, state } => serve(listen, &state.directory).await,
        Verb::Exec { state, isolate: true, command } => isolated(&state.directory, &command).await,
        Verb::Exec { state, isolate: false, command } => exec(&state.directory, &command).await,
        Verb::Control { state, method, path, json } => control(&state.directory, &method, &path, json).await,
    }
}

async fn serve(listen: SocketAddr, state_dir: &Path) -> anyhow::Result<ExitCode> {
    // Before the line that says ready: a signal right after it must find somebody listening.
    let mut signals = Heard::listen().context("cannot listen for signals")?;
    let running = sandbox::start(options(state_dir, listen)?).await?;
    let accounts = only_accounts(running.seed(&environment::default_seed()).await?)?;
    let directory = absolute(state_dir)?;
    let mut variables = environment::variables(running.proxy(), running.ca_file(), &directory, &accounts);
    let token = std::fs::read_to_string(running.control_token_file()).context("cannot read the control token")?;
    let hold = Hold::write(&directory, running.proxy(), running.ca_file())?;
    variables.insert("NODE_OPTIONS", hold.node_options(None));
    variables.insert("JAVA_TOOL_OPTIONS", hold.java_options(None));
    variables.insert("QLIK_SANDBOX_CONTROL", running.control().to_owned());
    variables.insert("QLIK_SANDBOX_CONTROL_TOKEN", token);
    let env_file = directory.join("env.sh");
    sandbox::write_private(&env_file, environment::script(&variables).as_bytes())?;
    let ready = json!({
        "proxy": running.proxy(),
        "ca": running.ca_file(),
        "env": env_file,
        "control": running.control(),
        "control_token_file": running.control_token_file(),
    });
    say(Kind::Json, &ready.to_string())?;
    if Stream::Err.is_terminal() {
        tell(&format!("ready; in another shell: . {}   (Ctrl-C here ends it)", env_file.display()));
    }
    signals.next().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

/// The one account at each vendor.
fn only_accounts(seeded: Seeded) -> anyhow::Result<(SeededAccount, SeededImburse)> {
    let both = seeded.accounts.into_iter().next().zip(seeded.imburse.into_iter().next());
    both.context("the sandbox answered no account")
}

/// A closed pipe is no error: whoever read has read enough.
fn say(kind: Kind, text: &str) -> anyhow::Result<()> {
    match Stream::Out.say(kind, text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Where stderr is closed there is nobody to tell.
fn tell(text: &str) {
    drop(Stream::Err.say(Kind::Lines, text));
}

async fn exec(state_dir: &Path, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let attached = attach_as(state_dir, Lifetime::Lasting).await?;
    let accounts = only_accounts(attached.seed(&environment::default_seed()).await?)?;
    let directory = absolute(state_dir)?;
    let variables = environment::variables(attached.proxy(), attached.ca_file(), &directory, &accounts);
    let [program, arguments @ ..] = command else { anyhow::bail!("exec needs a command to run") };
    let mut child = Command::new(program);
    child.args(arguments);
    for name in environment::CLEARED {
        child.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if environment::is_of_the_vendors(&name.to_string_lossy()) {
            child.env_remove(name);
        }
    }
    child.envs(variables);
    let hold = Hold::write(&directory, attached.proxy(), attached.ca_file())?;
    let given = |name: &str| std::env::var(name).ok();
    child.env("NODE_OPTIONS", hold.node_options(given("NODE_OPTIONS").as_deref()));
    child.env("JAVA_TOOL_OPTIONS", hold.java_options(given("JAVA_TOOL_OPTIONS").as_deref()));
    // Before there is a command that a signal could be meant for.
    let signals = Heard::listen().context("cannot listen for signals")?;
    let outcome = match child.spawn() {
        Ok(child) => attend(child, signals).await,
        Err(error) => {
            attached.detach().await;
            return Ok(not_run(program, &error));
        }
    };
    attached.detach().await;
    outcome.map(code)
}

/// The same in a network namespace of its own, where nothing but loopback is: whatever a program reads or does not read, no request
/// leaves. The sandbox runs inside as well.
async fn isolated(state_dir: &Path, command: &[OsString]) -> anyhow::Result<ExitCode> {
    const NAMESPACE: [&str; 4] = ["--user", "--map-root-user", "--net", "--"];
    const UP: &str = "ip link set lo up";
    let probe = Command::new("unshare").args(NAMESPACE).args(["sh", "-c", UP]).output().await;
    let allowed = match &probe {
        Ok(probe) if probe.status.success() => Ok(()),
        Ok(probe) => Err(String::from_utf8_lossy(&probe.stderr).trim().to_owned()),
        Err(error) => Err(format!("unshare: {error}")),
    };
    if let Err(why) = allowed {
        let why = escape(&why);
        anyhow::bail!(
            "this machine does not let a program have a network of its own ({why}): leave out --isolate, or allow it"
        );
    }
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut child = Command::new("unshare");
    child.args(NAMESPACE).args(["sh", "-c", &format!("{UP} && exec \"$@\""), "sh"]).arg(program);
    child.args(["exec", "--state"]).arg(state_dir).arg("--").args(command);
    let signals = Heard::listen().context("cannot listen for signals")?;
    let child = child.spawn().context("cannot run unshare")?;
    attend(child, signals).await.map(code)
}

/// 127 where there is no such command, 126 where it cannot be run, as shells do.
fn not_run(program: &OsStr, error: &io::Error) -> ExitCode {
    tell(&format!("error: cannot run {}: {error}", escape(&program.to_string_lossy())));
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

/// Waits for the command. A terminal sends SIGINT, SIGQUIT and SIGHUP to both, and they are the command's to answer; SIGTERM is
/// passed on.
async fn attend(mut child: Child, mut signals: Heard) -> anyhow::Result<ExitStatus> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    loop {
        tokio::select! {
            status = child.wait() => return status.context("cannot wait for the command"),
            kind = signals.next() => {
                if let (Signalled::Terminate, Some(pid)) = (kind, pid) {
                    // It may just have ended; then the wait says so.
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
        }
    }
}

/// The command's own code; 128 and the signal's number where a signal ended it, as shells do.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// One line for programs, and indented for a person.
fn show(body: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(body);
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return say(Kind::Lines, &text) };
    match serde_json::to_string_pretty(&value) {
        Ok(pretty) if Stream::Out.is_terminal() => say(Kind::Json, &pretty),
        Ok(_) | Err(_) => say(Kind::Json, &text),
    }
}

async fn control(state_dir: &Path, method: &str, path: &str, json: Option<String>) -> anyhow::Result<ExitCode> {
    let server = running(state_dir).await?;
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).context("METHOD is GET, POST or DELETE")?;
    let path = path.trim_start_matches('/');
    let path = format!("/control/{}", path.strip_prefix("control/").unwrap_or(path));
    let (status, body) = call::call(&server, method, &path, json.unwrap_or_default().into_bytes()).await?;
    show(&body)?;
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
