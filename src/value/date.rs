//! Dates as text: RFC 3339, and what Clojure and JavaScript add to it. All in milliseconds since 1970, UTC.

/// The last millisecond that a JavaScript `Date` holds; the first is as far before 1970.
pub(super) const MAX_MS: i64 = 8_640_000_000_000_000;

const DAY_MS: i64 = 86_400_000;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// `2024-02-29T12:34:56.789`, without an offset; years beyond four digits have a sign and six digits, as in JavaScript.
/// The milliseconds are left out if they are 0 and not `always` wanted.
pub(super) fn format(ms: i64, always: bool) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let time = ms.rem_euclid(DAY_MS);
    let (hour, minute, second, milli) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60, time % 1000);
    let year = if is_four_digits(ms) { format!("{year:04}") } else { format!("{year:+07}") };
    let fraction = if always || milli != 0 { format!(".{milli:03}") } else { String::new() };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}")
}

/// Whether the year is one of 0–9999, which is all that RFC 3339 can say.
pub(super) fn is_four_digits(ms: i64) -> bool {
    (0..=9999).contains(&civil(ms.div_euclid(DAY_MS)).0)
}

/// A full RFC 3339 date and time; the year may also have a sign and six digits. Digits finer than a millisecond are cut.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (year, rest) = match text.as_bytes().first()? {
        b'+' | b'-' => (text.get(..7)?, text.get(7..)?),
        _ => (text.get(..4)?, text.get(4..)?),
    };
    let sign = if year.starts_with('-') { -1 } else { 1 };
    let year = sign * number(year.trim_start_matches(['+', '-']))?;
    let mut parts = Parts(rest);
    let month = parts.after("-")?;
    let day = parts.after("-")?;
    let hour = parts.after("Tt ")?;
    let minute = parts.after(":")?;
    let second = parts.after(":")?;
    let milli = parts.fraction()?;
    let offset = parts.offset()?;
    // Leap seconds stand in the last minute of a UTC day; they count as the second after.
    let leap = second == 60 && (hour * 60 + minute - offset).rem_euclid(1440) == 1439;
    let fits = (1..=12).contains(&month) && hour < 24 && minute < 60 && (second < 60 || leap);
    if !fits || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let ms = days(year, month, day) * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milli;
    (-MAX_MS..=MAX_MS).contains(&ms).then_some(ms)
}

/// As [`parse`], but what is missing at the end is filled in, as Clojure does: `2024` is the year's first millisecond.
pub(super) fn parse_partial(text: &str) -> Option<i64> {
    const START: &str = "0000-01-01T00:00:00Z";
    let filled = START.get(text.len()..).filter(|_| matches!(text.len(), 4 | 7 | 10 | 13 | 16 | 19));
    parse(text).or_else(|| parse(&format!("{text}{}", filled?)))
}

/// What is left to read.
struct Parts<'a>(&'a str);

impl Parts<'_> {
    /// Two digits after one of these separators.
    fn after(&mut self, separators: &str) -> Option<i64> {
        let rest = self.0.strip_prefix(|c| separators.contains(c))?;
        self.0 = rest.get(2..)?;
        number(rest.get(..2)?)
    }

    /// Milliseconds from a fraction of a second, 0 if there is none.
    fn fraction(&mut self) -> Option<i64> {
        let Some(rest) = self.0.strip_prefix('.') else { return Some(0) };
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..len).filter(|digits| !digits.is_empty())?;
        self.0 = rest.get(len..)?;
        number(format!("{digits:0<3}").get(..3)?)
    }

    /// Minutes ahead of UTC; nothing may follow.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0 {
            "Z" | "z" => return Some(0),
            ahead if ahead.starts_with('+') => 1,
            _ => -1,
        };
        let (hours, minutes) = (self.after("+-")?, self.after(":")?);
        (self.0.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    next - days(year, month, 1)
}

/// Days since 1970. Years are counted from 1 March, so that the day that leap years add is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH
}

/// The inverse of [`days`]: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let (era, of_era) = ((days + EPOCH).div_euclid(ERA), (days + EPOCH).rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_are_right() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000"),
            (1_709_210_096_789, "2024-02-29T12:34:56.789"),
            (-1, "1969-12-31T23:59:59.999"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000"),
            (MAX_MS, "+275760-09-13T00:00:00.000"),
            (-MAX_MS, "-271821-04-20T00:00:00.000"),
        ] {
            assert_eq!(format(ms, true), text);
            assert_eq!(parse(&format!("{text}Z")), Some(ms));
        }
        assert_eq!(format(1000, false), "1970-01-01T00:00:01");
    }

    #[test]
    fn offsets_fractions_and_missing_parts_are_read() {
        assert_eq!(parse("1970-01-01t01:00:00.0019999+01:00"), Some(1));
        assert_eq!(parse("1970-01-01 00:00:00.5-00:30"), Some(1_800_500));
        assert_eq!(parse("1998-12-31T15:59:60-08:00"), parse("1999-01-01T00:00:00Z"));
        assert_eq!(parse_partial("2024-02"), parse("2024-02-01T00:00:00Z"));
        assert_eq!(parse_partial("2024-02-29T12:34"), parse("2024-02-29T12:34:00Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2024",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00Zx",
            "+24-01-01T00:00:00Z",
            "2024-01-01T00:00:0é",
            "+999999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_partial("20"), None);
    }

    proptest! {
        #[test]
        fn every_moment_reads_back(ms in -MAX_MS..=MAX_MS, always: bool) {
            prop_assert_eq!(parse(&(format(ms, always) + "Z")), Some(ms));
        }
    }
}
