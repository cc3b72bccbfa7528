//! The signs of a plan, their words and their colours: the one place where they are chosen.

use anstyle::{AnsiColor, Style};

use crate::plan::action::{Action, Adopted, Keep};

use super::Look;

/// What kind of thing happens to an object. ASCII, so that every terminal, log and font shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Create,
    Change,
    Renew,
    Reclaim,
    Keep,
    Drift,
    Wait,
    Refuse,
}

impl Sign {
    pub(super) const ALL: [Self; 8] =
        [Self::Create, Self::Change, Self::Renew, Self::Reclaim, Self::Keep, Self::Drift, Self::Wait, Self::Refuse];

    pub(super) fn of(action: &Action) -> Self {
        match action {
            Action::CreateTenant(_) | Action::CreateObject(_) | Action::CreateKey(_) => Self::Create,
            Action::MoveGroup(_) | Action::Settle(_) | Action::Trust(_) | Action::Grant(_) | Action::Mark(_) => {
                Self::Change
            }
            Action::Renew(_) => Self::Renew,
            Action::Reclaim(_) => Self::Reclaim,
            // Nothing is sent, and the ledger is written: a reviewer should see it however much else is kept.
            Action::Keep(Keep::Tenant { adopted: Adopted::ToRecord { .. }, id: _, of: _ }) => Self::Change,
            Action::Keep(_) => Self::Keep,
            Action::Drift(_) => Self::Drift,
            Action::Wait(_) => Self::Wait,
            Action::Refuse(_) => Self::Refuse,
        }
    }

    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Change => "~",
            Self::Renew => ">",
            Self::Reclaim => "-",
            Self::Keep => "=",
            Self::Drift => "!",
            Self::Wait => ".",
            Self::Refuse => "x",
        }
    }

    /// As the legend explains it.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "set up or recorded, once",
            Self::Renew => "renew; the old key is left to expire",
            Self::Reclaim => "revoke a key that was never delivered",
            Self::Keep => "as declared",
            Self::Drift => "differs; reported, not changed",
            Self::Wait => "waits for another run, or for a person",
            Self::Refuse => "refused",
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Create => AnsiColor::Green.on_default(),
            Self::Change => AnsiColor::Yellow.on_default(),
            Self::Renew => AnsiColor::Cyan.on_default(),
            Self::Reclaim => AnsiColor::Magenta.on_default(),
            Self::Keep => FAINT,
            Self::Drift => AnsiColor::Yellow.on_default().bold(),
            Self::Wait => AnsiColor::Blue.on_default(),
            Self::Refuse => BAD,
        }
    }
}

/// Addresses and the last line.
pub(super) const STRONG: Style = Style::new().bold();
/// Places, labels, what is as it should be.
pub(super) const FAINT: Style = Style::new().dimmed();
/// Failures and refusals.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What was done.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();

/// The text in a style, or as it is where there is no colour. `text` is escaped by the caller.
pub(super) fn paint(text: &str, style: Style, look: &Look) -> String {
    if look.colour && !text.is_empty() {
        format!("{}{text}{}", style.render(), style.render_reset())
    } else {
        text.to_owned()
    }
}
