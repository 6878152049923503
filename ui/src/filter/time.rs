//! Times in filters: `12:03`, `12:03:01`, `12:03:01.120`, each with a day before it or without: `2026-11-24T12:03`. UTC, as the table
//! shows them.
//!
//! A time stands for all of the unit that it is written to: `time:12:03` is that whole minute, and `12:03..12:05` ends with the
//! minute 12:05. Without a day it is that time of every day, and a span may go over midnight.

use super::Compare;

const DAY: i64 = 86_400_000;

/// A span of time, milliseconds: what people see, and what a double holds without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Since 1970, else since midnight.
    dated: bool,
    from: i64,
    /// Not in it.
    to: i64,
}

impl Span {
    /// Whether a time is in it, Unix seconds.
    pub fn has(&self, unix: f64) -> bool {
        let ms = (unix * 1000.0).round() as i64;
        let ms = if self.dated { ms } else { ms.rem_euclid(DAY) };
        if self.from <= self.to { (self.from..self.to).contains(&ms) } else { ms >= self.from || ms < self.to }
    }

    /// Reads what stands behind `time:` or `time>`.
    pub fn parse(compare: Compare, text: &str) -> Result<Self, String> {
        let wrong = |text: &str| format!("“{text}” is no time: write 12:03, 12:03:01.120 or 2026-11-24T12:03");
        let one = |text: &str| time(text).ok_or_else(|| wrong(text));
        let (least, most) = (i64::MIN, i64::MAX);
        if let Some((from, to)) = text.split_once("..") {
            if compare != Compare::Equal {
                return Err(format!("What is compared is one time: write time:{text}"));
            }
            let from = (!from.is_empty()).then(|| one(from)).transpose()?;
            let to = (!to.is_empty()).then(|| one(to)).transpose()?;
            return match (from, to) {
                (None, None) => Err(wrong(text)),
                (Some(from), Some(to)) if from.dated != to.dated => {
                    Err(format!("“{text}” has a day at one end: write it at both, or at none"))
                }
                (Some(from), Some(to)) => Ok(Self { to: to.to, ..from }),
                (Some(from), None) => Ok(Self { to: most, ..from }),
                (None, Some(to)) => Ok(Self { from: least, ..to }),
            };
        }
        let span = one(text)?;
        Ok(match compare {
            Compare::Less => Self { from: least, to: span.from, ..span },
            Compare::AtMost => Self { from: least, ..span },
            Compare::Equal => span,
            Compare::AtLeast => Self { to: most, ..span },
            Compare::More => Self { from: span.to, to: most, ..span },
        })
    }
}

/// The term of a span, Unix seconds: all that began in it passes. With days where the clock alone would mean several.
pub fn term((from, to): (f64, f64), dated: bool) -> String {
    let text = |unix: f64| {
        let ms = (unix.max(0.0) * 1000.0).round() as i64;
        let (days, of_day) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
        let (secs, ms) = (of_day / 1000, of_day % 1000);
        let clock = format!("{:02}:{:02}:{:02}.{ms:03}", secs / 3600, secs / 60 % 60, secs % 60);
        let (year, month, day) = inspector_model::civil(days);
        if dated { format!("{year}-{month:02}-{day:02}T{clock}") } else { clock }
    };
    format!("time:{}..{}", text(from), text(to))
}

/// All of the unit that a time is written to.
fn time(text: &str) -> Option<Span> {
    let (day, clock) = match text.split_once(['T', 't']) {
        Some((day, clock)) => (Some(day_number(day)?), clock),
        None => (None, text),
    };
    let mut parts = clock.split(':');
    let (hours, minutes, secs) = (number(parts.next()?, 24)?, number(parts.next()?, 60)?, parts.next());
    let (secs, unit) = match secs {
        None => (0, 60_000),
        Some(secs) => match secs.split_once('.') {
            None => (number(secs, 60)? * 1000, 1000),
            Some((secs, part)) => {
                let digits = u32::try_from(part.len()).ok().filter(|digits| (1..=3).contains(digits))?;
                let unit = 10_i64.pow(3 - digits);
                (number(secs, 60)? * 1000 + number(part, 1000)? * unit, unit)
            }
        },
    };
    let from = day.unwrap_or(0) * DAY + (hours * 60 + minutes) * 60_000 + secs;
    parts.next().is_none().then_some(Span { dated: day.is_some(), from, to: from + unit })
}

fn number(text: &str, below: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number < below)
}

/// The day since 1970 of a date; `None` for one that no calendar has.
fn day_number(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let [year, month, day] = [number(parts.next()?, 10_000)?, number(parts.next()?, 13)?, number(parts.next()?, 32)?];
    // A calendar's years are some 365.2425 days: near it, and then counted.
    let near = ((year - 1970) as f64 * 365.2425) as i64 + (month - 1) * 30;
    let found = (near - 3..near + 40).find(|days| inspector_model::civil(*days) == (year, month, day));
    found.filter(|_| parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is brushed passes the filter that is made of it, whatever a double does to it.
        #[test]
        fn all_of_a_range_passes_its_term(from in 1.0e9_f64..2.0e9, length in 0.0_f64..50_000.0, part in 0.0_f64..=1.0, dated in any::<bool>()) {
            let text = term((from, from + length), dated);
            let span = Span::parse(Compare::Equal, text.strip_prefix("time:").unwrap()).unwrap();
            prop_assert!(span.has(from + length * part), "{}", text);
            if dated {
                prop_assert!(!span.has(from - 0.002) && !span.has(from + length + 0.002), "{}", text);
            }
        }

        /// Every day of four centuries is found.
        #[test]
        fn days_are_counted_as_they_are_written(days in 0_i64..146_097) {
            let (year, month, day) = inspector_model::civil(days);
            prop_assert_eq!(day_number(&format!("{year}-{month:02}-{day:02}")), Some(days));
        }
    }

    #[test]
    fn a_span_without_a_day_may_go_over_midnight() {
        let span = Span::parse(Compare::Equal, "23:59..00:01").unwrap();
        for (clock, inside) in [(86_399.0, true), (0.0, true), (119.999, true), (120.0, false), (43_200.0, false)] {
            assert_eq!(span.has(clock), inside, "{clock}");
        }
    }

    #[test]
    fn a_time_stands_for_all_of_its_unit() {
        for (text, inside, outside) in
            [("12:03", 43_439.999, 43_440.0), ("12:03:01", 43_381.999, 43_382.0), ("12:03:01.12", 43_381.129, 43_381.131)]
        {
            let span = Span::parse(Compare::Equal, text).unwrap();
            assert!(span.has(inside) && !span.has(outside), "{text}");
        }
        assert!(time("2026-02-30T10:00").is_none() && time("12:03:01.1234").is_none() && time("1:2:3:4").is_none());
    }
}
