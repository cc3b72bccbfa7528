//! Stands between one runner and the shared ledger's store: counts its requests, holds one back, and counts the conflicts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// A runner's way to the store. Every request goes by a connection of its own.
pub(super) struct Gate {
    pub(super) host: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Methods and names of objects, in order of arrival.
    requests: Vec<String>,
    /// This one, counted from 1, is held before it reaches the store.
    hold: Option<usize>,
    holds: bool,
    /// What becomes of the held one.
    released: Option<Release>,
    /// Writes of records that the store refused because something else stood there.
    conflicts: usize,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    GoOn,
    Drop,
}

impl Drop for Gate {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap();
        (state.closed, state.released) = (true, Some(Release::Drop));
        self.shared.changed.notify_all();
        drop(state);
        // Wakes the listener, which then sees that it is closed.
        drop(TcpStream::connect(&self.host));
    }
}

impl Gate {
    pub(super) fn before(store: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (shared, store) = (Arc::new(Shared::default()), store.to_owned());
        let behind = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if behind.state.lock().unwrap().closed {
                    return;
                }
                let (store, behind) = (store.clone(), Arc::clone(&behind));
                // A client that is gone has no use for an answer.
                std::thread::spawn(move || drop(hand_on(client, &store, &behind)));
            }
        });
        Self { host, shared }
    }

    /// From now on requests are counted anew, and the `n`-th is held.
    pub(super) fn hold(&self, n: Option<usize>) {
        let mut state = self.shared.state.lock().unwrap();
        *state = State { hold: n, conflicts: state.conflicts, ..State::default() };
    }

    pub(super) fn holds(&self) -> bool {
        self.shared.state.lock().unwrap().holds
    }

    pub(super) fn release(&self, how: Release) {
        let mut state = self.shared.state.lock().unwrap();
        (state.hold, state.released) = (None, Some(how));
        self.shared.changed.notify_all();
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    pub(super) fn conflicts(&self) -> usize {
        self.shared.state.lock().unwrap().conflicts
    }
}

fn hand_on(client: TcpStream, store: &str, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (name, value) = line.split_once(':').unwrap_or((line.trim(), ""));
        match name.to_ascii_lowercase().as_str() {
            "" => break,
            "connection" => continue,
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if passes(&first, shared) == Release::Drop {
        return Ok(());
    }
    let mut upstream = TcpStream::connect(store)?;
    write!(upstream, "{first}{head}Connection: close\r\n\r\n")?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let end = answer.windows(2).position(|pair| pair == b"\r\n").unwrap_or(answer.len());
    let (status, rest) = answer.split_at(end);
    // Each run also shows on its own record that the store refuses what it should; that is no conflict.
    let record = first.starts_with("PUT ") && first.contains("/tenants/");
    if record && [&b" 412 "[..], b" 409 "].iter().any(|it| status.windows(5).any(|w| w == *it)) {
        shared.state.lock().unwrap().conflicts += 1;
    }
    let mut client = reader.into_inner();
    client.write_all(status)?;
    client.write_all(b"\r\nConnection: close")?;
    client.write_all(rest)
}

fn passes(first: &str, shared: &Shared) -> Release {
    let mut state = shared.state.lock().unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // Stories and runs have names of their own.
    let path = path.splitn(4, '/').nth(3).unwrap_or(path);
    let path = if path.starts_with("runs/") { "runs/*" } else { path };
    state.requests.push(format!("{method} {path}"));
    if state.hold != Some(state.requests.len()) {
        return Release::GoOn;
    }
    state.holds = true;
    loop {
        if let Some(how) = state.released {
            state.holds = false;
            return how;
        }
        state = shared.changed.wait(state).unwrap();
    }
}
