//! The requests to servers, told when they were answered. `cli` decides who listens; where nobody does, nothing is
//! kept.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// One request, and what came of it. No header, no body and no query: nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method, such as `GET`.
    pub method: String,
    /// The host, with its port where that is not the usual one.
    pub host: String,
    /// The path without query or fragment.
    pub path: String,
    /// `None`: there was no answer.
    pub status: Option<u16>,
    /// The time from sending to the last byte of the answer, or to giving up.
    pub took: Duration,
}

type Listener = Box<dyn Fn(&Asked) + Send + Sync>;

/// Everything that a run asks. Clones are the same.
#[derive(Clone, Default)]
pub struct Requests(Arc<OnceLock<Listener>>);

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").field("heard", &self.0.get().is_some()).finish()
    }
}

impl Requests {
    /// Tells the listener of each request from now on. Only the first listener is kept.
    pub fn listen(&self, listener: impl Fn(&Asked) + Send + Sync + 'static) {
        // A run has one listener.
        let _ = self.0.set(Box::new(listener));
    }

    /// A request that is about to be sent. It is over when the value is dropped.
    pub fn ask(&self, method: &str, host: &str, path: &str) -> Asking {
        let asked = self.0.get().map(|_| Asked {
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.split(['?', '#']).next().unwrap_or_default().to_owned(),
            status: None,
            took: Duration::ZERO,
        });
        Asking { requests: self.clone(), asked, began: Instant::now() }
    }
}

/// A request that is under way.
#[must_use = "a request that is not kept is over at once"]
pub struct Asking {
    requests: Requests,
    asked: Option<Asked>,
    began: Instant,
}

impl Asking {
    /// Notes the status of the answer.
    pub fn answered(&mut self, status: u16) {
        if let Some(asked) = &mut self.asked {
            asked.status = Some(status);
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let (Some(listener), Some(mut asked)) = (self.requests.0.get(), self.asked.take()) {
            asked.took = self.began.elapsed();
            listener(&asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_request_is_told_when_it_is_over_and_without_its_query() {
        let requests = Requests::default();
        drop(requests.ask("GET", "a.example", "/before?token=x"));
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&told);
        requests.listen(move |asked| {
            heard.lock().unwrap().push(format!("{} {}{} {:?}", asked.method, asked.host, asked.path, asked.status));
        });
        let mut asking = requests.clone().ask("POST", "a.example", "/keys?token=x");
        assert_eq!(told.lock().unwrap().len(), 0);
        asking.answered(201);
        drop(asking);
        drop(requests.ask("GET", "b.example", "/gone"));
        assert_eq!(*told.lock().unwrap(), ["POST a.example/keys Some(201)", "GET b.example/gone None"]);
    }
}
