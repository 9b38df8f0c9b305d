//! `user add | list | disable | password`.

use serde_json::json;
use wiki::{Account, Actor, NewAccount, Wiki};

use super::{password, with_wiki};
use crate::cli::UserCommand;
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;

pub(super) fn run(config: &Config, command: UserCommand, output: &Output) -> Result<(), Failure> {
    match command {
        UserCommand::Add {
            name,
            email,
            full_name,
            admin,
            password_stdin,
        } => {
            // Without a terminal and without the flag the account is made without a password: it cannot log in yet.
            let password = match password_stdin || password::can_ask() {
                true => Some(password::read(password_stdin)?),
                false => None,
            };
            let account = NewAccount {
                name,
                full_name: full_name.unwrap_or_default(),
                email,
                admin,
                password,
            };
            let place = Place::make(config)?;
            with_wiki(&place, config, async |wiki| {
                add(&wiki, account, output).await
            })
        }
        UserCommand::List => {
            let place = Place::existing(config)?;
            with_wiki(&place, config, async |wiki| list(&wiki, output).await)
        }
        UserCommand::Disable { name } => {
            let place = Place::existing(config)?;
            with_wiki(&place, config, async |wiki| {
                wiki.accounts().disable(&Actor::System, &name).await?;
                let object = json!({ "name": name, "disabled": true });
                output.answer(&object, || format!("`{name}` is locked out"))
            })
        }
        UserCommand::Password {
            name,
            password_stdin,
        } => {
            let place = Place::existing(config)?;
            let password = password::read(password_stdin)?;
            with_wiki(&place, config, async |wiki| {
                let accounts = wiki.accounts();
                accounts
                    .set_password(&Actor::System, &name, &password)
                    .await?;
                let object = json!({ "name": name, "password": "changed" });
                output.answer(&object, || {
                    format!("the password of `{name}` is changed; its sessions have ended")
                })
            })
        }
    }
}

async fn add(wiki: &Wiki, account: NewAccount, output: &Output) -> Result<(), Failure> {
    let has_password = account.password.is_some();
    let person = wiki.accounts().add(&Actor::System, account).await?;
    output.answer(&person, || {
        let hint = if has_password {
            String::new()
        } else {
            format!(
                "; it cannot log in until `watersmeet user password {}` sets a password",
                person.name
            )
        };
        format!("account `{}` is made{hint}", person.name)
    })
}

async fn list(wiki: &Wiki, output: &Output) -> Result<(), Failure> {
    let accounts = wiki.accounts().list(&Actor::System).await?;
    output.answer(&json!({ "users": accounts }), || {
        let width = accounts
            .iter()
            .map(|it| it.person.name.chars().count())
            .max();
        let width = width.unwrap_or(0);
        accounts
            .iter()
            .map(|account| {
                let (name, full_name) = (&account.person.name, &account.person.full_name);
                format!("{name:<width$}  {full_name}{}\n", marks(account))
            })
            .collect()
    })
}

fn marks(account: &Account) -> String {
    let mut marks = String::new();
    for (is_so, mark) in [
        (account.admin, "administrator"),
        (account.disabled, "disabled"),
        (!account.has_password, "no password"),
    ] {
        if is_so {
            marks.push_str("  [");
            marks.push_str(mark);
            marks.push(']');
        }
    }
    marks
}
