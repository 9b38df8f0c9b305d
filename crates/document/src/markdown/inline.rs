//! A line as Markdown. `**`, `_` and `~~` are used where every reader takes them for what they are; elsewhere, elements say the same.

use serde_json::Value as Json;

use crate::date;
use crate::html::emoticon;
use crate::links::Resource;
use crate::markdown::{SCHEME, STORAGE_COMMENT};
use crate::schema::{Kind, MarkKind};
use crate::spelling::{Spelling, parameter, parameters, wrap};
use crate::tree::{Element, Mark, Node};

/// Where a line stands: it decides how breaks are written and what must be escaped.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Paragraph,
    Heading,
    Cell,
}

/// The line of a paragraph.
pub(super) fn line(content: &[Node]) -> String {
    let text = assemble(content, Place::Paragraph);
    text.split('\n')
        .map(escape_start)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The text of a heading.
pub(super) fn heading(content: &[Node]) -> String {
    assemble(content, Place::Heading)
}

/// The text of a table cell.
pub(super) fn cell(content: &[Node]) -> String {
    assemble(content, Place::Cell)
}

/// The title of a panel as a bold line.
pub(super) fn title(text: &str) -> String {
    let bold = Node::Text(crate::tree::Text {
        text: text.to_owned(),
        marks: vec![Mark::new(MarkKind::Strong)],
    });
    format!("{}\n\n", line(&[bold]))
}

/// Plain text inside an element.
pub(super) fn html(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('|', "&#124;")
}

/// A piece of a line.
enum Piece {
    /// Text that is written already.
    Done(String),
    Open(Mark),
    Close(Mark),
}

fn assemble(content: &[Node], place: Place) -> String {
    let mut out = String::new();
    let pieces = pieces(content, place);
    let styles = styles(&pieces);
    for (piece, as_element) in pieces.iter().zip(styles) {
        match piece {
            Piece::Done(text) => out.push_str(text),
            Piece::Open(mark) => out.push_str(opening(mark.kind, as_element)),
            Piece::Close(mark) => out.push_str(&closing(mark, as_element)),
        }
    }
    keep_ends(&out)
}

/// Blanks at the ends of a line are written so that they stay.
fn keep_ends(line: &str) -> String {
    let trimmed = line.trim_matches(' ');
    if trimmed.is_empty() {
        return String::new();
    }
    let start = if line.starts_with(' ') { "&#32;" } else { "" };
    let end = if line.ends_with(' ') { "&#32;" } else { "" };
    format!("{start}{trimmed}{end}")
}

fn pieces(content: &[Node], place: Place) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open: Vec<Mark> = Vec::new();
    for node in content {
        let wrapped;
        let marks = match node {
            Node::Text(text) => &text.marks,
            Node::Element(element) => {
                wrapped = wrap(element);
                &wrapped
            }
        };
        let marks = marks
            .iter()
            .filter(|mark| is_said(mark.kind))
            .collect::<Vec<_>>();
        let shared = open
            .iter()
            .zip(&marks)
            .take_while(|(open, mark)| open == *mark)
            .count();
        close(&mut open, shared, &mut pieces);
        let is_code = marks.iter().any(|mark| mark.kind == MarkKind::Code);
        for mark in marks.into_iter().skip(shared) {
            pieces.push(Piece::Open(mark.clone()));
            open.push(mark.clone());
        }
        pieces.push(Piece::Done(match node {
            Node::Text(text) if is_code => code(&text.text, place),
            Node::Text(text) => escaped(&text.text, place),
            Node::Element(element) => atom(element, place),
        }));
    }
    close(&mut open, 0, &mut pieces);
    pieces
}

fn close(open: &mut Vec<Mark>, keep: usize, pieces: &mut Vec<Piece>) {
    while open.len() > keep {
        if let Some(mark) = open.pop() {
            pieces.push(Piece::Close(mark));
        }
    }
}

/// Marks that are written around their text.
fn is_said(kind: MarkKind) -> bool {
    !matches!(kind, MarkKind::CommentMarker | MarkKind::Styled)
}

/// For each piece, whether its mark is written with an element instead of `**`, `_` or `~~`. An opening and its closing agree.
fn styles(pieces: &[Piece]) -> Vec<bool> {
    let mut styles = vec![false; pieces.len()];
    let mut open = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Open(_) => open.push(at),
            Piece::Close(mark) => {
                let Some(start) = open.pop() else {
                    continue;
                };
                let as_element = !is_plain_emphasis(pieces, mark.kind, start, at);
                for place in [start, at] {
                    if let Some(style) = styles.get_mut(place) {
                        *style = as_element;
                    }
                }
            }
            Piece::Done(_) => {}
        }
    }
    styles
}

