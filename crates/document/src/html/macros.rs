//! What each macro looks like to a reader. Macros that the wiki must fill are asked for through [`Links`](crate::Links); unknown ones
//! keep their place with their name and show their body.

use crate::html::render::{Bare, Renderer, is_small_number};
use crate::html::style;
use crate::html::writer::{Attributes, class, none};
use crate::limits::MACRO_DEPTH_MAX;
use crate::links::Resource;
use crate::source;
use crate::spelling::parameter;
use crate::storage_format::StorageFormat;
use crate::text;
use crate::tree::Node;

/// A macro in the text, typed or preserved.
pub(super) struct Call<'m> {
    pub(super) name: &'m str,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) body: Body<'m>,
    /// The first thing that a parameter points at.
    pub(super) resource: Option<Resource>,
}

/// The body of a macro.
pub(super) enum Body<'m> {
    None,
    Plain(String),
    Blocks(&'m [Node]),
    /// Storage format that was not parsed yet.
    Source(&'m str),
}

impl Call<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        parameter(&self.parameters, name)
    }

    fn is_set(&self, name: &str) -> bool {
        self.parameter(name) == Some("true")
    }
}

/// Whether a macro is written as a block, so that no `<p>` may be around it.
pub(super) fn is_block(
    name: &str,
    has_rich_body: bool,
    has_plain_body: bool,
    is_inline_output: bool,
) -> bool {
    match name {
        "status" | "anchor" | "jira" | "view-file" | "viewpdf" | "viewdoc" | "viewxls"
        | "viewppt" | "profile" | "profile-picture" => false,
        "excerpt" | "multiexcerpt" => !is_inline_output,
        "toc" | "code" | "noformat" => true,
        _ => has_rich_body || has_plain_body || fills_itself(name),
    }
}

/// Macros whose content the wiki makes: pages, lists, searches.
fn fills_itself(name: &str) -> bool {
    matches!(
        name,
        "children"
            | "include"
            | "excerpt-include"
            | "pagetree"
            | "pagetreesearch"
            | "contentbylabel"
            | "detailssummary"
            | "recently-updated"
            | "contributors"
            | "attachments"
            | "gallery"
            | "livesearch"
            | "search"
            | "listlabels"
            | "popular-labels"
            | "blog-posts"
            | "content-by-user"
            | "userlister"
            | "spaces"
            | "spacedetails"
            | "navmap"
            | "index"
            | "tasks-report-macro"
            | "rss"
            | "widget"
            | "multimedia"
            | "change-history"
            | "favpages"
    )
}

