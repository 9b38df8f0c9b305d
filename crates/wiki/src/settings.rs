//! Settings of the site that people change while it runs.

use crate::accounts::require_admin;
use crate::actor::Actor;
use crate::error::Result;
use crate::names;
use crate::wiki::Wiki;
use storage::{Tx, WriteTx, params};

const NAME: &str = "site_name";
const PUBLIC_URL: &str = "public_url";

/// What the site calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// Shown in the top bar and in titles.
    pub name: String,
    /// Address for links that leave the site, without a slash at the end.
    pub public_url: Option<String>,
}

impl Wiki {
    /// The site's settings; kept in memory for a few seconds.
    pub async fn settings(&self) -> Result<SiteSettings> {
        if let Some(settings) = self.cached_settings() {
            return Ok(settings);
        }
        let settings = self.read(read).await?;
        self.cache_settings(settings.clone());
        Ok(settings)
    }

    /// Changes the site's settings. Administrators only.
    pub async fn update_settings(&self, actor: &Actor, settings: SiteSettings) -> Result<()> {
        require_admin(actor)?;
        let name = names::name(&settings.name, "site name")?;
        let public_url = settings
            .public_url
            .map(|url| url.trim_end_matches('/').to_owned());
        let stored = SiteSettings {
            name: name.clone(),
            public_url: public_url.clone(),
        };
        self.write(move |tx| {
            put(tx, NAME, &name)?;
            match &public_url {
                Some(url) => put(tx, PUBLIC_URL, url),
                None => remove(tx, PUBLIC_URL),
            }
        })
        .await?;
        self.cache_settings(stored);
        Ok(())
    }
}

fn read(tx: &Tx) -> Result<SiteSettings> {
    Ok(SiteSettings {
        name: get(tx, NAME)?.unwrap_or_else(|| "Watersmeet".to_owned()),
        public_url: get(tx, PUBLIC_URL)?,
    })
}

/// The value of a setting.
pub(crate) fn get(tx: &Tx, name: &str) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT value FROM setting WHERE name = $1", params![name])?;
    Ok(row.map(|row| row.text("value")).transpose()?)
}

/// Sets a setting.
pub(crate) fn put(tx: &WriteTx, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![name, value])?;
    Ok(())
}

/// Forgets a setting.
pub(crate) fn remove(tx: &WriteTx, name: &str) -> Result<()> {
    tx.execute("DELETE FROM setting WHERE name = $1", params![name])?;
    Ok(())
}
