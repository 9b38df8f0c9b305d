//! What the objects of an export mean: turns the fields of an [`Object`], under their old or new names, into rows.

use jiff::tz::TimeZone;

use super::entities::{Object, Reference};
use super::time;

/// Content as an export has it: a page, blog post, comment, attachment or space description, current or historical.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentRow {
    pub(crate) id: i64,
    pub(crate) class: String,
    pub(crate) line: u64,
    pub(crate) space: Option<i64>,
    pub(crate) parent: Option<i64>,
    /// The current content that this is a former version (or a draft) of.
    pub(crate) original: Option<i64>,
    /// What a comment or attachment hangs on.
    pub(crate) container: Option<i64>,
    pub(crate) number: Option<i64>,
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) position: Option<i64>,
    pub(crate) creator: Option<String>,
    pub(crate) modifier: Option<String>,
    pub(crate) created_ms: Option<i64>,
    pub(crate) modified_ms: Option<i64>,
    pub(crate) message: String,
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Option<i64>,
}

/// A fact about content. Old layouts name the content only in its collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PropertyRow {
    pub(crate) id: String,
    pub(crate) content: Option<i64>,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The text of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BodyRow {
    pub(crate) id: String,
    pub(crate) line: u64,
    pub(crate) content: Option<i64>,
    pub(crate) kind: i64,
    pub(crate) text: String,
}

/// An object, sorted by what is done with it.
#[derive(Debug)]
pub(crate) enum Sorted {
    Content(Box<ContentRow>),
    Body(BodyRow),
    Property(PropertyRow),
    /// Spaces, people, labels, permissions: few, kept as they are.
    Small(Object),
    /// A kind that the wiki has no place for.
    Other,
    /// It should be one of the above, and is not usable.
    Damaged(&'static str),
}

/// The kind of a body that is no document.
pub(crate) const PLAIN: i64 = 3;

/// Collections that stand in for references missing on the other side.
pub(crate) const COLLECTIONS: [&str; 9] = [
    "bodyContents",
    "children",
    "comments",
    "contentPermissionSets",
    "contentPermissions",
    "contentProperties",
    "historicalVersions",
    "labellings",
    "permissions",
];

/// Sorts an object.
pub(crate) fn sort(object: Object, zone: &TimeZone) -> Sorted {
    match object.class.as_str() {
        "Page" | "BlogPost" | "Comment" | "Attachment" | "SpaceDescription" => {
            match content_row(&object, zone) {
                Some(row) => Sorted::Content(Box::new(row)),
                None => Sorted::Damaged("its id is not a number"),
            }
        }
        "BodyContent" => Sorted::Body(BodyRow {
            id: object.id.clone(),
            line: object.line,
            content: object.one("content").and_then(number_of),
            kind: body_kind(&object),
            text: object.text("body").unwrap_or_default().to_owned(),
        }),
        "ContentProperty" => match object.text("name") {
            Some(name) => Sorted::Property(PropertyRow {
                id: object.id.clone(),
                content: object.one("content").and_then(number_of),
                name: name.to_owned(),
                value: property_value(&object),
            }),
            None => Sorted::Damaged("it has no name"),
        },
        "Space"
        | "SpacePermission"
        | "ConfluenceUserImpl"
        | "Label"
        | "Labelling"
        | "ContentPermissionSet"
        | "ContentPermission"
        | "InternalUser"
        | "InternalGroup"
        | "HibernateMembership" => {
            if object.id.is_empty() {
                Sorted::Damaged("it has no id")
            } else {
                Sorted::Small(object)
            }
        }
        _ => Sorted::Other,
    }
}

/// 0 wiki markup, 2 storage format, [`PLAIN`] what describes a space.
fn body_kind(object: &Object) -> i64 {
    match object.one("content") {
        Some(content) if content.class == "SpaceDescription" => PLAIN,
        _ => int(object, "bodyType").unwrap_or(2),
    }
}

fn property_value(object: &Object) -> String {
    ["stringValue", "longValue", "dateValue"]
        .iter()
        .find_map(|field| object.text(field))
        .unwrap_or_default()
        .to_owned()
}

fn content_row(object: &Object, zone: &TimeZone) -> Option<ContentRow> {
    let id = object.id.parse().ok()?;
    let time = |field| {
        object
            .text(field)
            .and_then(|text| time::parse_ms(text, zone))
    };
    let first_text = |fields: &[&str]| {
        fields
            .iter()
            .find_map(|field| object.text(field))
            .map(str::to_owned)
    };
    let first_one = |fields: &[&str]| {
        fields
            .iter()
            .find_map(|field| object.one(field))
            .and_then(number_of)
    };
    let original = first_one(&["originalVersion"]).or_else(|| int(object, "originalVersionId"));
    Some(ContentRow {
        id,
        class: object.class.clone(),
        line: object.line,
        space: first_one(&["space"]),
        parent: first_one(&["parent"]),
        original: original.filter(|original| *original > 0 && *original != id),
        container: first_one(&["containerContent", "owner", "content", "container"]),
        number: int(object, "version").or_else(|| int(object, "attachmentVersion")),
        status: first_text(&["contentStatus"])
            .unwrap_or_else(|| "current".to_owned())
            .to_lowercase(),
        title: first_text(&["title", "fileName"]).unwrap_or_default(),
        position: int(object, "position"),
        creator: person(object, "creator"),
        modifier: person(object, "lastModifier").or_else(|| person(object, "creator")),
        created_ms: time("creationDate"),
        modified_ms: time("lastModificationDate").or_else(|| time("creationDate")),
        message: first_text(&["versionComment", "comment"]).unwrap_or_default(),
        media_type: first_text(&["contentType"]),
        bytes: int(object, "fileSize"),
    })
}

/// A number in a field.
pub(crate) fn int(object: &Object, field: &str) -> Option<i64> {
    object.text(field)?.trim().parse().ok()
}

/// The id of a reference, if it is a number.
pub(crate) fn number_of(reference: &Reference) -> Option<i64> {
    reference.id.parse().ok()
}

/// A person in a field, by reference (`key:..`) or, before 5.3, by name (`name:..`).
pub(crate) fn person(object: &Object, field: &str) -> Option<String> {
    if let Some(reference) = object
        .one(field)
        .filter(|reference| !reference.id.is_empty())
    {
        return Some(format!("key:{}", reference.id));
    }
    let name = object
        .text(&format!("{field}Name"))
        .or_else(|| match field {
            "userSubject" => object.text("userName"),
            "owningUser" => object.text("user").or_else(|| object.text("owner")),
            _ => None,
        })?;
    Some(format!("name:{name}"))
}
