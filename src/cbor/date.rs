//! Dates as text (RFC 3339).

/// Whether this is `YYYY-MM-DDThh:mm:ss[.digits]` with `Z` or an offset, of a day that the calendar has. Letters may
/// be lower case. Second 60 is right in the last minute of a UTC day, where leap seconds are.
pub(crate) fn is_rfc3339(text: &[u8]) -> bool {
    read(text).is_some()
}

fn read(text: &[u8]) -> Option<()> {
    let mut rest = text;
    let rest = &mut rest;
    let year = digits(rest, 4)?;
    byte(rest, b"-")?;
    let month = digits(rest, 2)?;
    byte(rest, b"-")?;
    let day = digits(rest, 2)?;
    byte(rest, b"Tt")?;
    let hour = digits(rest, 2)?;
    byte(rest, b":")?;
    let minute = digits(rest, 2)?;
    byte(rest, b":")?;
    let second = digits(rest, 2)?;
    if byte(rest, b".").is_some() {
        digits(rest, 1)?;
        while digits(rest, 1).is_some() {}
    }
    let offset = offset(rest)?;
    let last_of_utc_day = (i64::from(hour * 60 + minute) - offset).rem_euclid(24 * 60) == 24 * 60 - 1;
    let right = (1..=days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && (second < 60 || second == 60 && last_of_utc_day)
        && rest.is_empty();
    right.then_some(())
}

/// The minutes that local time is ahead of UTC.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    if byte(rest, b"Zz").is_some() {
        return Some(0);
    }
    let ahead = byte(rest, b"+-")? == b'+';
    let hours = digits(rest, 2)?;
    byte(rest, b":")?;
    let minutes = digits(rest, 2)?;
    let total = i64::from(hours * 60 + minutes);
    (hours < 24 && minutes < 60).then_some(if ahead { total } else { -total })
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn byte(rest: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    allowed.contains(first).then(|| {
        *rest = after;
        *first
    })
}

fn digits(rest: &mut &[u8], len: usize) -> Option<u32> {
    let (taken, after) = rest.split_at_checked(len)?;
    let number = taken.iter().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u32::from(digit))
    })?;
    *rest = after;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_and_times_that_exist_are_dates() {
        for good in [
            "1970-01-01T00:00:00Z",
            "0000-02-29T23:59:59.999999999999Z",
            "2000-02-29t12:00:00z",
            "2020-12-31T00:00:00.1+23:59",
            "1990-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
        ] {
            assert!(is_rfc3339(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "a",
            "2020-02-30T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2020-04-31T00:00:00Z",
            "2020-00-01T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-01-00T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:60:00Z",
            "2020-01-01T00:00:60Z",
            "2020-01-01T23:59:61Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00",
            "2020-01-01 00:00:00Z",
            "2020-01-01T00:00:00Z ",
            "2020-01-01T00:00:00+24:00",
            "2020-01-01T00:00:00+0000",
            "+2020-01-01T00:00:00Z",
            "2020-1-1T00:00:00Z",
            "２020-01-01T00:00:00Z",
        ] {
            assert!(!is_rfc3339(bad.as_bytes()), "{bad}");
        }
    }
}
