//! No file over 1,000 lines, no function over 70. Flat tables of data are not code and do not count.

use super::tree::{File, Tree};

const FILE_LINES_MAX: usize = 1_000;
const FUNCTION_LINES_MAX: usize = 70;
const CODE: &[&str] = &[".rs", ".ts", ".mjs", ".css", ".sql"];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut offences = Vec::new();
    for file in tree.ending(CODE) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            offences.push(format!(
                "{}: {lines} lines; at most {FILE_LINES_MAX}",
                file.path
            ));
        }
        offences.extend(long_functions(file));
    }
    offences
}

/// Relies on the formatter: a function ends at the first line that closes a brace at the indentation it began with.
fn long_functions(file: &File) -> Vec<String> {
    let starts: fn(&str) -> Option<&str> = if file.path.ends_with(".rs") {
        rust_function
    } else if file.path.ends_with(".ts") || file.path.ends_with(".mjs") {
        script_function
    } else {
        return Vec::new();
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let mut offences = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = starts(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let length = lines[index..]
            .iter()
            .position(|end| {
                end.strip_prefix(indent)
                    .is_some_and(|rest| rest.starts_with('}'))
            })
            .map_or(1, |end| end + 1);
        // A declaration without a body closes nothing of its own: its first line ends with a semicolon.
        if length > FUNCTION_LINES_MAX && !line.trim_end().ends_with(';') {
            offences.push(format!(
                "{}: `{name}` has {length} lines; at most {FUNCTION_LINES_MAX}",
                file.path
            ));
        }
    }
    offences
}

fn rust_function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        let word_end = rest.find([' ', '('])?;
        match &rest[..word_end] {
            "fn" => return rest[3..].split(['(', '<']).next(),
            "const" | "async" | "unsafe" | "extern" => rest = rest[word_end..].trim_start(),
            "pub" if rest.starts_with("pub(") => rest = rest[rest.find(')')? + 1..].trim_start(),
            "pub" => rest = rest[word_end..].trim_start(),
            _ => return None,
        }
    }
}

fn script_function(line: &str) -> Option<&str> {
    let rest = line.trim_start();
    let rest = rest.strip_prefix("export ").unwrap_or(rest);
    let rest = rest.strip_prefix("default ").unwrap_or(rest);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    if let Some(rest) = rest.strip_prefix("function ") {
        return rest.split('(').next();
    }
    let rest = rest
        .strip_prefix("const ")
        .or_else(|| rest.strip_prefix("private "))?;
    let is_function = line.trim_end().ends_with("=> {") || line.trim_end().ends_with(") {");
    is_function
        .then(|| rest.split([' ', '(', ':']).next())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<&str>) {
        assert_eq!(rust_function(line), expect, "{line}");
    }

    #[test]
    fn finds_where_functions_begin() {
        check("    pub(crate) async fn push<T>(x: T) {", Some("push"));
        check("fn main() {", Some("main"));
        check("let fn_count = 3;", None);
        check("// fn in a comment", None);
    }

    #[test]
    fn a_function_over_the_limit_is_an_offence() {
        let body = "    step();\n".repeat(FUNCTION_LINES_MAX);
        let file = File {
            path: "a.rs".into(),
            text: format!("fn long() {{\n{body}}}\nfn short() {{\n}}\n"),
        };
        assert_eq!(
            long_functions(&file),
            vec![format!(
                "a.rs: `long` has {} lines; at most 70",
                FUNCTION_LINES_MAX + 2
            )]
        );
    }
}
