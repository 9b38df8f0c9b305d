//! `sync token | rotate-keys | mode`.

use serde_json::json;
use wiki::{Actor, Mode, TokenRights};

use super::with_wiki;
use crate::cli::{RightsForm, SyncCommand};
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;

pub(super) fn run(config: &Config, command: SyncCommand, output: &Output) -> Result<(), Failure> {
    let place = Place::existing(config)?;
    match command {
        SyncCommand::Token {
            document,
            rights,
            user,
            valid,
        } => with_wiki(&place, config, async |wiki| {
            let rights = match rights {
                RightsForm::Read => TokenRights::Read,
                RightsForm::Write => TokenRights::Write,
            };
            let issued = wiki
                .trust()
                .issue_for(&Actor::System, &user, &document, rights, valid)
                .await?;
            let object = json!({
                "user": user,
                "document": document,
                "token": issued.token,
                "expires_at_ms": issued.expires_at_ms,
            });
            output.answer(&object, || issued.token.clone())
        }),
        SyncCommand::Mode { mode } => {
            let wanted = mode.as_deref().map(mode_of).transpose()?;
            with_wiki(&place, config, async |wiki| {
                let setting = match wanted {
                    Some(mode) => wiki.set_live_mode(&Actor::System, mode).await?,
                    None => wiki.live_mode().await?,
                };
                let mode = setting.mode.word();
                let object = json!({ "mode": mode, "by": setting.by, "at_ms": setting.at_ms });
                output.answer(&object, || mode.to_owned())
            })
        }
        SyncCommand::RotateKeys { at_once } => with_wiki(&place, config, async |wiki| {
            let key = wiki.trust().rotate(&Actor::System, at_once).await?;
            let object =
                json!({ "key": key, "old_tokens": if at_once { "refused" } else { "good" } });
            output.answer(&object, || match at_once {
                true => format!(
                    "tokens are signed with the new key `{key}`; older ones stop working within seconds"
                ),
                false => format!(
                    "tokens are signed with the new key `{key}`; older ones work until they expire"
                ),
            })
        }),
    }
}

fn mode_of(word: &str) -> Result<Mode, Failure> {
    wiki::mode_of_word(word).ok_or_else(|| {
        Failure::wrong_usage(format!(
            "`{word}` is no mode of editing; write `on`, `read-only` or `off`"
        ))
    })
}
