//! What every way out keeps to, asked of each room's own client: a vendor's, a vault's, a store's.
#![cfg(feature = "object-store")]
#![expect(clippy::unwrap_used, reason = "all of this is test code, most of it outside a test function")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rcgen::generate_simple_self_signed;
use rustls_pki_types::PrivateKeyDer;

use crate::ledger::{self, Ledger};
use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{AccountRead, Api};
use crate::model::live::Observed;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings;
use crate::provider::http::local::{Local, Play, network};
use crate::provider::http::{NetworkOptions, Timeouts};
use crate::provider::imburse::{Account, ImburseReader};
use crate::sink::{self, Sink};

use super::Roots;

/// Larger than any of the three takes.
const LARGE: usize = 17 * 1024 * 1024;
const VENDOR: &str = "sandbox-api.imbursepayments.com";
const LIMIT: Duration = Duration::from_secs(1);

/// What a server does to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Redirects,
    FloodsUs,
    IsSilent,
    IsAStranger,
}

const ALL: [Does; 4] = [Does::Redirects, Does::FloodsUs, Does::IsSilent, Does::IsAStranger];

/// Where a redirect leads, and how many came.
fn elsewhere() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}/x", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (place, came)
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A server on loopback, for a vault or a store.
fn server(does: Does, to: &str) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let scheme = if does == Does::IsAStranger { "https" } else { "http" };
    let origin = Origin::parse(&format!("{scheme}://{}", listener.local_addr().unwrap())).unwrap();
    let answer = match does {
        Does::Redirects => redirect(to),
        Does::FloodsUs => format!("HTTP/1.1 200 X\r\nContent-Length: {LARGE}\r\n\r\n{}", " ".repeat(LARGE)),
        Does::IsSilent | Does::IsAStranger => String::new(),
    };
    let tls = tls();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            match does {
                Does::Redirects | Does::FloodsUs => {
                    asked(&mut stream);
                    // It hangs up on us in the middle: that is what is to be seen.
                    drop(stream.write_all(answer.as_bytes()));
                }
                Does::IsSilent => kept.push(stream),
                Does::IsAStranger => {
                    let mut tls = rustls::ServerConnection::new(Arc::clone(&tls)).unwrap();
                    while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
                }
            }
        }
    });
    origin
}

fn asked(stream: &mut TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or_default() == 1 {
        head.push(byte[0]);
    }
}

