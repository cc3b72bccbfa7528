//! When a signature is good: by the clock of the host that it is for.

use jiff::Timestamp;

/// A signature closer than this to the window's end was refused for its time, as far as anybody can tell. In seconds.
const OLD: i64 = 240;

/// Whether a signature of `signed` may have been refused for its time alone, by what the vendor says the time is. It is good for
/// five minutes, and perhaps not at all before its time.
pub(super) fn is_untimely(signed: i64, date: Timestamp) -> bool {
    let age = date.as_second().saturating_sub(signed);
    !(0..OLD).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn only_what_lies_ahead_or_is_old_is_untimely() {
        assert!(!is_untimely(1_000, at(1_000)) && !is_untimely(1_000, at(1_239)));
        assert!(is_untimely(1_001, at(1_000)) && is_untimely(1_000, at(1_240)));
    }
}