/// Whether the characters around both delimiters make them what they are meant to be, for every reader: no blank inside, letters inside or
/// something other than letters outside, and no other delimiter beside them outside.
fn is_plain_emphasis(pieces: &[Piece], kind: MarkKind, start: usize, end: usize) -> bool {
    let before = start
        .checked_sub(1)
        .and_then(|at| pieces.get(at))
        .map(last_char);
    let after = pieces.get(end + 1).map(first_char);
    let first = pieces.get(start + 1).map_or(' ', first_char);
    let last = end
        .checked_sub(1)
        .and_then(|at| pieces.get(at))
        .map_or(' ', last_char);
    let is_delimiter = |c: char| matches!(c, '*' | '_' | '~' | '\\');
    let is_apart = |c: Option<char>| {
        c.is_none_or(|c| matches!(c, ' ' | '\n') || (c.is_ascii_punctuation() && !is_delimiter(c)))
    };
    let is_clear = |c: Option<char>| !c.is_some_and(is_delimiter);
    let is_inside = |c: char| c.is_alphanumeric() || c.is_ascii_punctuation();
    if !is_inside(first) || !is_inside(last) {
        return false;
    }
    match kind {
        MarkKind::Strong | MarkKind::Strike => {
            is_clear(before)
                && is_clear(after)
                && (first.is_alphanumeric() || is_apart(before))
                && (last.is_alphanumeric() || is_apart(after))
        }
        MarkKind::Em => is_apart(before) && is_apart(after),
        _ => true,
    }
}

/// The first character that a piece writes; of a mark, what stands for it.
fn first_char(piece: &Piece) -> char {
    match piece {
        Piece::Done(text) => text.chars().next().unwrap_or(' '),
        Piece::Open(mark) | Piece::Close(mark) => delimiter(mark.kind),
    }
}

fn last_char(piece: &Piece) -> char {
    match piece {
        Piece::Done(text) => text.chars().next_back().unwrap_or(' '),
        Piece::Open(mark) | Piece::Close(mark) => delimiter(mark.kind),
    }
}

fn delimiter(kind: MarkKind) -> char {
    match kind {
        MarkKind::Strong => '*',
        MarkKind::Em => '_',
        MarkKind::Strike => '~',
        MarkKind::Code => '`',
        _ => '<',
    }
}

fn opening(kind: MarkKind, as_element: bool) -> &'static str {
    match kind {
        MarkKind::Strong if as_element => "<strong>",
        MarkKind::Em if as_element => "<em>",
        MarkKind::Strike if as_element => "<s>",
        MarkKind::Strong => "**",
        MarkKind::Em => "_",
        MarkKind::Strike => "~~",
        MarkKind::Underline => "<u>",
        MarkKind::Superscript => "<sup>",
        MarkKind::Subscript => "<sub>",
        MarkKind::Link | MarkKind::ResourceLink => "[",
        _ => "",
    }
}

fn closing(mark: &Mark, as_element: bool) -> String {
    match mark.kind {
        MarkKind::Link => format!("]({})", destination(mark.text("href").unwrap_or_default())),
        MarkKind::ResourceLink => {
            let resource = mark.text("resource").and_then(Resource::from_json);
            let address = address(resource.as_ref(), mark.text("anchor"));
            format!("]({})", destination(&address))
        }
        kind => opening(kind, as_element).replace('<', "</"),
    }
}

/// The address of something in the wiki: `wiki:page?content-title=Runbook&space-key=OPSA#restart`.
fn address(resource: Option<&Resource>, anchor: Option<&str>) -> String {
    let fragment = anchor.map(|anchor| format!("#{}", percent(anchor)));
    let fragment = fragment.unwrap_or_default();
    match resource {
        None => format!("{SCHEME}here{fragment}"),
        Some(Resource::Url(url)) => url.clone(),
        Some(resource) => format!("{SCHEME}{}{fragment}", query(resource)),
    }
}

/// Kind and attributes of a resource; those of its container begin with `in.`.
fn query(resource: &Resource) -> String {
    let json = serde_json::from_str::<Json>(&resource.to_json()).unwrap_or_default();
    let mut pairs = Vec::new();
    let attributes = |object: &Json, prefix: &str, pairs: &mut Vec<String>| {
        for (name, value) in object.as_object().into_iter().flatten() {
            if let Some(value) = value
                .as_str()
                .filter(|_| name != "type" || !prefix.is_empty())
            {
                pairs.push(format!("{prefix}{name}={}", percent(value)));
            }
        }
    };
    attributes(&json, "", &mut pairs);
    if let Some(container) = json.get("container") {
        attributes(container, "in.", &mut pairs);
    }
    let kind = json.get("type").and_then(Json::as_str).unwrap_or_default();
    format!("{kind}?{}", pairs.join("&"))
}

/// Everything but letters, digits and the plainest signs.
const PLAIN: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// What of a file name must not stand in an address as it is.
const FILE_NAME: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'/')
    .add(b':')
    .add(b'\\')
    .add(b'(')
    .add(b')');

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, PLAIN).to_string()
}

