//! A tree of foreign HTML as browsers build it: html5ever's tree builder with a sink of our own, and a guard before it. The builder
//! looks through its stack of open elements at every tag; the guard keeps that stack short, so that time stays linear.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};
use html5ever::tree_builder::TreeBuilder;
use html5ever::{Attribute, ExpandedName, LocalName, QualName, TokenizerResult, local_name, ns};

use crate::limits::DEPTH_MAX;

/// An element, or the document itself (without a name), or a comment (without a name and without children).
pub(super) struct Dom {
    name: QualName,
    attributes: Vec<(String, String)>,
    children: RefCell<Vec<Child>>,
    parent: RefCell<Weak<Dom>>,
    depth: Cell<usize>,
}

/// A child of an element.
#[derive(Clone)]
pub(super) enum Child {
    Element(Rc<Dom>),
    Text(StrTendril),
}

impl Dom {
    pub(super) fn name(&self) -> &str {
        &self.name.local
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    pub(super) fn children(&self) -> Vec<Child> {
        self.children.borrow().clone()
    }

    /// The first child element with this name.
    pub(super) fn child(&self, name: &str) -> Option<Rc<Dom>> {
        self.children.borrow().iter().find_map(|child| match child {
            Child::Element(element) if element.name() == name => Some(element.clone()),
            _ => None,
        })
    }

    /// All text inside.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.collect_text(&mut out);
        out
    }

    fn collect_text(&self, out: &mut String) {
        for child in self.children.borrow().iter() {
            match child {
                Child::Text(text) => out.push_str(text),
                Child::Element(element) if element.name() == "br" => out.push('\n'),
                Child::Element(element) => element.collect_text(out),
            }
        }
    }
}

/// Reads a page or a fragment.
pub(super) fn read(source: &str) -> Rc<Dom> {
    let tokenizer = Tokenizer::new(
        Guard {
            builder: TreeBuilder::new(Sink::new(), Default::default()),
            code: Cell::new(Code::None),
        },
        Default::default(),
    );
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(source));
    while let TokenizerResult::Script(_) = tokenizer.feed(&input) {}
    tokenizer.end();
    tokenizer.sink.builder.sink.finish()
}

/// Drops start tags that would nest too deep, and takes from formatting elements what would make browsers repeat them without end.
struct Guard {
    builder: TreeBuilder<Rc<Dom>, Sink>,
    code: Cell<Code>,
}

/// Where a block of code begins: its `code` alone keeps its attributes, since they name the language, and is closed with the block.
#[derive(Clone, Copy, PartialEq)]
enum Code {
    None,
    AfterPre,
    Open,
}

