//! The progress line on a terminal: drawn over itself on stderr, and taken away before anything else is said.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::render::Look;
use crate::render::progress::{Progress, Work, line};

use super::stream::{Kind, Stream};

/// What takes less than this needs no line.
const SHOW_AFTER: Duration = Duration::from_millis(400);
/// How often the line is drawn anew: a reader sees no more, and a slow terminal is not held up.
const EVERY: Duration = Duration::from_millis(100);

/// Where the line is drawn; nowhere, where nobody watches. Clones draw the same line.
#[derive(Clone)]
pub(super) struct Line {
    look: Look,
    drawn: Option<Arc<Mutex<Drawn>>>,
}

#[derive(Default)]
struct Drawn {
    /// What is to be seen, and when it was drawn.
    now: Option<(String, Instant)>,
    /// What is worked on, and since when.
    work: Option<(Progress, Instant)>,
}

impl Line {
    /// On stderr, where that is a terminal that can take a line back.
    pub(super) fn of(look: Look) -> Self {
        let can = Stream::Err.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { look, drawn: can.then(Arc::default) }
    }

    /// No line.
    pub(super) fn none() -> Self {
        Self { look: Look::PLAIN, drawn: None }
    }

    /// Follows a piece of work, which begins with the first call: how much of it is done, of how much.
    pub(super) fn follow(&self, work: Work) -> impl Fn(usize, usize) + Sync + use<> {
        let (line, began) = (self.clone(), OnceLock::new());
        move |done, total| {
            let began = *began.get_or_init(Instant::now);
            line.draw(Progress { work, done, total, elapsed: began.elapsed() }, began);
        }
    }

    fn draw(&self, progress: Progress, began: Instant) {
        let Some(drawn) = &self.drawn else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.done >= progress.total {
            drawn.work = None;
            if drawn.now.take().is_some() {
                draw("");
            }
            return;
        }
        drawn.work = Some((progress, began));
        self.redraw(&mut drawn, progress, None);
    }

    /// Draws the line of the work that lasts, although none of it was done since: who looks sees that the run lives.
    pub(super) fn tick(&self, asked: Option<&str>) {
        let Some(drawn) = &self.drawn else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((progress, began)) = drawn.work {
            self.redraw(&mut drawn, Progress { elapsed: began.elapsed(), ..progress }, asked);
        }
    }

    fn redraw(&self, drawn: &mut Drawn, progress: Progress, asked: Option<&str>) {
        let due = drawn.now.as_ref().is_none_or(|(_, at)| at.elapsed() >= EVERY);
        if progress.elapsed >= SHOW_AFTER && due {
            let text = line(&progress, asked, &self.look);
            draw(&text);
            drawn.now = Some((text, Instant::now()));
        }
    }

    /// Says something on lines of its own, above the progress line.
    pub(super) fn above(&self, say: impl FnOnce()) {
        let Some(drawn) = &self.drawn else { return say() };
        let drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        match &drawn.now {
            None => say(),
            Some((text, _)) => {
                draw("");
                say();
                draw(text);
            }
        }
    }

    /// Takes the line away: the work is over, or somebody is asked.
    pub(super) fn clear(&self) {
        let Some(drawn) = &self.drawn else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.work = None;
        if drawn.now.take().is_some() {
            draw("");
        }
    }
}

/// Where stderr is gone there is nobody to watch.
fn draw(text: &str) {
    drop(Stream::Err.redraw(Kind::Lines, text));
}
