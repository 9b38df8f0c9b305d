//! Numbered rules of `docs/spec/` and the tests that name them.

use std::collections::BTreeSet;

use super::tree::Tree;

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
        .flat_map(|file| ids(&file.text))
        .collect();
    specified
        .into_iter()
        .filter(|(_, rule)| !named.contains(rule))
        .map(|(path, rule)| format!("{path}: no test names [{rule}]"))
        .collect()
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
}
