//! Which addresses may stand in a page.

/// Schemes that a link may have. None of them runs anything in the page.
const LINK_SCHEMES: &[&str] = &[
    "http", "https", "mailto", "tel", "ftp", "sftp", "sip", "sips", "xmpp", "irc", "news", "callto",
];
const IMAGE_SCHEMES: &[&str] = &["http", "https"];
const DATA_IMAGES: &[&str] = &[
    "data:image/png;base64,",
    "data:image/gif;base64,",
    "data:image/jpeg;base64,",
    "data:image/webp;base64,",
];

/// The address as it may stand in `href`: relative, or with a scheme of the list.
pub(super) fn link(address: &str) -> Option<String> {
    let address = as_browsers_read(address);
    match scheme(&address) {
        Scheme::None => Some(address),
        Scheme::Named(name) if LINK_SCHEMES.contains(&name.as_str()) => Some(address),
        _ => None,
    }
}

/// The address as it may stand in `src` of an image.
pub(super) fn image(address: &str) -> Option<String> {
    let address = as_browsers_read(address);
    match scheme(&address) {
        Scheme::None => Some(address),
        Scheme::Named(name) if IMAGE_SCHEMES.contains(&name.as_str()) => Some(address),
        Scheme::Named(name) if name == "data" => is_data_image(&address).then_some(address),
        _ => None,
    }
}

/// Whether the address leads to another host.
pub(super) fn is_external(address: &str) -> bool {
    let lower = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    lower.starts_with("http:") || lower.starts_with("https:") || lower.starts_with("//")
}

enum Scheme {
    None,
    Named(String),
    /// A colon where a scheme would end, but no scheme that the standard allows: refused, since programs disagree about it.
    Odd,
}

fn scheme(address: &str) -> Scheme {
    let head = address
        .split(['/', '?', '#', '\\'])
        .next()
        .unwrap_or_default();
    let Some((name, _)) = head.split_once(':') else {
        return Scheme::None;
    };
    let regular = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if regular {
        Scheme::Named(name.to_ascii_lowercase())
    } else {
        Scheme::Odd
    }
}

/// Browsers drop tabs and line ends anywhere and blanks and controls at both ends before they look for a scheme; so do we, and drop
/// all other controls and invisible format characters before the colon could hide behind them. Blanks inside become `%20`.
fn as_browsers_read(address: &str) -> String {
    let trimmed = address.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    let mut out = String::with_capacity(trimmed.len());
    for character in trimmed.chars() {
        match character {
            c if c.is_control() => {}
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{ad}' => {}
            ' ' => out.push_str("%20"),
            c => out.push(c),
        }
    }
    out
}

fn is_data_image(address: &str) -> bool {
    DATA_IMAGES.iter().any(|prefix| {
        address
            .get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            && address.get(prefix.len()..).is_some_and(|data| {
                data.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_schemes_and_relative_addresses_pass() {
        let kept = [
            "https://example.org/a?b#c",
            "HTTP://EXAMPLE.ORG",
            "//example.org",
            "/display/K/T",
            "a/b:c",
            "#top",
            "?a=b:c",
            "",
            "mailto:a@b.c",
            "tel:+49",
            "page.html",
            "%6aavascript%3aalert(1)",
        ];
        for address in kept {
            assert_eq!(link(address).as_deref(), Some(address));
        }
        let refused = [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "java\tscript:x",
            "\u{1}javascript:x",
            "java\u{0}script:x",
            "javascript\u{200b}:x",
            "\u{feff}javascript:x",
            "javascript&colon;:x",
            "vbscript:x",
            "data:text/html,x",
            "data:image/png;base64,AA",
            "blob:x",
            "file:///etc/passwd",
            "view-source:x",
            "about:blank",
            "jar:x",
            "filesystem:x",
            "ms-word:x",
            "1:x",
            "a b:c",
            "\u{a0}javascript:x",
            "intent:x",
        ];
        for address in refused {
            assert_eq!(link(address), None, "{address:?}");
        }
    }

    #[test]
    fn data_images_only_in_four_formats() {
        assert!(image("data:image/png;base64,iVBORw0KGgo=").is_some());
        for address in [
            "data:image/svg+xml;base64,AAAA",
            "data:image/png,<svg onload=1>",
            "data:text/html;base64,AA==",
            "data:image/png;base64,AA\" onerror=x",
            "javascript:x",
            "mailto:x",
        ] {
            assert_eq!(image(address), None, "{address:?}");
        }
    }
}
