//! Exact fractions and decimals.

use std::{
    fmt::{self, Display, LowerExp},
    str::FromStr,
};

use super::bigint::{BigInt, NotANumber};

/// An exact fraction, Clojure's `1/3`. It is kept as it is, never reduced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: BigInt,
    denominator: BigInt,
}

impl Ratio {
    /// `numerator / denominator`; `None` if the denominator is not above zero.
    pub fn new(numerator: BigInt, denominator: BigInt) -> Option<Self> {
        (denominator > BigInt::default()).then_some(Self { numerator, denominator })
    }

    /// What stands above the line, with the sign.
    pub fn numerator(&self) -> &BigInt {
        &self.numerator
    }

    /// What stands below the line: above zero.
    pub fn denominator(&self) -> &BigInt {
        &self.denominator
    }
}

impl Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl FromStr for Ratio {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (numerator, denominator) = text.split_once('/').ok_or(NotANumber)?;
        if denominator.starts_with(['+', '-']) {
            return Err(NotANumber);
        }
        Self::new(numerator.parse()?, denominator.parse()?).ok_or(NotANumber)
    }
}

/// An exact decimal, Java's `BigDecimal` and Clojure's `1.50M`: `mantissa · 10^exponent`. `1.5` and `1.50` are two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits, with the sign.
    pub mantissa: BigInt,
    /// The power of ten.
    pub exponent: i64,
}

impl Display for Decimal {
    /// As Java's `BigDecimal.toString`, without a suffix: `1.50`, `1E+30`, `-1.5E-10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.mantissa.to_string();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
        let exponent = i128::from(self.exponent);
        let len = i128::try_from(digits.len()).unwrap_or(i128::MAX / 2);
        let adjusted = exponent + len - 1;
        f.write_str(sign)?;
        if exponent == 0 {
            return f.write_str(digits);
        }
        if exponent > 0 || adjusted < -6 {
            let (first, others) = digits.split_at(1);
            let point = if others.is_empty() { "" } else { "." };
            write!(f, "{first}{point}{others}")?;
            return if adjusted == 0 { Ok(()) } else { write!(f, "E{adjusted:+}") };
        }
        // At most six zeros, for `adjusted` is at least -6.
        let zeros = "0".repeat(usize::try_from(-adjusted).unwrap_or(0));
        let padded = zeros + digits;
        let behind = usize::try_from(-exponent).unwrap_or(0);
        let (whole, fraction) = padded.split_at(padded.len().saturating_sub(behind));
        write!(f, "{whole}.{fraction}")
    }
}

impl FromStr for Decimal {
    type Err = NotANumber;

    /// `[sign]digits[.digits][e[sign]digits]`.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.starts_with(['+', '-']) {
            return Err(NotANumber);
        }
        let power: i128 = power.parse().map_err(|_| NotANumber)?;
        let behind = i128::try_from(fraction.len()).map_err(|_| NotANumber)?;
        let exponent = power.checked_sub(behind).and_then(|exponent| i64::try_from(exponent).ok()).ok_or(NotANumber)?;
        Ok(Self { mantissa: format!("{whole}{fraction}").parse()?, exponent })
    }
}

/// A double as Java's `Double.toString` prints it since JDK 19: the shortest digits that read back as the same double,
/// at least two of them; with an exponent below 10^-3 and from 10^7 on.
pub(crate) fn java_double(n: f64) -> String {
    java(n)
}

/// `f32` and `f64`.
trait Float: Copy + LowerExp + Into<f64> + PartialEq + FromStr {}
impl Float for f32 {}
impl Float for f64 {}

/// A float of 4 bytes as Java's `Float.toString` prints it since JDK 19.
#[cfg(feature = "clojure")]
pub(crate) fn java_float(n: f32) -> String {
    java(n)
}

fn java<F: Float>(n: F) -> String {
    let wide: f64 = n.into();
    let sign = if wide.is_sign_negative() { "-" } else { "" };
    if !wide.is_finite() {
        return if wide.is_nan() { "NaN".into() } else { format!("{sign}Infinity") };
    }
    if wide == 0.0 {
        return format!("{sign}0.0");
    }
    let (digits, power) = shortest(n);
    match usize::try_from(power) {
        Err(_) if power >= -3 => {
            format!("{sign}0.{digits:0>len$}", len = digits.len() + power.unsigned_abs() as usize - 1)
        }
        Ok(power @ ..7) => {
            let padded = format!("{digits:0<len$}", len = power + 2);
            let (whole, fraction) = padded.split_at(power + 1);
            format!("{sign}{whole}.{fraction}")
        }
        // One digit is enough, but two are wanted: those nearest to the number.
        _ if digits.len() == 1 => format!("{n:.1e}").replace('e', "E"),
        _ => {
            let (first, others) = digits.split_at(1);
            format!("{sign}{first}.{others}E{power}")
        }
    }
}

