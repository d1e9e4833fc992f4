//! Milliseconds since 1970 and the Gregorian calendar.

const DAY_MS: i64 = 86_400_000;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// `2024-02-29T12:34:56.789` of milliseconds since 1970, without an offset; years beyond four digits have a sign and six
/// digits, as in JavaScript. The milliseconds are left out if they are 0 and not `always` wanted.
pub(crate) fn format(ms: i64, always: bool) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let time = ms.rem_euclid(DAY_MS);
    let (hour, minute, second, milli) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60, time % 1000);
    let year = if is_four_digits(ms) { format!("{year:04}") } else { format!("{year:+07}") };
    let fraction = if always || milli != 0 { format!(".{milli:03}") } else { String::new() };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}")
}

/// Whether the year is one of 0–9999, which is all that RFC 3339 can say.
pub(crate) fn is_four_digits(ms: i64) -> bool {
    (0..=9999).contains(&civil(ms.div_euclid(DAY_MS)).0)
}

/// Days since 1970 of year, month and day. Years are counted from 1 March, so that the day that leap years add is the last.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH
}

/// The inverse of [`days_since_1970`].
fn civil(days: i64) -> (i64, i64, i64) {
    let (era, of_era) = ((days + EPOCH).div_euclid(ERA), (days + EPOCH).rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}
