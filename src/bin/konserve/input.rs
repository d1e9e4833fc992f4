//! Keys, steps and values from words on the command line.

use std::io::{self, Read};

use konserve::{Value, edn, value::json};

use crate::failure::Failure;

/// The key that a word stands for.
pub(crate) fn key(word: &str, is_edn: bool) -> Result<Value, Failure> {
    if is_edn { edn("the key", word) } else { Ok(Value::from(word)) }
}

/// The steps that words stand for: EDN, or by what is there, for digits are an index in an array and text in a map.
pub(crate) fn steps(words: &[String], is_edn: bool, value: Option<&Value>) -> Result<Vec<Value>, Failure> {
    if is_edn {
        return words.iter().map(|word| edn("a step", word)).collect();
    }
    let mut here = value;
    let mut steps = Vec::new();
    for word in words {
        let index = index(word).filter(|_| matches!(here, Some(Value::Array(_))));
        here = match index {
            Some(index) => here.and_then(|here| here.at(index)),
            None => here.and_then(|here| here.get(word)),
        };
        steps.push(match index {
            Some(_) => json::read(word)?,
            None => Value::from(word.as_str()),
        });
    }
    Ok(steps)
}

/// Digits as [`steps`] takes them: without a sign or needless zeros.
fn index(word: &str) -> Option<usize> {
    let index: usize = word.parse().ok()?;
    (index.to_string() == word).then_some(index)
}

/// The value that a word stands for; `-` is read from standard input.
pub(crate) fn value(word: &str, is_edn: bool) -> Result<Value, Failure> {
    let mut text = word.to_owned();
    if word == "-" {
        text.clear();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::Usage(format!("reading standard input: {error}")))?;
    }
    if is_edn {
        return edn("the value", &text);
    }
    json::read(&text).map_err(|error| Failure::Usage(format!("{} (for EDN, give --edn)", error.message())))
}

/// What EDN on the command line says.
pub(crate) fn edn(what: &str, text: &str) -> Result<Value, Failure> {
    edn::read(text).map_err(|error| Failure::Usage(format!("{what}: {}", error.message())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_into(value: &str, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let value = edn::read(value).unwrap();
        Value::from(steps(&words, false, Some(&value)).unwrap()).to_string()
    }

    #[test]
    fn digits_are_an_index_only_in_an_array() {
        assert_eq!(steps_into(r#"{"3" [{"0" {}}]}"#, &["3", "0", "0", "1"]), r#"["3" 0 "0" "1"]"#);
        assert_eq!(steps_into("[[1 2]]", &["0", "1"]), "[0 1]");
        assert_eq!(steps_into("[1]", &["5", "5"]), r#"[5 "5"]"#);
        assert_eq!(steps_into("[1]", &["01"]), r#"["01"]"#);
        assert_eq!(steps_into("[1]", &["-1"]), r#"["-1"]"#);
        assert_eq!(steps_into("nil", &["0"]), r#"["0"]"#);
    }

    #[test]
    fn with_edn_every_word_is_edn() {
        let words = [":a".to_owned(), "\"b\"".to_owned(), "3".to_owned()];
        assert_eq!(Value::from(steps(&words, true, None).unwrap()).to_string(), r#"[:a "b" 3]"#);
        assert!(matches!(steps(&["]".to_owned()], true, None), Err(Failure::Usage(_))));
    }
}
