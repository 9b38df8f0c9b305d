//! Accounts: set-up, adding, passwords, disabling.

use crate::actor::{Actor, Person};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::live;
use crate::names;
use crate::passwords;
use crate::secrets;
use crate::sequence;
use crate::settings;
use crate::wiki::Wiki;
use serde::Serialize;
use storage::{Row, Tx, WriteTx, params};

const SETUP_TOKEN: &str = "setup_token_hash";

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
        if self.wiki.is_set_up() {
            return Ok(false);
        }
        let first_run = self.wiki.read(waits_for_administrator).await?;
        if !first_run {
            self.wiki.note_set_up();
        }
        Ok(first_run)
    }

    /// A new one-time token for the set-up page; the one before stops working. `Conflict` when the site is set up.
    pub async fn issue_setup_token(&self) -> Result<String> {
        let token = self.wiki.new_secret();
        let hash = secrets::hash_of(&token);
        self.wiki
            .write(move |tx| {
                if !waits_for_administrator(tx)? {
                    return Err(Error::Conflict(
                        "the site is set up already; log in instead".into(),
                    ));
                }
                settings::put(tx, SETUP_TOKEN, &hash)
            })
            .await?;
        Ok(token)
    }

    /// Whether this is the token that was issued last and not used yet.
    pub async fn is_setup_token(&self, token: &str) -> Result<bool> {
        let hash = secrets::hash_of(token);
        self.wiki.read(move |tx| is_setup_hash(tx, &hash)).await
    }

    /// Makes the first administrator and uses the token up. `Forbidden` when the token is wrong.
    pub async fn set_up(&self, token: &str, account: NewAccount) -> Result<Person> {
        let token_hash = secrets::hash_of(token);
        if account.password.is_none() {
            return Err(Error::Invalid(
                "the administrator needs a password; give one".into(),
            ));
        }
        let account = NewAccount {
            admin: true,
            ..account
        };
        let checked = self.check(account).await?;
        let now_ms = self.wiki.now_ms();
        let person = self
            .wiki
            .write(move |tx| {
                if !waits_for_administrator(tx)? || !is_setup_hash(tx, &token_hash)? {
                    let message = "the set-up address was used or replaced; take the newest one that the server printed";
                    return Err(Error::Forbidden(message.into()));
                }
                settings::remove(tx, SETUP_TOKEN)?;
                insert(tx, &checked, now_ms)
            })
            .await?;
        self.wiki.note_set_up();
        Ok(person)
    }

    /// Adds an account. Administrators only; `Conflict` when the name is in use.
    pub async fn add(&self, actor: &Actor, account: NewAccount) -> Result<Person> {
        require_admin(actor)?;
        let checked = self.check(account).await?;
        let now_ms = self.wiki.now_ms();
        self.wiki
            .write(move |tx| insert(tx, &checked, now_ms))
            .await
    }

    /// All accounts by name. Administrators only.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Account>> {
        require_admin(actor)?;
        let sql = format!("{SELECT_ACCOUNT} ORDER BY lower_name");
        self.wiki
            .read(move |tx| tx.query(&sql, params![])?.iter().map(account_of).collect())
            .await
    }

    /// One account by name, ignoring case. Logged-in actors only; e-mail addresses are for administrators and oneself.
    pub async fn find(&self, actor: &Actor, name: &str) -> Result<Account> {
        require_login(actor)?;
        let name = name.to_owned();
        let mut account = self.wiki.read(move |tx| find(tx, &name)).await?;
        if !actor.is_admin() && actor.user_id() != Some(account.person.id) {
            account.email = None;
        }
        Ok(account)
    }

    /// Enabled accounts whose name or full name contains the text, for mentions. Logged-in actors only.
    pub async fn search(&self, actor: &Actor, text: &str, limit: usize) -> Result<Vec<Person>> {
        require_login(actor)?;
        let text = names::fold(text);
        let sql =
            "SELECT id, name, full_name FROM user_account WHERE disabled = 0 ORDER BY lower_name";
        self.wiki
            .read(move |tx| {
                let mut found = Vec::new();
                tx.query_each(sql, params![], |row| {
                    let person = person_of(&row)?;
                    let fits = |name: &str| name.to_lowercase().contains(&text);
                    if found.len() < limit && (fits(&person.name) || fits(&person.full_name)) {
                        found.push(person);
                    }
                    Ok::<_, Error>(())
                })?;
                Ok(found)
            })
            .await
    }

    /// Locks the account out: its sessions stop working at once, its tokens too.
    pub async fn disable(&self, actor: &Actor, name: &str) -> Result<()> {
        self.set_disabled(actor, name, true).await
    }

    /// Lets a disabled account in again.
    pub async fn enable(&self, actor: &Actor, name: &str) -> Result<()> {
        self.set_disabled(actor, name, false).await
    }

    /// Sets a password and ends all sessions of the account. One's own, or anybody's for administrators.
    pub async fn set_password(&self, actor: &Actor, name: &str, password: &str) -> Result<()> {
        let account = self.find(actor, name).await?;
        require_self_or_admin(actor, account.person.id)?;
        passwords::check_rules(password)?;
        let hash = self.wiki.hash_password(password).await?;
        self.wiki
            .write(move |tx| {
                let sql = "UPDATE user_account SET password_hash = $2 WHERE id = $1";
                tx.execute(sql, params![account.person.id, &hash])?;
                end_sessions(tx, account.person.id)?;
                forget_attempts(tx, &account.person.name)
            })
            .await
    }

    async fn set_disabled(&self, actor: &Actor, name: &str, disabled: bool) -> Result<()> {
        require_admin(actor)?;
        let name = name.to_owned();
        self.wiki
            .write(move |tx| {
                let account = find(tx, &name)?;
                let sql = "UPDATE user_account SET disabled = $2 WHERE id = $1";
                tx.execute(sql, params![account.person.id, disabled])?;
                end_sessions(tx, account.person.id)
            })
            .await
    }

    async fn check(&self, account: NewAccount) -> Result<CheckedAccount> {
        let name = names::name(&account.name, "account name")?;
        let full_name = match account.full_name.trim() {
            "" => name.clone(),
            full_name => names::name(full_name, "full name")?,
        };
        let email = account
            .email
            .map(|email| email.trim().to_owned())
            .filter(|email| !email.is_empty());
        let password_hash = match &account.password {
            Some(password) => {
                passwords::check_rules(password)?;
                Some(self.wiki.hash_password(password).await?)
            }
            None => None,
        };
        Ok(CheckedAccount {
            name,
            full_name,
            email,
            admin: account.admin,
            password_hash,
            user_key: None,
        })
    }
}