impl Renderer<'_> {
    /// Writes a macro.
    pub(super) fn call(&mut self, call: &Call<'_>) {
        match call.name {
            "status" => self.status(&call.parameters),
            "anchor" => self.anchor(call),
            "excerpt" | "details" | "multiexcerpt" if call.is_set("hidden") => {}
            _ if self.phrasing => self.phrasing_call(call),
            "code" | "noformat" => self.code(call),
            "info" | "tip" | "note" | "warning" | "panel" => self.panel(call),
            "expand" | "ui-expand" => self.expand(call),
            "toc" => self
                .outline
                .contents(self.out.position(), call.parameters.clone()),
            "toc-zone" => self.contents_zone(call),
            "section" => self.boxed(class("columns"), call),
            "column" => self.boxed(column(call), call),
            "excerpt" | "details" | "multiexcerpt" => self.body(call),
            "html" | "style" | "script" | "html-include" => self.inert(call),
            "view-file" | "viewpdf" | "viewdoc" | "viewxls" | "viewppt" => self.file(call),
            _ => self.foreign(call),
        }
    }

    /// A macro in the middle of a line that allows no block: what of it can be said there.
    fn phrasing_call(&mut self, call: &Call<'_>) {
        match (&call.body, call.name) {
            (_, "view-file" | "viewpdf" | "viewdoc" | "viewxls" | "viewppt") => self.file(call),
            (Body::Plain(text), _) => self.out.leaf("code", none(), text),
            (Body::Blocks(content), _) => self.out.text(&text::of_blocks(content, usize::MAX / 16)),
            (Body::Source(source), _) => self.out.text(&text::of_source(source)),
            (Body::None, _) => self.placeholder_inline(call),
        }
    }

    pub(super) fn status(&mut self, parameters: &[(String, String)]) {
        let colour = match parameter(parameters, "colour").or(parameter(parameters, "color")) {
            Some("Red") => "status-red",
            Some("Yellow") => "status-yellow",
            Some("Green") => "status-green",
            Some("Blue") => "status-blue",
            Some("Purple") => "status-purple",
            _ => "status-grey",
        };
        let subtle = parameter(parameters, "subtle") == Some("true");
        let attributes = class("status")
            .class(colour)
            .class(if subtle { "subtle" } else { "" });
        let title = parameter(parameters, "title").or(parameter(parameters, "colour"));
        self.out.leaf("span", attributes, title.unwrap_or_default());
    }

    fn anchor(&mut self, call: &Call<'_>) {
        let Some(id) = call
            .parameter("")
            .and_then(|name| self.outline.anchor(name))
        else {
            return;
        };
        self.out.leaf("span", class("anchor").with("id", id), "");
    }

    fn code(&mut self, call: &Call<'_>) {
        let Body::Plain(code) = &call.body else {
            return self.body(call);
        };
        let is_plain = call.name == "noformat";
        let title = call.parameter("title");
        let bare = if call.is_set("nopanel") {
            "code-bare"
        } else {
            ""
        };
        self.out.open(
            "figure",
            class("code")
                .class(if is_plain { "noformat" } else { "" })
                .class(bare),
        );
        let collapsed = call.is_set("collapse");
        if collapsed {
            self.out.open("details", none());
            self.out
                .leaf("summary", none(), title.unwrap_or("Show code"));
        } else if let Some(title) = title {
            self.out.leaf("figcaption", none(), title);
        }
        self.out.open("pre", none().with("tabindex", "0"));
        let language = call
            .parameter("language")
            .filter(|_| !is_plain)
            .and_then(language);
        let language = language
            .map(|name| format!("language-{name}"))
            .unwrap_or_default();
        if call.is_set("linenumbers") {
            self.numbered_code(
                code,
                class(&language).class("numbered"),
                call.parameter("firstline"),
            );
        } else {
            self.out.leaf("code", class(&language), code);
        }
        self.out.close("pre");
        if collapsed {
            self.out.close("details");
        }
        self.out.close("figure");
    }

    /// Code whose lines the style sheet counts, from `--first` on.
    fn numbered_code(&mut self, code: &str, attributes: Attributes, first: Option<&str>) {
        let first = first
            .filter(|first| is_small_number(first))
            .and_then(|first| first.parse::<u32>().ok());
        let before = first.unwrap_or(1).saturating_sub(1);
        self.out
            .open("code", attributes.style(&format!("--first:{before}")));
        for line in code.split_inclusive('\n') {
            self.out.leaf("span", class("line"), line);
        }
        self.out.close("code");
    }

    fn panel(&mut self, call: &Call<'_>) {
        let (kind, name) = match call.name {
            "info" => ("panel-info", "Info"),
            "tip" => ("panel-tip", "Tip"),
            "note" => ("panel-note", "Note"),
            "warning" => ("panel-warning", "Warning"),
            _ => ("panel-plain", "Panel"),
        };
        let title = call.parameter("title");
        let icon = if call.parameter("icon") == Some("false") {
            "no-icon"
        } else {
            ""
        };
        let mut attributes = class("panel").class(kind).class(icon).with("role", "note");
        attributes.set("aria-label", title.unwrap_or(name));
        if call.name == "panel" {
            attributes = panel_colours(call, attributes);
        }
        self.out.open("aside", attributes);
        if let Some(title) = title {
            self.out.leaf("p", class("panel-title"), title);
        }
        self.boxed(class("panel-body"), call);
        self.out.close("aside");
    }

    fn expand(&mut self, call: &Call<'_>) {
        self.out.open("details", class("expand"));
        let title = call.parameter("title").unwrap_or("Click here to expand…");
        self.out.leaf("summary", none(), title);
        self.boxed(class("expand-body"), call);
        self.out.close("details");
    }

    fn contents_zone(&mut self, call: &Call<'_>) {
        let location = call.parameter("location").unwrap_or("both");
        let (top, first) = (self.out.position(), self.outline.headings.len());
        self.body(call);
        if location != "bottom" {
            self.outline
                .contents_since(top, call.parameters.clone(), first);
        }
        if location != "top" {
            self.outline
                .contents_since(self.out.position(), call.parameters.clone(), first);
        }
    }

    fn boxed(&mut self, attributes: Attributes, call: &Call<'_>) {
        self.out.open("div", attributes);
        self.body(call);
        self.out.close("div");
    }

    /// Macros that would put code of their author into the page: the code is shown, never run.
    fn inert(&mut self, call: &Call<'_>) {
        let Body::Plain(code) = &call.body else {
            return self.placeholder(call);
        };
        self.out.open(
            "figure",
            class("code").class("inert").with("data-macro", call.name),
        );
        self.out.leaf(
            "figcaption",
            none(),
            &format!("Macro “{}” is not run; this is its source", call.name),
        );
        self.out.open("pre", none().with("tabindex", "0"));
        self.out.leaf("code", none(), code);
        self.out.close("pre");
        self.out.close("figure");
    }

    fn file(&mut self, call: &Call<'_>) {
        match (&call.resource, call.parameter("name")) {
            (Some(resource @ Resource::Attachment { .. }), _) => {
                self.resource_link(Some(resource), None)
            }
            (_, Some(file)) => {
                let resource = Resource::Attachment {
                    file: file.to_owned(),
                    container: None,
                };
                self.resource_link(Some(&resource), None);
            }
            _ => self.foreign(call),
        }
    }

    fn foreign(&mut self, call: &Call<'_>) {
        match self.links.macro_html(call.name, &call.parameters) {
            Some(html) => self.out.raw(&html),
            None => self.placeholder(call),
        }
    }

    fn placeholder(&mut self, call: &Call<'_>) {
        if matches!(call.body, Body::None) && !fills_itself(call.name) {
            return self.placeholder_inline(call);
        }
        self.out
            .open("div", class("macro").with("data-macro", call.name));
        self.out.open("p", class("macro-name"));
        self.macro_label(call);
        self.out.close("p");
        if !matches!(call.body, Body::None) {
            self.boxed(class("macro-body"), call);
        }
        self.out.close("div");
    }

    fn placeholder_inline(&mut self, call: &Call<'_>) {
        self.out
            .open("span", class("macro").with("data-macro", call.name));
        self.macro_label(call);
        self.out.close("span");
    }

    /// The name of the macro and the parameter that tells most.
    fn macro_label(&mut self, call: &Call<'_>) {
        self.out.leaf("span", class("macro-label"), call.name);
        let telling = [
            "",
            "key",
            "title",
            "name",
            "page",
            "url",
            "cql",
            "jqlQuery",
            "diagramName",
            "label",
        ];
        if let Some(value) = telling.iter().find_map(|name| call.parameter(name)) {
            self.out.text(" ");
            self.out.leaf("span", class("macro-parameter"), value);
        }
    }

    /// The body of a macro as blocks.
    fn body(&mut self, call: &Call<'_>) {
        match &call.body {
            Body::None => {}
            Body::Plain(text) => {
                self.out.open("pre", none().with("tabindex", "0"));
                if text.starts_with('\n') {
                    self.out.text("\n");
                }
                self.out.text(text);
                self.out.close("pre");
            }
            Body::Blocks(content) => self.blocks(content, Bare::Paragraph),
            Body::Source(source) => self.storage(source, Bare::Paragraph),
        }
    }

    /// Storage format inside a preserved source: read again and rendered; as text when that was done too often.
    pub(super) fn storage(&mut self, storage: &str, bare: Bare) {
        if self.macro_depth >= MACRO_DEPTH_MAX || storage.len() > self.reread_bytes {
            self.out.text(&text::of_source(storage));
            return;
        }
        self.macro_depth += 1;
        self.reread_bytes -= storage.len();
        match StorageFormat::parse(storage) {
            Ok((document, _)) => self.blocks(&document.content, bare),
            Err(_) => self.fragment(&source::read(storage)),
        }
        self.macro_depth -= 1;
    }
}

