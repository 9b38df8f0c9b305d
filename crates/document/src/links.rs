//! What a document points at, and how a face asks where that is.

use serde_json::{Map, Value as Json, json};

use crate::source::XmlElement;

/// Something outside the document that a link, an image, a mention or a macro names. It holds titles and names as the author wrote
/// them, never database ids; what `None` leaves open is taken from the page that holds the document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// A page by title; without a space, in the space of the document.
    Page {
        /// Key of its space.
        space: Option<String>,
        /// Its title.
        title: String,
    },
    /// A blog post by title and day (`yyyy/mm/dd`).
    BlogPost {
        /// Key of its space.
        space: Option<String>,
        /// Its title.
        title: String,
        /// The day it was posted.
        day: Option<String>,
    },
    /// A file attached to this page, or to `container`.
    Attachment {
        /// Its file name.
        file: String,
        /// The page, blog post or content entity it is attached to.
        container: Option<Box<Resource>>,
    },
    /// An address as the author wrote it: of a link or of an image.
    Url(String),
    /// A person; of the three names at least one is given.
    User {
        /// The user key of Server and Data Center.
        key: Option<String>,
        /// The name the user logs in with.
        name: Option<String>,
        /// The account id of Cloud.
        account: Option<String>,
    },
    /// A space by key.
    Space(String),
    /// A content by its id, in decimal digits.
    Content(String),
    /// A shortcut link: the key of a configured shortcut and its parameter.
    Shortcut {
        /// Key of the shortcut.
        key: String,
        /// What is put into its address.
        parameter: String,
    },
}

/// Where a [`Resource`] is, as far as a [`Links`] knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTarget {
    /// The address to go to; without one the text is shown alone. Faces check it like any other address.
    pub href: Option<String>,
    /// The address to show as a picture, for example a thumbnail. Images without one are shown as links.
    pub image: Option<String>,
    /// What to call it where the document gives no words: a title in its present spelling, a person's full name.
    pub text: Option<String>,
    /// False when there is no such thing (yet): shown as a missing link; `href` may then lead to where it can be made.
    pub exists: bool,
}

/// Answers where the resources of a document are. Implemented by whoever knows; the rendering asks once per use, so look things up
/// before, with [`References`](crate::References).
pub trait Links {
    /// Where this is. Also asked for every plain address, which may be rewritten here.
    fn resolve(&self, resource: &Resource) -> LinkTarget;

    /// The HTML of a macro that this crate shows only as a placeholder (`children`, `include`, ...), if the wiki knows it. The parameters
    /// are text; a link in one is given as `SPACE:Title`. **The answer is put into the page as it is**: it must be safe.
    fn macro_html(&self, name: &str, parameters: &[(String, String)]) -> Option<String> {
        let _ = (name, parameters);
        None
    }
}

/// Knows nothing: addresses lead where they say, everything else is shown as text.
impl Links for () {
    fn resolve(&self, resource: &Resource) -> LinkTarget {
        match resource {
            Resource::Url(url) => LinkTarget::at(url).shown_as(url),
            _ => LinkTarget {
                exists: true,
                ..LinkTarget::default()
            },
        }
    }
}

impl LinkTarget {
    /// Something that exists, at this address.
    pub fn at(href: impl Into<String>) -> Self {
        LinkTarget {
            href: Some(href.into()),
            exists: true,
            ..LinkTarget::default()
        }
    }

    /// Something that does not exist and cannot be made.
    pub fn missing() -> Self {
        LinkTarget::default()
    }

    /// The same target with words for links that have none.
    #[must_use]
    pub fn named(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The same target with the address of its picture.
    #[must_use]
    pub fn shown_as(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }
}

impl Resource {
    /// Reads the attribute `resource` of a node or mark: `{"type":"page","content-title":...}`.
    pub fn from_json(text: &str) -> Option<Resource> {
        from_json(&serde_json::from_str(text).ok()?)
    }

    /// Writes what [`Resource::from_json`] reads.
    pub fn to_json(&self) -> String {
        to_json(self).to_string()
    }

