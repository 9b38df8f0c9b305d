//! Times as people read them. Absolute, so that a page can be kept and is still right tomorrow.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// `12 Mar 2024`, with the exact time in UTC as a title.
pub(crate) fn day(ms: i64) -> Markup {
    let Some((iso, short, long)) = forms(ms) else {
        return html! {};
    };
    html! { time datetime=(iso) title=(long) { (short) } }
}

/// `12 Mar 2024, 14:05`.
pub(crate) fn minute(ms: i64) -> Markup {
    let Some((iso, _, long)) = forms(ms) else {
        return html! {};
    };
    html! { time datetime=(iso) title=(long) { (long.trim_end_matches(" UTC")) } }
}

/// The date of a blog post, `yyyy-mm-dd`, as `12 Mar 2024`.
pub(crate) fn posted(date: &str) -> Markup {
    let Ok(parsed) = date.parse::<jiff::civil::Date>() else {
        return html! { (date) };
    };
    html! { time datetime=(date) { (parsed.strftime("%-d %b %Y").to_string()) } }
}

fn forms(ms: i64) -> Option<(String, String, String)> {
    let at = Timestamp::from_millisecond(ms).ok()?;
    let utc = at.to_zoned(TimeZone::UTC);
    let iso = utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Some((
        iso,
        utc.strftime("%-d %b %Y").to_string(),
        utc.strftime("%-d %b %Y, %H:%M UTC").to_string(),
    ))
}

/// Bytes as people read them.
pub(crate) fn size(bytes: i64) -> String {
    let bytes = bytes.max(0) as f64;
    match bytes {
        b if b < 1000.0 => format!("{b} B"),
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_sizes_read_well() {
        let html = day(1_710_252_300_000).into_string();
        assert!(
            html.contains("12 Mar 2024</time>") && html.contains("2024-03-12T14:05:00Z"),
            "{html}"
        );
        assert!(posted("2023-08-05").into_string().contains("5 Aug 2023"));
        assert_eq!(size(1_234_567), "1.2 MB");
        assert_eq!(size(999), "999 B");
    }
}
