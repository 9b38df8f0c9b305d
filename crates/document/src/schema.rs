//! The one table of node and mark kinds: names, attributes with defaults, content.
//!
//! It equals `fixtures/document/schema.json`, from which the editor builds its schema; a test holds the two together.

use crate::tree::Value;

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A paragraph; `bare` when its inline content stands directly in its parent.
    Paragraph,
    /// A heading of `level` 1 to 6.
    Heading,
    /// `ul`.
    BulletList,
    /// `ol`.
    OrderedList,
    /// `li`.
    ListItem,
    /// `ac:task-list`.
    TaskList,
    /// `ac:task`: one thing to do.
    TaskItem,
    /// A table; `sections` describes its parts.
    Table,
    /// `tr`, in section number `section`.
    TableRow,
    /// `td`.
    TableCell,
    /// `th`.
    TableHeader,
    /// The `code` or `noformat` macro.
    CodeBlock,
    /// `pre`.
    Preformatted,
    /// `blockquote`.
    Blockquote,
    /// The `info`, `tip`, `note`, `warning` or `panel` macro.
    Panel,
    /// The `expand` macro.
    Expand,
    /// `ac:layout`.
    Layout,
    /// `ac:layout-section` of type `kind`.
    LayoutSection,
    /// `ac:layout-cell`.
    LayoutCell,
    /// `div`.
    Division,
    /// `hr`.
    HorizontalRule,
    /// The `toc` macro: a table of contents.
    Toc,
    /// A block that is kept as its exact `source`.
    PreservedBlock,
    /// `br`.
    HardBreak,
    /// `ac:image` of a `resource`.
    Image,
    /// `ac:emoticon`.
    Emoticon,
    /// `ac:link` to a user.
    Mention,
    /// `time`.
    Date,
    /// The `status` macro.
    Status,
    /// `ac:link` without a body.
    ContentLink,
    /// An inline that is kept as its exact `source`.
    PreservedInline,
}

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MarkKind {
    /// `ac:inline-comment-marker`.
    CommentMarker,
    /// `a`.
    Link,
    /// `ac:link` with a body.
    ResourceLink,
    /// `strong`, `b`.
    Strong,
    /// `em`, `i`.
    Em,
    /// `u`.
    Underline,
    /// `s`, `del`.
    Strike,
    /// `sup`.
    Superscript,
    /// `sub`.
    Subscript,
    /// `span` and its kin.
    Styled,
    /// `code`.
    Code,
}

/// Where a kind may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Block,
    Inline,
    /// Only inside its one parent: a row, an item.
    Part,
}

/// What a kind may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Nothing,
    Blocks,
    Inline,
    /// Text without marks.
    PlainText,
    Of(&'static [Kind]),
}

/// The default of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    Null,
    Int(i64),
    Text(&'static str),
}

