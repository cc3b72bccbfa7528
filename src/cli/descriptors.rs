//! How many files may be open: what working on so many tenants side by side needs, asked for before anything is begun. Running out in
//! the middle would leave tenants in doubt.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::exit::Problem;
use super::output::Output;

/// Each tenant: a connection that is used and one that is being closed, a name that is resolved or a file with its folder or a store's
/// connection, or the pipes of a command.
const EACH: u64 = 8;
/// With the sandbox in this process, the other end of each connection too.
const EACH_WITH_SANDBOX: u64 = 12;
/// Beside what is open already: the ledger's files, signals, timers, files that are read one after the other.
const RESERVE: u64 = 24;

/// How many tenants may be worked on side by side, at most as many as were asked for. The soft limit is raised as far as they
/// need and may; a program that is started inherits it.
///
/// # Errors
/// Not even one tenant can be.
pub(super) fn fit(asked: u16, sandbox: bool, output: &Output) -> Result<usize, Problem> {
    let each = if sandbox { EACH_WITH_SANDBOX } else { EACH };
    let beside = open_now() + RESERVE;
    let needed = beside + each * u64::from(asked);
    let Some(limit) = raised_to(needed) else { return Ok(asked.into()) };
    let room = usize::try_from(limit.saturating_sub(beside) / each).unwrap_or(usize::MAX);
    if room == 0 {
        return Err(Problem::new(
            format!("this process may have {limit} files open, too few to work on one tenant; nothing was begun"),
            format!("ulimit -n {needed}, then run it again"),
        ));
    }
    if room < usize::from(asked) {
        output.message(&format!(
            "notice: this process may have {limit} files open, so {room} tenants are worked on side by side instead of {asked} (ulimit -n {needed} is enough for {asked})"
        ));
    }
    Ok(room.min(asked.into()))
}

/// The limit, raised to what is needed or as far as it may be. `None`: there is none.
fn raised_to(needed: u64) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|soft| soft < needed) {
        let wanted = maximum.map_or(needed, |hard| hard.min(needed));
        // Where the system refuses, what there is has to do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    getrlimit(Resource::Nofile).current
}

/// What is open now; where the system does not tell, the three standard streams and as many again.
fn open_now() -> u64 {
    let listed = std::fs::read_dir("/dev/fd").map(|entries| entries.count());
    listed.ok().and_then(|count| u64::try_from(count).ok()).unwrap_or(6)
}
