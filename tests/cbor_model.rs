//! Random items, paths and bytes, against a model that is a tree. A failure prints its seed and the smallest case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use konserve::cbor::{
    FlawKind, Reader, Writer, canonical, check, check_key, diagnose, locate,
    path::{get, put, remove},
    tag,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// A value as the model has it. `Object` is a plain object, `Map` a JavaScript `Map`.
#[derive(Clone, Debug)]
enum Tree {
    Null,
    Undefined,
    Bool(bool),
    Int(i64),
    Float(f64),
    Big(bool, Vec<u8>),
    Text(String),
    Bytes(Vec<u8>),
    Keyword(String),
    Array(Vec<Tree>),
    Set(Vec<Tree>),
    Object(Vec<(String, Tree)>),
    Map(Vec<(Tree, Tree)>),
}

impl Tree {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Null => out.null(),
            Self::Undefined => out.undefined(),
            Self::Bool(b) => out.bool(*b),
            Self::Int(n) => out.int(*n),
            Self::Float(n) => out.float(*n),
            Self::Big(negative, magnitude) => {
                out.tag(if *negative { tag::BIG_NEGATIVE } else { tag::BIG_POSITIVE });
                out.bytes(magnitude);
            }
            Self::Text(text) => out.text(text),
            Self::Bytes(bytes) => out.bytes(bytes),
            Self::Keyword(name) => {
                out.tag(tag::SYMBOL);
                out.text(name);
            }
            Self::Array(items) => {
                out.array(items.len());
                for item in items {
                    item.write(out);
                }
            }
            Self::Set(members) => {
                out.tag(tag::SET);
                out.array(members.len());
                for member in members {
                    member.write(out);
                }
            }
            Self::Object(entries) => {
                out.map(entries.len());
                for (key, value) in entries {
                    out.text(key);
                    value.write(out);
                }
            }
            Self::Map(entries) => {
                if entries.iter().all(|(key, _)| matches!(key, Self::Text(_))) {
                    out.tag(tag::MAP);
                }
                out.map(entries.len());
                for (key, value) in entries {
                    key.write(out);
                    value.write(out);
                }
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.write(&mut out);
        out.finish()
    }

