//! Floats as Java before 19 printed them: not always with the fewest digits, and not always with the nearest ones.
//!
//! The number is `b / s`, half the distance to its neighbours `m / s`. Digits are taken off `b` until what is left is less
//! than `m`, or less than `m` from the next digit. What that Java did on the way decides, so each of its quirks is here
//! with its reason.

use std::cmp::Ordering;

/// `Double.toString`.
pub(super) fn double(n: f64) -> String {
    let bits = n.to_bits();
    // The mantissa's 52 bits, the exponent's 11.
    print(n, bits & ((1 << 52) - 1), i32::from(u16::try_from(bits >> 52 & 0x7ff).unwrap_or_default()), 53, 1023)
}

/// `Float.toString`.
pub(super) fn float(n: f32) -> String {
    let bits = n.to_bits();
    let mantissa = u64::from(bits & ((1 << 23) - 1)) << 29;
    print(n.into(), mantissa, i32::from(u8::try_from(bits >> 23 & 0xff).unwrap_or_default()), 24, 127)
}

/// A float of so many significant bits, from its mantissa as a double has it and its exponent as it is stored.
fn print(n: f64, mantissa: u64, exponent: i32, precision: i32, bias: i32) -> String {
    if n.is_nan() {
        return "NaN".into();
    }
    let sign = if n.is_sign_negative() { "-" } else { "" };
    if n.is_infinite() {
        return format!("{sign}Infinity");
    }
    if n == 0.0 {
        return format!("{sign}0.0");
    }
    let binary = if exponent == 0 {
        // A subnormal has fewer significant bits, from its first one on.
        let zeros = i32::try_from(mantissa.leading_zeros()).unwrap_or_default() - 11;
        Binary { mantissa: mantissa << zeros, exponent: 1 - zeros - bias, precision: precision - zeros }
    } else {
        Binary { mantissa: mantissa | 1 << 52, exponent: exponent - bias, precision }
    };
    format!("{sign}{}", binary.decimal().print())
}

/// `mantissa · 2^(exponent − 52)`; the mantissa has 53 bits, of which the first so many are significant.
struct Binary {
    mantissa: u64,
    exponent: i32,
    precision: i32,
}

/// `0.digits · 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

impl Binary {
    fn decimal(&self) -> Decimal {
        let used = 53 - i32::try_from(self.mantissa.trailing_zeros()).unwrap_or_default();
        let behind_point = (used - self.exponent - 1).max(0);
        if behind_point == 0 && self.exponent <= 62 {
            self.whole()
        } else {
            let magnitude = self.magnitude();
            self.scaled(used, behind_point, magnitude).digits(magnitude)
        }
    }

    /// A whole number below 2^63 is printed as the integer that it is, but for digits that are below its precision.
    fn whole(&self) -> Decimal {
        let shift = self.exponent - 52;
        let mut n = if shift < 0 { self.mantissa >> -shift } else { self.mantissa << shift };
        let free_bits = self.exponent - self.precision - 1;
        let mut point = 0;
        if free_bits > 1 {
            let unit = 10_u64.pow((1_u64 << free_bits).ilog10());
            n = n / unit + u64::from(n % unit >= unit / 2 && unit > 1);
            point += i32::try_from(unit.ilog10()).unwrap_or_default();
        }
        let text = n.to_string();
        point += i32::try_from(text.len()).unwrap_or_default();
        let digits = text.trim_end_matches('0').bytes().map(|digit| digit - b'0').collect();
        Decimal { digits, point }
    }

