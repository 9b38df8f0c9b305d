//! Confluence's named emoticons as characters.

use crate::spelling::Spelling;
use crate::tree::Element;

/// Name in the storage format, character, accessible name.
const EMOTICONS: &[(&str, &str, &str)] = &[
    ("smile", "🙂", "smile"),
    ("sad", "🙁", "sad"),
    ("cheeky", "😛", "cheeky"),
    ("laugh", "😀", "laugh"),
    ("wink", "😉", "wink"),
    ("thumbs-up", "👍", "thumbs up"),
    ("thumbs-down", "👎", "thumbs down"),
    ("information", "ℹ️", "information"),
    ("tick", "✅", "tick"),
    ("cross", "❌", "cross"),
    ("warning", "⚠️", "warning"),
    ("plus", "➕", "plus"),
    ("minus", "➖", "minus"),
    ("question", "❓", "question"),
    ("light-on", "💡", "light on"),
    ("light-off", "🔅", "light off"),
    ("yellow-star", "⭐", "yellow star"),
    ("red-star", "🌟", "red star"),
    ("green-star", "❇️", "green star"),
    ("blue-star", "💠", "blue star"),
    ("heart", "❤️", "heart"),
    ("broken-heart", "💔", "broken heart"),
];

/// Longest fallback that is taken as one character (flags and families are several code points).
const FALLBACK_BYTES_MAX: usize = 40;

/// The character and the accessible name of an emoticon. `fallback` and `short_name` are the attributes of newer content.
fn look(name: &str, fallback: Option<&str>, short_name: Option<&str>) -> (String, String) {
    let spoken = |text: &str| text.trim_matches(':').replace(['_', '-'], " ");
    let fallback = fallback.filter(|text| {
        !text.is_empty()
            && text.len() <= FALLBACK_BYTES_MAX
            && !text
                .chars()
                .any(|c| c.is_ascii_alphanumeric() || c.is_control())
    });
    if let Some(fallback) = fallback {
        return (fallback.to_owned(), spoken(short_name.unwrap_or(name)));
    }
    match EMOTICONS.iter().find(|(known, _, _)| *known == name) {
        Some((_, character, label)) => ((*character).to_owned(), (*label).to_owned()),
        None => (format!(":{name}:"), spoken(name)),
    }
}

/// The look of an emoticon node.
pub(crate) fn of(element: &Element) -> (String, String) {
    let spelling = Spelling::of(&element.attrs);
    look(
        element.text("name").unwrap_or_default(),
        spelling.attribute("ac:emoji-fallback"),
        spelling.attribute("ac:emoji-shortname"),
    )
}