impl TokenSink for Guard {
    type Handle = Rc<Dom>;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Rc<Dom>> {
        let depth = &self.builder.sink.depth;
        match token {
            Token::TagToken(tag)
                if tag.kind == TagKind::StartTag && depth.get() >= DEPTH_MAX && !is_void(&tag) =>
            {
                TokenSinkResult::Continue
            }
            Token::TagToken(tag) => {
                if tag.kind == TagKind::EndTag {
                    depth.set(depth.get().saturating_sub(1));
                }
                let tag = self.watch_code(tag, line);
                self.builder.process_token(Token::TagToken(tag), line)
            }
            token => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Guard {
    fn watch_code(&self, tag: Tag, line: u64) -> Tag {
        let code = self.code.get();
        let is_start = tag.kind == TagKind::StartTag;
        match &*tag.name {
            "pre" if is_start && code == Code::None => self.code.set(Code::AfterPre),
            "code" if is_start && code == Code::AfterPre => {
                self.code.set(Code::Open);
                return tag;
            }
            "code" if !is_start => self.code.set(Code::None),
            "pre" if !is_start && code == Code::Open => {
                self.code.set(Code::None);
                let close = Tag {
                    name: local_name!("code"),
                    ..tag.clone()
                };
                let _ = self.builder.process_token(Token::TagToken(close), line);
            }
            _ if code == Code::AfterPre => self.code.set(Code::None),
            _ => {}
        }
        tame(tag)
    }
}

fn is_void(tag: &Tag) -> bool {
    matches!(
        &*tag.name,
        "br" | "hr" | "img" | "input" | "col" | "wbr" | "meta" | "link"
    )
}

/// Browsers open formatting elements again in every block until they are closed; equal ones at most three times. Without attributes all of a
/// name are equal. `font`, and `b` that is not bold (as some editors put around everything), become `span`.
fn tame(mut tag: Tag) -> Tag {
    let not_bold = |tag: &Tag| {
        tag.attrs
            .iter()
            .any(|a| &*a.name.local == "style" && a.value.contains("font-weight:normal"))
    };
    match &*tag.name {
        "font" | "nobr" => tag.name = local_name!("span"),
        "b" if not_bold(&tag) => tag.name = local_name!("span"),
        "b" | "big" | "code" | "em" | "i" | "s" | "small" | "strike" | "strong" | "tt" | "u" => {
            tag.attrs.clear()
        }
        _ => {}
    }
    tag
}

/// Keeps what the tree builder builds.
struct Sink {
    document: Rc<Dom>,
    /// Depth of the place where the builder works.
    depth: Cell<usize>,
}

impl Sink {
    fn new() -> Self {
        Sink {
            document: new_node(QualName::new(None, ns!(), LocalName::from("")), Vec::new()),
            depth: Cell::new(0),
        }
    }

    fn place(&self, parent: &Rc<Dom>, child: &Rc<Dom>) {
        let depth = parent.depth.get() + 1;
        child.depth.set(depth);
        self.depth.set(depth);
        *child.parent.borrow_mut() = Rc::downgrade(parent);
    }

    fn insert_text(&self, parent: &Rc<Dom>, at: usize, text: StrTendril) {
        self.depth.set(parent.depth.get());
        let mut children = parent.children.borrow_mut();
        match at
            .checked_sub(1)
            .and_then(|before| children.get_mut(before))
        {
            Some(Child::Text(before)) => before.push_tendril(&text),
            _ => children.insert(at, Child::Text(text)),
        }
    }
}

fn new_node(name: QualName, attributes: Vec<(String, String)>) -> Rc<Dom> {
    Rc::new(Dom {
        name,
        attributes,
        children: RefCell::default(),
        parent: RefCell::default(),
        depth: Cell::new(0),
    })
}

/// The parent and the place in it; searched from the end, where the builder works.
fn place_of(node: &Rc<Dom>) -> Option<(Rc<Dom>, usize)> {
    let parent = node.parent.borrow().upgrade()?;
    let at =
        parent.children.borrow().iter().rposition(
            |child| matches!(child, Child::Element(element) if Rc::ptr_eq(element, node)),
        );
    at.map(|at| (parent, at))
}

impl TreeSink for Sink {
    type Handle = Rc<Dom>;
    type Output = Rc<Dom>;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Rc<Dom> {
        self.document
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Dom> {
        self.document.clone()
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Dom>) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Rc<Dom> {
        let attributes = attrs.into_iter().map(|attribute| {
            (
                attribute.name.local.to_string(),
                attribute.value.to_string(),
            )
        });
        new_node(name, attributes.collect())
    }

    fn create_comment(&self, _: StrTendril) -> Rc<Dom> {
        new_node(QualName::new(None, ns!(), LocalName::from("")), Vec::new())
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> Rc<Dom> {
        self.create_comment(data)
    }

    fn append(&self, parent: &Rc<Dom>, child: NodeOrText<Rc<Dom>>) {
        match child {
            NodeOrText::AppendNode(node) => {
                self.place(parent, &node);
                parent.children.borrow_mut().push(Child::Element(node));
            }
            NodeOrText::AppendText(text) => {
                let end = parent.children.borrow().len();
                self.insert_text(parent, end, text);
            }
        }
    }

    fn append_based_on_parent_node(
        &self,
        element: &Rc<Dom>,
        before: &Rc<Dom>,
        child: NodeOrText<Rc<Dom>>,
    ) {
        if place_of(element).is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &Rc<Dom>) {
        self.depth.set(node.depth.get().saturating_sub(1));
    }

    fn get_template_contents(&self, target: &Rc<Dom>) -> Rc<Dom> {
        target.clone()
    }

    fn same_node(&self, x: &Rc<Dom>, y: &Rc<Dom>) -> bool {
        Rc::ptr_eq(x, y)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Rc<Dom>, new: NodeOrText<Rc<Dom>>) {
        if let NodeOrText::AppendNode(node) = &new {
            self.remove_from_parent(node);
        }
        let Some((parent, at)) = place_of(sibling) else {
            return;
        };
        match new {
            NodeOrText::AppendNode(node) => {
                self.place(&parent, &node);
                parent
                    .children
                    .borrow_mut()
                    .insert(at, Child::Element(node));
            }
            NodeOrText::AppendText(text) => self.insert_text(&parent, at, text),
        }
    }

    fn add_attrs_if_missing(&self, _: &Rc<Dom>, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Rc<Dom>) {
        if let Some((parent, at)) = place_of(target) {
            parent.children.borrow_mut().remove(at);
            *target.parent.borrow_mut() = Weak::new();
        }
    }

    fn reparent_children(&self, node: &Rc<Dom>, new_parent: &Rc<Dom>) {
        let moved = std::mem::take(&mut *node.children.borrow_mut());
        for child in &moved {
            if let Child::Element(element) = child {
                self.place(new_parent, element);
            }
        }
        new_parent.children.borrow_mut().extend(moved);
    }
}