    /// The canonical bytes, built without the code that is tested.
    fn canonical(&self) -> Vec<u8> {
        let all = |head: &[u8], mut parts: Vec<Vec<u8>>, sort: bool| {
            if sort {
                parts.sort();
            }
            [head.to_vec(), parts.concat()].concat()
        };
        let head = |write: &dyn Fn(&mut Writer)| {
            let mut out = Writer::new();
            write(&mut out);
            out.finish()
        };
        let entry = |key: &Tree, value: &Tree| [key.canonical(), value.canonical()].concat();
        match self {
            Self::Float(n) if n.is_nan() => b"\xf9\x7e\x00".to_vec(),
            #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
            Self::Float(n) if n.trunc().total_cmp(n).is_eq() && n.abs() <= 9_007_199_254_740_992.0 => {
                Self::Int(*n as i64).bytes()
            }
            // ciborium writes floats in their shortest exact form.
            Self::Float(n) => {
                let mut out = Vec::new();
                ciborium::into_writer(n, &mut out).unwrap();
                out
            }
            Self::Int(n) if n.unsigned_abs() > 1 << 53 => {
                let magnitude = if *n < 0 { !n.cast_unsigned() } else { n.cast_unsigned() };
                Self::Big(*n < 0, magnitude.to_be_bytes().to_vec()).canonical()
            }
            Self::Big(negative, magnitude) => {
                let digits: Vec<u8> = magnitude.iter().copied().skip_while(|digit| *digit == 0).collect();
                Self::Big(*negative, if digits.is_empty() { vec![0] } else { digits }).bytes()
            }
            Self::Array(items) => {
                all(&head(&|out| out.array(items.len())), items.iter().map(Self::canonical).collect(), false)
            }
            Self::Set(members) => {
                let head = [b"\xd9\x01\x02".to_vec(), head(&|out| out.array(members.len()))].concat();
                all(&head, members.iter().map(Self::canonical).collect(), true)
            }
            Self::Object(entries) => all(
                &head(&|out| out.map(entries.len())),
                entries.iter().map(|(key, value)| entry(&Self::Text(key.clone()), value)).collect(),
                true,
            ),
            Self::Map(entries) => {
                let texts = entries.iter().all(|(key, _)| matches!(key, Self::Text(_)));
                let head =
                    [if texts { &b"\xd9\x01\x03"[..] } else { b"" }, &head(&|out| out.map(entries.len()))].concat();
                all(&head, entries.iter().map(|(key, value)| entry(key, value)).collect(), true)
            }
            other => other.bytes(),
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }

    fn index(&self) -> Option<usize> {
        match self {
            Self::Int(n) => usize::try_from(*n).ok(),
            #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
            Self::Float(n) if n.fract() == 0.0 && (0.0..1e9).contains(n) => usize::try_from(*n as i64).ok(),
            _ => None,
        }
    }

    fn member(&self, step: &Tree) -> Option<usize> {
        match self {
            Self::Array(items) => step.index().filter(|index| *index < items.len()),
            Self::Object(entries) => {
                let Self::Text(step) = step else { return None };
                entries.iter().position(|(key, _)| key == step)
            }
            Self::Map(entries) => entries.iter().position(|(key, _)| key.canonical() == step.canonical()),
            _ => None,
        }
    }

    fn child(&mut self, at: usize) -> &mut Tree {
        match self {
            Self::Array(items) => &mut items[at],
            Self::Object(entries) => &mut entries[at].1,
            Self::Map(entries) => &mut entries[at].1,
            _ => unreachable!("only containers have members"),
        }
    }

    fn get(&mut self, steps: &[Tree]) -> Option<&mut Tree> {
        let Some((step, rest)) = steps.split_first() else { return Some(self) };
        let at = self.member(step)?;
        self.child(at).get(rest)
    }

    /// `None` is a path that is refused.
    fn put(&mut self, steps: &[Tree], new: Tree) -> Option<()> {
        let Some((step, rest)) = steps.split_first() else {
            *self = new;
            return Some(());
        };
        if let Some(at) = self.member(step) {
            return self.child(at).put(rest, new);
        }
        if self.is_nothing() || matches!(self, Self::Object(entries) if entries.is_empty()) {
            *self = if matches!(step, Self::Text(_)) { Self::Object(vec![]) } else { Self::Map(vec![]) };
        }
        let mut made = Self::Null;
        made.put(rest, new)?;
        match (self, step) {
            (_, Self::Undefined) => return None,
            (Self::Object(entries), Self::Text(key)) => entries.push((key.clone(), made)),
            #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
            (Self::Map(entries), Self::Float(n)) if n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0 => {
                entries.push((Self::Int(*n as i64), made));
            }
            (Self::Map(entries), key) => entries.push((key.clone(), made)),
            (Self::Array(items), step) if step.index() == Some(items.len()) => items.push(made),
            _ => return None,
        }
        Some(())
    }

    fn remove(&mut self, steps: &[Tree]) -> bool {
        let Some((last, before)) = steps.split_last() else { return false };
        let Some(parent) = self.get(before) else { return false };
        let Some(at) = parent.member(last) else { return false };
        match parent {
            Self::Array(items) => drop(items.remove(at)),
            Self::Object(entries) => drop(entries.remove(at)),
            Self::Map(entries) => drop(entries.remove(at)),
            _ => unreachable!("only containers have members"),
        }
        true
    }
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<f32>().prop_map(f64::from),
        any::<i16>().prop_map(|n| f64::from(n) / 8.0),
        (-4..4_i8).prop_map(f64::from),
        any::<i64>().prop_map(|n| {
            #[allow(clippy::cast_precision_loss, reason = "any float will do")]
            let n = n as f64;
            n
        }),
        Just(-0.0),
        Just(9_007_199_254_740_992.0),
        Just(f64::from_bits(0x7ff0_0000_0000_0001)),
        (0..0x400_u16).prop_map(|n| f64::from(n) / 16_777_216.0),
    ]
}