fn column(call: &Call<'_>) -> Attributes {
    let width = call.parameter("width").unwrap_or_default();
    let width = if is_small_number(width) {
        format!("{width}px")
    } else {
        width.to_owned()
    };
    let style = if style::length(&width, 4000.0) {
        format!("width:{width}")
    } else {
        String::new()
    };
    class("column").style(&style)
}

/// Colours of the macro `panel` as custom properties.
fn panel_colours(call: &Call<'_>, mut attributes: Attributes) -> Attributes {
    let colours = [
        ("titleBGColor", "--panel-title-bg"),
        ("titleColor", "--panel-title-fg"),
        ("bgColor", "--panel-bg"),
        ("borderColor", "--panel-border"),
    ];
    let mut coloured = false;
    for (name, property) in colours {
        if let Some(colour) = call.parameter(name).and_then(style::color) {
            attributes = attributes.style(&format!("{property}:{colour}"));
            coloured = true;
        }
    }
    attributes
        .class(if coloured { "coloured" } else { "" })
        .class(match call.parameter("borderStyle") {
            Some("dashed") => "border-dashed",
            Some("dotted") => "border-dotted",
            Some("none") => "border-none",
            _ => "",
        })
}

/// A language as part of a class name.
fn language(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let fits = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'#' | b'-' | b'.'));
    fits.then(|| match name.as_str() {
        "js" => "javascript".to_owned(),
        "py" => "python".to_owned(),
        "c++" => "cpp".to_owned(),
        "c#" => "csharp".to_owned(),
        "sh" | "shell" => "bash".to_owned(),
        "yml" => "yaml".to_owned(),
        "html/xml" => "xml".to_owned(),
        _ => name,
    })
}
