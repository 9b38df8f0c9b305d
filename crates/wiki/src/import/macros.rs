//! Finds the macros of a body without parsing it as a document, so that bodies that are not well-formed are counted too.

/// Macros that the editor knows as what they are; all others are kept as they came.
const TYPED: [&str; 9] = [
    "code", "noformat", "info", "tip", "note", "warning", "panel", "expand", "status",
];

/// Whether the editor knows the macro.
pub(crate) fn is_typed(name: &str) -> bool {
    TYPED.contains(&name) || name == "toc"
}

/// Calls `found` with the name of every macro, those inside macros too, those quoted in CDATA not.
pub(crate) fn each(body: &str, mut found: impl FnMut(&str)) {
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix("<![CDATA[") {
            rest = quoted.find("]]>").map_or("", |end| &quoted[end..]);
            continue;
        }
        let tag_end = rest.find('>').unwrap_or(rest.len());
        let tag = &rest[..tag_end];
        if let Some(attributes) = macro_attributes(tag)
            && let Some(name) = name_of(attributes)
        {
            found(name);
        }
        rest = &rest[tag_end.max(1)..];
    }
}

fn macro_attributes(tag: &str) -> Option<&str> {
    let rest = ["<ac:structured-macro", "<ac:macro"]
        .iter()
        .find_map(|start| tag.strip_prefix(start))?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

fn name_of(attributes: &str) -> Option<&str> {
    let rest = &attributes[attributes.find("ac:name")? + "ac:name".len()..];
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: &[&str]) {
        let mut names = Vec::new();
        each(body, |name| names.push(name.to_owned()));
        assert_eq!(names, expect);
    }

    #[test]
    fn macros_are_found_nested_old_and_new_but_not_in_quotations() {
        check(
            r#"<p><ac:macro ac:name='toc' /></p><ac:structured-macro ac:schema-version="1" ac:name="info"><ac:rich-text-body>
               <ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[<ac:structured-macro ac:name="no">]]></ac:plain-text-body></ac:structured-macro>"#,
            &["toc", "info", "code"],
        );
        check("<", &[]);
        check("<ac:structured-macro ac:name", &[]);
        check("<ac:structured-macros ac:name=\"x\">a<![CDATA[", &[]);
        check("<ä><ac:structured-macro ac:name=\"ä\"", &["ä"]);
    }
}
