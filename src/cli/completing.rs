//! Completion of command lines: the script that a shell loads, and the answers to what it asks while somebody types. Nothing is sent.

use clap::Command;
use clap_complete::env::Shells;

use super::candidates::typed;
use super::exit::{Exit, Problem};
use super::output::Output;
use super::stream::{Kind, Stream};

/// By which a shell asks, and says which it is.
const VARIABLE: &str = "QLIK_PLAN_COMPLETE";

/// Prints the script.
pub(super) fn script(shell: &str, command: &Command, output: &Output) -> Result<Exit, Problem> {
    let unwritable = |why: String| Problem::new(format!("the script cannot be written: {why}"), "please report this");
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(|| unwritable("the shell is not known".to_owned()))?;
    let (mut script, name) = (Vec::new(), command.get_name());
    completer
        .write_registration(VARIABLE, name, name, name, &mut script)
        .map_err(|error| unwritable(error.to_string()))?;
    // Candidates stand on lines: what is printed here is escaped, and a vertical tab would be.
    output.plain_lines(&String::from_utf8_lossy(&script).replace("\\013", "\\n"))?;
    Ok(Exit::Done)
}

/// Answers a shell, if one asks. A shell is told nothing of what went wrong: it would stand in the middle of a line.
pub(super) fn answered(command: &Command) -> bool {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return false };
    let shells = Shells::builtins();
    let Some(completer) = name.to_str().and_then(|name| shells.completer(name)) else { return true };
    let words = typed();
    let mut answer = Vec::new();
    if completer
        .write_complete(&mut command.clone(), words, std::env::current_dir().ok().as_deref(), &mut answer)
        .is_ok()
    {
        drop(Stream::Out.print(Kind::Columns, &String::from_utf8_lossy(&answer)));
    }
    true
}