    /// The power of ten of the first digit, or one more: from the tangent of the logarithm at 1.5.
    #[allow(clippy::cast_possible_truncation, reason = "it is between -325 and 309")]
    #[allow(clippy::approx_constant, reason = "no nearer than this")]
    fn magnitude(&self) -> i32 {
        let fraction = f64::from_bits(1023 << 52 | self.mantissa & ((1 << 52) - 1));
        let log = (fraction - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(self.exponent) * 0.301_029_995_663_981;
        log.floor() as i32
    }

    /// The number over the power of ten of its first digit.
    fn scaled(&self, used: i32, behind_point: i32, magnitude: i32) -> Scaled {
        let (fives_b, fives_s) = ((-magnitude).max(0), magnitude.max(0));
        let mut twos_b = fives_b + behind_point + self.exponent;
        let mut twos_s = fives_s + behind_point;
        let mut twos_m = twos_b - self.precision;
        twos_b -= used - 1;
        let common = twos_b.min(twos_s);
        twos_b -= common;
        twos_s -= common;
        twos_m -= common;
        if used == 1 {
            // Below a power of two the next float is only half as far away.
            twos_m -= 1;
        }
        let lift = (-twos_m).max(0);
        twos_b += lift;
        twos_s += lift;
        twos_m += lift;
        let odd = self.mantissa >> (53 - used);
        let bits = (used + twos_b + bits_of_five(fives_b)).max(twos_s + 1 + bits_of_five(fives_s + 1));
        Scaled {
            b: Big::new(odd, fives_b, twos_b),
            s: Big::new(1, fives_s, twos_s),
            m: Big::new(1, fives_b, twos_m),
            width: match bits {
                ..32 => Some(32),
                32..64 => Some(64),
                _ => None,
            },
        }
    }
}

/// How many bits Java reckoned for a power of five.
fn bits_of_five(power: i32) -> i32 {
    match u32::try_from(power) {
        Ok(0) | Err(_) => 0,
        Ok(few @ ..27) => 64 - i32::try_from(5_u64.pow(few).leading_zeros()).unwrap_or_default(),
        Ok(_) => 3 * power,
    }
}

struct Scaled {
    b: Big,
    s: Big,
    m: Big,
    /// The bits of the integers in which Java reckoned, where it did not need larger numbers. What overflowed there does
    /// so here.
    width: Option<u32>,
}

impl Scaled {
    fn digits(mut self, mut magnitude: i32) -> Decimal {
        let mut digits = Vec::new();
        let (first, mut low, mut high) = self.step();
        if first == 0 && !high {
            magnitude -= 1;
        } else {
            digits.push(first);
        }
        if !(-3..8).contains(&magnitude) {
            // With an exponent there must be a digit behind the point.
            (low, high) = (false, false);
        }
        while !low && !high {
            let digit;
            (digit, low, high) = self.step();
            digits.push(digit);
        }
        let mut decimal = Decimal { digits, point: magnitude + 1 };
        if high && (!low || self.rounds_up(&decimal)) {
            decimal.round_up();
        }
        decimal
    }

    /// Takes a digit off; says whether what is left is nothing, or the next digit, within the precision.
    fn step(&mut self) -> (u8, bool, bool) {
        let digit = self.b.divide(&self.s);
        self.b.multiply(10);
        self.m.multiply(10);
        let (upper, unit) = (self.b.plus(&self.m), self.s.times(10));
        let (low, high) = match self.width {
            Some(width) if self.m.wrapped(width) > 0 => {
                (self.b.wrapped(width) < self.m.wrapped(width), upper.wrapped(width) > unit.wrapped(width))
            }
            Some(_) => (true, true),
            None => (self.b.cmp(&self.m) == Ordering::Less, upper.cmp(&unit) != Ordering::Less),
        };
        (digit, low, high)
    }

    /// Whether the rest is more than half a digit, or just half and the digit odd.
    fn rounds_up(&self, decimal: &Decimal) -> bool {
        let (twice, unit) = (self.b.times(2), self.s.times(10));
        let order = match self.width {
            Some(width) => narrow(twice.wrapped(width).wrapping_sub(unit.wrapped(width)), width).cmp(&0),
            None => twice.cmp(&unit),
        };
        match order {
            Ordering::Less => false,
            Ordering::Equal => decimal.digits.last().is_some_and(|digit| digit % 2 == 1),
            Ordering::Greater => true,
        }
    }
}

impl Decimal {
    /// One more in the last place. Zeros that come of it stay.
    fn round_up(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        if let Some(first) = self.digits.first_mut() {
            *first = 1;
        }
        self.point += 1;
    }

    fn print(&self) -> String {
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
        let point = if (-2..8).contains(&self.point) { self.point } else { 1 };
        let padded = format!("{}{digits}", zeros(1 - point));
        let padded = format!("{padded:0<width$}", width = usize::try_from(point + 1).unwrap_or_default());
        let (whole, fraction) = padded.split_at_checked(usize::try_from(point.max(1)).unwrap_or(1)).unwrap_or_default();
        let exponent = if point == self.point { String::new() } else { format!("E{}", self.point - 1) };
        format!("{whole}.{fraction}{exponent}")
    }
}

/// A natural number of any size, in limbs of 32 bits, the last not zero.
struct Big(Vec<u32>);

impl Big {
    /// `n · 5^fives · 2^twos`.
    fn new(n: u64, fives: i32, twos: i32) -> Self {
        let [low, high] = halves(n);
        let mut big = Self(vec![low, high]);
        big.trim();
        for _ in 0..fives {
            big.multiply(5);
        }
        for _ in 0..twos / 31 {
            big.multiply(1 << 31);
        }
        big.multiply(1 << (twos % 31));
        big
    }

