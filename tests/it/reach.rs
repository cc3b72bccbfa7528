//! The way to a server: a proxy that cannot be read, is down or says no, and certificates that are not what they should be. Vendors,
//! vault and object store take the same way.
//!
//! The proxies here are of the test's own; squid 5.7 and tinyproxy 1.11.1 answer 403 to what they do not allow, 407 where they want a
//! user (tinyproxy 403 for a wrong password), and 502 or 503 to a name that they do not find.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls_pki_types::PrivateKeyDer;

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS};

const PASSWORD: &str = "hunter2-of-the-proxy";

/// Reads a request's head; nothing where the other side is gone.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A proxy that does this with each connection, and its `HOST:PORT`. It lives as long as the test's process.
fn proxy(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    place
}

/// Hands a connection on to the sandbox's proxy where it asks for the vendor; gives it back, with what it asked for, where not.
fn unless_the_vendors(mut stream: TcpStream, sandbox: Option<&str>) -> Option<TcpStream> {
    let asked = head(&mut stream);
    let Some(sandbox) = sandbox.filter(|_| asked.contains("qlikcloud.com")) else { return Some(stream) };
    let mut onward = TcpStream::connect(sandbox).unwrap();
    onward.write_all(asked.as_bytes()).unwrap();
    let (mut back, mut forth) = (stream.try_clone().unwrap(), onward.try_clone().unwrap());
    // How either side ends is no matter of this test.
    let answers = thread::spawn(move || drop(std::io::copy(&mut onward, &mut back)));
    drop(std::io::copy(&mut stream, &mut forth));
    drop((forth.shutdown(std::net::Shutdown::Both), answers.join()));
    None
}

/// A proxy that answers this to everything; or, with the sandbox's, to everything but the vendor.
fn answering(answer: &'static str, sandbox: Option<String>) -> String {
    proxy(move |stream| {
        if let Some(mut stream) = unless_the_vendors(stream, sandbox.as_deref()) {
            // Whoever asked may have heard enough.
            let _ = stream.write_all(answer.as_bytes());
        }
    })
}

/// What each kind of server is asked for: the vendor, a bucket and a vault that are none of this machine's.
const SERVERS: [(&str, &str); 3] =
    [("vendor", "qlikcloud.com:443"), ("bucket", "amazonaws.com:443"), ("vault", "vault.example:8200")];

/// With a ledger, so that what is asked next is the server.
fn cloud() -> Cloud {
    let cloud = Cloud::new(ONE_TENANT);
    drop(cloud.apply(&["ledger", "init"]).exits(0));
    cloud
}

/// Where the vendor is, for a run that is to fail at the vault.
fn sandbox(cloud: &Cloud, server: &str) -> Option<String> {
    (server == "vault").then(|| cloud.variable("HTTPS_PROXY").trim_start_matches("http://").to_owned())
}

/// A run that needs this server first. Its settings trust the sandbox's certificates and, for this server, those of a file.
fn asking(cloud: &Cloud, server: &str, trusted: Option<&str>) -> Command {
    let mut settings = SETTINGS.to_owned();
    let sandboxs = cloud.variable("SSL_CERT_FILE");
    let ca_file = trusted.filter(|_| server != "vault").unwrap_or(sandboxs);
    let args = match server {
        "bucket" => {
            let folder = "{ kind: directory, path: .qlik-plan/ledger, durable: true }";
            settings = settings.replace(folder, "{ kind: object-store, url: s3://estate/p, region: eu-central-1 }");
            vec!["ledger", "list"]
        }
        "vault" => {
            let folder = "{ kind: file, directory: ./secrets, durable: true }";
            let trusted = trusted.map(|file| format!(", ca_file: '{file}'")).unwrap_or_default();
            let vault = "kind: vault, address: 'https://vault.example:8200', mount: kv, token: { env: VAULT_TOKEN }";
            settings = settings.replace(folder, &format!("{{ {vault}{trusted} }}"));
            vec!["--preflight=full", "--unrehearsed"]
        }
        _ => vec!["--preflight=full"],
    };
    assert_eq!(server != "vendor", settings != SETTINGS);
    std::fs::write(cloud.settings_file(), format!("{settings}network: {{ ca_file: '{ca_file}' }}\n")).unwrap();
    let mut command = cloud.command(if server == "bucket" { APPLY } else { PLAN }, &args);
    command.args(["--timeout", "5"]);
    command.env("AWS_ACCESS_KEY_ID", "nobody").env("AWS_SECRET_ACCESS_KEY", "nothing").env("VAULT_TOKEN", "none");
    command
}

fn run(mut command: Command) -> Run {
    let run = Run::of(&command.output().unwrap());
    assert!(!run.all().contains(PASSWORD), "{}", run.all());
    run
}

