//! Who asks. Every function of the wiki takes an actor first.

use crate::ids::{TokenId, UserId};
use serde::Serialize;

/// An account as others see it: enough to name somebody in a byline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// The name one logs in with.
    pub name: String,
    /// The name to show.
    pub full_name: String,
}

/// How somebody proved who they are. What they have open ends with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// Once and for all: a password with the request itself, or a test.
    #[default]
    Given,
    /// A session, by the hash of its token.
    Session(String),
    /// A personal access token.
    Token(TokenId),
}

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is logged in.
    Anonymous,
    /// A logged-in account that is not disabled.
    User {
        /// The account.
        person: Person,
        /// Site administrators may do everything.
        admin: bool,
        /// By what.
        proof: Proof,
    },
    /// The program itself: the command line, imports, jobs. May do everything.
    System,
}

impl Actor {
    /// The person, if somebody is logged in.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Actor::User { person, .. } => Some(person),
            Actor::Anonymous | Actor::System => None,
        }
    }

    /// The account id, if somebody is logged in.
    pub fn user_id(&self) -> Option<UserId> {
        self.person().map(|person| person.id)
    }

    /// Whether this actor may do everything.
    pub fn is_admin(&self) -> bool {
        matches!(self, Actor::System | Actor::User { admin: true, .. })
    }

    /// Whether nobody is logged in.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Actor::Anonymous)
    }
}
