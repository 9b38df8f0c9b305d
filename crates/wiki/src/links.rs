//! Where the links of a body lead: to pages by title (present or former), files, people, spaces.

use crate::addresses::{attachment_url, content_url, person_url, space_url};
use crate::error::Result;
use crate::ids::{ContentId, SpaceId};
use crate::lookup;
use crate::names;
use crate::pages::ContentKind;
use crate::view::Place;
use document::{LinkTarget, Links, Resource};
use storage::{Tx, params};

/// Looks links up in the transaction that renders. A fault of the database shows as a missing link, not as a missing page.
pub(crate) struct PageLinks<'a> {
    tx: &'a Tx,
    place: &'a Place,
}

/// A path on this site, or bytes within the address itself.
fn is_ours(url: &str) -> bool {
    (url.starts_with('/') && !url.starts_with("//")) || url.starts_with("data:image/")
}

impl<'a> PageLinks<'a> {
    pub(crate) fn new(tx: &'a Tx, place: &'a Place) -> Self {
        Self { tx, place }
    }

    fn target(&self, resource: &Resource) -> Result<Option<LinkTarget>> {
        match resource {
            // Nothing is fetched from another host: an image from elsewhere is shown as a link to it.
            Resource::Url(url) if is_ours(url) => Ok(Some(LinkTarget::at(url).shown_as(url))),
            Resource::Url(url) => Ok(Some(LinkTarget::at(url))),
            Resource::Page { .. } | Resource::BlogPost { .. } | Resource::Content(_) => Ok(self
                .page(resource)?
                .map(|found| self.to_page(found))
                .transpose()?
                .flatten()),
            Resource::Attachment { file, container } => self.attachment(file, container.as_deref()),
            Resource::User { key, name, account } => {
                self.user(key.as_deref().or(account.as_deref()), name.as_deref())
            }
            Resource::Space(key) => self.space(key),
            Resource::Shortcut { .. } => Ok(None),
        }
    }

    fn page(&self, resource: &Resource) -> Result<Option<ContentId>> {
        match resource {
            Resource::Page { space, title } => match self.space_id(space.as_deref())? {
                Some(space) => lookup::page_by_title(self.tx, space, title),
                None => Ok(None),
            },
            Resource::BlogPost { space, title, day } => match self.space_id(space.as_deref())? {
                Some(space) => {
                    let day = day.as_deref().unwrap_or_default().replace('/', "-");
                    lookup::blog_post(self.tx, space, &day, title)
                }
                None => Ok(None),
            },
            Resource::Content(id) => match id.parse() {
                Ok(id) => Ok(lookup::by_id(self.tx, id)?.map(|found| found.page)),
                Err(_) => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn to_page(&self, id: ContentId) -> Result<Option<LinkTarget>> {
        let sql = "SELECT c.kind, c.title, c.posted_on, s.key FROM content c JOIN space s ON s.id = c.space_id WHERE c.id = $1";
        let Some(row) = self.tx.query_opt(sql, params![id])? else {
            return Ok(None);
        };
        let (kind, title) = (
            ContentKind::of_column(row.text_ref("kind")?),
            row.text("title")?,
        );
        let url = content_url(
            kind,
            row.text_ref("key")?,
            id,
            row.opt_text_ref("posted_on")?,
            &title,
        );
        Ok(Some(LinkTarget::at(url).named(title)))
    }

    fn attachment(&self, file: &str, container: Option<&Resource>) -> Result<Option<LinkTarget>> {
        let page = match container {
            Some(container) => self.page(container)?,
            None => Some(self.place.page),
        };
        let Some(page) = page else { return Ok(None) };
        let sql = "SELECT c.title, c.version, v.media_type FROM content c
            JOIN attachment_version v ON v.attachment_id = c.id AND v.number = c.version
            WHERE c.page_id = $1 AND c.kind = 'attachment' AND c.status = 'current' AND c.lower_title = $2";
        let Some(row) = self.tx.query_opt(sql, params![page, names::fold(file)])? else {
            return Ok(None);
        };
        let url = attachment_url(page, row.text_ref("title")?, Some(row.i64("version")?));
        let target = LinkTarget::at(&url).named(row.text("title")?);
        let picture = row.text_ref("media_type")?.starts_with("image/");
        Ok(Some(if picture {
            target.shown_as(url)
        } else {
            target
        }))
    }

    fn user(&self, key: Option<&str>, name: Option<&str>) -> Result<Option<LinkTarget>> {
        let sql = "SELECT name, full_name FROM user_account WHERE user_key = $1 OR lower_name = $2";
        let name = name.map(names::fold).unwrap_or_default();
        let Some(row) = self
            .tx
            .query_opt(sql, params![key.unwrap_or_default(), name])?
        else {
            return Ok(None);
        };
        Ok(Some(
            LinkTarget::at(person_url(row.text_ref("name")?)).named(row.text("full_name")?),
        ))
    }

    fn space(&self, key: &str) -> Result<Option<LinkTarget>> {
        let Some(id) = lookup::space_by_key(self.tx, key)? else {
            return Ok(None);
        };
        let sql = "SELECT key, name FROM space WHERE id = $1";
        let row = self.tx.query_one(sql, params![id])?;
        Ok(Some(
            LinkTarget::at(space_url(row.text_ref("key")?)).named(row.text("name")?),
        ))
    }

    fn space_id(&self, key: Option<&str>) -> Result<Option<SpaceId>> {
        match key {
            Some(key) if names::fold(key) != names::fold(&self.place.space_key) => {
                lookup::space_by_key(self.tx, key)
            }
            _ => Ok(Some(self.place.space)),
        }
    }
}

impl Links for PageLinks<'_> {
    fn resolve(&self, resource: &Resource) -> LinkTarget {
        match self.target(resource) {
            Ok(target) => target.unwrap_or_else(LinkTarget::missing),
            Err(error) => {
                tracing::warn!(page = %self.place.page, %error, "a link could not be looked up");
                LinkTarget::missing()
            }
        }
    }

    fn macro_html(&self, name: &str, _parameters: &[(String, String)]) -> Option<String> {
        match name {
            "children" => self.children_list().ok(),
            _ => None,
        }
    }
}

impl PageLinks<'_> {
    /// The macro `children`: pages below that restrict nobody, because the answer is shared by all readers.
    fn children_list(&self) -> Result<String> {
        let sql = "SELECT c.id, c.title, c.lower_title, c.position FROM content c
            WHERE c.parent_id = $1 AND c.kind = 'page' AND c.status = 'current'
            AND NOT EXISTS (SELECT 1 FROM content_restriction r WHERE r.content_id = c.id AND r.operation = 'view') LIMIT 500";
        let mut keyed = Vec::new();
        for row in self.tx.query(sql, params![self.place.page])? {
            let (id, title) = (ContentId::new(row.i64("id")?), row.text("title")?);
            let url = crate::addresses::page_url(&self.place.space_key, id, &title);
            keyed.push((
                crate::tree::order_of(&row)?,
                format!(
                    "<li><a href=\"{}\">{}</a></li>",
                    escape(&url),
                    escape(&title)
                ),
            ));
        }
        keyed.sort();
        let items: String = keyed.into_iter().map(|(_, item)| item).collect();
        Ok(format!("<ul class=\"children\">{items}</ul>"))
    }
}

/// Text as it stands in HTML, attributes included.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
