//! ISO 8601 durations of weeks, days (24 h), hours, minutes and seconds, compared as seconds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in whole seconds, written as ISO 8601: `P30D`, `PT24H`, `P1DT12H`, `P2W`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// The reason for which a text is no [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text does not follow the grammar of ISO 8601, or its units are out of order.
    #[error("an ISO 8601 duration is expected, as in P30D, PT24H or P1DT12H")]
    Shape,
    /// The text names years or months, whose length depends on the calendar.
    #[error("years and months have no fixed length; say weeks or days, as in P52W or P30D")]
    Calendar,
    /// The text has a decimal fraction.
    #[error("fractions are not taken; say the smaller unit, as in PT90M")]
    Fraction,
    /// The duration is longer than 100 years of 366 days, or overflows.
    #[error("this duration is longer than 100 years")]
    TooLong,
}

impl Duration {
    /// Makes a duration of whole seconds. The limit of 100 years holds for text only.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the length in seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Parses an ISO 8601 duration.
    ///
    /// # Errors
    /// Years, months, fractions, signs, an empty duration, units out of order.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let rest = text.strip_prefix('P').ok_or(DurationError::Shape)?;
        if rest.contains(['.', ',']) {
            return Err(DurationError::Fraction);
        }
        let (date, time) = match rest.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return Err(DurationError::Shape),
            None => (rest, ""),
        };
        if date.contains(['Y', 'M']) {
            return Err(DurationError::Calendar);
        }
        if date.is_empty() && time.is_empty() {
            return Err(DurationError::Shape);
        }
        let total = parts(date, &[('W', 604_800), ('D', 86_400)])?
            .checked_add(parts(time, &[('H', 3_600), ('M', 60), ('S', 1)])?)
            .ok_or(DurationError::TooLong)?;
        if total > 100 * 366 * 86_400 {
            return Err(DurationError::TooLong);
        }
        Ok(Self(total))
    }
}

/// Sums `12H30M`; each unit at most once and in the given order.
fn parts(mut text: &str, units: &[(char, u64)]) -> Result<u64, DurationError> {
    let mut total = 0u64;
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError::Shape)?;
        let (number, rest) = text.split_at(end);
        if number.is_empty() {
            return Err(DurationError::Shape);
        }
        let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
        let unit = rest.chars().next().ok_or(DurationError::Shape)?;
        let (_, seconds) = units.find(|(c, _)| *c == unit).ok_or(DurationError::Shape)?;
        total = number.checked_mul(*seconds).and_then(|n| total.checked_add(n)).ok_or(DurationError::TooLong)?;
        text = rest.get(unit.len_utf8()..).ok_or(DurationError::Shape)?;
    }
    Ok(total)
}

impl fmt::Display for Duration {
    /// The shortest canonical form: `P1D`, `PT6H`, `P1DT12H`, `PT0S`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("PT0S");
        }
        let mut text = String::from("P");
        let mut push = |amount: u64, unit: char| {
            if amount > 0 {
                text.push_str(&amount.to_string());
                text.push(unit);
            }
        };
        push(self.0 / 86_400, 'D');
        let time = self.0 % 86_400;
        if time > 0 {
            text.push('T');
        }
        let mut push = |amount: u64, unit: char| {
            if amount > 0 {
                text.push_str(&amount.to_string());
                text.push(unit);
            }
        };
        push(time / 3_600, 'H');
        push(time % 3_600 / 60, 'M');
        push(time % 60, 'S');
        f.pad(&text)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_twenty_four_hours_however_it_is_written() {
        assert_eq!(Duration::parse("P1D"), Duration::parse("PT24H"));
        assert_eq!(Duration::parse("P2W").unwrap().to_string(), "P14D");
        assert_eq!(Duration::parse("P1DT12H30M5S").unwrap().to_string(), "P1DT12H30M5S");
    }

    #[test]
    fn years_months_fractions_and_nonsense_are_refused() {
        assert_eq!(Duration::parse("P1Y"), Err(DurationError::Calendar));
        assert_eq!(Duration::parse("P1M"), Err(DurationError::Calendar));
        assert_eq!(Duration::parse("P1.5D"), Err(DurationError::Fraction));
        for bad in
            ["", "P", "PT", "1D", "P1", "P1DT", "PT1D", "PT1M1H", "P1D1D", "-P1D", "24h", "P99999999999999999999D"]
        {
            assert!(Duration::parse(bad).is_err(), "{bad}");
        }
    }
}