fn leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        Just(Tree::Null),
        Just(Tree::Undefined),
        any::<bool>().prop_map(Tree::Bool),
        (-3..30_i64).prop_map(Tree::Int),
        any::<i64>().prop_map(Tree::Int),
        float().prop_map(Tree::Float),
        (any::<bool>(), vec(0..3_u8, 0..10)).prop_map(|(negative, magnitude)| Tree::Big(negative, magnitude)),
        "[a-cé]{0,3}".prop_map(Tree::Text),
        ".{0,40}".prop_map(Tree::Text),
        vec(any::<u8>(), 0..30).prop_map(Tree::Bytes),
        "[a-c]{1,2}".prop_map(Tree::Keyword),
    ]
}

/// Values without two keys or members that are one in canonical form.
fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Tree::Array),
            vec(inner.clone(), 0..8).prop_map(|members| Tree::Set(unlike(members, Tree::canonical))),
            vec(("[a-d]{1,2}", inner.clone()), 0..20)
                .prop_map(|entries| Tree::Object(unlike(entries, |entry| entry.0.clone().into_bytes()))),
            vec((inner.clone(), inner.clone()), 0..20)
                .prop_map(|entries| Tree::Map(unlike(entries, |entry| entry.0.canonical()))),
            vec(("[a-d]{1,2}".prop_map(Tree::Text), inner), 0..8)
                .prop_map(|entries| Tree::Map(unlike(entries, |entry| entry.0.canonical()))),
        ]
    })
}

fn unlike<T>(mut items: Vec<T>, name: impl Fn(&T) -> Vec<u8>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    items.retain(|item| seen.insert(name(item)));
    items
}

/// Where to go from a tree: mostly along its members, sometimes astray.
fn walk(tree: &Tree, turns: &[(Index, Tree)]) -> Vec<Tree> {
    let (mut at, mut steps) = (tree.clone(), Vec::new());
    for (turn, astray) in turns {
        let mut choices = match &at {
            Tree::Array(items) => (0..=items.len()).map(|n| Tree::Int(i64::try_from(n).unwrap())).collect(),
            Tree::Object(entries) => entries.iter().map(|entry| Tree::Text(entry.0.clone())).collect(),
            Tree::Map(entries) => entries.iter().map(|entry| entry.0.clone()).collect(),
            _ => vec![],
        };
        choices.push(astray.clone());
        let step = turn.get(&choices).clone();
        at = at.get(std::slice::from_ref(&step)).cloned().unwrap_or(Tree::Null);
        steps.push(step);
    }
    steps
}

fn turns() -> impl Strategy<Value = Vec<(Index, Tree)>> {
    vec((any::<Index>(), prop_oneof![2 => leaf(), 1 => tree()]), 0..5)
}

