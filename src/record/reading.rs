//! A value that was measured, or the reason why it was not.
//!
//! It is read in one pass: its two forms are told apart by the first key of an object, so nothing has to
//! be kept back until the form is known, which is what serde would do for an untagged enum. Readings
//! stand inside readings, and a summary would be copied three times over.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StringDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

/// A value that was measured, or the reason why it was not.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Reading<T> {
    /// It was not measured.
    Unmeasured(Unmeasured),
    /// It was measured.
    Measured(T),
}

/// The reason that stands where a measured value would.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmeasured {
    /// Why there is no value, and what would give one.
    pub unmeasured: String,
}

impl<T> Reading<T> {
    /// A reading that does not exist, and why.
    pub fn unmeasured(reason: impl Into<String>) -> Self {
        Self::Unmeasured(Unmeasured {
            unmeasured: reason.into(),
        })
    }

    /// The value, where there is one.
    pub fn measured(&self) -> Option<&T> {
        match self {
            Self::Measured(value) => Some(value),
            Self::Unmeasured(_) => None,
        }
    }

    /// The reason, where there is no value.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Measured(_) => None,
            Self::Unmeasured(reason) => Some(&reason.unmeasured),
        }
    }

    /// Whether this is what stands for a field that the file's version did not have; it is not written then.
    pub(super) fn is_of_an_earlier_file(&self) -> bool {
        self.reason() == Some(UNSAID)
    }

    /// Applies `f`, which may find a reason of its own, to a measured value; keeps a reason as it is.
    pub fn and_then<U>(&self, f: impl FnOnce(&T) -> Reading<U>) -> Reading<U> {
        match self {
            Self::Measured(value) => f(value),
            Self::Unmeasured(reason) => Reading::Unmeasured(reason.clone()),
        }
    }

    /// Applies `f` to a measured value and keeps a reason as it is.
    pub fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Reading<U> {
        match self {
            Self::Measured(value) => Reading::Measured(f(value)),
            Self::Unmeasured(reason) => Reading::Unmeasured(reason.clone()),
        }
    }
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self::unmeasured(UNSAID)
    }
}

impl<T, E: fmt::Display> From<Result<T, E>> for Reading<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Measured(value),
            Err(reason) => Self::unmeasured(reason.to_string()),
        }
    }
}

/// The reason of a field that an earlier version of the file did not have.
const UNSAID: &str = "this file does not say";

/// The key that marks a reason.
const MARK: &str = "unmeasured";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Reading<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Takes what comes.
struct Either<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = Reading<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or {\"unmeasured\": \"the reason\"}")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Reading::Measured)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Reading::Measured)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Reading::Measured)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Reading::Measured)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Reading::Measured)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(Reading::Measured)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let first: Option<String> = map.next_key()?;
        if first.as_deref() != Some(MARK) {
            let replayed = Replayed { first, map };
            return T::deserialize(MapAccessDeserializer::new(replayed)).map(Reading::Measured);
        }
        let unmeasured = map.next_value()?;
        match map.next_key::<String>()? {
            None => Ok(Reading::Unmeasured(Unmeasured { unmeasured })),
            Some(other) => Err(A::Error::custom(format!(
                "`{other}` stands beside `{MARK}`: a value that was not measured has a reason and \
                 nothing else"
            ))),
        }
    }
}

/// A map whose first key was looked at already.
struct Replayed<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replayed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        match self.first.take() {
            Some(key) => {
                let key: StringDeserializer<Self::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        self.map.next_value_seed(seed)
    }
}
