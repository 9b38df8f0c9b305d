//! Words of any language, for the index, for queries and for excerpts: runs of letters and digits in lower case without
//! accents; in scripts that write without blanks each character is a word.

use crate::limits::EXCERPT_CHARS;
use crate::search::Fragment;
use std::str::CharIndices;
use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Longer words are not indexed: they are keys and encoded data.
const WORD_BYTES_MAX: usize = 120;

/// What turns text into words.
pub(crate) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// The words of a text with the places they stand at, in bytes.
pub(crate) fn words(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    analyzer()
        .token_stream(text)
        .process(&mut |token| found.push((token.offset_from..token.offset_to, token.text.clone())));
    found
}

/// A piece of a text around the place where most of the wanted words stand, with those words marked. The last wanted word
/// matches the beginnings of words too.
pub(crate) fn excerpt(text: &str, wanted: &[String]) -> Vec<Fragment> {
    let matches: Vec<_> = words(text)
        .into_iter()
        .filter(|(_, word)| is_wanted(word, wanted))
        .map(|(range, _)| range)
        .collect();
    let window = best_window(text, &matches);
    let mut fragments = Vec::new();
    let mut at = window.start;
    if window.start > 0 {
        push(&mut fragments, "… ", false);
    }
    for found in matches
        .iter()
        .filter(|range| range.start >= window.start && range.end <= window.end)
    {
        push(&mut fragments, &text[at..found.start], false);
        push(&mut fragments, &text[found.clone()], true);
        at = found.end;
    }
    push(&mut fragments, &text[at..window.end], false);
    if window.end < text.len() {
        push(&mut fragments, " …", false);
    }
    fragments
}

fn is_wanted(word: &str, wanted: &[String]) -> bool {
    let prefix = wanted
        .last()
        .is_some_and(|last| word.starts_with(last.as_str()));
    prefix || wanted.iter().any(|wanted| wanted == word)
}

/// The stretch of text that starts a little before the match with most matches after it.
fn best_window(text: &str, matches: &[std::ops::Range<usize>]) -> std::ops::Range<usize> {
    let count_from = |start: usize| {
        matches
            .iter()
            .filter(|range| range.start >= start && range.end <= start + EXCERPT_CHARS)
            .count()
    };
    // The first of the best ones; few starts are tried, so that a text full of matches costs little.
    let best = matches
        .iter()
        .take(200)
        .map(|range| range.start)
        .rev()
        .max_by_key(|start| count_from(*start));
    let start = best.unwrap_or(0).saturating_sub(EXCERPT_CHARS / 4);
    let start = blank_near(text, start, |at| at == 0);
    let end = blank_near(text, (start + EXCERPT_CHARS).min(text.len()), |at| {
        at >= text.len()
    });
    start..end.max(start)
}

/// The nearest place at or before this one where a word ends.
fn blank_near(text: &str, at: usize, fine: impl Fn(usize) -> bool) -> usize {
    let mut at = at;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if fine(at) {
        return at;
    }
    let before = &text[..at];
    match before.rfind(char::is_whitespace) {
        Some(blank) if at - blank < 40 => {
            blank + before[blank..].chars().next().map_or(1, char::len_utf8)
        }
        _ => at,
    }
}

fn push(fragments: &mut Vec<Fragment>, text: &str, matched: bool) {
    if text.is_empty() {
        return;
    }
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match fragments.last_mut() {
        Some(last) if last.matched == matched => last.text.push_str(&text),
        _ => fragments.push(Fragment { text, matched }),
    }
}

/// Scripts that write without blanks between words.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '\u{0e00}'..='\u{0eff}')
}

#[derive(Clone, Default)]
struct WordTokenizer {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    chars: std::iter::Peekable<CharIndices<'a>>,
    token: &'a mut Token,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream {
            text,
            chars: text.char_indices().peekable(),
            token: &mut self.token,
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some((start, first)) = self.chars.next() {
            if !first.is_alphanumeric() {
                continue;
            }
            let mut end = start + first.len_utf8();
            if !stands_alone(first) {
                while let Some((at, c)) = self
                    .chars
                    .next_if(|(_, c)| c.is_alphanumeric() && !stands_alone(*c))
                {
                    end = at + c.len_utf8();
                }
            }
            self.token.text.clear();
            self.token.text.push_str(&self.text[start..end]);
            self.token.offset_from = start;
            self.token.offset_to = end;
            self.token.position = self.token.position.wrapping_add(1);
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        words(text).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn words_have_no_case_and_no_accents() {
        assert_eq!(of("Crème-Brûlée, 2nd!"), ["creme", "brulee", "2nd"]);
        assert_eq!(of("東京 tower"), ["東", "京", "tower"]);
    }

    #[test]
    fn an_excerpt_marks_what_matches_and_cuts_at_blanks() {
        let text = format!(
            "{} the Résumé of restarts {}",
            "before ".repeat(100),
            "after ".repeat(100)
        );
        let fragments = excerpt(&text, &["resume".into(), "rest".into()]);
        let marked: Vec<&str> = fragments
            .iter()
            .filter(|f| f.matched)
            .map(|f| f.text.as_str())
            .collect();
        assert_eq!(marked, ["Résumé", "restarts"]);
        let whole: String = fragments.iter().map(|f| f.text.as_str()).collect();
        assert!(
            whole.starts_with("… before") && whole.ends_with("after  …"),
            "{whole}"
        );
        assert!(whole.len() < 300, "{whole}");
    }

    #[test]
    fn an_excerpt_of_any_text_is_cut_between_characters() {
        for text in ["", "ü", &"ü".repeat(1000), &"東".repeat(1000)] {
            let whole: String = excerpt(text, &["東".into()])
                .into_iter()
                .map(|f| f.text)
                .collect();
            assert!(whole.len() <= EXCERPT_CHARS + 20);
        }
    }
}
