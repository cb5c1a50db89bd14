//! `NsPath<T>`: the parameters of a dynamic namespace, such as `id` of `/org/{id}`, as a typed value.

use super::{ConnectError, ConnectParts, FromConnect};
use crate::contract::Namespace;
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use std::str::FromStr;

/// The path parameters of a dynamic namespace: a single value, a tuple in the order of the path, or a struct with a field for
/// each. Parameters that do not parse refuse the client.
///
/// ```
/// # use socketio::{ConnectError, NsPath, SocketIo, namespace};
/// #[namespace("/org/{org}/team/{team}")]
/// trait Team {
///     #[event]
///     async fn name(&self) -> String;
/// }
///
/// struct Member { org: String, team: u32 }
///
/// impl Team for Member {
///     async fn name(&self) -> String {
///         format!("team {} of {}", self.team, self.org)
///     }
/// }
///
/// async fn connect(NsPath((org, team)): NsPath<(String, u32)>) -> Result<Member, ConnectError> {
///     Ok(Member { org, team })
/// }
///
/// let io = SocketIo::builder().namespace::<dyn Team, _>(connect).build();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NsPath<T>(pub T);

impl<N, S, T> FromConnect<N, S> for NsPath<T>
where
    N: Namespace + ?Sized,
    S: Sync,
    T: DeserializeOwned,
{
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let given = Parameters { pattern: N::PATH, path: parts.path() };
        T::deserialize(given).map(NsPath).map_err(|error| ConnectError::new(format!("invalid namespace path: {error}")))
    }
}

/// The parameters of `path` by the names that `pattern` gives them.
#[derive(Clone, Copy)]
struct Parameters<'a> {
    pattern: &'static str,
    path: &'a str,
}

impl<'a> Parameters<'a> {
    fn iter(self) -> impl Iterator<Item = (&'static str, Parameter<'a>)> {
        let pairs = self.pattern.split('/').zip(self.path.split('/'));
        pairs.filter_map(|(segment, value)| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            Some((name, Parameter { name, value }))
        })
    }

    fn only(self) -> Result<Parameter<'a>, Error> {
        let mut all = self.iter();
        match (all.next(), all.next()) {
            (Some((_, only)), None) => Ok(only),
            _ => Err(Error::custom(format!("`{}` does not have one parameter: extract a tuple or a struct", self.pattern))),
        }
    }
}

macro_rules! parameters_as_one {
    ($($method:ident($($arg:ident: $ty:ty),*))*) => { $(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Error> {
            self.only()?.$method($($arg,)* visitor)
        }
    )* };
}

impl<'de> Deserializer<'de> for Parameters<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(self.iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.iter().map(|(_, value)| value)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    parameters_as_one! {
        deserialize_bool() deserialize_char() deserialize_str() deserialize_string() deserialize_identifier()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_option()
        deserialize_newtype_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct ignored_any }
}

/// One segment of the path.
#[derive(Clone, Copy)]
struct Parameter<'a> {
    name: &'static str,
    value: &'a str,
}

impl Parameter<'_> {
    fn parse<T: FromStr>(self) -> Result<T, Error> {
        let expected = std::any::type_name::<T>();
        // Not the value: what a client sends is not repeated in messages.
        self.value.parse().map_err(|_| Error::custom(format!("`{}` is no {expected}", self.name)))
    }
}

macro_rules! parsed {
    ($($method:ident: $visit:ident;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse()?)
        }
    )* };
}

impl<'de> Deserializer<'de> for Parameter<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.value)
    }

    parsed! {
        deserialize_bool: visit_bool;
        deserialize_i8: visit_i8;
        deserialize_i16: visit_i16;
        deserialize_i32: visit_i32;
        deserialize_i64: visit_i64;
        deserialize_i128: visit_i128;
        deserialize_u8: visit_u8;
        deserialize_u16: visit_u16;
        deserialize_u32: visit_u32;
        deserialize_u64: visit_u64;
        deserialize_u128: visit_u128;
        deserialize_f32: visit_f32;
        deserialize_f64: visit_f64;
        deserialize_char: visit_char;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match variants.iter().find(|variant| **variant == self.value) {
            Some(variant) => visitor.visit_enum((*variant).into_deserializer()),
            None => Err(Error::custom(format!("`{}` is none of {}", self.name, variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Parameter<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(
        pattern: &'static str,
        path: &'static str,
        expected: Result<T, &str>,
    ) {
        let got = T::deserialize(Parameters { pattern, path }).map_err(|error| error.to_string());
        assert_eq!(got, expected.map_err(str::to_owned), "{path}");
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Team {
        org: String,
        team: u32,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct OrgId(u64);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Plan {
        Free,
        Paid,
    }

    #[test]
    fn parameters_have_types() {
        check("/org/{id}", "/org/acme", Ok("acme".to_owned()));
        check("/org/{id}", "/org/7", Ok(7_u8));
        check("/org/{id}", "/org/7", Ok(OrgId(7)));
        check("/org/{id}", "/org/7", Ok(Some(7_i64)));
        check("/org/{id}", "/org/7", Ok((7_u32,)));
        check("/org/{id}", "/org/1.5", Ok(1.5_f64));
        check("/{plan}", "/paid", Ok(Plan::Paid));
        check("/{org}/x/{team}", "/acme/x/3", Ok(("acme".to_owned(), 3_u32)));
        check("/{org}/x/{team}", "/acme/x/3", Ok(Team { org: "acme".into(), team: 3 }));
        check("/{org}/x/{team}", "/acme/x/3", Ok(vec!["acme".to_owned(), "3".to_owned()]));
    }

    #[test]
    fn what_does_not_parse_is_named_and_not_repeated() {
        check::<u8>("/org/{id}", "/org/secret", Err("`id` is no u8"));
        check::<u8>("/org/{id}", "/org/256", Err("`id` is no u8"));
        check::<Plan>("/{plan}", "/secret", Err("`plan` is none of free, paid"));
        check::<Team>("/{org}/x/{team}", "/acme/x/y", Err("`team` is no u32"));
        check::<(u8, u8)>("/org/{id}", "/org/1", Err("invalid length 1, expected a tuple of size 2"));
        check::<u8>("/{a}/{b}", "/1/2", Err("`/{a}/{b}` does not have one parameter: extract a tuple or a struct"));
    }
}
