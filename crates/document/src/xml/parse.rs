//! The parser: one pass, no recursion, every rule of well-formedness.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::entities::entity;
use super::names::{is_char, is_known_prefix, is_name_char, is_name_start, is_space_byte, prefix};
use super::{Fragment, Id, Item, Part, Positions, Tag};
use crate::tree::Malformed;

/// From this many attributes on, duplicates are found with a set.
const ATTRS_FEW: usize = 12;

pub(super) fn parse(source: &str) -> Result<Fragment<'_>, Malformed> {
    let mut parser = Parser {
        source,
        at: 0,
        items: Vec::new(),
        open: Vec::new(),
        first: None,
        last: None,
        text: Run::default(),
        declared: HashMap::new(),
    };
    parser.run()?;
    Ok(Fragment {
        source,
        items: parser.items,
        first: parser.first,
    })
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    items: Vec<Item<'s>>,
    /// The elements that are not closed yet, each with its name and its last child so far.
    open: Vec<Open<'s>>,
    first: Option<Id>,
    /// The last item outside of all elements.
    last: Option<Id>,
    text: Run<'s>,
    /// How many open elements declare a prefix.
    declared: HashMap<&'s str, usize>,
}

struct Open<'s> {
    id: Id,
    name: &'s str,
    last: Option<Id>,
}

/// Text that is being gathered from characters, references and CDATA.
#[derive(Default)]
struct Run<'s> {
    start: Option<usize>,
    value: Cow<'s, str>,
}

type Parsed<T> = Result<T, Malformed>;

