//! Counting what the test runners say: cargo, node's runner and the browser runner each close with lines of their own.

/// Tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// One check that either holds or does not.
    pub(crate) fn check(holds: bool) -> Tally {
        Tally {
            passed: u64::from(holds),
            failed: u64::from(!holds),
        }
    }

    /// Takes in one line of a runner's output.
    pub(crate) fn see(&mut self, line: &str) {
        let line = strip_colours(line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result:") {
            self.passed += number_before(rest, " passed");
            self.failed += number_before(rest, " failed");
        } else if let Some(count) = line
            .strip_prefix("# pass ")
            .or_else(|| line.strip_prefix("ℹ pass "))
        {
            self.passed += count.trim().parse().unwrap_or(0);
        } else if let Some(count) = line
            .strip_prefix("# fail ")
            .or_else(|| line.strip_prefix("ℹ fail "))
        {
            self.failed += count.trim().parse().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("browser tests:") {
            self.passed += number_before(rest, " passed");
            self.failed += number_before(rest, " failed");
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let Some(end) = text.find(word) else { return 0 };
    let digits: String = text[..end]
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect();
    digits
        .chars()
        .rev()
        .collect::<String>()
        .parse()
        .unwrap_or(0)
}

fn strip_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], passed: u64, failed: u64) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.see(line));
        assert_eq!(tally, Tally { passed, failed });
    }

    #[test]
    fn counts_the_closing_lines_of_each_runner() {
        check(
            &["test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured"],
            12,
            0,
        );
        check(
            &[
                "test result: FAILED. 3 passed; 2 failed; 0 ignored",
                "test result: ok. 1 passed; 0 failed",
            ],
            4,
            2,
        );
        check(&["# tests 9", "# pass 7", "# fail 2"], 7, 2);
        check(&["\u{1b}[34mℹ pass 4\u{1b}[39m", "ℹ fail 0"], 4, 0);
        check(&["browser tests: 31 passed, 1 failed"], 31, 1);
        check(&["nothing to see, 5 passed by"], 0, 0);
    }
}
