//! Marks and lines of foreign HTML.

use serde_json::json;

use crate::html::parse::dom::Dom;
use crate::html::{style, url};
use crate::line::push_text;
use crate::schema::{Kind, MarkKind};
use crate::tree::{Mark, Node};

/// The marks that an inline element puts on its content.
pub(super) fn marks_of(element: &Dom) -> Vec<Mark> {
    let mut marks = match element.name() {
        "strong" | "b" => vec![Mark::new(MarkKind::Strong)],
        "em" | "i" | "cite" | "dfn" | "var" => vec![Mark::new(MarkKind::Em)],
        "u" | "ins" => vec![Mark::new(MarkKind::Underline)],
        "s" | "strike" | "del" => vec![Mark::new(MarkKind::Strike)],
        "sup" => vec![Mark::new(MarkKind::Superscript)],
        "sub" => vec![Mark::new(MarkKind::Subscript)],
        "code" | "tt" | "kbd" | "samp" => vec![Mark::new(MarkKind::Code)],
        "a" => link(element).into_iter().collect(),
        _ => Vec::new(),
    };
    if let Some(style) = element.attribute("style") {
        marks.extend(marks_of_style(style));
    }
    marks
}

fn link(element: &Dom) -> Option<Mark> {
    let href = element.attribute("href").and_then(url::link)?;
    (!href.is_empty()).then(|| Mark::new(MarkKind::Link).with("href", href))
}

/// Bold, italic, underlined, struck, raised and coloured text as editors style it.
fn marks_of_style(source: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for declaration in source.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let value = value.trim().to_ascii_lowercase();
        match property.trim().to_ascii_lowercase().as_str() {
            "font-weight"
                if matches!(
                    value.as_str(),
                    "bold" | "bolder" | "600" | "700" | "800" | "900"
                ) =>
            {
                marks.push(Mark::new(MarkKind::Strong));
            }
            "font-style" if value == "italic" => marks.push(Mark::new(MarkKind::Em)),
            "text-decoration" | "text-decoration-line" => {
                if value.contains("underline") {
                    marks.push(Mark::new(MarkKind::Underline));
                }
                if value.contains("line-through") {
                    marks.push(Mark::new(MarkKind::Strike));
                }
            }
            "vertical-align" if value == "super" => marks.push(Mark::new(MarkKind::Superscript)),
            "vertical-align" if value == "sub" => marks.push(Mark::new(MarkKind::Subscript)),
            "color" => marks.extend(coloured(&value)),
            _ => {}
        }
    }
    marks
}

/// Text colour, unless it is black, which is what editors write for "as usual".
fn coloured(value: &str) -> Option<Mark> {
    let color = style::color(value)?;
    let is_usual = matches!(color.as_str(), "#000" | "#000000" | "black" | "rgb(0,0,0)");
    let xml = json!({ "attrs": [["style", format!("color: {color};")]] });
    (!is_usual).then(|| Mark::new(MarkKind::Styled).with("xml", xml.to_string()))
}

/// Joins neighbouring runs, makes one blank of each run of white space, and none at the ends of a line.
pub(super) fn tidy(line: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut blank = true;
    for node in line {
        match node {
            Node::Text(text) => {
                let squeezed = squeeze(&text.text, &mut blank);
                push_text(&mut out, &squeezed, &text.marks);
            }
            Node::Element(element) => {
                blank = element.kind == Kind::HardBreak;
                if blank {
                    trim_end(&mut out);
                }
                out.push(element.into());
            }
        }
    }
    trim_end(&mut out);
    out
}

fn squeeze(text: &str, blank: &mut bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let is_blank = matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        if !is_blank {
            out.push(character);
        } else if !*blank {
            out.push(' ');
        }
        *blank = is_blank;
    }
    out
}

fn trim_end(out: &mut Vec<Node>) {
    if let Some(Node::Text(last)) = out.last_mut() {
        let kept = last.text.trim_end_matches(' ').len();
        last.text.truncate(kept);
        if kept == 0 {
            out.pop();
        }
    }
}

/// Whether a line says nothing: breaks and blanks only.
pub(super) fn is_empty(content: &[Node]) -> bool {
    content
        .iter()
        .all(|node| matches!(node, Node::Element(element) if element.kind == Kind::HardBreak))
}

/// A break at the end of a line shows nothing in a browser.
pub(super) fn drop_last_break(content: &mut Vec<Node>) {
    while matches!(content.last(), Some(Node::Element(element)) if element.kind == Kind::HardBreak)
    {
        content.pop();
    }
}
