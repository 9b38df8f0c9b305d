//! `token create`.

use serde_json::json;
use wiki::Actor;

use super::with_wiki;
use crate::cli::TokenCommand;
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;

pub(super) fn run(config: &Config, command: TokenCommand, output: &Output) -> Result<(), Failure> {
    let TokenCommand::Create { user, name } = command;
    let place = Place::existing(config)?;
    with_wiki(&place, config, async |wiki| {
        let token = wiki.tokens().create(&Actor::System, &user, &name).await?;
        let object = json!({ "user": user, "name": name, "token": token });
        output.answer(&object, || token.clone())
    })
}
