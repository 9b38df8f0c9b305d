//! Fields of forms.

use maud::{Markup, html};

use crate::parts::icons::icon;
use crate::visitor::Visitor;

/// The hidden field that every changing form carries.
pub(crate) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

/// One field of text.
#[derive(Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) value: &'a str,
    /// `text` when empty.
    pub(crate) kind: &'a str,
    pub(crate) hint: &'a str,
    pub(crate) autocomplete: &'a str,
    pub(crate) optional: bool,
    pub(crate) autofocus: bool,
}

impl Field<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let hint_id = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let kind = if self.kind.is_empty() {
            "text"
        } else {
            self.kind
        };
        let autocomplete = if self.autocomplete.is_empty() {
            "off"
        } else {
            self.autocomplete
        };
        html! {
            div.field {
                label for=(self.name) { (self.label) @if self.optional { span.meta { " (optional)" } } }
                input.input #(self.name) name=(self.name) type=(kind) value=(self.value) autocomplete=(autocomplete)
                    required[!self.optional] autofocus[self.autofocus] aria-describedby=[hint_id.as_deref()];
                @if let Some(id) = &hint_id { p.hint #(id) { (self.hint) } }
            }
        }
    }
}

/// What is wrong with the form as a whole, read out at once.
pub(crate) fn wrong(message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            div.notice.danger role="alert" { (icon("warn")) div.grow { (crate::layout::sentence(message)) } }
        }
    }
}

/// A message that something was done.
pub(crate) fn done(message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            div.notice.ok role="status" { (icon("done")) div.grow { (message) } }
        }
    }
}

/// A button alone in a form that changes something.
pub(crate) fn act(
    visitor: &Visitor,
    action: &str,
    label: &str,
    class: &str,
    confirm: Option<&str>,
) -> Markup {
    html! {
        form.inline action=(action) method="post" data-confirm=[confirm] {
            (csrf(visitor))
            button.{ "button " (class) } type="submit" { (label) }
        }
    }
}
