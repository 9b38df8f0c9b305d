//! Numbered rules of `docs/spec/` and the tests that name them.

use std::collections::BTreeSet;

use super::tree::{File, Tree};

/// Rules that no test names, one line each.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let specified: Vec<(&str, &str)> = tree
        .ending(&[".md"])
        .filter(|file| file.path.starts_with("docs/spec/"))
        .flat_map(|file| {
            file.text
                .lines()
                .filter_map(defined)
                .map(|rule| (file.path.as_str(), rule))
        })
        .collect();
    let named: BTreeSet<&str> = tree
        .ending(&[".rs", ".ts", ".mjs"])
        .flat_map(|file| tests_of(file).flat_map(ids))
        .collect();
    specified
        .into_iter()
        .filter(|(_, rule)| !named.contains(rule))
        .map(|(path, rule)| format!("{path}: no test names [{rule}]"))
        .collect()
}

/// The lines of a file that are tests or say what a test is for.
fn tests_of(file: &File) -> Box<dyn Iterator<Item = &str> + '_> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let whole = file.path.contains("/tests/")
        || ["tests.rs", ".test.ts", ".spec.ts", ".test.mjs"]
            .iter()
            .any(|end| name.ends_with(end));
    if whole {
        Box::new(file.text.lines())
    } else if name.ends_with(".rs") {
        Box::new(rust_tests(&file.text).into_iter())
    } else {
        Box::new(std::iter::empty())
    }
}

/// What stands in a test module, and the comments above test functions.
fn rust_tests(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut comment = Vec::new();
    let mut test_module_next = false;
    let mut lines = text.lines();
    while let Some(line) = lines.by_ref().next() {
        let code = line.trim_start();
        if test_module_next && code.starts_with("mod ") && code.ends_with('{') {
            found.extend(lines);
            break;
        }
        test_module_next = code == "#[cfg(test)]" || test_module_next && code.starts_with("#[");
        if code.starts_with("///") {
            comment.push(line);
        } else if code.starts_with("#[test]") || code.starts_with("#[tokio::test") {
            found.append(&mut comment);
        } else if !code.starts_with("#[") {
            comment.clear();
        }
    }
    found
}

/// The rule that a line defines: the id is the first thing on it, list marks and emphasis aside.
fn defined(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['-', '*', ' ', '#', '|']);
    let rest = line.strip_prefix('[')?;
    let id = &rest[..rest.find(']')?];
    is_id(id).then_some(id)
}

/// All ids in brackets within a text.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next())
        .filter(|id| is_id(id))
}

fn is_id(text: &str) -> bool {
    let Some((letters, digits)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = letters.len() >= 2 && letters.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    is_word && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_an_id_at_the_start_of_a_line() {
        assert_eq!(defined("* **[LOG-7]** append is idempotent"), Some("LOG-7"));
        assert_eq!(defined("as [LOG-7] says"), None);
        assert_eq!(
            ids("x [WIRE-1] y [0] [a-1] [SCAN-12]").collect::<Vec<_>>(),
            vec!["WIRE-1", "SCAN-12"]
        );
    }

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_tests_name_rules() {
        let spec = "- **[AB-1]** one\n- **[AB-2]** two\n- **[AB-3]** three\n- **[AB-4]** four\n";
        let code = "/// [AB-1] code\nfn a() {}\n/// [AB-2] a test\n#[test]\nfn b() {}\n\
            #[cfg(test)]\nmod tests {\n    // [AB-3]\n}\n";
        let files = vec![
            file("docs/spec/a.md", spec),
            file("crates/a/src/lib.rs", code),
            file("frontend/src/a.ts", "// [AB-4]"),
        ];
        let mut tree = Tree { files };
        let missing = |rule: &str| format!("docs/spec/a.md: no test names [{rule}]");
        assert_eq!(check(&tree), [missing("AB-1"), missing("AB-4")]);
        tree.files.push(file("e2e/tests/a.spec.ts", "// [AB-4]"));
        tree.files.push(file("crates/a/tests/a.rs", "// [AB-1]"));
        assert!(check(&tree).is_empty());
    }
}
