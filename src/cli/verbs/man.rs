//! `man [VERB…]`: the manual page, as `man -l -` shows it.

use clap::Command;

use super::super::exit::{Exit, Problem};
use super::super::output::Output;

pub(in crate::cli) fn run(of: &[String], command: &Command, output: &Output) -> Result<Exit, Problem> {
    let mut page = command;
    for verb in of {
        let known: Vec<&str> = page.get_subcommands().map(Command::get_name).collect();
        page = page.find_subcommand(verb).ok_or_else(|| {
            Problem::new(
                format!("{} has no command {verb}", page.get_name()),
                if known.is_empty() { "leave it out".to_owned() } else { format!("one of: {}", known.join(", ")) },
            )
        })?;
    }
    // The page of a verb is called as a shell would call it: qlik-plan-validate.
    let name = [command.get_name()].into_iter().chain(of.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let mut roff = Vec::new();
    clap_mangen::Man::new(page.clone())
        .title(name)
        .render(&mut roff)
        .map_err(|error| Problem::new(format!("the page cannot be written: {error}"), "please report this"))?;
    output.plain_lines(&String::from_utf8_lossy(&roff))?;
    Ok(Exit::Done)
}
