//! Words of a fixed number of hexadecimal digits: each is a type of its own.

macro_rules! hex_word {
    ($(#[$doc:meta])* $name:ident, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes exactly the right number of lower-case hexadecimal digits.
            pub fn parse(text: &str) -> Option<Self> {
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                (text.len() == $digits && text.bytes().all(digit)).then(|| Self(text.to_owned()))
            }

            /// Returns the digits in lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text)
                    .ok_or_else(|| ::serde::de::Error::custom(concat!("expected ", $digits, " hexadecimal digits")))
            }
        }
    };
}
pub(super) use hex_word;
