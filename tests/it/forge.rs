//! What the stand-ins for forges have in common: HTTP on loopback, and how a run of ours is looked at for secrets.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::stage::Run;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Percent-decoded where it is split; as it was sent here.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// The segments of the path, each decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.trim_matches('/').split('/').map(decoded).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// Answers each request on a thread of its own; `None` breaks the connection. Returns `127.0.0.1:PORT`.
pub(crate) fn serve(answer: impl Fn(Request) -> Option<(u16, Value)> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let Some(request) = read(&mut reader) else { return };
                let Some((code, body)) = answer(request) else { return };
                let body = if body.is_null() { String::new() } else { body.to_string() };
                let mut stream = reader.into_inner();
                // Whoever went away does not want it. A 204 has no length.
                let length = if code == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
                drop(write!(
                    stream,
                    "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\n{length}Connection: close\r\n\r\n{body}"
                ));
            });
        }
    });
    host
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or_default() == 0 {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(&value.replace('+', " ")))
    });
    Some(Request { method, path: path.to_owned(), query: query.collect(), headers, body })
}

/// None of these was printed, or kept beside the sandbox's own cloud, in whatever form.
#[track_caller]
pub(crate) fn is_told_nowhere(secrets: &[String], run: &Run, dir: &Path) {
    let kept = kept_below(dir);
    for form in secrets.iter().flat_map(|secret| crate::aws::disguises(secret)) {
        assert!(!run.all().contains(&form), "{form}\n{}", run.all());
        for (path, text) in &kept {
            assert!(!text.contains(&form), "{form} is in {}", path.display());
        }
    }
    assert!(!run.shows_a_token(), "{}", run.all());
}

/// What a run leaves behind in its folder: ledger, journal, logs. The sandbox keeps its cloud there too, which has the keys.
pub(crate) fn kept_below(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != ".qlik-sandbox") {
                    folders.push(path);
                }
            } else if let Ok(bytes) = std::fs::read(&path)
                && path.file_name().is_some_and(|name| name != "token")
            {
                found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    found
}
