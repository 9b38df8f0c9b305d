//! Accounts: set-up, adding, passwords, disabling.

use crate::actor::{Actor, Person};
use crate::error::Result;
use crate::wiki::Wiki;
use serde::Serialize;

/// An account as its administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Who it is.
    #[serde(flatten)]
    pub person: Person,
    /// Where to write to.
    pub email: Option<String>,
    /// Whether it administers the site.
    pub admin: bool,
    /// Whether it is locked out.
    pub disabled: bool,
    /// Whether it has a password; imported accounts have none at first.
    pub has_password: bool,
}

/// An account to be made.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// The name to log in with.
    pub name: String,
    /// The name to show; the login name when empty.
    pub full_name: String,
    /// Where to write to.
    pub email: Option<String>,
    /// Whether it administers the site.
    pub admin: bool,
    /// None: cannot log in until a password is set.
    pub password: Option<String>,
}

/// The accounts of the site.
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Accounts<'_> {
    /// Whether the site still waits for its first administrator.
    pub async fn first_run(&self) -> Result<bool> {
        todo!()
    }

    /// A new one-time token for the set-up page; the one before stops working. `Conflict` when the site is set up.
    pub async fn issue_setup_token(&self) -> Result<String> {
        todo!()
    }

    /// Whether this is the token that was issued last and not used yet.
    pub async fn is_setup_token(&self, _token: &str) -> Result<bool> {
        todo!()
    }

    /// Makes the first administrator and uses the token up. `Forbidden` when the token is wrong.
    pub async fn set_up(&self, _token: &str, _account: NewAccount) -> Result<Person> {
        todo!()
    }

    /// Adds an account. Administrators only; `Conflict` when the name is in use.
    pub async fn add(&self, _actor: &Actor, _account: NewAccount) -> Result<Person> {
        todo!()
    }

    /// All accounts by name. Administrators only.
    pub async fn list(&self, _actor: &Actor) -> Result<Vec<Account>> {
        todo!()
    }

    /// One account by name, ignoring case. `NotFound` otherwise.
    pub async fn find(&self, _actor: &Actor, _name: &str) -> Result<Account> {
        todo!()
    }

    /// Enabled accounts whose name or full name contains the text, for mentions. Logged-in actors only.
    pub async fn search(&self, _actor: &Actor, _text: &str, _limit: usize) -> Result<Vec<Person>> {
        todo!()
    }

    /// Locks the account out: its sessions and tokens stop working at once.
    pub async fn disable(&self, _actor: &Actor, _name: &str) -> Result<()> {
        todo!()
    }

    /// Lets a disabled account in again.
    pub async fn enable(&self, _actor: &Actor, _name: &str) -> Result<()> {
        todo!()
    }

    /// Sets a password and ends all sessions of the account. One's own, or anybody's for administrators.
    pub async fn set_password(&self, _actor: &Actor, _name: &str, _password: &str) -> Result<()> {
        todo!()
    }
}
