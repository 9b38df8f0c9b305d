//! From byte offsets to lines and columns.

/// Finds line and column of ascending offsets in one pass over the source.
pub(crate) struct Positions<'s> {
    rest: &'s str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'s> Positions<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Positions {
            rest: source,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    /// Line and column (in characters, both from 1) of an offset that is not before the one asked for last.
    pub(crate) fn at(&mut self, offset: usize) -> (u32, u32) {
        let ahead = offset.saturating_sub(self.offset).min(self.rest.len());
        for (index, c) in self.rest.char_indices() {
            if index >= ahead {
                break;
            }
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.rest = self.rest.get(ahead..).unwrap_or_default();
        self.offset += ahead;
        (self.line, self.column)
    }
}
