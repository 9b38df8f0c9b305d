//! Blocks as Markdown.

use crate::html::Html;
use crate::limits::WALK_DEPTH_MAX;
use crate::markdown::STORAGE_FENCE;
use crate::markdown::inline;
use crate::schema::Kind;
use crate::spelling::{Spelling, parameter, parameters};
use crate::tree::{Document, Element, Node};

pub(super) fn write(document: &Document) -> String {
    let mut text = blocks(&document.content, 0);
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Blocks, parted by empty lines; two lists in a row by a comment, since they would be one.
fn blocks(content: &[Node], depth: usize) -> String {
    if depth > WALK_DEPTH_MAX {
        return String::new();
    }
    let mut out = String::new();
    let mut list_before = None;
    for node in content {
        let (text, list) = match node {
            Node::Element(element) if !element.kind.is_inline() => {
                (block(element, depth), list_kind(element.kind))
            }
            atom => (inline::line(std::slice::from_ref(atom)), None),
        };
        if text.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        if list.is_some() && list == list_before {
            out.push_str("<!-- -->\n\n");
        }
        out.push_str(&text);
        list_before = list;
    }
    out
}

/// Lists of one kind run together.
fn list_kind(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::BulletList | Kind::TaskList => Some(Kind::BulletList),
        Kind::OrderedList => Some(Kind::OrderedList),
        _ => None,
    }
}

fn block(element: &Element, depth: usize) -> String {
    let inner = || blocks(&element.content, depth + 1);
    match element.kind {
        Kind::Paragraph => inline::line(&element.content),
        Kind::Heading => heading(element),
        Kind::BulletList | Kind::OrderedList | Kind::TaskList => list(element, depth),
        Kind::Table => table(element),
        Kind::CodeBlock => code(element),
        Kind::Preformatted => fenced("", &plain(&element.content)),
        Kind::Blockquote => quoted(&inner()),
        Kind::Panel => panel(element, &inner()),
        Kind::Expand => expand(element, &inner()),
        Kind::HorizontalRule => "---".to_owned(),
        Kind::Toc => "[TOC]".to_owned(),
        Kind::PreservedBlock => preserved(element.text("source").unwrap_or_default()),
        _ => inner(),
    }
}

/// Comments and the like say nothing to a reader of Markdown.
fn preserved(source: &str) -> String {
    if source.trim().is_empty() {
        return String::new();
    }
    fenced(STORAGE_FENCE, source)
}

fn heading(element: &Element) -> String {
    let level = usize::try_from(element.int("level").unwrap_or(1).clamp(1, 6)).unwrap_or(1);
    let text = inline::heading(&element.content);
    if text.is_empty() {
        return String::new();
    }
    format!("{} {text}", "#".repeat(level))
}

fn list(element: &Element, depth: usize) -> String {
    let start = Spelling::of(&element.attrs)
        .attribute("start")
        .and_then(|start| start.parse::<u32>().ok())
        .filter(|start| *start < 100_000_000);
    let numbers = start.unwrap_or(1)..;
    let is_loose = element
        .content
        .iter()
        .filter_map(Node::as_element)
        .any(is_loose);
    let mut items = Vec::new();
    for (number, item) in numbers.zip(element.content.iter().filter_map(Node::as_element)) {
        let marker = match element.kind {
            Kind::OrderedList => format!("{number}. "),
            _ => "- ".to_owned(),
        };
        items.push(list_item(item, &marker, is_loose, depth));
    }
    items.join(if is_loose { "\n\n" } else { "\n" })
}

/// Whether an item has paragraphs of its own, so that empty lines must part the items.
fn is_loose(item: &Element) -> bool {
    let mut blocks = item.content.iter().filter_map(Node::as_element);
    blocks.any(|block| block.kind == Kind::Paragraph && block.int("bare") != Some(1))
}

fn list_item(item: &Element, marker: &str, is_loose: bool, depth: usize) -> String {
    let task = match item.kind {
        Kind::TaskItem if item.text("status") == Some("complete") => "[x] ",
        Kind::TaskItem => "[ ] ",
        _ => "",
    };
    let body = if is_loose {
        blocks(&item.content, depth + 1)
    } else {
        tight(&item.content, depth + 1)
    };
    let indented = indent(&body, &" ".repeat(marker.len()));
    let text = format!("{marker}{task}{}", indented.trim_start_matches(' '));
    text.trim_end_matches([' ', '\n']).to_owned()
}

