//! A secret that a program prints, run as the programs of a sink are: without a shell, with the least of an environment, and in time.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::redact::{Speaker, is_opaque, said};
use crate::model::secret::Secret;
use crate::model::untrusted::escape;

use super::super::unreadable;
use super::process::{Ended, LARGEST, Program};
use super::{nowhere, start, stopped};

/// Runs a program and takes what it prints, without one line end at its end. It blocks.
///
/// # Errors
/// The program cannot be started, fails, is too slow or prints too much. Nothing that it printed is repeated; of what it says on its
/// standard error, what holds nothing of that.
pub fn printed(
    argv: &[String],
    folder: &Path,
    environment: &[(String, Secret)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let name = argv.first().map(String::as_str).unwrap_or_default();
    let program = escape(name);
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.expose());
    let file = start::file(name, folder, path.unwrap_or_default()).ok_or_else(|| nowhere(&program))?;
    if let Some(obstacle) = start::before(&file, folder) {
        return Err(stopped(&program, obstacle));
    }
    let run = Program { argv, folder, environment, about: &[], input: None, timeout, lock: None }.run();
    let mut ran = run.map_err(|error| stopped(&program, start::after(&file, folder, &error)))?;
    let failed = |how: String, next: String| Err(unreadable(format!("{program} {how}"), next));
    let by_hand =
        format!("run {program} by hand, from {} and with little of an environment", escape(&folder.to_string_lossy()));
    match ran.ended {
        Ended::Code(0) if ran.left_behind => {
            failed("ended and left a process behind that may still print".to_owned(), by_hand)
        }
        Ended::Code(0) if ran.out.len() >= LARGEST => {
            failed(format!("prints {LARGEST} bytes or more, too many for a credential"), by_hand)
        }
        Ended::Code(0) => {
            let end = [&b"\r\n"[..], b"\n"].into_iter().find(|end| ran.out.ends_with(end)).map_or(0, <[u8]>::len);
            let length = ran.out.len() - end;
            ran.out.truncate(length);
            Ok(ran.out)
        }
        Ended::Code(code) => {
            let handed_on = environment.iter().map(|(_, value)| value.expose()).filter(|value| is_opaque(value));
            let out = ran.out.trim_ascii();
            let secrets: Vec<&[u8]> = [out].into_iter().chain(handed_on.map(str::as_bytes)).collect();
            let words = said(&ran.err, &secrets, Speaker::Given);
            let words = if words.raw().is_empty() { String::new() } else { format!(": {}", words.raw()) };
            failed(format!("ended with exit code {code}{words}"), by_hand)
        }
        Ended::Signal(signal) => failed(format!("was ended by signal {signal}"), by_hand),
        Ended::TimedOut => failed(format!("was not done after {} s and was killed", timeout.as_secs()), by_hand),
    }
}
