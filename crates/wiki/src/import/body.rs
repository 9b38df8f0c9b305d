//! The text of content on its way in: what the export did to it is undone, what it holds is counted, and it is packed once.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use sha2::{Digest, Sha256};

use super::macros;
use super::model::PLAIN;

/// Confluence writes every `]]>` of a body as this, because the body itself stands in CDATA.
const GUARD: &str = "]] >";
const CDATA_START: &str = "<![CDATA[";

/// A body, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) storage: String,
    pub(crate) hash: String,
    pub(crate) macros: BTreeMap<String, u64>,
    /// Why it is not well-formed, if it is not. It is kept as it is.
    pub(crate) malformed: Option<String>,
}

impl Body {
    /// Reads the text of a `BodyContent`. `kind` 0 is wiki markup, everything else the storage format.
    pub(crate) fn read(text: &str, kind: i64) -> Body {
        if kind == PLAIN {
            return Body {
                hash: hash(text.as_bytes()),
                macros: BTreeMap::new(),
                malformed: None,
                storage: text.to_owned(),
            };
        }
        let storage = if kind == 0 {
            from_wiki_markup(text)
        } else {
            without_guards(text)
        };
        let mut counted = BTreeMap::new();
        macros::each(&storage, |name| {
            *counted.entry(name.to_owned()).or_insert(0) += 1
        });
        let malformed = well_formed(&storage).err();
        Body {
            hash: hash(storage.as_bytes()),
            macros: counted,
            malformed,
            storage,
        }
    }
}

/// The sha256 of bytes, in hex.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Markup from before the storage format is kept in the macro that Confluence itself used for it.
fn from_wiki_markup(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let quoted = text.replace("]]>", "]]]]><![CDATA[>");
    format!(
        r#"<ac:structured-macro ac:name="unmigrated-wiki-markup" ac:schema-version="1"><ac:plain-text-body><![CDATA[{quoted}]]></ac:plain-text-body></ac:structured-macro>"#
    )
}

/// Undoes the guards. Only the end of a CDATA section can have been one: `a[b[i]] > 3` in a code block has to stay.
pub(crate) fn without_guards(text: &str) -> String {
    if !text.contains(GUARD) {
        return text.to_owned();
    }
    let careful = close_sections(text);
    if well_formed(&careful).is_err() {
        let simple = text.replace(GUARD, "]]>");
        if well_formed(&simple).is_ok() {
            return simple;
        }
    }
    careful
}

fn close_sections(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(CDATA_START) {
        let (before, section) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = section_end(section) else {
            rest = section;
            break;
        };
        out.push_str(&section[..end]);
        let after = &section[end..];
        out.push_str("]]>");
        rest = after
            .strip_prefix(GUARD)
            .or_else(|| after.strip_prefix("]]>"))
            .unwrap_or(after);
    }
    out.push_str(rest);
    out
}

/// Where a section ends: at the first guard that a tag or another section follows, else at the first guard.
fn section_end(section: &str) -> Option<usize> {
    let followed = section.match_indices(GUARD).map(|(at, _)| at).find(|at| {
        let after = &section[at + GUARD.len()..];
        after.starts_with("</") || after.starts_with(CDATA_START)
    });
    let plain = section.find("]]>");
    match (followed, plain) {
        (Some(followed), Some(plain)) => Some(followed.min(plain)),
        (followed, plain) => followed.or(plain).or_else(|| section.find(GUARD)),
    }
}

/// Whether tags, quotes and sections close; the first reason why not.
pub(crate) fn well_formed(text: &str) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: u64 = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                open += 1;
                if let Some(Err(error)) = start.attributes().find(Result::is_err) {
                    return Err(error.to_string());
                }
            }
            Ok(Event::End(_)) => open = open.saturating_sub(1),
            Ok(Event::Empty(start)) => {
                if let Some(Err(error)) = start.attributes().find(Result::is_err) {
                    return Err(error.to_string());
                }
            }
            Ok(Event::DocType(_)) => {
                return Err("a document type declaration is not allowed".to_owned());
            }
            Ok(Event::Eof) if open > 0 => return Err("an element is not closed".to_owned()),
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(guarded: &str, expect: &str) {
        assert_eq!(without_guards(guarded), expect);
    }

    #[test]
    fn guards_are_undone_and_look_alikes_stay() {
        check("<p>a]] >b</p>", "<p>a]] >b</p>");
        check(
            "<ac:x><ac:b><![CDATA[one]] ></ac:b></ac:x><ac:b><![CDATA[]] ></ac:b>",
            "<ac:x><ac:b><![CDATA[one]]></ac:b></ac:x><ac:b><![CDATA[]]></ac:b>",
        );
        check(
            "<ac:b><![CDATA[if (a[b[i]] > 3)]] ></ac:b>",
            "<ac:b><![CDATA[if (a[b[i]] > 3)]]></ac:b>",
        );
        check(
            "<ac:b><![CDATA[x]]]] ><![CDATA[>y]] ></ac:b>",
            "<ac:b><![CDATA[x]]]]><![CDATA[>y]]></ac:b>",
        );
        check(
            "<ac:b><![CDATA[x]] > </ac:b>",
            "<ac:b><![CDATA[x]]> </ac:b>",
        );
        check("<ac:b><![CDATA[never closed", "<ac:b><![CDATA[never closed");
        check(
            "<ac:b><![CDATA[one]]></ac:b><![CDATA[two]] ></p>",
            "<ac:b><![CDATA[one]]></ac:b><![CDATA[two]]></p>",
        );
    }

    #[test]
    fn bodies_that_are_not_well_formed_are_kept_and_say_why() {
        for wrong in [
            "<p>",
            "<p>a</b></p>",
            "</p>",
            "<p><br></p>",
            "a < b",
            "<p x></p>",
            "<p a='1' a='2'/>",
            "<!DOCTYPE x><p/>",
        ] {
            let body = Body::read(wrong, 2);
            assert_eq!(body.storage, wrong);
            assert!(body.malformed.is_some(), "{wrong}");
        }
        for right in [
            "",
            "text",
            "<p>&nbsp;&auml;</p>",
            "<ac:link><ri:page ri:content-title=\"x\" /></ac:link>",
        ] {
            assert_eq!(Body::read(right, 2).malformed, None, "{right}");
        }
    }

    #[test]
    fn wiki_markup_is_wrapped_in_the_macro_for_it() {
        let body = Body::read("h1. Title ]]> x", 0);
        assert_eq!(body.malformed, None);
        assert_eq!(body.macros.get("unmigrated-wiki-markup"), Some(&1));
        assert!(body.storage.contains("h1. Title ]]]]><![CDATA[> x"));
        assert_eq!(Body::read("  ", 0).storage, "");
    }
}
