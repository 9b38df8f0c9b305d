//! Whether people edit together, only look, or take turns: one setting of the site, changed while it runs.

use super::{Inner, news};
use crate::accounts::require_admin;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::settings;
use crate::wiki::Wiki;
use collab::Mode;
use serde::{Deserialize, Serialize};
use storage::Tx;

/// Name of the setting.
const SETTING: &str = "sync.mode";

/// The modes there are.
const MODES: [Mode; 3] = [Mode::On, Mode::ReadOnly, Mode::Off];

/// The mode of a word: `on`, `read-only`, `off`.
pub fn mode_of_word(word: &str) -> Option<Mode> {
    MODES.into_iter().find(|mode| mode.word() == word)
}

/// What is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    mode: String,
    by: String,
    at_ms: i64,
}

/// The mode, and who set it when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveMode {
    /// Whether people edit together, only look, or take turns. [MODE-1]
    pub mode: Mode,
    /// Full name of who set it; empty: nobody ever did.
    pub by: String,
    /// When.
    pub at_ms: i64,
}

impl Wiki {
    /// How pages are edited at present.
    pub async fn live_mode(&self) -> Result<LiveMode> {
        self.read(read).await
    }

    /// Changes how pages are edited, in every process at once. Drafts stay. Administrators only. [MODE-2]
    pub async fn set_live_mode(&self, actor: &Actor, mode: Mode) -> Result<LiveMode> {
        require_admin(actor)?;
        let setting = LiveMode {
            mode,
            by: news::name_of(actor).to_owned(),
            at_ms: self.now_ms(),
        };
        let stored = Stored {
            mode: mode.word().to_owned(),
            by: setting.by.clone(),
            at_ms: setting.at_ms,
        };
        let stored = serde_json::to_string(&stored).map_err(Error::internal)?;
        self.write(move |tx| {
            settings::put(tx, SETTING, &stored)?;
            news::mode_changed(tx)
        })
        .await?;
        Ok(setting)
    }
}

fn read(tx: &Tx) -> Result<LiveMode> {
    let damaged = |why: &str| Error::internal(format!("the setting `{SETTING}` {why}"));
    let Some(stored) = settings::get(tx, SETTING)? else {
        return Ok(LiveMode::default());
    };
    let stored: Stored =
        serde_json::from_str(&stored).map_err(|error| damaged(&error.to_string()))?;
    Ok(LiveMode {
        mode: mode_of_word(&stored.mode).ok_or_else(|| damaged("names no mode"))?,
        by: stored.by,
        at_ms: stored.at_ms,
    })
}

/// Refuses what changes drafts while nobody may. [MODE-3]
pub(super) fn require_open(tx: &Tx) -> Result<()> {
    let setting = read(tx)?;
    if setting.mode == Mode::ReadOnly {
        return Err(Error::Conflict(format!(
            "editing is read-only since {} switched it; drafts are kept, try again when it is on",
            setting.by
        )));
    }
    Ok(())
}

/// Tells the engine of the mode, if it does not have it already. Open editors hear of it from their rooms.
pub(super) async fn apply(inner: &Inner) {
    match inner.wiki.live_mode().await {
        Ok(setting) if setting.mode == inner.engine.mode() => {}
        Ok(setting) => {
            let (mode, by) = (setting.mode.word(), setting.by);
            tracing::info!(mode, by, "the mode of editing has changed");
            inner.engine.set_mode(setting.mode).await;
        }
        Err(error) => tracing::warn!(%error, "the mode of editing could not be read"),
    }
}
