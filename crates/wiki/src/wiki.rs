//! The wiki as one cheap handle: database, blobs, search, clock and randomness together.

use crate::accounts::Accounts;
use crate::attachments::Attachments;
use crate::comments::Comments;
use crate::environment::{Clock, Randomness};
use crate::labels::Labels;
use crate::pages::Pages;
use crate::sessions::Sessions;
use crate::spaces::Spaces;
use crate::tokens::Tokens;
use crate::versions::Versions;
use std::path::PathBuf;
use std::sync::Arc;

/// What a wiki is made of; the server brings it, tests bring their own.
pub struct Parts {
    /// Folder of the search index (`DATA/search`).
    pub search_dir: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Secrets come from here.
    pub random: Arc<dyn Randomness>,
}

/// The wiki. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Wiki {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Arc<dyn Clock>,
}

impl Wiki {
    /// Puts the parts together.
    pub async fn open(parts: Parts) -> crate::Result<Self> {
        Ok(Self {
            inner: Arc::new(Inner { clock: parts.clock }),
        })
    }

    /// Milliseconds since 1970, by the wiki's clock.
    pub fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { wiki: self }
    }

    /// Logging in and out.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { wiki: self }
    }

    /// Personal access tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { wiki: self }
    }

    /// Spaces.
    pub fn spaces(&self) -> Spaces<'_> {
        Spaces { wiki: self }
    }

    /// Pages and blog posts.
    pub fn pages(&self) -> Pages<'_> {
        Pages { wiki: self }
    }

    /// Versions of pages and blog posts.
    pub fn versions(&self) -> Versions<'_> {
        Versions { wiki: self }
    }

    /// Comments.
    pub fn comments(&self) -> Comments<'_> {
        Comments { wiki: self }
    }

    /// Labels.
    pub fn labels(&self) -> Labels<'_> {
        Labels { wiki: self }
    }

    /// Attachments.
    pub fn attachments(&self) -> Attachments<'_> {
        Attachments { wiki: self }
    }
}
