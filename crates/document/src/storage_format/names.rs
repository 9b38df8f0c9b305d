//! Which element of the storage format is what.

use crate::schema::MarkKind;
use crate::xml::{Fragment, Item, Tag};

/// Elements whose typed form is a division, with the name kept.
pub(super) const DIVISIONS: &[&str] = &[
    "div",
    "dl",
    "dt",
    "dd",
    "section",
    "article",
    "aside",
    "header",
    "footer",
    "main",
    "nav",
    "figure",
    "figcaption",
    "center",
    "address",
    "details",
    "summary",
];

/// Elements that become a division when there are blocks in them.
pub(super) const WRAPPERS: &[&str] = &[
    "p", "strong", "b", "em", "i", "u", "ins", "s", "del", "strike", "sup", "sub", "code", "a",
    "span", "font", "small", "big", "kbd", "samp", "var", "cite", "q", "abbr", "tt", "dfn", "mark",
    "bdi", "bdo", "acronym", "label",
];

const BLOCKS: &[&str] = &[
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "pre",
    "blockquote",
    "hr",
    "ac:layout",
    "ac:task-list",
];

const INLINES: &[&str] = &[
    "br",
    "img",
    "ac:link",
    "ac:image",
    "ac:emoticon",
    "time",
    "ac:inline-comment-marker",
    "ac:placeholder",
    "input",
    "button",
    "select",
    "textarea",
    "object",
];

/// Macros that stand in a line when nothing else says where they stand.
const INLINE_MACROS: &[&str] = &[
    "status",
    "anchor",
    "jira",
    "mathinline",
    "mathjax-inline-macro",
    "eazy-math-inline",
    "unmigrated-inline-wiki-markup",
    "profile",
    "profile-picture",
    "emoji",
    "latex-inline",
];

const PANELS: &[&str] = &["info", "tip", "note", "warning", "panel"];

/// Where an item of mixed content stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Space,
    Inline,
    Block,
    /// As its neighbours.
    Either,
}

pub(super) fn is_macro(name: &str) -> bool {
    matches!(name, "ac:structured-macro" | "ac:macro")
}

pub(super) fn macro_name<'t>(tag: &'t Tag<'_>) -> &'t str {
    tag.attr("ac:name").unwrap_or_default()
}

pub(super) fn is_panel(name: &str) -> bool {
    PANELS.contains(&name)
}

/// Whether a macro has a typed node that is a block.
pub(super) fn is_block_macro(name: &str) -> bool {
    is_panel(name) || matches!(name, "code" | "noformat" | "expand" | "toc")
}

/// The level of a heading element.
pub(super) fn heading_level(name: &str) -> Option<i64> {
    match name {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

/// The mark that an element is, with the elements that spell it, the canonical one first.
pub(super) fn mark_kind(name: &str) -> Option<MarkKind> {
    MarkKind::ALL
        .iter()
        .copied()
        .find(|kind| mark_tags(*kind).contains(&name))
}

pub(super) fn mark_tags(kind: MarkKind) -> &'static [&'static str] {
    match kind {
        MarkKind::CommentMarker => &["ac:inline-comment-marker"],
        MarkKind::Link => &["a"],
        MarkKind::ResourceLink => &["ac:link"],
        MarkKind::Strong => &["strong", "b"],
        MarkKind::Em => &["em", "i"],
        MarkKind::Underline => &["u", "ins"],
        MarkKind::Strike => &["s", "del", "strike"],
        MarkKind::Superscript => &["sup"],
        MarkKind::Subscript => &["sub"],
        MarkKind::Code => &["code"],
        MarkKind::Styled => &[
            "span", "font", "small", "big", "kbd", "samp", "var", "cite", "q", "abbr", "tt", "dfn",
            "mark", "bdi", "bdo", "acronym", "label",
        ],
    }
}

/// For each item how many items it holds, itself included.
pub(super) fn sizes(xml: &Fragment<'_>) -> Vec<usize> {
    let mut sizes = vec![1; xml.items().len()];
    for item in xml.items().iter().rev() {
        let own = sizes.get(item.id).copied().unwrap_or_default();
        if let Some(parent) = item.parent.and_then(|parent| sizes.get_mut(parent)) {
            *parent += own;
        }
    }
    sizes
}

/// For each item whether it is, or wraps, a block with a typed form.
pub(super) fn blocks_within(xml: &Fragment<'_>) -> Vec<bool> {
    let mut within = vec![false; xml.items().len()];
    for item in xml.items().iter().rev() {
        let Some(tag) = item.element() else { continue };
        let own = is_typed_block(tag);
        let wraps = within.get(item.id).copied().unwrap_or_default()
            && (tag.name == "p" || WRAPPERS.contains(&tag.name));
        if let Some(slot) = within.get_mut(item.id) {
            *slot = own || wraps;
        }
        if (own || wraps)
            && let Some(slot) = item.parent.and_then(|parent| within.get_mut(parent))
        {
            *slot = true;
        }
    }
    within
}

fn is_typed_block(tag: &Tag<'_>) -> bool {
    tag.name == "p"
        || BLOCKS.contains(&tag.name)
        || DIVISIONS.contains(&tag.name)
        || (is_macro(tag.name) && is_block_macro(macro_name(tag)))
}

/// Where an item stands among its siblings; `holds_block` as [`blocks_within`] says.
pub(super) fn place(xml: &Fragment<'_>, item: &Item<'_>, holds_block: bool) -> Place {
    let Some(tag) = item.element() else {
        return match item.text() {
            Some(_) if item.space().is_some() => Place::Space,
            Some(_) => Place::Inline,
            None => Place::Either,
        };
    };
    if holds_block {
        Place::Block
    } else if is_macro(tag.name) {
        place_of_macro(xml, tag)
    } else if WRAPPERS.contains(&tag.name) || INLINES.contains(&tag.name) {
        Place::Inline
    } else {
        Place::Either
    }
}

fn place_of_macro(xml: &Fragment<'_>, tag: &Tag<'_>) -> Place {
    let name = macro_name(tag);
    let has_rich_body = || {
        xml.children(tag)
            .filter_map(Item::element)
            .any(|child| child.name == "ac:rich-text-body")
    };
    if INLINE_MACROS.contains(&name) {
        Place::Inline
    } else if has_rich_body() {
        Place::Block
    } else {
        Place::Either
    }
}