pub(crate) type AttrSpec = (&'static str, Default);

pub(crate) struct KindSpec {
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    pub(crate) content: Content,
    /// The kind's own attributes, then `wrap` for inline atoms, then `xml`: the order in which they are stored.
    pub(crate) attrs: &'static [AttrSpec],
}

pub(crate) struct MarkSpec {
    pub(crate) name: &'static str,
    /// The mark's own attributes, then `xml`.
    pub(crate) attrs: &'static [AttrSpec],
    /// Whether several marks of the kind may lie on the same text.
    pub(crate) overlaps: bool,
}

impl Kind {
    /// Every kind, in the order of the schema.
    pub const ALL: &'static [Kind] = &[
        Kind::Paragraph,
        Kind::Heading,
        Kind::BulletList,
        Kind::OrderedList,
        Kind::ListItem,
        Kind::TaskList,
        Kind::TaskItem,
        Kind::Table,
        Kind::TableRow,
        Kind::TableCell,
        Kind::TableHeader,
        Kind::CodeBlock,
        Kind::Preformatted,
        Kind::Blockquote,
        Kind::Panel,
        Kind::Expand,
        Kind::Layout,
        Kind::LayoutSection,
        Kind::LayoutCell,
        Kind::Division,
        Kind::HorizontalRule,
        Kind::Toc,
        Kind::PreservedBlock,
        Kind::HardBreak,
        Kind::Image,
        Kind::Emoticon,
        Kind::Mention,
        Kind::Date,
        Kind::Status,
        Kind::ContentLink,
        Kind::PreservedInline,
    ];

    pub(crate) fn spec(self) -> &'static KindSpec {
        match self {
            Kind::Paragraph => &PARAGRAPH,
            Kind::Heading => &HEADING,
            Kind::BulletList => &BULLET_LIST,
            Kind::OrderedList => &ORDERED_LIST,
            Kind::ListItem => &LIST_ITEM,
            Kind::TaskList => &TASK_LIST,
            Kind::TaskItem => &TASK_ITEM,
            Kind::Table => &TABLE,
            Kind::TableRow => &TABLE_ROW,
            Kind::TableCell => &TABLE_CELL,
            Kind::TableHeader => &TABLE_HEADER,
            Kind::CodeBlock => &CODE_BLOCK,
            Kind::Preformatted => &PREFORMATTED,
            Kind::Blockquote => &BLOCKQUOTE,
            Kind::Panel => &PANEL,
            Kind::Expand => &EXPAND,
            Kind::Layout => &LAYOUT,
            Kind::LayoutSection => &LAYOUT_SECTION,
            Kind::LayoutCell => &LAYOUT_CELL,
            Kind::Division => &DIVISION,
            Kind::HorizontalRule => &HORIZONTAL_RULE,
            Kind::Toc => &TOC,
            Kind::PreservedBlock => &PRESERVED_BLOCK,
            Kind::HardBreak => &HARD_BREAK,
            Kind::Image => &IMAGE,
            Kind::Emoticon => &EMOTICON,
            Kind::Mention => &MENTION,
            Kind::Date => &DATE,
            Kind::Status => &STATUS,
            Kind::ContentLink => &CONTENT_LINK,
            Kind::PreservedInline => &PRESERVED_INLINE,
        }
    }

    /// The name in the schema and in the live document.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it stands inside a line.
    pub fn is_inline(self) -> bool {
        self.spec().group == Group::Inline
    }

    /// Whether it may stand wherever blocks stand.
    pub fn is_block(self) -> bool {
        self.spec().group == Group::Block
    }

    /// Whether it has no content.
    pub fn is_atom(self) -> bool {
        self.spec().content == Content::Nothing
    }

    pub(crate) fn default_of(self, name: &str) -> Option<Value> {
        find(self.spec().attrs, name).and_then(Default::value)
    }

    pub(crate) fn default_text(self, name: &str) -> Option<&'static str> {
        find(self.spec().attrs, name).and_then(Default::text)
    }

    pub(crate) fn default_int(self, name: &str) -> Option<i64> {
        find(self.spec().attrs, name).and_then(Default::int)
    }
}

impl MarkKind {
    /// Every kind, outermost first: the canonical order of nesting.
    pub const ALL: &'static [MarkKind] = &[
        MarkKind::CommentMarker,
        MarkKind::Link,
        MarkKind::ResourceLink,
        MarkKind::Strong,
        MarkKind::Em,
        MarkKind::Underline,
        MarkKind::Strike,
        MarkKind::Superscript,
        MarkKind::Subscript,
        MarkKind::Styled,
        MarkKind::Code,
    ];

    pub(crate) fn spec(self) -> &'static MarkSpec {
        match self {
            MarkKind::CommentMarker => &MARK_COMMENT_MARKER,
            MarkKind::Link => &MARK_LINK,
            MarkKind::ResourceLink => &MARK_RESOURCE_LINK,
            MarkKind::Strong => &MARK_STRONG,
            MarkKind::Em => &MARK_EM,
            MarkKind::Underline => &MARK_UNDERLINE,
            MarkKind::Strike => &MARK_STRIKE,
            MarkKind::Superscript => &MARK_SUPERSCRIPT,
            MarkKind::Subscript => &MARK_SUBSCRIPT,
            MarkKind::Styled => &MARK_STYLED,
            MarkKind::Code => &MARK_CODE,
        }
    }

    /// The name in the schema and in the live document.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<MarkKind> {
        MarkKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
    }

    /// Whether several marks of this kind may lie on the same text.
    pub fn overlaps(self) -> bool {
        self.spec().overlaps
    }

    pub(crate) fn default_of(self, name: &str) -> Option<Value> {
        find(self.spec().attrs, name).and_then(Default::value)
    }

    pub(crate) fn default_text(self, name: &str) -> Option<&'static str> {
        find(self.spec().attrs, name).and_then(Default::text)
    }
}