    fn multiply(&mut self, by: u32) {
        let mut carry = 0;
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(by) + carry;
            [*limb, _] = halves(product);
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(halves(carry)[0]);
        }
    }

    fn times(&self, by: u32) -> Self {
        let mut product = Self(self.0.clone());
        product.multiply(by);
        product
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::with_capacity(self.0.len() + 1);
        let mut carry = 0;
        for at in 0..self.0.len().max(other.0.len()) {
            let limb = |big: &Self| u64::from(big.0.get(at).copied().unwrap_or_default());
            let [low, high] = halves(limb(self) + limb(other) + carry);
            sum.push(low);
            carry = high.into();
        }
        sum.push(halves(carry)[0]);
        let mut sum = Self(sum);
        sum.trim();
        sum
    }

    /// Leaves the rest; the quotient is a digit.
    fn divide(&mut self, by: &Self) -> u8 {
        let mut digit = 0;
        while self.cmp(by) != Ordering::Less {
            let mut borrow = 0;
            for (at, limb) in self.0.iter_mut().enumerate() {
                let taken = u64::from(by.0.get(at).copied().unwrap_or_default()) + borrow;
                let [low, high] = halves(u64::from(*limb).wrapping_sub(taken));
                *limb = low;
                borrow = u64::from(high != 0);
            }
            self.trim();
            digit += 1;
        }
        digit
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// As a signed integer of so many bits, without regard for overflow.
    fn wrapped(&self, width: u32) -> i64 {
        let limb = |at: usize| u64::from(self.0.get(at).copied().unwrap_or_default());
        narrow((limb(0) | limb(1) << 32).cast_signed(), width)
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

/// The lowest so many bits with their sign.
fn narrow(n: i64, width: u32) -> i64 {
    n << (64 - width) >> (64 - width)
}

/// The lower and the upper 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "it is what is wanted")]
fn halves(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Java 17 printed them.
    #[test]
    fn floats_print_as_older_java_printed_them() {
        for (bits, text) in [
            (0x44b5_2d02_c7e1_4af6, "9.999999999999999E22"),
            (0x44c5_2d02_c7e1_4af6, "1.9999999999999998E23"),
            (0x447c_7e83_209e_90b2, "8.409999999999999E21"),
            (0x3d30_0000_0000_0000, "5.6843418860808015E-14"),
            (0x43b0_0000_0000_0000, "1.15292150460684698E18"),
            (0x4350_0000_0000_0000, "1.8014398509481984E16"),
            (0x3e70_0000_0000_0000, "5.9604644775390625E-8"),
            (0x0010_0000_0000_0000, "2.2250738585072014E-308"),
            (0x3f60_624d_d2f1_a9fc, "0.002"),
            (0x3ef4_f8b5_88e3_68f1, "2.0E-5"),
            (0x4163_12d0_0000_0000, "1.0E7"),
            (0xc480_f0cf_064d_d592, "-1.0E22"),
            (0x8000_0000_0000_0000, "-0.0"),
            (0xfff0_0000_0000_0000, "-Infinity"),
            (0x7ff8_0000_0000_0000, "NaN"),
            (1, "4.9E-324"),
        ] {
            assert_eq!(double(f64::from_bits(bits)), text);
        }
        for (bits, text) in [
            (0x0080_0000, "1.17549435E-38"),
            (0x5000_0000, "8.5899346E9"),
            // Java's integers overflow here.
            (0x6900_0000, "9.6714065E24"),
            (0x4a00_0001, "2097152.2"),
            (0x3dcc_cccd, "0.1"),
        ] {
            assert_eq!(float(f32::from_bits(bits)), text);
        }
    }

    proptest! {
        #[test]
        fn every_float_reads_back(bits: u64, few: u32) {
            let (n, short) = (f64::from_bits(bits), f32::from_bits(few));
            prop_assume!(n.is_finite() && short.is_finite());
            prop_assert_eq!(double(n).parse().map(f64::to_bits), Ok(bits));
            prop_assert_eq!(float(short).parse().map(f32::to_bits), Ok(few));
        }
    }
}
