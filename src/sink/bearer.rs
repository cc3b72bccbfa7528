//! The bearer token of a cloud: asked for when somebody needs it, replaced before it ends, and once where it is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::secret::Secret;

use super::unreadable;
use super::wire::{Answer, Reply};

/// How long whoever did not answer is not asked again: every key of a plan would wait for it anew.
const QUIET: Duration = Duration::from_secs(10);

/// A token that was given, and how long it lasts.
pub(super) struct Given {
    pub(super) token: Secret,
    pub(super) lasts: Duration,
}

/// Why no token was given.
pub(super) enum NotGiven {
    /// It was refused. The first answer is the one worth reading, so it is not asked for again.
    Refused(Unreadable),
    NotAnswered(Unreadable),
}

/// Whoever gives tokens.
pub(super) trait Giver {
    fn give(&self) -> impl Future<Output = Result<Given, NotGiven>> + Send;
}

/// A token that somebody asks with.
#[derive(Clone)]
pub(super) struct Lent {
    pub(super) token: Arc<Secret>,
    pub(super) lasts: Duration,
    /// Which one, counted from 1.
    number: u32,
    since: Instant,
}

impl Lent {
    /// Two thirds of its time are not over.
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < self.lasts * 2 / 3
    }

    fn lives(&self) -> bool {
        self.since.elapsed() < self.lasts
    }
}

/// The token of a run, and who gives it.
pub(super) struct Bearer<G> {
    giver: G,
    state: tokio::sync::Mutex<State>,
    /// The last token followed a refusal, and nothing has been answered with it yet.
    is_unproven: AtomicBool,
    /// Whatever may be seen in no message.
    known: Mutex<Vec<Arc<Secret>>>,
}

#[derive(Default)]
struct State {
    current: Option<Lent>,
    given: u32,
    /// Why there is no token; asked again after this time, if at all.
    failed: Option<(Unreadable, Option<Instant>)>,
}

impl<G: Giver> Bearer<G> {
    pub(super) fn of(giver: G) -> Self {
        let (state, known) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { giver, state, is_unproven: AtomicBool::new(false), known }
    }

    /// The token to ask with now.
    pub(super) async fn token(&self) -> Result<Lent, Unreadable> {
        let mut state = self.state.lock().await;
        match state.current.clone() {
            Some(current) if current.is_fresh() => Ok(current),
            current => match (self.ask(&mut state).await, current) {
                // It may do for what is left.
                (Err(_), Some(current)) if current.lives() => Ok(current),
                (asked, _) => asked,
            },
        }
    }

    /// Another token in place of one that is not taken; `None` where there is none to be had. Nobody asks twice in a row: whoever
    /// takes none of them would be asked for ever.
    async fn instead_of(&self, dead: &Lent) -> Result<Option<Lent>, Unreadable> {
        let mut state = self.state.lock().await;
        match &state.current {
            // Somebody was quicker.
            Some(current) if current.number != dead.number => return Ok(Some(current.clone())),
            Some(_) | None => {}
        }
        if self.is_unproven.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        state.current = None;
        self.ask(&mut state).await.map(Some)
    }

    /// What came of a request that is sent with the token, and once more with another where the first is not taken (401): then nothing was
    /// done, since nobody looked further than at the token.
    pub(super) async fn ask_with(
        &self,
        send: impl AsyncFn(&Secret) -> Result<Reply, Unreadable>,
    ) -> Result<Reply, Unreadable> {
        let mut lent = self.token().await?;
        loop {
            let reply = send(&lent.token).await?;
            match &reply {
                Reply::Answered(Answer { status: 401, .. }) => match self.instead_of(&lent).await? {
                    Some(another) => lent = another,
                    None => return Ok(reply),
                },
                Reply::Answered(_) => {
                    self.is_unproven.store(false, Ordering::Relaxed);
                    return Ok(reply);
                }
                Reply::NotSent(_) | Reply::Lost(_) => return Ok(reply),
            }
        }
    }

    /// What may be seen in no message.
    pub(super) fn secrets(&self) -> Vec<Arc<Secret>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self, state: &mut State) -> Result<Lent, Unreadable> {
        match &state.failed {
            Some((why, again)) if again.is_none_or(|again| Instant::now() < again) => return Err(why.clone()),
            Some(_) | None => {}
        }
        let since = Instant::now();
        let (why, again) = match self.giver.give().await {
            Ok(Given { token, lasts }) => {
                let token = Arc::new(token);
                self.known.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&token));
                state.given += 1;
                let lent = Lent { token, lasts, number: state.given, since };
                (state.current, state.failed) = (Some(lent.clone()), None);
                return Ok(lent);
            }
            Err(NotGiven::Refused(why)) => (why, None),
            Err(NotGiven::NotAnswered(why)) => (why, Some(Instant::now() + QUIET)),
        };
        state.failed = Some((why.clone(), again));
        Err(why)
    }
}

/// A token as a request carries it.
pub(super) fn header(token: &Secret) -> Result<HeaderValue, Unreadable> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| unreadable("the token holds a character that no header can carry", "check who gives it"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Default)]
    struct Counting {
        asked: AtomicU32,
        refuses: bool,
        lasts: Duration,
    }

    impl Giver for Arc<Counting> {
        async fn give(&self) -> Result<Given, NotGiven> {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            let why = Unreadable { why: "no".into(), next: "ask somebody".to_owned(), credentials: true };
            if self.refuses {
                return Err(NotGiven::Refused(why));
            }
            Ok(Given { token: Secret::new(format!("token-{number}")), lasts: self.lasts })
        }
    }

    fn wait<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn one_token_does_for_a_run_and_another_is_asked_for_where_it_ended() {
        let giver = Arc::new(Counting { lasts: Duration::from_secs(600), ..Counting::default() });
        let bearer = Bearer::of(Arc::clone(&giver));
        let asked = || giver.asked.load(Ordering::Relaxed);
        let first = wait(bearer.token()).unwrap_or_else(|_| panic!("it was given"));
        assert_eq!((wait(bearer.token()).unwrap_or_else(|_| panic!()).token.expose(), asked()), ("token-1", 1));
        let second = wait(bearer.instead_of(&first)).unwrap_or_else(|_| panic!()).unwrap_or_else(|| panic!());
        assert_eq!((second.token.expose(), asked()), ("token-2", 2));
        // Two requests found out about the first at once.
        let same = wait(bearer.instead_of(&first)).unwrap_or_else(|_| panic!()).unwrap_or_else(|| panic!());
        assert_eq!((same.token.expose(), asked()), ("token-2", 2));
        // Nobody has taken the second yet, so there is no third in its place.
        assert!(wait(bearer.instead_of(&second)).unwrap_or_else(|_| panic!()).is_none());
        bearer.is_unproven.store(false, Ordering::Relaxed);
        assert!(wait(bearer.instead_of(&second)).unwrap_or_else(|_| panic!()).is_some());
        assert_eq!((asked(), bearer.secrets().len()), (3, 3));

        let giver = Arc::new(Counting::default());
        let bearer = Bearer::of(Arc::clone(&giver));
        for number in 1..4 {
            assert_eq!(wait(bearer.token()).unwrap_or_else(|_| panic!()).token.expose(), format!("token-{number}"));
        }
    }

    #[test]
    fn who_refuses_is_asked_once() {
        let giver = Arc::new(Counting { refuses: true, ..Counting::default() });
        let bearer = Bearer::of(Arc::clone(&giver));
        assert!(wait(bearer.token()).is_err());
        assert!(wait(bearer.token()).is_err());
        assert_eq!(giver.asked.load(Ordering::Relaxed), 1);
    }
}