fn steps_of<T>(steps: &[Tree], f: impl FnOnce(&[&[u8]]) -> T) -> T {
    let steps: Vec<_> = steps.iter().map(Tree::bytes).collect();
    f(&steps.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    // At least so many; more by the variable PROPTEST_CASES.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(500)))]

    #[test]
    fn values_are_values_and_their_prefixes_are_cut(tree in tree()) {
        let bytes = tree.bytes();
        prop_assert_eq!(check(&bytes), Ok(()));
        prop_assert_eq!(Reader::new(&bytes).item(), Ok(&bytes[..]));
        for end in 0..bytes.len() {
            prop_assert_eq!(check(&bytes[..end]).unwrap_err().kind, FlawKind::Cut);
        }
        prop_assert_eq!(check(&[&bytes[..], b"\xf6"].concat()).unwrap_err().kind, FlawKind::Trailing);
    }

    #[test]
    fn canonical_is_as_the_model_has_it(tree in tree()) {
        let form = canonical(&tree.bytes()).unwrap();
        prop_assert_eq!(&form, &tree.canonical(), "{} {}", diagnose(&form), diagnose(&tree.canonical()));
        prop_assert_eq!(canonical(&form), Ok(form.clone()));
    }

    #[test]
    fn paths_lead_where_the_model_says(tree in tree(), turns in turns(), new in tree()) {
        let (bytes, steps) = (tree.bytes(), walk(&tree, &turns));

        let found = tree.clone().get(&steps).map(|tree| tree.bytes());
        prop_assert_eq!(steps_of(&steps, |steps| get(&bytes, steps).unwrap().map(<[u8]>::to_vec)), found);

        let mut model = tree.clone();
        let wanted = model.put(&steps, new.clone()).map(|()| model.bytes());
        let done = steps_of(&steps, |steps| put(Some(&bytes), steps, &new.bytes()).ok());
        prop_assert_eq!(done.as_deref().map(diagnose), wanted.as_deref().map(diagnose));
        prop_assert_eq!(&done, &wanted);
        if let Some(done) = done {
            prop_assert_eq!(check(&done), Ok(()));
            prop_assert_eq!(steps_of(&steps, |steps| get(&done, steps).unwrap().map(<[u8]>::to_vec)), Some(new.bytes()));
        }

        if !steps.is_empty() {
            let mut model = tree.clone();
            let wanted = model.remove(&steps).then(|| model.bytes());
            let done = steps_of(&steps, |steps| remove(&bytes, steps).unwrap());
            prop_assert_eq!(&done, &wanted);
            prop_assert!(done.is_none_or(|done| check(&done).is_ok()));
        }
    }

    #[test]
    fn random_bytes_are_an_answer_never_a_panic(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            // Likelier to be nearly right.
            vec(prop_oneof![0x80..0xc6_u8, 0xd8..0xdc_u8, 0x60..0x64_u8, Just(1), Just(2), any::<u8>()], 0..60),
            (tree(), vec((any::<Index>(), any::<u8>()), 1..4)).prop_map(|(tree, changes)| {
                let mut bytes = tree.bytes();
                for (at, byte) in changes {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                bytes
            }),
        ],
        turns in turns(),
    ) {
        let flaw = check(&bytes).err();
        let foreign: Result<ciborium::Value, _> = ciborium::from_reader(&mut &bytes[..]);
        prop_assert!(flaw.is_some() || foreign.is_ok(), "ciborium cannot read {:x?}", bytes);
        prop_assert!(flaw.is_none_or(|flaw| flaw.at <= bytes.len()));
        let form = canonical(&bytes);
        prop_assert!(flaw.is_none() || form.is_err());
        if let Ok(form) = form {
            prop_assert_eq!(canonical(&form), Ok(form.clone()));
            prop_assert_eq!(check(&form), Ok(()));
        }
        _ = check_key(&bytes);
        _ = diagnose(&bytes);
        _ = locate(&bytes, flaw.map_or(bytes.len() / 2, |flaw| flaw.at));
        steps_of(&walk(&Tree::Null, &turns), |steps| {
            _ = get(&bytes, steps);
            let put = put(Some(&bytes), steps, b"\x01");
            let removed = remove(&bytes, steps);
            if flaw.is_none() {
                prop_assert!(put.is_err() || check(&put.unwrap()).is_ok());
                prop_assert!(removed.is_err() || removed.unwrap().is_none_or(|left| check(&left).is_ok()));
            }
            let own: Vec<&[u8]> = vec![&bytes];
            prop_assert!(flaw.is_none() || get(b"\xa0", &own).is_err());
            Ok(())
        })?;
    }
}