impl<'s> Parser<'s> {
    fn run(&mut self) -> Parsed<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b'<' => self.markup()?,
                b'&' => {
                    let start = self.at;
                    let c = self.reference()?;
                    self.push_text(start, c.encode_utf8(&mut [0; 4]));
                }
                _ => self.characters()?,
            }
        }
        self.flush_text();
        match self.open.last() {
            None => Ok(()),
            Some(open) => {
                let reason = format!(
                    "Unexpected EOF; was expecting a close tag for element <{}>",
                    open.name
                );
                self.fail(self.at, reason)
            }
        }
    }

    // ---- text -------------------------------------------------------------------------------------------------------

    fn characters(&mut self) -> Parsed<()> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .bytes()
            .position(|byte| matches!(byte, b'<' | b'&'))
            .unwrap_or(rest.len());
        let chunk = rest.get(..length).unwrap_or_default();
        if let Some(index) = chunk.find("]]>") {
            let reason = "String ']]>' not allowed in textual content, except as the end marker of CDATA section";
            return self.fail(start + index, reason);
        }
        self.check_chars(start, chunk)?;
        self.at += length;
        self.push_lines(start, chunk);
        Ok(())
    }

    fn cdata(&mut self, start: usize) -> Parsed<()> {
        self.at += "<![CDATA[".len();
        let from = self.at;
        let chunk = self.until("]]>", "CDATA section")?;
        self.check_chars(from, chunk)?;
        self.push_lines(start, chunk);
        self.text.start.get_or_insert(start);
        Ok(())
    }

    /// Adds text whose line ends are still as typed.
    fn push_lines(&mut self, start: usize, chunk: &'s str) {
        if chunk.contains('\r') {
            let unified = unify_lines(chunk);
            self.push_text(start, &unified);
        } else if self.text.value.is_empty() {
            self.text.start.get_or_insert(start);
            self.text.value = Cow::Borrowed(chunk);
        } else {
            self.push_text(start, chunk);
        }
    }

    fn push_text(&mut self, start: usize, text: &str) {
        self.text.start.get_or_insert(start);
        self.text.value.to_mut().push_str(text);
    }

    fn flush_text(&mut self) {
        let run = std::mem::take(&mut self.text);
        if let Some(start) = run.start
            && !run.value.is_empty()
        {
            self.add(start, self.at, Part::Text(run.value));
        }
    }

    /// The character that a reference at the cursor stands for.
    fn reference(&mut self) -> Parsed<char> {
        let start = self.at;
        self.at += 1;
        if self.peek() == Some(b'#') {
            return self.numeric_reference(start);
        }
        let name = self.name("(expected a name start character) (in entity reference)")?;
        if self.peek() != Some(b';') {
            let reason = format!("; expected a semi-colon after the reference for entity '{name}'");
            return self.unexpected(&reason);
        }
        self.at += 1;
        match entity(name) {
            Some(c) => Ok(c),
            None => self.fail(start, format!("Undeclared general entity \"{name}\"")),
        }
    }

    fn numeric_reference(&mut self, start: usize) -> Parsed<char> {
        self.at += 1;
        let (radix, expected) = match self.peek() {
            Some(b'x') => {
                self.at += 1;
                (16, "; expected a hex number (0-9a-fA-F)")
            }
            _ => (10, "; expected a decimal number"),
        };
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(rest.len());
        let digits = rest.get(..length).unwrap_or_default();
        self.at += length;
        if digits.is_empty() || self.peek() != Some(b';') {
            return self.unexpected(expected);
        }
        self.at += 1;
        let digits = digits.trim_start_matches('0');
        let code = u32::from_str_radix(digits, radix).ok();
        match code.and_then(char::from_u32).filter(|c| is_char(*c)) {
            Some(c) => Ok(c),
            None => self.fail(
                start,
                "Illegal character entity: expansion character is not allowed in XML",
            ),
        }
    }

    // ---- markup -----------------------------------------------------------------------------------------------------

    fn markup(&mut self) -> Parsed<()> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("<![CDATA[") {
            return self.cdata(start);
        }
        self.flush_text();
        if rest.starts_with("</") {
            self.end_tag(start)
        } else if rest.starts_with("<!--") {
            self.comment(start)
        } else if rest.starts_with("<!DOCTYPE") {
            self.fail(
                start,
                "Unexpected DOCTYPE declaration; a body must not have one",
            )
        } else if rest.starts_with("<?") {
            self.instruction(start)
        } else {
            self.start_tag(start)
        }
    }

    fn comment(&mut self, start: usize) -> Parsed<()> {
        self.at += "<!--".len();
        let from = self.at;
        let text = self.until("--", "comment")?;
        self.check_chars(from, text)?;
        if self.peek() != Some(b'>') {
            let reason = "String '--' not allowed in comment (missing '>'?)";
            return self.fail(self.at - 2, reason);
        }
        self.at += 1;
        self.add(start, self.at, Part::Comment(lines(text)));
        Ok(())
    }

    fn instruction(&mut self, start: usize) -> Parsed<()> {
        self.at += 2;
        let target = self.name("in processing instruction target")?;
        if target.eq_ignore_ascii_case("xml") {
            let reason =
                "Illegal processing instruction target (\"xml\"); a body has no XML declaration";
            return self.fail(start, reason);
        }
        if !self.skip_space() && !self.rest().starts_with("?>") {
            return self.unexpected("in processing instruction; expected white space or '?>'");
        }
        let from = self.at;
        let data = self.until("?>", "processing instruction")?;
        self.check_chars(from, data)?;
        self.add(start, self.at, Part::Instruction(target, lines(data)));
        Ok(())
    }

    fn end_tag(&mut self, start: usize) -> Parsed<()> {
        self.at += 2;
        let name = self.name("in close tag")?;
        self.skip_space();
        if self.peek() != Some(b'>') {
            return self.unexpected("in close tag; expected '>'");
        }
        match self.open.last() {
            Some(open) if open.name == name => {}
            Some(open) => {
                let reason = format!("Unexpected close tag </{name}>; expected </{}>.", open.name);
                return self.fail(start, reason);
            }
            None => return self.fail(start, format!("Unexpected close tag </{name}>.")),
        }
        self.at += 1;
        self.close();
        Ok(())
    }

    fn start_tag(&mut self, start: usize) -> Parsed<()> {
        self.at += 1;
        let name = self.name("in content after '<' (malformed start element?)")?;
        let mut attrs: Vec<(&'s str, Cow<'s, str>)> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let spaced = self.skip_space();
            match self.peek() {
                Some(b'>' | b'/') => break,
                None => return self.fail(self.at, format!("Unexpected EOF in start tag <{name}>")),
                Some(_) if !spaced => {
                    return self.unexpected("excepted space, or '>' or \"/>\"");
                }
                Some(_) => self.attribute(&mut attrs, &mut seen)?,
            }
        }
        self.declare(&attrs, Scope::Enter);
        self.check_prefixes(start, name, &attrs)?;
        let declares = attrs.iter().any(|(name, _)| name.starts_with("xmlns:"));
        let empty = self.peek() == Some(b'/');
        self.at += usize::from(empty);
        if self.peek() != Some(b'>') {
            return self.unexpected("expected '>'");
        }
        self.at += 1;
        let tag = Tag {
            name,
            attrs,
            first: None,
            declares,
        };
        let id = self.add(start, self.at, Part::Element(tag));
        self.open.push(Open {
            id,
            name,
            last: None,
        });
        if empty {
            self.close();
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        attrs: &mut Vec<(&'s str, Cow<'s, str>)>,
        seen: &mut HashSet<&'s str>,
    ) -> Parsed<()> {
        let start = self.at;
        let name = self.name("excepted space, or '>' or \"/>\"")?;
        self.skip_space();
        if self.peek() != Some(b'=') {
            return self.unexpected("expected '='");
        }
        self.at += 1;
        self.skip_space();
        let value = self.attribute_value()?;
        if attrs.len() == ATTRS_FEW {
            seen.extend(attrs.iter().map(|(name, _)| *name));
        }
        let doubled = if attrs.len() < ATTRS_FEW {
            attrs.iter().any(|(key, _)| *key == name)
        } else {
            !seen.insert(name)
        };
        if doubled {
            return self.fail(start, format!("Duplicate attribute '{name}'."));
        }
        attrs.push((name, value));
        Ok(())
    }

    fn attribute_value(&mut self) -> Parsed<Cow<'s, str>> {
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            return self.unexpected("in start tag; expected a quote");
        };
        self.at += 1;
        let mut value = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let length = rest
                .bytes()
                .position(|byte| byte == quote || matches!(byte, b'<' | b'&'))
                .unwrap_or(rest.len());
            let chunk = rest.get(..length).unwrap_or_default();
            self.check_chars(self.at, chunk)?;
            self.at += length;
            let chunk = flatten_space(chunk);
            if value.is_empty() {
                value = chunk;
            } else {
                value.to_mut().push_str(&chunk);
            }
            match self.peek() {
                Some(b'&') => {
                    let c = self.reference()?;
                    value.to_mut().push(c);
                }
                Some(b'<') => return self.unexpected("not allowed in attribute value"),
                None => return self.fail(self.at, "Unexpected EOF in attribute value"),
                Some(_) => break,
            }
        }
        self.at += 1;
        Ok(value)
    }

    // ---- namespaces -------------------------------------------------------------------------------------------------

    fn check_prefixes(
        &self,
        start: usize,
        name: &'s str,
        attrs: &[(&'s str, Cow<'s, str>)],
    ) -> Parsed<()> {
        for name in attrs.iter().map(|(name, _)| *name).chain([name]) {
            let Some(prefix) = prefix(name) else { continue };
            let bound =
                prefix == "xmlns" || is_known_prefix(prefix) || self.declared.contains_key(prefix);
            if !bound {
                return self.fail(start, format!("Unbound namespace prefix \"{prefix}\""));
            }
        }
        Ok(())
    }

    fn declare(&mut self, attrs: &[(&'s str, Cow<'s, str>)], scope: Scope) {
        let prefixes = attrs
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("xmlns:"));
        for prefix in prefixes {
            let count = self.declared.entry(prefix).or_insert(0);
            match scope {
                Scope::Enter => *count += 1,
                Scope::Leave if *count > 1 => *count -= 1,
                Scope::Leave => {
                    self.declared.remove(prefix);
                }
            }
        }
    }

    // ---- the growing tree -------------------------------------------------------------------------------------------

    fn add(&mut self, start: usize, end: usize, part: Part<'s>) -> Id {
        let id = self.items.len();
        let (parent, before) = match self.open.last_mut() {
            Some(open) => (Some(open.id), open.last.replace(id)),
            None => (None, self.last.replace(id)),
        };
        match (before, parent) {
            (Some(before), _) => {
                if let Some(item) = self.items.get_mut(before) {
                    item.next = Some(id);
                }
            }
            (None, Some(parent)) => {
                if let Some(Part::Element(tag)) =
                    self.items.get_mut(parent).map(|item| &mut item.part)
                {
                    tag.first = Some(id);
                }
            }
            (None, None) => self.first = Some(id),
        }
        self.items.push(Item {
            id,
            parent,
            start,
            end,
            next: None,
            part,
        });
        id
    }

    /// Closes the innermost open element.
    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let mut declared = Vec::new();
        if let Some(item) = self.items.get_mut(open.id) {
            item.end = self.at;
            if let Part::Element(tag) = &item.part
                && tag.declares
            {
                declared = tag.attrs.clone();
            }
        }
        self.declare(&declared, Scope::Leave);
    }

    // ---- the cursor -------------------------------------------------------------------------------------------------

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(is_space_byte) {
            self.at += 1;
        }
        self.at > start
    }

    fn name(&mut self, expected: &str) -> Parsed<&'s str> {
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return self.unexpected(expected);
        }
        let length = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        self.at += length;
        Ok(rest.get(..length).unwrap_or_default())
    }

    /// The source up to a mark, which is skipped too.
    fn until(&mut self, mark: &str, what: &str) -> Parsed<&'s str> {
        let rest = self.rest();
        match rest.split_once(mark) {
            Some((before, _)) => {
                self.at += before.len() + mark.len();
                Ok(before)
            }
            None => self.fail(self.source.len(), format!("Unexpected EOF in {what}")),
        }
    }

    fn check_chars(&self, start: usize, chunk: &str) -> Parsed<()> {
        // Only these bytes begin characters that XML does not allow.
        let doubtful = |byte: u8| (byte < 0x20 && !is_space_byte(byte)) || byte == 0xef;
        if !chunk.bytes().any(doubtful) {
            return Ok(());
        }
        match chunk.char_indices().find(|(_, c)| !is_char(*c)) {
            None => Ok(()),
            Some((index, c)) => {
                let reason = format!("Illegal character ((CTRL-CHAR, code {}))", u32::from(c));
                self.fail(start + index, reason)
            }
        }
    }

    fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        let reason = match self.rest().chars().next() {
            Some(c) => format!(
                "Unexpected character '{c}' (code {}) {expected}",
                u32::from(c)
            ),
            None => format!("Unexpected EOF {expected}"),
        };
        self.fail(self.at, reason)
    }

    fn fail<T>(&self, at: usize, reason: impl Into<String>) -> Parsed<T> {
        let (line, column) = Positions::new(self.source).at(at);
        Err(Malformed {
            line,
            column,
            reason: reason.into(),
        })
    }
}

#[derive(Clone, Copy)]
enum Scope {
    Enter,
    Leave,
}

/// Line ends as XML sees them.
fn unify_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(unify_lines(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// White space in an attribute value as XML sees it.
fn flatten_space(text: &str) -> Cow<'_, str> {
    if text.contains(['\t', '\n', '\r']) {
        Cow::Owned(unify_lines(text).replace(['\t', '\n'], " "))
    } else {
        Cow::Borrowed(text)
    }
}
