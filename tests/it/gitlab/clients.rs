//! A real client at the stand-in, so that what it takes and refuses is what it knows; it reads what is delivered, too.

use super::*;

#[test]
fn python_gitlab_knows_what_the_stand_in_answers_and_reads_what_is_delivered() {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    // Where `tests/clients/gitlab.sh` puts it.
    let python = target.join("clients/gitlab/bin/python");
    if !python.exists() {
        crate::needs::not_run("python-gitlab (tests/clients/gitlab.sh)");
        return;
    }
    let shop = Shop::new();
    shop.recovers();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/gitlab/of_python.py");
    let mut command = crate::stage::clean(python, shop.stage.dir());
    command.args([script, &format!("http://{}", shop.gitlab.host), api::OWNER, &name("ci")]);
    let read = Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(Some(read.out), shop.value("ci"));
}
