//! A store's own facts about itself and a key's place: what has happened to a key there, and what will.

use crate::model::address::{Address, Name};
use crate::model::desired::Declared;
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::live::{Deleted, Observed, SinkLive, StoreLive, TokenLive, Tracked, Writable};
use crate::model::untrusted::Untrusted;

use super::action::{Notice, Plan};
use super::refusal::{Code, Refusal};
use super::scene::Scene;

/// The longest that a run lasts where `--max-run` does not say otherwise.
const RUN: Duration = Duration::from_seconds(3_600);

/// The most requests for one key to its store in a plan and the apply after it: looks, rights, mount, delivery,
/// read-back.
const REQUESTS_PER_KEY: u64 = 12;

/// Git has the key's files, whoever looks at the repository has them too.
pub(super) fn not_tracked(sink: &SinkLive, address: &Address) -> Result<(), Refusal> {
    let Some(Tracked { root, file, secret }) = &sink.tracked else { return Ok(()) };
    let untrack = format!("git -C {root} rm --cached --force -- {file}, ignore it (.gitignore), and commit");
    let refusal = |what: &str| {
        Refusal::new(Code::SecretTracked, format!("{file} is {what} and is tracked by git in {root}"), untrack.clone())
    };
    Err(if *secret {
        refusal("its secret").or(format!(
            "then qlik-apply --replace {address}, and revoke the key that was there: who has a copy of the repository has it"
        ))
    } else {
        refusal("the metadata of its secret")
    })
}

/// Where a store remembers what was deleted there: a clause for the sentence that misses it, and the way back.
pub(super) fn deletion(sink: &SinkLive) -> (String, Option<String>) {
    let Some(Deleted { version, at, undo }) = &sink.deleted else { return (String::new(), None) };
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    let how = if undo.is_some() { "deleted" } else { "destroyed" };
    (format!(": version {version} there was {how}{at}"), undo.clone())
}

/// Adds notices about what will end before a key does.
pub(super) fn notices(scene: &Scene, plan: &mut Plan) {
    for (address, sink) in &scene.live.sinks {
        plan.notices.extend(sink.trouble.iter().map(|trouble| Notice::of(address, trouble.to_string())));
        let (Some(until), Some(held)) = (sink.until, sink.entry.as_ref().and_then(Observed::present)) else { continue };
        let lives = |end| end > scene.now;
        if held.expiry.is_none_or(|end| lives(end) && until < end) {
            let end = held.expiry.map_or_else(|| "never".to_owned(), |end| end.to_string());
            plan.notices.push(Notice::of(
                address,
                format!(
                    "its store deletes it at {until}, and key {} expires {end}: raise delete_version_after there, or renew earlier",
                    Untrusted::from(held.key_id.as_str())
                ),
            ));
        }
    }
    for (name, store) in &scene.live.stores {
        let StoreLive { token, keeps_seconds } = store;
        plan.notices.extend(token.iter().flat_map(|token| of_token(scene, name, token)));
        plan.notices.extend(keeps_seconds.and_then(|seconds| of_retention(scene, name, seconds)));
    }
}

fn of_token(scene: &Scene, name: &Name, token: &TokenLive) -> Vec<Notice> {
    let TokenLive { seconds_left, uses_left } = token;
    let all = scene.desired.of_all_shards();
    let is_for = |declared: &Declared| declared.spec.deliver_to().is_some_and(|homes| homes.contain(name));
    let keys = all.filter(|(_, declared)| is_for(declared)).count();
    let needed = REQUESTS_PER_KEY.saturating_mul(u64::try_from(keys).unwrap_or(u64::MAX));
    let short = seconds_left.filter(|left| *left < RUN.seconds()).map(|left| {
        format!(
            "the token of sink {name} ends in {}, and a run of qlik-apply may last {RUN} (--max-run): log in again before it",
            Duration::from_seconds(left)
        )
    });
    let few = uses_left.filter(|left| *left < needed).map(|left| {
        format!(
            "the token of sink {name} may be used {left} more times, and a plan and an apply of all keys there may take {needed}: \
             take a token without `num_uses`"
        )
    });
    [short, few].into_iter().flatten().map(Notice::general).collect()
}

fn of_retention(scene: &Scene, name: &Name, seconds: u64) -> Option<Notice> {
    let is_for = |declared: &Declared| declared.spec.deliver_to().is_some_and(|homes| homes.contain(name));
    let here = |declared: &Declared| is_for(declared) && declared.spec.outlives(seconds);
    // Of all shards, so that each names the same one.
    let address =
        scene.desired.of_all_shards().filter(|(_, declared)| here(declared)).map(|(address, _)| address).min()?;
    let after = Duration::from_seconds(seconds);
    let text = format!(
        "sink {name} deletes every version after {after} (delete_version_after of its mount), and {address} lives longer: \
         raise it for these keys (`bao kv metadata put -delete-version-after=…`), or declare shorter ones"
    );
    Some(Notice::general(text))
}

/// Checks that the sink would take one more key, as far as that can be known. Adds what could not be checked.
pub(super) fn sink_takes(
    sink: Option<&SinkLive>,
    address: &Address,
    homes: &Homes,
    unchecked: &mut Vec<String>,
) -> Result<(), Refusal> {
    sink.map_or(Ok(()), |sink| not_tracked(sink, address))?;
    match sink.map(|sink| (&sink.entry, &sink.writable)) {
        Some((_, Some(Writable::No(unreadable)))) => {
            Err(Refusal { code: Code::SinkRefuses, why: unreadable.why.clone(), next: vec![unreadable.next.clone()] })
        }
        Some((Some(Observed::Unreadable(unreadable)), _)) => Err(unreadable.into()),
        Some((_, Some(Writable::Yes))) => Ok(()),
        Some((_, Some(Writable::NotRefused(what)))) => {
            unchecked.push(what.clone());
            Ok(())
        }
        Some((_, None)) | None => {
            unchecked.push(format!("whether {} can be written", homes.named()));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_told_with_the_way_back_if_there_is_one() {
        let at = Some("2027-01-15T08:00:00Z".parse().unwrap());
        let sink = |deleted| SinkLive { deleted, ..SinkLive::default() };
        assert_eq!(deletion(&sink(None)), (String::new(), None));
        let undo = Some("undo it".to_owned());
        assert_eq!(
            deletion(&sink(Some(Deleted { version: 3, at, undo: undo.clone() }))),
            (": version 3 there was deleted at 2027-01-15T08:00:00Z".to_owned(), undo)
        );
        let (words, none) = deletion(&sink(Some(Deleted { version: 3, at: None, undo: None })));
        assert_eq!((words.as_str(), none), (": version 3 there was destroyed", None));
    }
}
