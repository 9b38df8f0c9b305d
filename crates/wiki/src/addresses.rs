//! Addresses: what an old or new one leads to, and the canonical one of everything.

use crate::actor::Actor;
use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;

/// An address, taken apart but not looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `/display/KEY`, `/spaces/KEY/overview`.
    Space {
        /// Its key, any case.
        key: String,
    },
    /// `/display/KEY/Title`, `viewpage.action?spaceKey=&title=`.
    Title {
        /// Its key, any case.
        key: String,
        /// The page's title, any case; a former title leads on too.
        title: String,
    },
    /// `/display/KEY/2024/05/17/Title`, or with `postingDay`.
    BlogTitle {
        /// Its key, any case.
        key: String,
        /// yyyy-mm-dd
        day: String,
        /// The post's title.
        title: String,
    },
    /// `/display/KEY/2024/05/17` or shorter: what was posted then.
    BlogDay {
        /// Its key, any case.
        key: String,
        /// A prefix of yyyy-mm-dd.
        day: String,
    },
    /// `viewpage.action?pageId=`, `/spaces/KEY/pages/ID/...`: page, post, comment, attachment, old version.
    Id(i64),
    /// `/x/CODE`.
    Tiny(String),
    /// `/display/~name`, `viewuserprofile.action?username=`.
    Person {
        /// Login name.
        name: String,
    },
}

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A page or blog post, current id; ask `pages().head` for the right to see it.
    Page {
        /// Its current id.
        id: ContentId,
        /// The comment within it that was meant.
        comment: Option<ContentId>,
        /// The old version of it that was meant.
        version: Option<i64>,
        /// Its canonical address; equal to the asked one or to be redirected to.
        url: String,
    },
    /// The front of a space.
    Space {
        /// Its key.
        key: String,
        /// The page shown first.
        home: Option<ContentId>,
    },
    /// Blog posts of a day, month or year.
    BlogDay {
        /// Key of the space.
        key: String,
        /// A prefix of yyyy-mm-dd.
        day: String,
    },
    /// A file.
    Attachment {
        /// The page it is at.
        page: ContentId,
        /// Its file name.
        name: String,
        /// The version that was meant.
        version: Option<i64>,
    },
    /// Somebody's profile.
    Person {
        /// Login name.
        name: String,
    },
}

impl Wiki {
    /// Looks an address up. `NotFound` when it leads nowhere, or nowhere this actor may go.
    pub async fn resolve(&self, _actor: &Actor, _address: &Address) -> Result<Destination> {
        todo!()
    }
}

/// The canonical address of a page: `/spaces/KEY/pages/ID/Title+Words`.
pub fn page_url(_space_key: &str, _id: ContentId, _title: &str) -> String {
    todo!()
}

/// The canonical address of a blog post: `/spaces/KEY/blog/yyyy/mm/dd/ID/Title+Words`.
pub fn blog_url(_space_key: &str, _id: ContentId, _posted_on: &str, _title: &str) -> String {
    todo!()
}

/// The canonical address of a file: `/download/attachments/PAGE/NAME?version=N`.
pub fn attachment_url(_page: ContentId, _name: &str, _version: Option<i64>) -> String {
    todo!()
}

/// The code of a tiny link.
pub fn tiny_code(_id: ContentId) -> String {
    todo!()
}

/// The id behind a tiny link's code.
pub fn tiny_id(_code: &str) -> Option<i64> {
    todo!()
}
