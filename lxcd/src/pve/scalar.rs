//! Proxmox's scalars, read tolerantly: numbers arrive as numbers or strings, booleans as 0/1, "0"/"1"
//! or true/false, and anything may be missing (docs/proxmox.md, Types). Owns the conversions;
//! must not know any endpoint.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One JSON value of any type. Lists and objects count as absent: where a scalar is expected they say
/// nothing, and one odd field must not hide a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Scalar {
    /// null, a list or an object.
    #[default]
    Absent,
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// As text; numbers the way Proxmox would print them, booleans as 1 and 0.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Flag(on) => Some(String::from(if on { "1" } else { "0" })),
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Text(text) => Some(text),
        }
    }

    /// As text, where an empty one means the same as none.
    pub(super) fn word(self) -> Option<String> {
        self.text().filter(|text| !text.is_empty())
    }

    /// As a finite number.
    pub(super) fn float(&self) -> Option<f64> {
        let number = match self {
            Self::Absent => return None,
            Self::Flag(on) => f64::from(u8::from(*on)),
            Self::Integer(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        number.is_finite().then_some(number)
    }

    /// As an integer; fractions are cut off.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
            // `as` saturates, so a number beyond i64 becomes its limit instead of nonsense.
            other => other.float().map(|number| number as i64),
        }
    }

    /// As an amount; what is negative counts as 0 (cpu is slightly negative just after a start).
    pub(super) fn amount(&self) -> Option<u64> {
        self.integer().map(|number| u64::try_from(number).unwrap_or(0))
    }

    /// As a vmid: a whole number that fits.
    pub(super) fn vmid(&self) -> Option<u32> {
        match self {
            Self::Integer(number) => u32::try_from(*number).ok(),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// As a boolean; absent is false, which is how Proxmox writes it.
    pub(super) fn flag(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Flag(on) => *on,
            Self::Integer(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => matches!(text.trim(), "1" | "true" | "yes" | "on"),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Absent)
    }
}

/// A JSON object and nothing else: serde would fill a struct from a list too, by position.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Splits a tag list; lower case and sorted, as Proxmox itself keeps them.
pub(super) fn tags(list: Scalar) -> Vec<String> {
    let text = list.text().unwrap_or_default();
    let mut all: Vec<String> = text
        .split([';', ',', ' '])
        .map(|tag| tag.trim().to_lowercase())
        .filter(|tag| !tag.is_empty())
        .collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Scalar {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn reads_every_spelling() {
        assert_eq!(read("\"24\"").integer(), Some(24));
        assert_eq!(read("24.9").integer(), Some(24));
        assert_eq!(read("\"0.25\"").float(), Some(0.25));
        assert_eq!(read("-3").amount(), Some(0));
        assert_eq!(read("18446744073709551615").amount(), Some(i64::MAX as u64));
        assert_eq!(read("\"104\"").vmid(), Some(104));
        assert_eq!(read("104.5").vmid(), None);
        assert_eq!(read("\"\"").word(), None);
        assert_eq!(read("\"NaN\"").float(), None);
        for on in ["1", "\"1\"", "true", "\"true\""] {
            assert!(read(on).flag(), "{on}");
        }
        for off in ["0", "\"0\"", "false", "null", "\"\"", "[1]", "{}"] {
            assert!(!read(off).flag(), "{off}");
        }
        assert_eq!(tags(read("\"web;Prod, a\"")), ["a", "prod", "web"]);
    }
}
