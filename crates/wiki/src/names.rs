//! Rules for names and titles: what is accepted, and the form in which two of them are compared.

use crate::error::{Error, Result};
use crate::limits::{
    LABEL_CHARS_MAX, MESSAGE_CHARS_MAX, NAME_CHARS_MAX, SPACE_KEY_CHARS_MAX, TITLE_CHARS_MAX,
};

/// The form in which titles, keys and names are compared: trimmed and in lower case.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// A title as it will be stored.
pub(crate) fn title(text: &str) -> Result<String> {
    line(text, "title", TITLE_CHARS_MAX)
}

/// A name or full name as it will be stored.
pub(crate) fn name(text: &str, what: &str) -> Result<String> {
    line(text, what, NAME_CHARS_MAX)
}

/// A space key: letters and digits, or `~` and an account name.
pub(crate) fn space_key(text: &str) -> Result<String> {
    let key = line(text, "space key", SPACE_KEY_CHARS_MAX)?;
    let good = match key.strip_prefix('~') {
        Some(owner) => !owner.is_empty() && !owner.contains(['/', ' ', '?', '#']),
        None => key.chars().all(|c| c.is_ascii_alphanumeric()),
    };
    if good {
        return Ok(key);
    }
    Err(Error::Invalid(format!(
        "`{key}` cannot be a space key; use letters A-Z and digits"
    )))
}

/// A label: lower case, without blanks and the characters that queries and addresses need.
pub(crate) fn label(text: &str) -> Result<String> {
    let label = fold(text);
    let bad = |c: char| c.is_whitespace() || c.is_control() || "!#&()*,.:;<>?@[]^/\\".contains(c);
    if label.is_empty() || label.contains(bad) || label.chars().count() > LABEL_CHARS_MAX {
        return Err(Error::Invalid(format!(
            "`{}` cannot be a label; use letters, digits, `-` and `_`",
            text.trim()
        )));
    }
    Ok(label)
}

/// A message of a version: one line, cut where it is too long.
pub(crate) fn message(text: &str) -> String {
    let one_line: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    one_line.chars().take(MESSAGE_CHARS_MAX).collect()
}

fn line(text: &str, what: &str, chars_max: usize) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid(format!("the {what} is empty; give one")));
    }
    if text.chars().count() > chars_max {
        return Err(Error::Invalid(format!(
            "the {what} is longer than {chars_max} characters; shorten it"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::Invalid(format!(
            "the {what} contains a control character; remove it"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_letters_and_digits_or_a_person() {
        for good in ["DOC", "a1", "~ann", "~ann@example.org"] {
            assert_eq!(space_key(good).as_deref(), Ok(good));
        }
        for bad in ["", "  ", "A B", "A-B", "~", "Ü", "~a b"] {
            assert!(space_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_are_folded_and_have_no_blanks() {
        assert_eq!(label(" How-To ").as_deref(), Ok("how-to"));
        assert!(label("two words").is_err());
        assert!(label("a,b").is_err());
    }

    #[test]
    fn titles_have_a_length_and_no_control_characters() {
        assert_eq!(title("  A & B ").as_deref(), Ok("A & B"));
        assert!(title(&"x".repeat(256)).is_err());
        assert!(title("a\u{8}b").is_err());
    }
}
