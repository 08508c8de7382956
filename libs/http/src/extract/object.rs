//! Structures that come as objects only.

use std::{fmt, marker::PhantomData};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};

/// Reads a structure from an object, for `#[serde(deserialize_with = "bz_http::object")]`. Derived readers take a list of
/// the fields' values as well, which is a fault of a client where every field may be missing.
///
/// # Errors
/// When it is no object, or not one of these.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(reader: D) -> Result<T, D::Error> {
    reader.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::extract::parse;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        from: u8,
        to: u8,
    }

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(deserialize_with = "super::object")]
        inner: Inner,
    }

    #[test]
    fn an_object_is_read_a_list_of_its_values_is_refused_and_faults_keep_their_place() {
        let read = parse::<Outer>(br#"{"inner":{"to":2}}"#).unwrap();
        assert_eq!(read.inner, Inner { from: 0, to: 2 });
        for (body, place) in [
            (&br#"{"inner":[1,2]}"#[..], "/inner"),
            (br#"{"inner":{"to":"2"}}"#, "/inner/to"),
        ] {
            let problem = format!("{:?}", parse::<Outer>(body).unwrap_err());
            assert!(problem.contains(place), "{problem}");
        }
    }
}
