//! Which style a document may ask for: a list of properties, each with the grammar of its value. Colours become custom properties, so that
//! the style sheet can adapt them to a dark page.

use crate::html::writer::Attributes;

/// The declarations of a `style` attribute that may stay, as attributes: `style`, the classes `fg`, `bg`, and `hidden`.
pub(super) fn apply(source: &str, mut attributes: Attributes) -> Attributes {
    for declaration in source.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim().to_ascii_lowercase();
        let value = value
            .strip_suffix("!important")
            .unwrap_or(&value)
            .trim_end();
        attributes = declare(&property, value, attributes);
    }
    attributes
}

fn declare(property: &str, value: &str, attributes: Attributes) -> Attributes {
    match property {
        "color" => foreground(value, attributes),
        "background-color" | "background" => background(value, attributes),
        "display" if value == "none" => attributes.with("hidden", ""),
        _ if is_allowed(property, value) => attributes.style(&format!("{property}:{value}")),
        _ => attributes,
    }
}

/// A text colour: class `fg` with the custom property `--fg`.
pub(super) fn foreground(value: &str, attributes: Attributes) -> Attributes {
    match color(value) {
        Some(color) => attributes.class("fg").style(&format!("--fg:{color}")),
        None => attributes,
    }
}

/// A background colour: class `bg` with the custom property `--bg`.
pub(super) fn background(value: &str, attributes: Attributes) -> Attributes {
    match color(value) {
        Some(color) => attributes.class("bg").style(&format!("--bg:{color}")),
        None => attributes,
    }
}

fn is_allowed(property: &str, value: &str) -> bool {
    match property {
        "text-align" => one_of(
            value,
            &["left", "right", "center", "justify", "start", "end"],
        ),
        "vertical-align" => one_of(
            value,
            &[
                "top",
                "middle",
                "bottom",
                "baseline",
                "sub",
                "super",
                "text-top",
                "text-bottom",
            ],
        ),
        "width" | "height" | "max-width" | "min-width" => value == "auto" || length(value, 4000.0),
        "margin-left" | "margin-right" | "padding-left" | "text-indent" => length(value, 1000.0),
        "font-weight" => one_of(
            value,
            &[
                "bold", "normal", "100", "200", "300", "400", "500", "600", "700", "800", "900",
            ],
        ),
        "font-style" => one_of(value, &["italic", "normal", "oblique"]),
        "text-decoration" | "text-decoration-line" => {
            one_of(value, &["underline", "line-through", "none"])
        }
        "white-space" => one_of(value, &["normal", "nowrap", "pre", "pre-wrap", "pre-line"]),
        "list-style-type" => {
            one_of(value, &["disc", "circle", "square", "none"])
                || one_of(
                    value,
                    &[
                        "decimal",
                        "lower-alpha",
                        "upper-alpha",
                        "lower-roman",
                        "upper-roman",
                        "lower-latin",
                        "upper-latin",
                    ],
                )
        }
        _ => false,
    }
}

fn one_of(value: &str, list: &[&str]) -> bool {
    list.contains(&value)
}

/// A non-negative length with a unit that cannot grow beyond the page: `30.0px`, `50%`, `1.5em`, `0`.
pub(super) fn length(value: &str, max: f64) -> bool {
    let digits = value
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let Ok(number) = number.parse::<f64>() else {
        return false;
    };
    let limit = match unit {
        "px" | "pt" => max,
        "%" => 100.0,
        "em" | "rem" | "ch" => max / 16.0,
        "" => 0.0,
        _ => return false,
    };
    value.len() <= 16 && number <= limit
}

/// A colour: `#rgb[a]`, `#rrggbb[aa]`, `rgb()`/`rgba()` with plain numbers, or a name made of letters.
pub(super) fn color(value: &str) -> Option<String> {
    let value = value.trim().to_ascii_lowercase();
    if let Some(hex) = value.strip_prefix('#') {
        let fits = matches!(hex.len(), 3 | 4 | 6 | 8) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return fits.then_some(value);
    }
    if let Some(rest) = value
        .strip_prefix("rgba(")
        .or_else(|| value.strip_prefix("rgb("))
    {
        let parts = rest
            .strip_suffix(')')?
            .split(',')
            .map(str::trim)
            .collect::<Vec<_>>();
        let number = |part: &&str| {
            !part.is_empty()
                && part.len() <= 6
                && part
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b == b'.' || b == b'%')
        };
        let fits = matches!(parts.len(), 3 | 4) && parts.iter().all(number);
        return fits.then(|| format!("rgb({})", parts.join(",")));
    }
    let keyword = one_of(
        &value,
        &[
            "inherit",
            "initial",
            "unset",
            "revert",
            "transparent",
            "currentcolor",
            "windowtext",
            "none",
        ],
    );
    let fits = !keyword
        && (3..=20).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_lowercase());
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_the_grammar_are_dropped() {
        for value in [
            "expression(alert(1))",
            "url(x)",
            "red;x",
            "rgb(1,2,3",
            "#12",
            "var(--x)",
            "rgb(1,2,calc(3))",
            "\\72 ed",
            "re/**/d",
        ] {
            assert_eq!(color(value), None, "{value}");
        }
        assert_eq!(color("rgb(255, 0,0)").as_deref(), Some("rgb(255,0,0)"));
        assert_eq!(color("#FFFFCE").as_deref(), Some("#ffffce"));
        assert_eq!(color("Navy").as_deref(), Some("navy"));
        for value in [
            "-5px",
            "1e9px",
            "5001px",
            "101%",
            "12",
            "calc(1px)",
            "1px;x",
            "nan",
            "inf",
        ] {
            assert!(!length(value, 4000.0), "{value}");
        }
        assert!(length("30.0px", 1000.0) && length("0", 1000.0) && length("66.6667%", 1000.0));
    }
}