/// The fewest digits that read back as the same number, of these the nearest, and if two are, the even ones. With the
/// power of ten of the first.
fn shortest<F: Float>(n: F) -> (String, i32) {
    let size: f64 = n.into().abs();
    let text = format!("{n:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (mut digits, power) = (digits.replace(['-', '.'], ""), power.parse().unwrap_or(0));
    // Rust goes up where two are as near. Only multiples of 2^-30 lie so, and 80 digits are all they have.
    if let Some(odd @ (b'1' | b'3' | b'5' | b'7' | b'9')) = digits.bytes().last()
        && (size * f64::from(1 << 30)).fract() == 0.0
    {
        let lower = format!("{}{}", digits.split_at(digits.len() - 1).0, char::from(odd - 1));
        let all = format!("{size:.80e}").replace('.', "");
        let behind = all.strip_prefix(&lower).and_then(|rest| rest.split_once('e'));
        let is_between = behind.is_some_and(|(rest, _)| rest.trim_end_matches('0') == "5");
        // Below a power of two the floats are closer together.
        let sign = if text.starts_with('-') { "-" } else { "" };
        let reads_back = || format!("{sign}.{lower}e{}", power + 1).parse().is_ok_and(|lower: F| lower == n);
        if is_between && reads_back() {
            digits = lower;
        }
    }
    (digits, power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (double, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.001, "0.001"),
            (0.002, "0.002"),
            (1e-4, "1.0E-4"),
            (1_234_567.0, "1234567.0"),
            (1e7, "1.0E7"),
            (12_345_678.0, "1.2345678E7"),
            (1e21, "1.0E21"),
            (1e23, "1.0E23"),
            (2e23, "2.0E23"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::from_bits(1), "4.9E-324"),
            (-f64::INFINITY, "-Infinity"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (2_f64.powi(50) + 0.25, "1.1258999068426242E15"),
            (2_f64.powi(50) + 0.75, "1.1258999068426248E15"),
            (2_f64.powi(-24), "5.960464477539063E-8"),
            (-2_f64.powi(49) - 0.25, "-5.629499534213122E14"),
        ] {
            assert_eq!(java_double(double), text);
        }
    }

    #[cfg(feature = "clojure")]
    #[test]
    fn floats_print_as_java_prints_them() {
        for (float, text) in [
            (0.1_f32, "0.1"),
            (-1.5, "-1.5"),
            (1e7, "1.0E7"),
            (2e10, "2.0E10"),
            (f32::MAX, "3.4028235E38"),
            (f32::from_bits(1), "1.4E-45"),
            (2_f32.powi(21) + 0.25, "2097152.2"),
            (f32::NAN, "NaN"),
        ] {
            assert_eq!(java_float(float), text);
        }
    }

    #[test]
    fn decimals_print_as_java_prints_them() {
        for text in ["0", "0.00", "1.50", "-123456789.000001", "1E+30", "1.5E+30", "0.000001", "1E-7", "10", "-1.2E-8"]
        {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        for text in ["", ".", "1e", "1.+5", "x", "1.5.5", "1e99999999999999999999"] {
            assert_eq!(text.parse::<Decimal>(), Err(NotANumber), "{text}");
        }
    }

    #[test]
    fn a_ratio_stays_as_it_is() {
        assert_eq!("-4/2".parse::<Ratio>().unwrap().to_string(), "-4/2");
        for text in ["1/0", "1/-2", "1", "/", "1/", "1/2/3"] {
            assert_eq!(text.parse::<Ratio>(), Err(NotANumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn doubles_read_back(bits: u64) {
            let double = f64::from_bits(bits);
            prop_assume!(double.is_finite());
            prop_assert_eq!(java_double(double).parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn decimals_read_back(mantissa: i128, exponent in prop_oneof![-40_i64..40, any::<i64>()]) {
            let decimal = Decimal { mantissa: mantissa.into(), exponent };
            prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
        }
    }
}