    /// Reads an `ri:` element.
    pub(crate) fn from_xml(element: &XmlElement<'_>) -> Option<Resource> {
        let kind = element.name.strip_prefix("ri:")?;
        let container = element.elements().find_map(Resource::from_xml);
        build(
            kind,
            |name| {
                element
                    .attribute(&format!("ri:{name}"))
                    .map(ToOwned::to_owned)
            },
            container,
        )
    }

    /// Words for this resource when nobody knows better ones.
    pub(crate) fn plain_name(&self) -> &str {
        match self {
            Resource::Page { title, .. } | Resource::BlogPost { title, .. } => title,
            Resource::Attachment { file, .. } => file,
            Resource::Url(url) => url,
            Resource::User { key, name, account } => name
                .as_ref()
                .or(account.as_ref())
                .or(key.as_ref())
                .map_or("", |name| name),
            Resource::Space(key) => key,
            Resource::Content(id) => id,
            Resource::Shortcut { parameter, .. } => parameter,
        }
    }

    /// The spelling `SPACE:Title` of macro parameters.
    pub(crate) fn parameter_text(&self) -> String {
        match self {
            Resource::Page {
                space: Some(space),
                title,
            }
            | Resource::BlogPost {
                space: Some(space),
                title,
                ..
            } => format!("{space}:{title}"),
            other => other.plain_name().to_owned(),
        }
    }
}

fn from_json(value: &Json) -> Option<Resource> {
    let object = value.as_object()?;
    let container = object.get("container").and_then(from_json);
    build(
        object.get("type")?.as_str()?,
        |name| object.get(name)?.as_str().map(ToOwned::to_owned),
        container,
    )
}

fn build(
    kind: &str,
    get: impl Fn(&str) -> Option<String>,
    container: Option<Resource>,
) -> Option<Resource> {
    Some(match kind {
        "page" => Resource::Page {
            space: get("space-key"),
            title: get("content-title")?,
        },
        "blog-post" => Resource::BlogPost {
            space: get("space-key"),
            title: get("content-title")?,
            day: get("posting-day"),
        },
        "attachment" => Resource::Attachment {
            file: get("filename")?,
            container: container.map(Box::new),
        },
        "url" => Resource::Url(get("value")?),
        "user" => {
            let (key, name, account) = (get("userkey"), get("username"), get("account-id"));
            key.as_ref().or(name.as_ref()).or(account.as_ref())?;
            Resource::User { key, name, account }
        }
        "space" => Resource::Space(get("space-key")?),
        "content-entity" => Resource::Content(get("content-id")?),
        "shortcut" => Resource::Shortcut {
            key: get("key")?,
            parameter: get("parameter").unwrap_or_default(),
        },
        _ => return None,
    })
}

fn to_json(resource: &Resource) -> Json {
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), json!(value));
        }
    };
    match resource {
        Resource::Page { space, title } => {
            put("type", Some("page"));
            put("space-key", space.as_deref());
            put("content-title", Some(title));
        }
        Resource::BlogPost { space, title, day } => {
            put("type", Some("blog-post"));
            put("space-key", space.as_deref());
            put("content-title", Some(title));
            put("posting-day", day.as_deref());
        }
        Resource::Attachment { file, container } => {
            put("type", Some("attachment"));
            put("filename", Some(file));
            if let Some(container) = container {
                object.insert("container".to_owned(), to_json(container));
            }
        }
        Resource::Url(url) => {
            put("type", Some("url"));
            put("value", Some(url));
        }
        Resource::User { key, name, account } => {
            put("type", Some("user"));
            put("userkey", key.as_deref());
            put("username", name.as_deref());
            put("account-id", account.as_deref());
        }
        Resource::Space(key) => {
            put("type", Some("space"));
            put("space-key", Some(key));
        }
        Resource::Content(id) => {
            put("type", Some("content-entity"));
            put("content-id", Some(id));
        }
        Resource::Shortcut { key, parameter } => {
            put("type", Some("shortcut"));
            put("key", Some(key));
            put("parameter", Some(parameter));
        }
    }
    Json::Object(object)
}
