//! Addresses: what an old or new one leads to, and the canonical one of everything.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::ContentId;
use crate::lookup::{self, Found};
use crate::names;
use crate::pages::ContentKind;
use crate::permissions::Right;
use crate::spaces;
use crate::wiki::Wiki;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use storage::{Tx, params};

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
    /// Looks an address up. `NotFound` when it leads nowhere, or nowhere this actor may go; `Forbidden` for anonymous
    /// visitors who may have to log in.
    pub async fn resolve(&self, actor: &Actor, address: &Address) -> Result<Destination> {
        let (actor, address) = (actor.clone(), address.clone());
        self.read(move |tx| resolve(tx, &actor, &address)).await
    }
}

fn resolve(tx: &Tx, actor: &Actor, address: &Address) -> Result<Destination> {
    match address {
        Address::Space { key } => match key.strip_prefix('~') {
            Some(name) if lookup::space_by_key(tx, key)?.is_none() => person(tx, name),
            _ => {
                let space = spaces::require(tx, actor, key, Right::View)?;
                Ok(Destination::Space {
                    key: space.key,
                    home: space.home_id,
                })
            }
        },
        Address::Title { key, title } => {
            let space = spaces::require(tx, actor, key, Right::View)?;
            let found = match lookup::page_by_title(tx, space.id, title)? {
                Some(found) => Some(found),
                None => lookup::blog_post(tx, space.id, "", title)?,
            };
            to_page(
                tx,
                actor,
                found.ok_or_else(|| no_title(key, title))?,
                None,
                None,
            )
        }
        Address::BlogTitle { key, day, title } => {
            let space = spaces::require(tx, actor, key, Right::View)?;
            let day = day.replace('/', "-");
            let found = lookup::blog_post(tx, space.id, &day, title)?
                .ok_or_else(|| no_title(key, title))?;
            to_page(tx, actor, found, None, None)
        }
        Address::BlogDay { key, day } => {
            let space = spaces::require(tx, actor, key, Right::View)?;
            Ok(Destination::BlogDay {
                key: space.key,
                day: day.replace('/', "-"),
            })
        }
        Address::Id(id) => to_found(tx, actor, *id),
        Address::Tiny(code) => {
            let id = tiny_id(code).ok_or_else(|| {
                Error::NotFound(format!("`{code}` is not the code of a short link"))
            })?;
            to_found(tx, actor, id)
        }
        Address::Person { name } => person(tx, name),
    }
}

fn to_found(tx: &Tx, actor: &Actor, id: i64) -> Result<Destination> {
    let Found {
        content,
        kind,
        page,
        version,
    } = lookup::by_id(tx, id)?.ok_or_else(|| head::missing(ContentId::new(id)))?;
    match kind {
        ContentKind::Page | ContentKind::BlogPost => to_page(tx, actor, page, None, version),
        ContentKind::Comment => to_page(tx, actor, page, Some(content), None),
        ContentKind::Attachment => {
            head::read(tx, actor, page)?;
            let name = tx
                .query_one("SELECT title FROM content WHERE id = $1", params![content])?
                .text("title")?;
            Ok(Destination::Attachment {
                page,
                name,
                version,
            })
        }
    }
}

fn to_page(
    tx: &Tx,
    actor: &Actor,
    id: ContentId,
    comment: Option<ContentId>,
    version: Option<i64>,
) -> Result<Destination> {
    let head = head::read(tx, actor, id)?;
    let mut url = head.url();
    if let Some(comment) = comment {
        url.push_str(&format!("#comment-{comment}"));
    }
    // The id of the current version's own row is not an old version.
    let version = version.filter(|number| *number != head.version);
    Ok(Destination::Page {
        id,
        comment,
        version,
        url,
    })
}

fn person(tx: &Tx, name: &str) -> Result<Destination> {
    let row = tx.query_opt(
        "SELECT name FROM user_account WHERE lower_name = $1",
        params![names::fold(name)],
    )?;
    match row {
        Some(row) => Ok(Destination::Person {
            name: row.text("name")?,
        }),
        None => Err(Error::NotFound(format!(
            "there is nobody called `{name}` here"
        ))),
    }
}

fn no_title(key: &str, title: &str) -> Error {
    Error::NotFound(format!(
        "there is no page `{title}` in space `{key}`; look for it with the search"
    ))
}

/// The canonical address of a page: `/spaces/KEY/pages/ID/Title+Words`.
pub fn page_url(space_key: &str, id: ContentId, title: &str) -> String {
    let plain = format!("/spaces/{}/pages/{id}", encode(space_key, "%20"));
    decorated(plain, title)
}

