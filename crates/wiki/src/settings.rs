//! Settings of the site that people change while it runs.

use crate::actor::Actor;
use crate::error::Result;
use crate::wiki::Wiki;

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
        todo!()
    }

    /// Changes the site's settings. Administrators only.
    pub async fn update_settings(&self, _actor: &Actor, _settings: SiteSettings) -> Result<()> {
        todo!()
    }
}