/// An account whose fields are fit to be stored.
#[derive(Clone)]
pub(crate) struct CheckedAccount {
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) email: Option<String>,
    pub(crate) admin: bool,
    pub(crate) password_hash: Option<String>,
    /// The key under which an import knows the account.
    pub(crate) user_key: Option<String>,
}

/// Stores an account. `Conflict` when the name is in use.
pub(crate) fn insert(tx: &WriteTx, account: &CheckedAccount, now_ms: i64) -> Result<Person> {
    let lower_name = names::fold(&account.name);
    if tx
        .query_opt(
            "SELECT id FROM user_account WHERE lower_name = $1",
            params![&lower_name],
        )?
        .is_some()
    {
        return Err(Error::Conflict(format!(
            "there is an account `{}` already; choose another name",
            account.name
        )));
    }
    let id = UserId::new(sequence::next_id(tx, "user")?);
    tx.execute(
        "INSERT INTO user_account (id, name, lower_name, full_name, email, password_hash, disabled, admin, user_key, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)",
        params![
            id,
            &account.name,
            &lower_name,
            &account.full_name,
            &account.email,
            &account.password_hash,
            account.admin,
            &account.user_key,
            now_ms
        ],
    )?;
    Ok(Person {
        id,
        name: account.name.clone(),
        full_name: account.full_name.clone(),
    })
}

/// The account of a name, ignoring case.
pub(crate) fn find(tx: &Tx, name: &str) -> Result<Account> {
    let sql = format!("{SELECT_ACCOUNT} WHERE lower_name = $1");
    match tx.query_opt(&sql, params![names::fold(name)])? {
        Some(row) => account_of(&row),
        None => Err(Error::NotFound(format!(
            "there is no account `{name}`; `user list` shows all"
        ))),
    }
}

/// Ends all sessions of an account.
pub(crate) fn end_sessions(tx: &WriteTx, user: UserId) -> Result<()> {
    tx.execute("DELETE FROM session WHERE user_id = $1", params![user])?;
    live::rights_changed(tx)
}

/// The person of columns `id`, `name`, `full_name`.
pub(crate) fn person_of(row: &Row) -> Result<Person> {
    Ok(Person {
        id: UserId::new(row.i64("id")?),
        name: row.text("name")?,
        full_name: row.text("full_name")?,
    })
}

/// Refuses everybody but administrators of the site.
pub(crate) fn require_admin(actor: &Actor) -> Result<()> {
    if actor.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden(
        "only administrators of the site may do this".into(),
    ))
}

/// Refuses anonymous visitors.
pub(crate) fn require_login(actor: &Actor) -> Result<()> {
    if actor.is_anonymous() {
        return Err(Error::Forbidden("log in to do this".into()));
    }
    Ok(())
}

/// Refuses everybody but the account itself and administrators of the site.
pub(crate) fn require_self_or_admin(actor: &Actor, user: UserId) -> Result<()> {
    if actor.user_id() == Some(user) {
        Ok(())
    } else {
        require_admin(actor)
    }
}

const SELECT_ACCOUNT: &str = "SELECT id, name, full_name, email, admin, disabled,
    CASE WHEN password_hash IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS has_password FROM user_account";

fn account_of(row: &Row) -> Result<Account> {
    Ok(Account {
        person: person_of(row)?,
        email: row.opt_text("email")?,
        admin: row.bool("admin")?,
        disabled: row.bool("disabled")?,
        has_password: row.bool("has_password")?,
    })
}

fn forget_attempts(tx: &WriteTx, name: &str) -> Result<()> {
    let subject = crate::attempts::account_subject(name);
    tx.execute(
        "DELETE FROM login_attempt WHERE subject = $1",
        params![subject],
    )?;
    Ok(())
}

fn waits_for_administrator(tx: &Tx) -> Result<bool> {
    let sql = "SELECT id FROM user_account WHERE admin = 1 AND disabled = 0 AND password_hash IS NOT NULL LIMIT 1";
    Ok(tx.query_opt(sql, params![])?.is_none())
}

fn is_setup_hash(tx: &Tx, hash: &str) -> Result<bool> {
    let stored = settings::get(tx, SETUP_TOKEN)?;
    Ok(stored.is_some_and(|stored| secrets::equal(stored.as_bytes(), hash.as_bytes())))
}
