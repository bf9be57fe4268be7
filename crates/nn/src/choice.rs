//! Enums whose variants are chosen by name.

/// A word that names no variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{text}`; allowed: {allowed}")]
pub struct UnknownChoice {
    /// What the word was to name, such as `precision`.
    pub what: &'static str,
    /// The word.
    pub text: String,
    /// The allowed words.
    pub allowed: String,
}

/// Defines an enum whose variants have names: `ALL`, `name`, `Display` and `FromStr` agree by construction.
#[macro_export]
macro_rules! choice {
    ($what:literal, $(#[$doc:meta])* $visibility:vis enum $type:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $type { $($(#[$variant_doc])* $variant,)+ }

        impl $type {
            /// Every variant, in the order of tables and help texts.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name, as users write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::UnknownChoice;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownChoice {
                        what: $what,
                        text: text.to_owned(),
                        allowed: [$($name,)+].join(", "),
                    }),
                }
            }
        }
    };
}