#[test]
fn a_proxy_that_cannot_be_read_is_an_error_and_no_way_around_it() {
    let cloud = cloud();
    let texts = [
        format!("http//user:{PASSWORD}@proxy:3128"),
        " http://proxy:3128".to_owned(),
        "http://proxy:3128\n".to_owned(),
        ":::".to_owned(),
        "http://".to_owned(),
        format!("htp://user:{PASSWORD}@proxy:3128"),
        format!("socks5://user:{PASSWORD}@proxy:1080"),
        format!("http://user:{PASSWORD}@proxy:port"),
    ];
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for (text, (server, _)) in texts.iter().zip(SERVERS.into_iter().cycle()) {
            let mut command = asking(&cloud, server, None);
            command.env(variable, text);
            run(command)
                .exits(1)
                .says(&format!("{variable} is no proxy: "))
                .says("nothing was sent")
                .says(&format!("next: correct {variable}, as in http://proxy.example:3128, or unset it"));
        }
    }
    // An empty one is none, and does not hide the other spelling; of a proxy for plain http nothing is asked.
    let refusing = answering("HTTP/1.1 403 Forbidden\r\n\r\n", None);
    let mut command = asking(&cloud, "vendor", None);
    command.env("HTTPS_PROXY", "").env("HTTP_PROXY", ":::").env("https_proxy", format!("http://{refusing}"));
    run(command).exits(1).says(&format!("the proxy {refusing} (https_proxy) answers 403"));
    // Settings come first, and are read with the same eyes.
    std::fs::write(cloud.settings_file(), format!("{SETTINGS}network: {{ proxy: 'http//{PASSWORD}' }}\n")).unwrap();
    let mut command = cloud.command(PLAN, &[]);
    run({
        command.env("HTTPS_PROXY", ":::");
        command
    })
    .exits(1)
    .says("`proxy` is not of the form http://HOST:PORT");
}

#[test]
fn what_a_proxy_answers_is_said_with_its_way_out() {
    let cloud = cloud();
    let answers = [
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "answers 403 to CONNECT ",
            "have the proxy allow CONNECT to this host",
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "answers 407 to CONNECT ",
            "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
        ),
        ("HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n", "answers 302 to CONNECT ", "sign-in page"),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", "answers 502 to CONNECT ", "the proxy's own way out"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "opens no way to ", "that a proxy answers there"),
        ("", "opens no way to ", "that a proxy answers there"),
    ];
    for (answer, words, next) in answers {
        for (server, authority) in SERVERS {
            let place = answering(answer, sandbox(&cloud, server));
            let mut command = asking(&cloud, server, None);
            command.env("HTTPS_PROXY", format!("http://user:{PASSWORD}@{place}"));
            run(command).exits(1).says(&format!("the proxy {place} (HTTPS_PROXY) {words}")).says(authority).says(next);
        }
    }
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for server in ["vendor", "bucket"] {
        let mut command = asking(&cloud, server, None);
        command.env("ALL_PROXY", format!("http://user:{PASSWORD}@{gone}"));
        run(command)
            .exits(1)
            .says(&format!("the proxy {gone} (ALL_PROXY) cannot be reached"))
            .says("check the proxy's host and port");
    }
}

/// A proxy that opens the way and then speaks for every server, with a certificate of this kind; and the authority's.
fn in_the_middle(names: &[&str], until: i32, sandbox: Option<String>) -> (String, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let config = Arc::new(config);
    let place = proxy(move |stream| {
        let Some(mut stream) = unless_the_vendors(stream, sandbox.as_deref()) else { return };
        if stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").is_err() {
            return;
        }
        let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        // How the handshake ends is what the client is asked about.
        while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    });
    (place, ca_pem)
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_apart() {
    let cloud = cloud();
    let hosts =
        ["*.us.qlikcloud.com", "*.s3.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "vault.example"];
    let trusted = cloud.stage.dir().join("ca.pem");
    let inspected = "name its certificate in settings network.ca_file";
    for (names, until, trust, words, next) in [
        (&hosts[..], 2020, true, "has expired", "check this machine's clock"),
        (&["other.example"], 2099, true, "is for another name", "a captive portal, a wrong DNS entry"),
        (&hosts[..], 2099, false, "the certificate is not trusted (UnknownIssuer)", inspected),
    ] {
        for (server, _) in SERVERS {
            let (place, ca) = in_the_middle(names, until, sandbox(&cloud, server));
            // Of another name than the authority: of the same, it would be asked, and its signature found wrong.
            let mut stranger = CertificateParams::new(Vec::new()).unwrap();
            stranger.distinguished_name.push(DnType::CommonName, "A stranger");
            let stranger = stranger.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
            std::fs::write(&trusted, if trust { ca } else { stranger }).unwrap();
            let mut command = asking(&cloud, server, Some(trusted.to_str().unwrap()));
            command.env("HTTPS_PROXY", format!("http://{place}"));
            run(command).exits(1).says(words).says(next);
        }
    }
}

#[test]
#[cfg(not(target_vendor = "apple"))]
fn certificates_that_the_environment_names_and_that_are_not_there_are_named() {
    let cloud = cloud();
    for (variable, value) in
        [("SSL_CERT_FILE", "/nonexistent.pem"), ("SSL_CERT_FILE", "/"), ("SSL_CERT_DIR", "/nonexistent:/none")]
    {
        for (server, _) in SERVERS {
            let mut command = asking(&cloud, server, None);
            command.env(variable, value);
            run(command)
                .exits(1)
                .says(&format!("{variable}={value} cannot be read: "))
                .says(&format!("next: correct {variable}, or unset it to trust the system's certificates"));
        }
    }
}
