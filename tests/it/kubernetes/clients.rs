//! Real clients at the stand-in, so that what it takes and refuses is what they know; and both read what is delivered, as consumers do.

use super::*;

/// Where `tests/clients/kubernetes.sh` puts them.
#[track_caller]
fn installed(program: &str) -> Option<std::path::PathBuf> {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("clients/kubernetes/bin").join(program);
    if path.exists() {
        return Some(path);
    }
    crate::needs::not_run(&format!("{program} for Kubernetes (tests/clients/kubernetes.sh)"));
    None
}

impl Shop {
    fn kubectl(&self, program: &std::path::Path, token: &str, args: &[&str]) -> Run {
        let mut command = crate::stage::clean(program, self.stage.dir());
        command
            .env("HOME", self.stage.dir())
            .args(["--server", &format!("https://{}", self.cluster.host), "--certificate-authority", "cluster.pem"])
            .args(["--namespace", "qlik", "--token", token])
            .args(args);
        Run::of(&command.output().unwrap())
    }
}

#[test]
fn kubectl_knows_what_the_stand_in_answers_and_reads_what_is_delivered() {
    let Some(program) = installed("kubectl") else { return };
    let shop = Shop::new();
    shop.recovers();
    let kubectl = |args: &str| shop.kubectl(&program, api::ADMIN, &args.split(' ').collect::<Vec<_>>());
    let value = kubectl("get secret prod.qlik.acme.ci -o jsonpath={.data.value}").exits(0).out;
    assert_eq!(STANDARD.decode(value).unwrap(), shop.value("ci").unwrap().as_bytes());
    let file = shop.stage.dir().join("first.json");
    kubectl("create secret generic by-hand --from-literal=value=one").exits(0).says("secret/by-hand created");
    kubectl("create secret generic by-hand --from-literal=value=one").exits(1).says("already exists");
    std::fs::write(&file, kubectl("get secret by-hand -o json").exits(0).out).unwrap();
    kubectl("replace -f first.json --validate=false").exits(0).says("secret/by-hand replaced");
    kubectl("replace -f first.json --validate=false").exits(1).says("Conflict").says("the object has been modified");
    kubectl("create secret generic dry --dry-run=server").exits(0).says("created (server dry run)");
    kubectl("get secret dry").exits(1).says("(NotFound): secrets \"dry\" not found");
    kubectl("create secret generic x --namespace elsewhere").exits(1).says("namespaces \"elsewhere\" not found");
    kubectl("delete secret by-hand --wait=false").exits(0).says("secret \"by-hand\" deleted");
    kubectl("get secret by-hand").exits(1).says("NotFound");

    for (verb, code, says) in [("get", 0, "yes"), ("create", 0, "yes"), ("update", 0, "yes"), ("delete", 1, "no")] {
        shop.kubectl(&program, RUNNER, &["auth", "can-i", verb, "secrets"]).exits(code).says(says);
    }
    let refused = shop.kubectl(&program, RUNNER, &["delete", "secret", "prod.qlik.acme.ci"]);
    refused
        .exits(1)
        .says("(Forbidden)")
        .says("cannot delete resource \"secrets\" in API group \"\" in the namespace \"qlik\"");
    shop.kubectl(&program, "nobodys", &["get", "secret", "dry"]).exits(1).says("You must be logged in to the server");
}

#[test]
fn the_client_for_python_knows_what_the_stand_in_answers_and_reads_what_is_delivered() {
    let Some(python) = installed("python") else { return };
    let shop = Shop::new();
    shop.recovers();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/kubernetes/of_python.py");
    let mut command = crate::stage::clean(python, shop.stage.dir());
    let server = format!("https://{}", shop.cluster.host);
    command.args([script, &server, "cluster.pem", api::ADMIN, "prod.qlik.acme.ci"]);
    let read = Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(Some(read.out), shop.value("ci"));
}
