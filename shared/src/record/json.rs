//! JSON that may come from anybody, read within limits and in one way only.
//!
//! ```text
//! {"a":1,"a":2}    json-duplicate-key: two readers could disagree about which one counts
//! ["1","2026-…"]   where an object with named keys belongs: content-invalid, though serde would take it
//! [[[[…]]]]        json-too-deep beyond 16, found before anything recurses
//! ```
//!
//! **Trust:** none. **Invariants:** memory stays within a few times the size limit; no problem's detail
//! repeats a value, because values are personal data: only positions are named.

use std::{cell::Cell, collections::BTreeSet, fmt};

use serde::{
    Deserializer as _,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

use crate::problem::{Code, Problem};

/// Deepest nesting of objects and arrays that is read.
pub const MAX_DEPTH: usize = 16;

/// Reads a `T` of at most `max_len` bytes of JSON (RFC 8259).
///
/// Checks run left to right, and the first that fails decides: size, UTF-8, depth, syntax, duplicate keys, shape.
/// A wrong shape is `content-invalid`, with the position at which it was seen.
pub fn strict_json<T: DeserializeOwned>(bytes: &[u8], max_len: usize) -> Result<T, Problem> {
    shape(checked(bytes, max_len)?)
}

/// Everything about the bytes that does not depend on the type wanted: size, UTF-8, depth, syntax, duplicate keys.
pub(crate) fn checked(bytes: &[u8], max_len: usize) -> Result<&str, Problem> {
    if bytes.len() > max_len {
        return Err(Problem::new(Code::JsonTooLarge, format!("{} bytes, at most {max_len}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| Problem::new(Code::JsonNotUtf8, format!("byte {}", e.valid_up_to())))?;
    if depth(text) > MAX_DEPTH {
        return Err(Problem::new(Code::JsonTooDeep, format!("at most {MAX_DEPTH}")));
    }
    let duplicate = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_any(Unique(&duplicate)).and_then(|()| reader.end());
    match read {
        Ok(()) => Ok(text),
        Err(e) if duplicate.get() => Err(Problem::new(Code::JsonDuplicateKey, position(&e))),
        Err(e) => Err(Problem::new(Code::JsonMalformed, position(&e))),
    }
}

/// Reads the shape `T` from a text that [`checked`] has accepted.
pub(super) fn shape<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::new(Code::ContentInvalid, position(&e)))
}

/// serde's own message would repeat the offending value.
fn position(e: &serde_json::Error) -> String {
    format!("line {} column {}", e.line(), e.column())
}

/// Deepest nesting, counted without recursion. In malformed text the count may be off; syntax is checked later.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads any value, keeps nothing, stops at the first object that has a key twice (after unescaping).
#[derive(Clone, Copy)]
struct Unique<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                self.0.set(true);
                return Err(A::Error::custom("duplicate key"));
            }
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// An object is written `{…}` and in no other way. What serde derives for a struct also takes a bare list of its values,
/// in the order in which the struct happens to have them: a second spelling. The types derive with `remote = "Self"`.
macro_rules! only_objects {
    ($($name:ident)*) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        // the derived function, which stands before the trait's
                        $name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                d.deserialize_map(Object)
            }
        }
    )*};
    (and written: $($name:ident)*) => {
        $crate::record::json::only_objects!($($name)*);
        $(impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, s)
            }
        })*
    };
}
pub(crate) use only_objects;

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> Option<Code> {
        strict_json::<serde_json::Value>(text, 1000).err().map(|p| p.code)
    }

    #[test]
    fn each_defect_has_its_code() {
        assert_eq!(code(&[b' '; 1001]), Some(Code::JsonTooLarge));
        assert_eq!(code(b"\"\xff\""), Some(Code::JsonNotUtf8));
        assert_eq!(code("\"\u{feff}\"".as_bytes()), None, "a mark of byte order inside of a string is text");
        assert_eq!(code("\u{feff}{}".as_bytes()), Some(Code::JsonMalformed));
        assert_eq!(code("[".repeat(17).as_bytes()), Some(Code::JsonTooDeep));
        for bad in ["", "{", "{}{}", "{\"a\":1,}", "'a'", "01", "+1", ".5", "nul", "\"\\ud800\"", "\"\t\"", "1e999", "// c\n{}", "NaN"] {
            assert_eq!(code(bad.as_bytes()), Some(Code::JsonMalformed), "{bad:?}");
        }
        for bad in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":0,"\u0061":2}}]"#] {
            assert_eq!(code(bad.as_bytes()), Some(Code::JsonDuplicateKey), "{bad:?}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings_only() {
        let deep = format!("{}{}", "[".repeat(16), "]".repeat(16));
        assert_eq!(code(deep.as_bytes()), None);
        assert_eq!(code(br#"["[[[[[[[[[[[[[[[[[[[[","\"[[[[[[[[[[[[[[[[[["]"#), None);
        let shallow = format!("[{}[]]", "[],".repeat(100));
        assert_eq!(code(shallow.as_bytes()), None);
    }

    #[test]
    fn no_value_is_repeated_in_a_problem() {
        let problem = strict_json::<Vec<u8>>(br#"[1,"Fatima"]"#, 1000).expect_err("a string is no number");
        assert_eq!(problem.code, Code::ContentInvalid);
        assert!(!problem.to_string().contains("Fatima"));
    }
}