/// The canonical address of a blog post: `/spaces/KEY/blog/yyyy/mm/dd/ID/Title+Words`.
pub fn blog_url(space_key: &str, id: ContentId, posted_on: &str, title: &str) -> String {
    let day = posted_on.replace('-', "/");
    let plain = format!("/spaces/{}/blog/{day}/{id}", encode(space_key, "%20"));
    decorated(plain, title)
}

/// The canonical address of a page or blog post.
pub(crate) fn content_url(
    kind: ContentKind,
    space_key: &str,
    id: ContentId,
    posted_on: Option<&str>,
    title: &str,
) -> String {
    match (kind, posted_on) {
        (ContentKind::BlogPost, Some(day)) => blog_url(space_key, id, day, title),
        _ => page_url(space_key, id, title),
    }
}

/// The canonical address of a file: `/download/attachments/PAGE/NAME?version=N`.
pub fn attachment_url(page: ContentId, name: &str, version: Option<i64>) -> String {
    let name = encode(name, "%20");
    match version {
        Some(version) => format!("/download/attachments/{page}/{name}?version={version}"),
        None => format!("/download/attachments/{page}/{name}"),
    }
}

/// The front of a space: `/spaces/KEY/overview`.
pub fn space_url(space_key: &str) -> String {
    format!("/spaces/{}/overview", encode(space_key, "%20"))
}

/// Somebody's profile: `/display/~name`.
pub fn person_url(name: &str) -> String {
    format!("/display/~{}", encode(name, "%20"))
}

/// The code of a tiny link: the id as little-endian bytes in base64, without the zeros at the end.
pub fn tiny_code(id: ContentId) -> String {
    let code = STANDARD.encode(id.get().to_le_bytes());
    code.trim_end_matches('=')
        .trim_end_matches('A')
        .replace('/', "-")
        .replace('+', "_")
}

/// The id behind a tiny link's code.
pub fn tiny_id(code: &str) -> Option<i64> {
    let code = code
        .trim_end_matches('/')
        .replace('-', "/")
        .replace('_', "+");
    let bytes = STANDARD.decode(format!("{code:A<11}=")).ok()?;
    let bytes: [u8; 8] = bytes.try_into().ok()?;
    Some(i64::from_le_bytes(bytes)).filter(|id| *id > 0)
}

/// An address with the title as decoration: parentheses dropped, blanks as `+`. A title of dots or parentheses alone adds nothing:
/// browsers take dots for a step to another folder.
fn decorated(mut address: String, title: &str) -> String {
    let plain: String = title.chars().filter(|c| !"()".contains(*c)).collect();
    if !matches!(plain.as_str(), "" | "." | "..") {
        address.push('/');
        address.push_str(&encode(&plain, "+"));
    }
    address
}

fn encode(text: &str, blank: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push_str(blank),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_of_dots_makes_no_step_to_another_folder() {
        for title in [".", "..", "(..)", "()"] {
            let url = page_url("DOC", ContentId::new(7), title);
            assert_eq!(url, "/spaces/DOC/pages/7", "{title}");
            let url = blog_url("DOC", ContentId::new(7), "2024-01-02", title);
            assert_eq!(url, "/spaces/DOC/blog/2024/01/02/7", "{title}");
        }
        assert!(page_url("DOC", ContentId::new(7), "...").ends_with("/7/..."));
    }

    #[test]
    fn tiny_codes_are_those_that_were_published() {
        let pairs = [
            (950274, "AoAO"),
            (950276, "BIAO"),
            (393219, "AwAG"),
            (3965072, "kIA8"),
            (16711835, "mwD-"),
            (130913238, "1pPNBw"),
            (188188885, "1Yg3Cw"),
            (283246728, "iADiE"),
            (2408012834, "IlyHjw"),
        ];
        for (id, code) in pairs {
            assert_eq!(tiny_code(ContentId::new(id)), code);
            assert_eq!(tiny_id(code), Some(id), "{code}");
            assert_eq!(tiny_id(&format!("{code}/")), Some(id), "{code}/");
        }
    }

    #[test]
    fn a_code_that_is_none_leads_nowhere() {
        for code in [
            "",
            "AAAA",
            "!!!!",
            "AoAOAoAOAoAOAoAO",
            "ü",
            "______________",
        ] {
            assert_eq!(tiny_id(code), None, "{code}");
        }
    }

    #[test]
    fn titles_decorate_addresses() {
        let url = page_url("DOC", ContentId::new(42), "Über (uns) & 100%");
        assert_eq!(url, "/spaces/DOC/pages/42/%C3%9Cber+uns+%26+100%25");
        assert_eq!(
            blog_url("~ann", ContentId::new(7), "2024-05-17", "A b"),
            "/spaces/~ann/blog/2024/05/17/7/A+b"
        );
        assert_eq!(
            attachment_url(ContentId::new(7), "a b+c?.png", Some(2)),
            "/download/attachments/7/a%20b%2Bc%3F.png?version=2"
        );
    }
}
