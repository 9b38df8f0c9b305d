//! Newtype ids. All content (pages, blog posts, comments, attachments) shares one sequence, so that imported ids can be kept.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id that a row or an address names.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The number, as the database and addresses have it.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id_type! {
    /// A space.
    SpaceId
}
id_type! {
    /// A page, blog post, comment or attachment.
    ContentId
}
id_type! {
    /// An account.
    UserId
}
id_type! {
    /// A group of accounts.
    GroupId
}
id_type! {
    /// A personal access token (its row, not its secret).
    TokenId
}

macro_rules! value_of {
    ($($name:ident),*) => {$(
        impl From<$name> for storage::Value {
            fn from(id: $name) -> Self {
                Self::Int(id.get())
            }
        }
    )*};
}
value_of!(SpaceId, ContentId, UserId, GroupId, TokenId);
