//! Names of live documents: `page-<id>` for a page, `<namespace>/<name>` for a document of another application.

use crate::error::{Error, Result};
use crate::ids::ContentId;
use storage::{Tx, params};

/// Bytes of a namespace, and of a name in it.
const NAMESPACE_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 128;

/// What a name names. There is one spelling only for each document, so that no two rooms have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// The live document of a page or a blog post.
    Page(ContentId),
    /// A document of another application.
    Open {
        /// The part before the `/`; the administrator opens namespaces.
        namespace: &'a str,
        /// The part behind it.
        name: &'a str,
    },
}

impl<'a> Name<'a> {
    /// Reads a name; none when no document can have it.
    pub(crate) fn parse(document: &'a str) -> Option<Name<'a>> {
        if let Some((namespace, name)) = document.split_once('/') {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let fits = !namespace.is_empty()
                && namespace.len() <= NAMESPACE_BYTES_MAX
                && namespace.chars().all(plain)
                && !name.is_empty()
                && name.len() <= NAME_BYTES_MAX
                && !name.chars().any(|c| c == '/' || c.is_control());
            return fits.then_some(Name::Open { namespace, name });
        }
        let page: ContentId = document.strip_prefix("page-")?.parse().ok()?;
        (page_document(page) == document).then_some(Name::Page(page))
    }
}

/// The document of a page.
pub(crate) fn page_document(page: ContentId) -> String {
    format!("page-{page}")
}

/// The number of a document that is there: a page that is not put away, or an open document.
pub(crate) fn id_of(tx: &Tx, document: &str) -> Result<Option<ContentId>> {
    match Name::parse(document) {
        None => Ok(None),
        Some(Name::Page(page)) => {
            let sql = "SELECT id FROM content WHERE id = $1 AND kind IN ('page', 'blogpost')
                AND status IN ('current', 'draft', 'archived')";
            Ok(tx.query_opt(sql, params![page])?.map(|_| page))
        }
        Some(Name::Open { namespace, name }) => open_id(tx, namespace, name),
    }
}

/// The number of an open document.
pub(crate) fn open_id(tx: &Tx, namespace: &str, name: &str) -> Result<Option<ContentId>> {
    let sql = "SELECT id FROM open_document WHERE namespace = $1 AND name = $2";
    let row = tx.query_opt(sql, params![namespace, name])?;
    row.map(|row| Ok(ContentId::new(row.i64("id")?)))
        .transpose()
}

/// The name of a number, for messages.
pub(crate) fn name_of(tx: &Tx, id: ContentId) -> String {
    let sql = "SELECT namespace, name FROM open_document WHERE id = $1";
    let read = || -> Result<Option<String>, storage::Error> {
        let row = tx.query_opt(sql, params![id])?;
        row.map(|row| Ok(format!("{}/{}", row.text("namespace")?, row.text("name")?)))
            .transpose()
    };
    read().ok().flatten().unwrap_or_else(|| page_document(id))
}

/// The answer to a name that nothing has, or that one may not know of.
pub(crate) fn no_document(document: &str) -> Error {
    Error::NotFound(format!(
        "there is no document `{document}`, or you may not read it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [YJS-1] A document has one name, of one of two forms.
    #[test]
    fn one_spelling() {
        let page = Some(Name::Page(ContentId::new(5)));
        assert_eq!(Name::parse("page-5"), page);
        let (namespace, name) = ("draw", "a plan, 2nd");
        assert_eq!(
            Name::parse("draw/a plan, 2nd"),
            Some(Name::Open { namespace, name })
        );
        for none in [
            "", "page-05", "page-", "page-+5", "draw", "/a", "draw/", "draw/a/b", "dr aw/a",
            "draw/a\n",
        ] {
            assert_eq!(Name::parse(none), None, "{none}");
        }
    }
}
