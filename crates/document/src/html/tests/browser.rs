//! Reads HTML as a browser does, with a parser of others, and checks every element, attribute and address against the lists.

use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::html::writer::{ATTRIBUTES, ELEMENTS};

/// Panics if the HTML holds anything outside the lists, or is repaired by the parser.
pub(super) fn check(html: &str) {
    for scripting in [false, true] {
        let opts = ParseOpts {
            tree_builder: TreeBuilderOpts {
                scripting_enabled: scripting,
                ..TreeBuilderOpts::default()
            },
            ..ParseOpts::default()
        };
        let context = QualName::new(None, ns!(html), local_name!("div"));
        let dom = parse_fragment(RcDom::default(), opts, context, Vec::new(), scripting).one(html);
        let errors = dom.errors.borrow();
        assert!(
            errors.is_empty(),
            "a browser repairs this: {errors:?}\n{html}"
        );
        walk(&dom.document, html);
    }
}

fn walk(node: &Handle, html: &str) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            assert_eq!(name.ns, ns!(html), "foreign element in {html}");
            let name = &*name.local;
            assert!(
                name == "html" || ELEMENTS.contains(&name),
                "element `{name}` in {html}"
            );
            for attribute in attrs.borrow().iter() {
                check_attribute(&attribute.name.local, &attribute.value, html);
            }
        }
        NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => {
            panic!("a comment in {html}")
        }
        _ => {}
    }
    for child in node.children.borrow().iter() {
        walk(child, html);
    }
}

fn check_attribute(name: &str, value: &str, html: &str) {
    assert!(
        ATTRIBUTES.contains(&name) && !name.starts_with("on"),
        "attribute `{name}` in {html}"
    );
    match name {
        "href" | "src" => check_address(name, value, html),
        "style" => {
            let plain = |c: char| c.is_ascii_alphanumeric() || " :;#,.%()-".contains(c);
            let lower = value.to_ascii_lowercase();
            assert!(
                value.chars().all(plain)
                    && !lower.contains("url(")
                    && !lower.contains("expression"),
                "style `{value}` in {html}"
            );
        }
        "class" => assert!(
            value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || " -+#.".contains(c)),
            "class `{value}` in {html}"
        ),
        "id" => assert!(
            value.contains('-') && !value.to_ascii_lowercase().starts_with("ws-"),
            "id `{value}` in {html}"
        ),
        "type" => assert_eq!(value, "checkbox"),
        "rel" => assert_eq!(value, "nofollow noopener"),
        _ => {}
    }
}

fn check_address(name: &str, value: &str, html: &str) {
    let seen = value
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let head = seen.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if let Some((scheme, _)) = head.split_once(':') {
        let links = [
            "http", "https", "mailto", "tel", "ftp", "sftp", "sip", "sips", "xmpp", "irc", "news",
            "callto",
        ];
        let images = [
            "data:image/png;",
            "data:image/gif;",
            "data:image/jpeg;",
            "data:image/webp;",
        ];
        let is_image = images.iter().any(|image| seen.starts_with(image));
        let fits = if name == "src" {
            ["http", "https"].contains(&scheme) || is_image
        } else {
            links.contains(&scheme)
        };
        assert!(fits, "{name} `{value}` in {html}");
    }
}
