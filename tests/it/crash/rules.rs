//! The rules of the protocols that a test leaves out, one at a time: what the program does without each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const PATCH: &str = "tests/rules/left-out.patch";

/// A rule by its name in the patch, and what the program does without it.
pub(super) type Rule = (&'static str, &'static str);

pub(super) const ALL: [Rule; 28] = [
    ("no-intent", "a tenant's record is written after its POST, and only if that went well"),
    ("intent-after-post", "the intent is written after the POST"),
    ("error-means-not-created", "a POST that went wrong in any way is taken to have made nothing"),
    ("blind-retry", "a POST whose outcome is unknown is sent once more"),
    ("bare-429-means-not-created", "a 429 in other words than the vendor's is taken to have made nothing"),
    ("no-retract-before-the-wait", "the intent of a creation that is asked for again is not taken back first"),
    ("auto-clear", "an intent whose run is over counts as taken back"),
    ("intent-deleted-on-success", "the intent is cleared when the tenant is there"),
    ("settled-before-sent", "a tenant is recorded as settled before its settings are sent"),
    ("no-marker", "keys are made under their plain description"),
    ("no-recovery", "keys that an interrupted run made are not looked for"),
    ("revoke-before-renewal", "a renewal revokes the old key first"),
    ("mark-before-delivery", "a key is marked as delivered, then delivered"),
    ("success-before-read-back", "a secret that was put is taken to be there"),
    ("missing-ledger-is-empty", "a ledger that is not there is taken for a new one"),
    ("secret-in-progress", "the progress shows the secret"),
    ("no-compare-and-swap", "a shared ledger's record is written over whatever stands there"),
    ("no-lock", "a folder's lock that another run holds is passed over"),
    ("revoke-in-flight", "an undelivered key is revoked at once, though its run may be about to deliver it"),
    ("never-overtaken", "a key in the sink proves nothing about older leftovers, but by its metadata"),
    ("entry-tells-nothing", "the sink's metadata about leftovers is not read"),
    ("later-spares-nothing", "a successor is made for a leftover although the sink's key is newer"),
    ("unnamed", "delivered keys that are in their sink no more are named by no plan"),
    ("one-home-is-enough", "a key that one of its homes shows counts as delivered"),
    ("delivered-with-the-first-home", "a key is marked as delivered once the first of its homes has it"),
    ("half-delivered-is-revoked", "a key that a later home refuses is revoked, though an earlier one has it"),
    ("seen-speaks-for-unseen", "what one home shows is taken for what another has that nobody sees into"),
    ("replaced-is-revoked", "a key that was in one of several homes is revoked once another replaced it there"),
];

/// The folder of the programs that can leave out a rule, built once from a copy of the sources.
pub(super) fn programs() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("left-out");
        let target = folder.join("target");
        let mut cargo = Command::new("sh");
        cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/cargo.sh")).arg(&folder);
        cargo.args(["build", "--locked", "--bin", "qlik-plan", "--bin", "qlik-apply", "--target-dir"]).arg(&target);
        assert!(cargo.status().unwrap().success(), "the programs with rules left out do not build");
        target.join("debug")
    });
    &BUILT
}

#[test]
fn the_patch_that_leaves_rules_out_applies_to_these_sources() {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("git").args(["apply", "-C1", "--check", PATCH]).current_dir(root).output().unwrap();
    assert!(
        output.status.success(),
        "{}apply what can be applied (git apply -C1 --reject {PATCH}), mend the rest by hand, then: git diff src > {PATCH}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_patch_leaves_out_the_rules_of_the_list() {
    let patch = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PATCH)).unwrap();
    let is_asked = |name: &str| patch.contains(&format!("(\"{name}\")"));
    let missing: Vec<&str> = ALL.iter().map(|(name, _)| *name).filter(|name| !is_asked(name)).collect();
    assert!(missing.is_empty(), "the patch does not know {missing:?}");
}