/// An address inside the parentheses of a link.
fn destination(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let address = address.trim();
    for (at, character) in address.char_indices().filter(|(_, c)| !c.is_control()) {
        let rest = address.get(at + character.len_utf8()..).unwrap_or_default();
        let is_reference = character == '&' && may_be_reference(rest);
        if is_reference || matches!(character, '\\' | '<' | '>' | '|') {
            out.push('\\');
        }
        out.push(character);
    }
    if out.contains([' ', '(', ')']) {
        format!("<{out}>")
    } else {
        out
    }
}

fn atom(element: &Element, place: Place) -> String {
    let resource = element.text("resource").and_then(Resource::from_json);
    match element.kind {
        Kind::HardBreak if place == Place::Paragraph => "\\\n".to_owned(),
        Kind::HardBreak => "<br>".to_owned(),
        Kind::Image => image(element, resource.as_ref(), place),
        Kind::Emoticon => emoticon::of(element).0,
        Kind::Mention | Kind::ContentLink => {
            let words = resource.as_ref().map_or_else(
                || element.text("anchor").unwrap_or_default(),
                Resource::plain_name,
            );
            let at = if element.kind == Kind::Mention {
                "@"
            } else {
                ""
            };
            let address = address(resource.as_ref(), element.text("anchor"));
            format!("[{at}{}]({})", escaped(words, place), destination(&address))
        }
        Kind::Date => time(element.text("datetime").unwrap_or_default()),
        Kind::Status => status(element),
        Kind::PreservedInline => comment(element.text("source").unwrap_or_default()),
        _ => String::new(),
    }
}

/// A preserved part of a line; nothing that would end the comment or the line stays as it is.
fn comment(source: &str) -> String {
    const COMMENT: &percent_encoding::AsciiSet =
        &percent_encoding::CONTROLS.add(b'%').add(b'-').add(b'|');
    let source = percent_encoding::utf8_percent_encode(source, COMMENT);
    format!("{STORAGE_COMMENT}{source} -->")
}

fn image(element: &Element, resource: Option<&Resource>, place: Place) -> String {
    let spelling = Spelling::of(&element.attrs);
    let alt = escaped(spelling.attribute("ac:alt").unwrap_or_default(), place);
    let address = match resource {
        Some(Resource::Attachment {
            file,
            container: None,
        }) => percent_encoding::utf8_percent_encode(file, FILE_NAME).to_string(),
        other => address(other, None),
    };
    format!("![{alt}]({})", destination(&address))
}

fn time(datetime: &str) -> String {
    let words = date::readable(datetime).unwrap_or_else(|| datetime.to_owned());
    format!(
        "<time datetime=\"{}\">{}</time>",
        html(datetime),
        html(&words)
    )
}

fn status(element: &Element) -> String {
    let parameters = parameters(element);
    let colour = parameter(&parameters, "colour")
        .unwrap_or("Grey")
        .to_ascii_lowercase();
    let is_word = colour.chars().all(|c| c.is_ascii_lowercase());
    let colour = if is_word { colour.as_str() } else { "grey" };
    let title = html(parameter(&parameters, "title").unwrap_or_default());
    format!("<span class=\"status status-{colour}\">{title}</span>")
}

/// Code between back-ticks, of which there are more than anywhere in it.
fn code(text: &str, place: Place) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let is_blank = text.chars().all(|c| c == ' ');
    let needs_room = !is_blank && (text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']));
    let room = if needs_room { " " } else { "" };
    let text = match place {
        Place::Cell => text.replace('|', "\\|"),
        _ => text,
    };
    format!("{fence}{room}{text}{room}{fence}")
}

/// Escapes every character that may begin markup inside a line.
fn escaped(text: &str, place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let rest = text.get(at + character.len_utf8()..).unwrap_or_default();
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            '\0' => out.push('\u{fffd}'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' => {
                out.push('\\');
                out.push(character);
            }
            '#' if place == Place::Heading => out.push_str("\\#"),
            '&' if may_be_reference(rest) => out.push_str("\\&"),
            // A link may follow, and would be an image.
            '!' if rest.is_empty() => out.push_str("\\!"),
            c => out.push(c),
        }
    }
    out
}

/// Whether an ampersand before this begins a character reference, or may begin one with what follows the text.
fn may_be_reference(rest: &str) -> bool {
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '#');
    name.is_empty() || (name.starts_with(';') && name.len() < rest.len())
}

/// Escapes what would begin a block at the start of a line.
fn escape_start(line: &str) -> String {
    let body = line.trim_start_matches(' ');
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let after = body.get(digits..).unwrap_or_default();
    if (1..=9).contains(&digits) && after.starts_with(['.', ')']) {
        return format!("{}\\{after}", body.get(..digits).unwrap_or_default());
    }
    // A comment at the start of a line would make a block of HTML of it.
    if body.starts_with("<!--") {
        return format!("<span></span>{body}");
    }
    if body.starts_with(['#', '+', '-', '=', ':']) {
        return format!("\\{body}");
    }
    body.to_owned()
}
