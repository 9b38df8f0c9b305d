//! `exportDescriptor.properties`: what kind of export this is, who wrote it and in which time zone.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

/// The descriptor; every field may be missing, very old exports have five keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Descriptor {
    values: BTreeMap<String, String>,
}

impl Descriptor {
    /// Reads Java properties. Lines that are none are left out.
    pub(crate) fn parse(bytes: &[u8]) -> Descriptor {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        };
        let mut values = BTreeMap::new();
        for line in logical_lines(&text) {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = split_pair(line);
            values.insert(unescape(key), unescape(value));
        }
        Descriptor { values }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The space key of a space export.
    pub(crate) fn space_key(&self) -> Option<&str> {
        self.get("spaceKey")
    }

    /// The group that stands for all users.
    pub(crate) fn users_group(&self) -> &str {
        self.get("defaultUsersGroup").unwrap_or("confluence-users")
    }

    /// The zone of all times in the export, and a complaint if the named one is unknown.
    pub(crate) fn time_zone(&self) -> (TimeZone, Option<String>) {
        let Some(name) = self.get("timezoneId") else {
            return (TimeZone::UTC, None);
        };
        match TimeZone::get(name).ok().or_else(|| fixed_offset(name)) {
            Some(zone) => (zone, None),
            None => (
                TimeZone::UTC,
                Some(format!("time zone `{name}` is unknown, UTC is used")),
            ),
        }
    }
}

/// `GMT+02:00`, `UTC-3`: the spelling of Java for zones without a name.
fn fixed_offset(name: &str) -> Option<TimeZone> {
    let rest = ["GMT", "UTC", "UT"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    jiff::tz::Offset::from_seconds(sign * seconds)
        .ok()
        .map(TimeZone::fixed)
}

/// A line that ends in an odd number of backslashes goes on in the next one.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut continued = false;
    for line in text.lines() {
        let slashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
        let goes_on = slashes % 2 == 1;
        let part = if goes_on {
            &line[..line.len() - 1]
        } else {
            line
        };
        match lines.last_mut() {
            Some(last) if continued => last.push_str(part.trim_start()),
            _ => lines.push(part.to_owned()),
        }
        continued = goes_on;
    }
    lines
}

fn split_pair(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        if !escaped && (character == '=' || character == ':' || character.is_whitespace()) {
            let value = line[at..].trim_start();
            let value = value.strip_prefix(['=', ':']).unwrap_or(value);
            return (&line[..at], value.trim_start());
        }
        escaped = character == '\\' && !escaped;
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xFFFD));
                    continue;
                }
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_properties_are_read_with_escapes_and_continued_lines() {
        let text = b"#Mon Oct 14\n! no\nspaceKey=OPSA\nname = \\u00c4\\uD83D\\uDE00 b\\=c\nao.list=one, \\\n   two\nempty=\nkey\\ with : value\nbuildNumber 9012\n";
        let read = Descriptor::parse(text);
        assert_eq!(read.space_key(), Some("OPSA"));
        assert_eq!(read.get("name"), Some("Ä😀 b=c"));
        assert_eq!(read.get("ao.list"), Some("one, two"));
        assert_eq!(read.get("empty"), None);
        assert_eq!(read.get("key with"), Some("value"));
        assert_eq!(read.get("buildNumber"), Some("9012"));
        assert_eq!(read.users_group(), "confluence-users");
    }

    #[test]
    fn the_zone_is_the_named_one_else_utc_with_a_complaint() {
        let zone = |text: &str| Descriptor::parse(text.as_bytes()).time_zone();
        assert_eq!(
            zone("timezoneId=Europe/Berlin").0.iana_name(),
            Some("Europe/Berlin")
        );
        assert_eq!(zone("").0, TimeZone::UTC);
        assert!(zone("").1.is_none());
        assert!(zone("timezoneId=GMT+02\\:00").1.is_none());
        assert!(zone("timezoneId=Mars/Olympus").1.is_some());
    }
}
