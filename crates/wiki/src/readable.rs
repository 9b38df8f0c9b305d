//! The stored body as a document, whatever it is: people must be able to read and mend what an old export brought.

use document::{Document, StorageFormat};

/// The document of a stored body. A body that is not well-formed, which only an import can bring, becomes its own source in a code
/// block that says why; the stored text stays as it is.
pub fn readable(storage: &str) -> Document {
    match StorageFormat::parse(storage) {
        Ok((document, _)) => document,
        Err(malformed) => as_source(storage, &malformed.to_string()),
    }
}

fn as_source(storage: &str, reason: &str) -> Document {
    let source = printable(storage).replace("]]>", "]]]]><![CDATA[>");
    let title = printable(reason)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let block = format!(
        "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"title\">This body is not well-formed, so its source is shown: {title}</ac:parameter><ac:plain-text-body><![CDATA[{source}]]></ac:plain-text-body></ac:structured-macro>"
    );
    StorageFormat::parse(&block)
        .map_or_else(|_| Document::new(Vec::new()), |(document, _)| document)
}

/// Without the characters that no XML may hold.
fn printable(text: &str) -> String {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\u{fffd}' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use document::PlainText;

    #[test]
    fn a_body_that_is_not_well_formed_is_shown_as_its_source() {
        for body in [
            "<p>R&D</p>",
            "<p>open <b>",
            "a ]]> b <![CDATA[ ]]> &nbsp;",
            "bell \u{7} and \u{ffff} & more",
            "h1. wiki & markup {code}<b>{code}",
        ] {
            let text = PlainText::write(&readable(body));
            for word in printable(body).split_whitespace() {
                assert!(text.contains(word), "`{word}` of {body:?} in {text:?}");
            }
            assert!(text.contains("not well-formed"), "{text:?}");
        }
    }

    #[test]
    fn a_good_body_is_itself() {
        let document = readable("<p>one</p>");
        assert_eq!(StorageFormat::write(&document), "<p>one</p>");
    }
}
