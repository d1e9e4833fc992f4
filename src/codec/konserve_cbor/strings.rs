//! Tables of strings, and references to them (<https://cbor.schmorp.de/stringref>).

/// The tag that opens a table for the item inside of it.
pub(super) const TABLE: u64 = 256;
/// The tag of a number that stands for a string of the innermost table.
pub(super) const REFERENCE: u64 = 25;

/// A text or a byte string as it stood in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal<'a> {
    /// 2 of bytes, 3 of text.
    pub(super) major: u8,
    pub(super) bytes: &'a [u8],
}

/// The strings so far that have a number, in the order of the input.
#[derive(Debug, Default)]
pub(super) struct Strings<'a>(Vec<Literal<'a>>);

impl<'a> Strings<'a> {
    /// Notes a string that is met; one that is shorter than a reference to it gets no number.
    pub(super) fn meet(&mut self, literal: Literal<'a>) {
        let shortest = match self.0.len() {
            0..24 => 3,
            24..0x100 => 4,
            0x100..0x1_0000 => 5,
            _ => 7,
        };
        if literal.bytes.len() >= shortest {
            self.0.push(literal);
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<Literal<'a>> {
        self.0.get(usize::try_from(number).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_that_takes_a_number_grows_with_the_number() {
        for (number, shortest) in [(0, 3), (23, 3), (24, 4), (255, 4), (256, 5), (65_535, 5), (65_536, 7)] {
            let literal = |len: usize| Literal { major: 3, bytes: b"abcdefgh".get(..len).unwrap() };
            let mut strings = Strings(vec![literal(8); number]);
            strings.meet(literal(shortest - 1));
            assert_eq!(strings.get(number as u64), None, "{number}");
            strings.meet(literal(shortest));
            assert_eq!(strings.get(number as u64), Some(literal(shortest)), "{number}");
        }
    }
}