impl Default {
    pub(crate) fn value(self) -> Option<Value> {
        match self {
            Default::Null => None,
            Default::Int(number) => Some(Value::Int(number)),
            Default::Text(text) => Some(Value::Text(text.to_owned())),
        }
    }

    fn text(self) -> Option<&'static str> {
        match self {
            Default::Text(text) => Some(text),
            _ => None,
        }
    }

    fn int(self) -> Option<i64> {
        match self {
            Default::Int(number) => Some(number),
            _ => None,
        }
    }
}

fn find(attrs: &'static [AttrSpec], name: &str) -> Option<Default> {
    attrs
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, default)| *default)
}

static PARAGRAPH: KindSpec = KindSpec {
    name: "paragraph",
    group: Group::Block,
    content: Content::Inline,
    attrs: &[("bare", Default::Null), ("xml", Default::Null)],
};
static HEADING: KindSpec = KindSpec {
    name: "heading",
    group: Group::Block,
    content: Content::Inline,
    attrs: &[("level", Default::Int(1)), ("xml", Default::Null)],
};
static BULLET_LIST: KindSpec = KindSpec {
    name: "bullet_list",
    group: Group::Block,
    content: Content::Of(&[Kind::ListItem]),
    attrs: &[("xml", Default::Null)],
};
static ORDERED_LIST: KindSpec = KindSpec {
    name: "ordered_list",
    group: Group::Block,
    content: Content::Of(&[Kind::ListItem]),
    attrs: &[("xml", Default::Null)],
};
static LIST_ITEM: KindSpec = KindSpec {
    name: "list_item",
    group: Group::Part,
    content: Content::Blocks,
    attrs: &[("xml", Default::Null)],
};
static TASK_LIST: KindSpec = KindSpec {
    name: "task_list",
    group: Group::Block,
    content: Content::Of(&[Kind::TaskItem]),
    attrs: &[("xml", Default::Null)],
};
static TASK_ITEM: KindSpec = KindSpec {
    name: "task_item",
    group: Group::Part,
    content: Content::Blocks,
    attrs: &[
        ("id", Default::Null),
        ("uuid", Default::Null),
        ("status", Default::Text("incomplete")),
        ("xml", Default::Null),
    ],
};
static TABLE: KindSpec = KindSpec {
    name: "table",
    group: Group::Block,
    content: Content::Of(&[Kind::TableRow]),
    attrs: &[("sections", Default::Null), ("xml", Default::Null)],
};
static TABLE_ROW: KindSpec = KindSpec {
    name: "table_row",
    group: Group::Part,
    content: Content::Of(&[Kind::TableCell, Kind::TableHeader]),
    attrs: &[("section", Default::Null), ("xml", Default::Null)],
};
static TABLE_CELL: KindSpec = KindSpec {
    name: "table_cell",
    group: Group::Part,
    content: Content::Blocks,
    attrs: &[
        ("colspan", Default::Int(1)),
        ("rowspan", Default::Int(1)),
        ("colwidth", Default::Null),
        ("xml", Default::Null),
    ],
};
static TABLE_HEADER: KindSpec = KindSpec {
    name: "table_header",
    group: Group::Part,
    content: Content::Blocks,
    attrs: &[
        ("colspan", Default::Int(1)),
        ("rowspan", Default::Int(1)),
        ("colwidth", Default::Null),
        ("xml", Default::Null),
    ],
};
static CODE_BLOCK: KindSpec = KindSpec {
    name: "code_block",
    group: Group::Block,
    content: Content::PlainText,
    attrs: &[
        ("macro", Default::Text("code")),
        ("params", Default::Null),
        ("xml", Default::Null),
    ],
};
static PREFORMATTED: KindSpec = KindSpec {
    name: "preformatted",
    group: Group::Block,
    content: Content::Inline,
    attrs: &[("xml", Default::Null)],
};
static BLOCKQUOTE: KindSpec = KindSpec {
    name: "blockquote",
    group: Group::Block,
    content: Content::Blocks,
    attrs: &[("xml", Default::Null)],
};
static PANEL: KindSpec = KindSpec {
    name: "panel",
    group: Group::Block,
    content: Content::Blocks,
    attrs: &[
        ("name", Default::Text("info")),
        ("params", Default::Null),
        ("xml", Default::Null),
    ],
};
static EXPAND: KindSpec = KindSpec {
    name: "expand",
    group: Group::Block,
    content: Content::Blocks,
    attrs: &[("params", Default::Null), ("xml", Default::Null)],
};
static LAYOUT: KindSpec = KindSpec {
    name: "layout",
    group: Group::Block,
    content: Content::Of(&[Kind::LayoutSection]),
    attrs: &[("xml", Default::Null)],
};
static LAYOUT_SECTION: KindSpec = KindSpec {
    name: "layout_section",
    group: Group::Part,
    content: Content::Of(&[Kind::LayoutCell]),
    attrs: &[("kind", Default::Text("single")), ("xml", Default::Null)],
};
static LAYOUT_CELL: KindSpec = KindSpec {
    name: "layout_cell",
    group: Group::Part,
    content: Content::Blocks,
    attrs: &[("xml", Default::Null)],
};
static DIVISION: KindSpec = KindSpec {
    name: "division",
    group: Group::Block,
    content: Content::Blocks,
    attrs: &[("xml", Default::Null)],
};
static HORIZONTAL_RULE: KindSpec = KindSpec {
    name: "horizontal_rule",
    group: Group::Block,
    content: Content::Nothing,
    attrs: &[("xml", Default::Null)],
};
static TOC: KindSpec = KindSpec {
    name: "toc",
    group: Group::Block,
    content: Content::Nothing,
    attrs: &[("params", Default::Null), ("xml", Default::Null)],
};
static PRESERVED_BLOCK: KindSpec = KindSpec {
    name: "preserved_block",
    group: Group::Block,
    content: Content::Nothing,
    attrs: &[
        ("source", Default::Text("")),
        ("label", Default::Text("")),
        ("xml", Default::Null),
    ],
};
static HARD_BREAK: KindSpec = KindSpec {
    name: "hard_break",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[("wrap", Default::Null), ("xml", Default::Null)],
};
static IMAGE: KindSpec = KindSpec {
    name: "image",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("resource", Default::Null),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static EMOTICON: KindSpec = KindSpec {
    name: "emoticon",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("name", Default::Text("")),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static MENTION: KindSpec = KindSpec {
    name: "mention",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("resource", Default::Null),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static DATE: KindSpec = KindSpec {
    name: "date",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("datetime", Default::Text("")),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static STATUS: KindSpec = KindSpec {
    name: "status",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("params", Default::Null),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static CONTENT_LINK: KindSpec = KindSpec {
    name: "content_link",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("resource", Default::Null),
        ("anchor", Default::Null),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static PRESERVED_INLINE: KindSpec = KindSpec {
    name: "preserved_inline",
    group: Group::Inline,
    content: Content::Nothing,
    attrs: &[
        ("source", Default::Text("")),
        ("label", Default::Text("")),
        ("wrap", Default::Null),
        ("xml", Default::Null),
    ],
};
static MARK_COMMENT_MARKER: MarkSpec = MarkSpec {
    name: "comment_marker",
    attrs: &[("ref", Default::Text("")), ("xml", Default::Null)],
    overlaps: true,
};
static MARK_LINK: MarkSpec = MarkSpec {
    name: "link",
    attrs: &[("href", Default::Text("")), ("xml", Default::Null)],
    overlaps: false,
};
static MARK_RESOURCE_LINK: MarkSpec = MarkSpec {
    name: "resource_link",
    attrs: &[
        ("resource", Default::Null),
        ("anchor", Default::Null),
        ("xml", Default::Null),
    ],
    overlaps: false,
};
static MARK_STRONG: MarkSpec = MarkSpec {
    name: "strong",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_EM: MarkSpec = MarkSpec {
    name: "em",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_UNDERLINE: MarkSpec = MarkSpec {
    name: "underline",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_STRIKE: MarkSpec = MarkSpec {
    name: "strike",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_SUPERSCRIPT: MarkSpec = MarkSpec {
    name: "superscript",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_SUBSCRIPT: MarkSpec = MarkSpec {
    name: "subscript",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};
static MARK_STYLED: MarkSpec = MarkSpec {
    name: "styled",
    attrs: &[("xml", Default::Null)],
    overlaps: true,
};
static MARK_CODE: MarkSpec = MarkSpec {
    name: "code",
    attrs: &[("xml", Default::Null)],
    overlaps: false,
};

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value as Json, json};

    use super::*;

    fn fixture() -> Json {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/document/schema.json"
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn attributes(own: &Json, every: &[&Json]) -> Vec<(String, Json)> {
        [own]
            .into_iter()
            .chain(every.iter().copied())
            .filter_map(Json::as_object)
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn ours(attrs: &[AttrSpec]) -> Vec<(String, Json)> {
        attrs
            .iter()
            .map(|(name, default)| {
                let value = match default {
                    Default::Null => Json::Null,
                    Default::Int(number) => json!(number),
                    Default::Text(text) => json!(text),
                };
                ((*name).to_owned(), value)
            })
            .collect()
    }

    fn expression(content: Content) -> Json {
        match content {
            Content::Nothing => Json::Null,
            Content::Blocks => json!("block*"),
            Content::Inline => json!("inline*"),
            Content::PlainText => json!("text*"),
            Content::Of([one]) => json!(format!("{}*", one.name())),
            Content::Of(kinds) => {
                let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
                json!(format!("({})*", names.join(" | ")))
            }
        }
    }

    #[test]
    fn the_table_of_nodes_equals_the_shared_schema() {
        let schema = fixture();
        let nodes: &Map<String, Json> = schema["nodes"].as_object().unwrap();
        let names: Vec<&String> = nodes
            .keys()
            .filter(|name| *name != "doc" && *name != "text")
            .collect();
        let ours_names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names, ours_names);
        for kind in Kind::ALL {
            let (node, spec) = (&nodes[kind.name()], kind.spec());
            let group = match spec.group {
                Group::Block => json!("block"),
                Group::Inline => json!("inline"),
                Group::Part => Json::Null,
            };
            assert_eq!(node["group"], group, "{}", spec.name);
            assert_eq!(node["content"], expression(spec.content), "{}", spec.name);
            let wrap = if kind.is_inline() {
                &schema["every_inline_atom"]
            } else {
                &Json::Null
            };
            let theirs = attributes(&node["attrs"], &[wrap, &schema["every_node"]]);
            assert_eq!(theirs, ours(spec.attrs), "{}", spec.name);
            assert_eq!(Kind::from_name(spec.name), Some(*kind));
        }
    }

    #[test]
    fn the_table_of_marks_equals_the_shared_schema() {
        let schema = fixture();
        let marks = schema["marks"].as_object().unwrap();
        let names: Vec<&str> = MarkKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(marks.keys().collect::<Vec<_>>(), names);
        for kind in MarkKind::ALL {
            let mark = &marks[kind.name()];
            let theirs = attributes(&mark["attrs"], &[&schema["every_mark"]]);
            assert_eq!(theirs, ours(kind.spec().attrs), "{}", kind.name());
            assert_eq!(mark["excludes"] == json!(""), kind.overlaps());
        }
    }
}
