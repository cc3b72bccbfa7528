//! Connections that a server closes while they lie idle, whatever is to be sent over them next: nothing is made twice, no tenant is in
//! doubt, and the runs that it takes end with everything in place.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::cloud::Cloud;
use crate::stage::{ONE_TENANT, SETTINGS};

const TENANTS: &str = "/api/v1/tenants";

/// What a proxy saw.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    cut: AtomicUsize,
}

/// A proxy before the sandbox's that closes a connection to a tenant's host once nothing was said for so long after an answer.
fn cutting(sandbox: &str, idle: Duration) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Seen::default());
    let (sandbox, told) = (sandbox.trim_start_matches("http://").to_owned(), Arc::clone(&seen));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (server, told) = (TcpStream::connect(&sandbox).unwrap(), Arc::clone(&told));
            thread::spawn(move || between(client, server, idle, &told));
        }
    });
    (place, seen)
}

fn between(mut client: TcpStream, mut server: TcpStream, idle: Duration, told: &Seen) {
    let mut head = vec![0; 1024];
    let length = client.read(&mut head).unwrap_or_default();
    let asked = String::from_utf8_lossy(&head[..length]).into_owned();
    let of_a_tenant = !asked.contains("register.") && !asked.contains("mycorp.");
    if of_a_tenant {
        told.connections.fetch_add(1, Ordering::SeqCst);
    }
    // How either side ends is no matter of this test.
    drop(server.write_all(&head[..length]));
    let said = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&said);
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let forth = thread::spawn(move || {
        let mut piece = vec![0; 65536];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            counted.fetch_add(1, Ordering::SeqCst);
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
    });
    let (mut piece, mut answered) = (vec![0; 65536], 0);
    loop {
        // Once there was an answer: a greeting, what ends it, and a request came before.
        let is_idle = of_a_tenant && said.load(Ordering::SeqCst) >= 2 && answered == said.load(Ordering::SeqCst);
        server.set_read_timeout(is_idle.then_some(idle)).unwrap();
        match server.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                if client.write_all(&piece[..length]).is_err() {
                    break;
                }
                answered = said.load(Ordering::SeqCst);
            }
            // Another request may just have gone by.
            Err(_) if is_idle && answered == said.load(Ordering::SeqCst) => {
                told.cut.fetch_add(1, Ordering::SeqCst);
                break;
            }
            Err(_) if is_idle => {}
            Err(_) => break,
        }
    }
    drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both), forth.join()));
}

#[test]
fn connections_that_are_closed_while_they_lie_idle_double_nothing_and_leave_no_doubt() {
    for idle in [1, 3, 30, 300].map(Duration::from_millis) {
        let cloud = Cloud::new(ONE_TENANT);
        drop(cloud.apply(&["ledger", "init"]).exits(0));
        let (proxy, seen) = cutting(cloud.variable("HTTPS_PROXY"), idle);
        let ca = cloud.variable("SSL_CERT_FILE");
        let network = format!("network: {{ proxy: '{proxy}', ca_file: '{ca}' }}\n");
        std::fs::write(cloud.settings_file(), format!("{SETTINGS}{network}")).unwrap();
        let mut runs = 0;
        loop {
            let run = cloud.apply(&["--yes", "--unrehearsed"]);
            assert!(!run.all().contains("QP0203"), "{}", run.all());
            runs += 1;
            if run.code == Some(0) {
                break;
            }
            assert!(runs < 10, "{}", run.all());
        }
        let requests = cloud.stage.requests();
        let made = |path: &str| {
            let is_made =
                |one: &&serde_json::Value| one["method"] == "POST" && one["path"] == path && one["status"] == 201;
            requests.iter().filter(is_made).count()
        };
        let revoked = requests.iter().filter(|one| one["method"] == "DELETE" && one["status"] == 204).count();
        assert_eq!(made(TENANTS), 1);
        // Whatever was made and not delivered is gone.
        assert_eq!(cloud.stage.live_keys().len(), 2);
        // A key whose answer was cut off is revoked too, and no answer of it is on record.
        assert!(made("/api/v1/api-keys") <= 2 + revoked, "{} keys, {revoked} revoked", made("/api/v1/api-keys"));
        let (connections, cut) = (seen.connections.load(Ordering::SeqCst), seen.cut.load(Ordering::SeqCst));
        if idle.as_millis() == 300 {
            let all = requests.len();
            assert!(connections < all / 2, "{connections} connections for {all} requests, {cut} cut, {runs} runs");
        }
    }
}