fn tls() -> Arc<rustls::ServerConfig> {
    let own = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap())
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn vendor(does: Does, _: &str) -> String {
    // Its own server speaks for this host too, so a client that follows is seen there.
    let answer = redirect("https://x.evil.example/x");
    wait(async move {
        let local = Local::start(move |seen, _| match does {
            _ if seen.line.starts_with("POST") => {
                Play::Json(201, r#"{"accessToken":"a","expires":4102444800}"#.to_owned())
            }
            Does::Redirects if seen.host == VENDOR => Play::Raw(answer.clone()),
            Does::Redirects => Play::Json(200, "{}".to_owned()),
            Does::FloodsUs => Play::Json(200, " ".repeat(LARGE)),
            Does::IsSilent | Does::IsAStranger => Play::Silence,
        });
        let local = local.await;
        let known = (does != Does::IsAStranger).then(|| local.ca_pem());
        let timeouts = Timeouts { connect: LIMIT, request: LIMIT, create: LIMIT };
        let account = Account {
            host: Host::of_origin(&Origin::parse(&format!("https://{VENDOR}")).unwrap()).unwrap(),
            account_id: "a".to_owned(),
            api: Api::V2,
            public_key: Secret::new("k".to_owned()),
            private_key: Secret::new("AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=".to_owned()),
        };
        let name = Name::parse("pay").unwrap();
        let accounts = BTreeMap::from([(name.clone(), account)]);
        let options = NetworkOptions { timeouts, ..network(local.port(), known) };
        let read = ImburseReader::new(options, accounts, 1).unwrap().account(&name).await;
        assert!(local.seen().iter().all(|seen| seen.host == VENDOR), "{does:?}: {:?}", local.seen());
        match read {
            AccountRead::Unreadable(why) | AccountRead::Forbidden(why) => why.why.to_string(),
            AccountRead::Present(_) => panic!("{does:?}: it was read"),
        }
    })
}

fn vault(does: Does, to: &str) -> String {
    let settings = settings::Sink::Vault(settings::VaultSink {
        address: server(does, to),
        namespace: None,
        mount: "kv".to_owned(),
        path: settings::PathTemplate::parse("{vendor}/{tenant}/{key}", |_| true).unwrap(),
        auth: settings::VaultAuth::Token(settings::Reference::Env("VAULT_TOKEN".to_owned())),
        ca_file: None,
    });
    let token = Some(Ok(Secret::new("t".to_owned())));
    let access = sink::access::Access { token, timeout: LIMIT, ..sink::access::Access::default() };
    let look = wait(Sink::of(&settings, access).look(&"qlik/acme/ci".parse().unwrap(), &[]));
    match look.entry {
        Some(Observed::Unreadable(why)) => why.why.to_string(),
        Some(Observed::Present(_) | Observed::Absent) | None => panic!("{does:?}: it was read"),
    }
}

fn aws(does: Does, to: &str) -> String {
    let settings = settings::Sink::Aws(settings::AwsSink {
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
        name: settings::PathTemplate::parse("{vendor}/{tenant}/{key}", |_| true).unwrap(),
        kms_key_id: None,
        endpoint: Some(server(does, to)),
    });
    let login = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, Secret::new("x".to_owned())));
    let login = login.into_iter().collect();
    let access = sink::access::Access { login, timeout: LIMIT, ..sink::access::Access::default() };
    let look = wait(Sink::of(&settings, access).look(&"qlik/acme/ci".parse().unwrap(), &[]));
    match look.entry {
        Some(Observed::Unreadable(why)) => why.why.to_string(),
        Some(Observed::Present(_) | Observed::Absent) | None => panic!("{does:?}: it was read"),
    }
}

fn store(does: Does, to: &str) -> String {
    let settings = settings::Ledger::ObjectStore(settings::ObjectStore {
        service: settings::StoreService::S3 { region: "eu-central-1".to_owned() },
        bucket: "estate".to_owned(),
        prefix: "p".to_owned(),
        endpoint: Some(server(does, to)),
    });
    let credentials = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, Secret::new("x".to_owned())));
    let access = ledger::access::Access {
        credentials: credentials.into_iter().collect(),
        timeout: LIMIT,
        ..ledger::access::Access::default()
    };
    match Ledger::at(&settings, &access).unwrap().read() {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{does:?}: it was read"),
    }
}

#[test]
fn no_client_of_ours_follows_is_flooded_waits_for_ever_or_trusts_a_stranger() {
    type Ask = fn(Does, &str) -> String;
    let clients: [(&str, Ask); 4] = [("vendor", vendor), ("vault", vault), ("aws", aws), ("store", store)];
    let rows = clients.into_iter().flat_map(|client| ALL.map(|does| (client, does)));
    for ((client, ask), does) in rows {
        let (place, came) = elsewhere();
        let began = Instant::now();
        let said = ask(does, &place);
        let says = match does {
            // Each in its own words; that nobody went there is what counts.
            Does::Redirects => "",
            Does::FloodsUs => "is larger than ",
            Does::IsSilent => match client {
                "store" => "timed out",
                _ => "no reply within 1 s",
            },
            Does::IsAStranger => "the certificate is not trusted",
        };
        assert!(said.contains(says), "{client}, {does:?}: {said}");
        assert_eq!(came.load(Ordering::SeqCst), 0, "{client} followed: {said}");
        assert!(began.elapsed() < Duration::from_secs(30), "{client}, {does:?}");
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    for bad in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        assert!(Roots::read(&[bad.to_vec()]).is_err());
        assert!(Roots::only(&[bad.to_vec()]).is_err());
    }
}