/// Blocks of a tight item: the text, then a list below it without an empty line, where no more than that is there.
fn tight(content: &[Node], depth: usize) -> String {
    let kinds = content
        .iter()
        .filter_map(Node::as_element)
        .map(|block| (block.kind, list_kind(block.kind).is_some()));
    let is_tight = matches!(
        kinds.collect::<Vec<_>>().as_slice(),
        [(Kind::Paragraph, _), (_, true)]
    );
    if !is_tight {
        return blocks(content, depth);
    }
    let parts = content
        .iter()
        .filter_map(Node::as_element)
        .map(|part| block(part, depth))
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn indent(text: &str, by: &str) -> String {
    each_line(text, |line| match line {
        "" => String::new(),
        _ => format!("{by}{line}"),
    })
}

fn quoted(text: &str) -> String {
    each_line(text, |line| match line {
        "" => ">".to_owned(),
        _ => format!("> {line}"),
    })
}

fn each_line(text: &str, change: impl Fn(&str) -> String) -> String {
    text.split('\n').map(change).collect::<Vec<_>>().join("\n")
}

fn panel(element: &Element, inner: &str) -> String {
    let alert = match element.text("name") {
        Some("info") => "[!NOTE]\n",
        Some("tip") => "[!TIP]\n",
        Some("note") => "[!WARNING]\n",
        Some("warning") => "[!CAUTION]\n",
        _ => "",
    };
    let parameters = parameters(element);
    let title = parameter(&parameters, "title").map(inline::title);
    let text = format!("{alert}{}{inner}", title.unwrap_or_default());
    quoted(text.trim_end_matches([' ', '\n']))
}

fn expand(element: &Element, inner: &str) -> String {
    let parameters = parameters(element);
    let title = inline::html(parameter(&parameters, "title").unwrap_or_default());
    format!("<details><summary>{title}</summary>\n\n{inner}\n\n</details>")
}

fn code(element: &Element) -> String {
    let parameters = parameters(element);
    let is_code = element.text("macro") == Some("code");
    let is_word = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.' | '_'))
    };
    let language = parameter(&parameters, "language")
        .filter(|language| is_code && is_word(language) && !is_fence_word(language));
    let mut info = language
        .unwrap_or(if is_code { "" } else { "noformat" })
        .to_owned();
    for (name, value) in &parameters {
        let is_said = name == "language" && language.is_some();
        let is_plain = !name.is_empty()
            && is_word(name)
            && !value.contains(['"', '`', '\\', '&'])
            && !value.chars().any(char::is_control);
        if !is_said && is_plain {
            let blank = if info.is_empty() { "" } else { " " };
            info.push_str(&format!("{blank}{name}=\"{value}\""));
        }
    }
    fenced(&info, &plain(&element.content))
}

/// Info strings that mean something else than a language.
fn is_fence_word(language: &str) -> bool {
    language == STORAGE_FENCE || language == "noformat"
}

/// A fenced block; the fence is longer than any in the text.
fn fenced(info: &str, text: &str) -> String {
    let ticks = |line: &str| line.trim_start().bytes().take_while(|b| *b == b'`').count();
    let longest = text.split('\n').map(ticks).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let line_end = if text.is_empty() { "" } else { "\n" };
    format!("{fence}{info}\n{text}{line_end}{fence}")
}

fn plain(content: &[Node]) -> String {
    let parts = content.iter().map(|node| match node {
        Node::Text(text) => text.text.replace("\r\n", "\n").replace('\r', "\n"),
        Node::Element(element) if element.kind == Kind::HardBreak => "\n".to_owned(),
        Node::Element(_) => String::new(),
    });
    parts.collect()
}

/// A table in GitHub's form if that can say it, otherwise as HTML in one line, since an empty line would end it.
fn table(table: &Element) -> String {
    let rows = table
        .content
        .iter()
        .filter_map(Node::as_element)
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return String::new();
    }
    if is_simple(&rows) {
        return simple_table(&rows);
    }
    let document = Document::new(vec![table.clone().into()]);
    Html::render(&document, "", &()).replace('\n', "&#10;")
}

/// A first row of headers, the same number of cells in each row, each with one line.
fn is_simple(rows: &[&Element]) -> bool {
    let width = rows.first().map_or(0, |row| row.content.len());
    let is_fitting = |(number, row): (usize, &&Element)| {
        let kind = match number {
            0 => Kind::TableHeader,
            _ => Kind::TableCell,
        };
        let mut cells = row.content.iter().filter_map(Node::as_element);
        row.content.len() == width && cells.all(|cell| cell.kind == kind && is_simple_cell(cell))
    };
    width > 0 && rows.iter().enumerate().all(is_fitting)
}

fn is_simple_cell(cell: &Element) -> bool {
    let is_single = cell.int("colspan") == Some(1) && cell.int("rowspan") == Some(1);
    let is_line = match cell.content.as_slice() {
        [] => true,
        [Node::Element(only)] => only.kind == Kind::Paragraph,
        _ => false,
    };
    is_single && is_line
}

fn simple_table(rows: &[&Element]) -> String {
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.content.iter().filter_map(Node::as_element).map(|cell| {
            match cell.content.first() {
                Some(Node::Element(paragraph)) => inline::cell(&paragraph.content),
                _ => String::new(),
            }
        });
        lines.push(format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
        if number == 0 {
            lines.push(format!("|{}", " --- |".repeat(row.content.len())));
        }
    }
    lines.join("\n")
}
