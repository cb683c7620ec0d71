//! Structs that are read from JSON objects, and never from arrays.
//!
//! serde's derived reader also accepts an array of a struct's fields in the order of their declaration. Such input
//! would change its meaning with the next version. And each type would have a second reader, which the browser would
//! load: 25 KB before compression.

use serde::{Deserializer, de::Visitor, forward_to_deserialize_any};

/// Reads a struct as a map. Only derived readers of structs ask it.
pub struct Object<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Object<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Reads these types from objects alone. They derive `Deserialize` with `#[serde(remote = "Self")]`, which leaves the
/// derived functions beside the traits, where these implementations call them.
macro_rules! objects {
    (read $($name:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize($crate::domain::object::Object(deserializer))
            }
        }
    )+};
    ($($name:ty),+) => {
        $crate::domain::object::objects!(read $($name),+);
        $(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    Self::serialize(self, serializer)
                }
            }
        )+
    };
}

pub(crate) use objects;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(remote = "Self")]
    struct Point {
        x: i32,
        y: Option<Box<Point>>,
    }
    objects!(Point);

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        let point = Point { x: 1, y: Some(Box::new(Point { x: 2, y: None })) };
        let text = r#"{"x":1,"y":{"x":2,"y":null}}"#;
        assert_eq!(serde_json::to_string(&point).unwrap(), text);
        assert_eq!(serde_json::from_str::<Point>(text).unwrap(), point);
        for array in ["[1,null]", r#"{"x":1,"y":[2,null]}"#] {
            let error = serde_json::from_str::<Point>(array).unwrap_err().to_string();
            assert!(error.starts_with("invalid type: sequence, expected struct Point"), "{error}");
        }
    }
}
