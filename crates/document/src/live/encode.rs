//! The primitives of the update format (v1) of Yjs 13, and of lib0's `any` values.

/// Numbers up to this are stored as integers, larger ones as floats.
const INT_MAX: i64 = 0x7fff_ffff;

#[derive(Default)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A number in groups of seven bits, lowest first.
    pub(super) fn uint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.uint(text.len() as u64);
        self.raw(text.as_bytes());
    }

    pub(super) fn any_text(&mut self, text: &str) {
        self.byte(119);
        self.string(text);
    }

    pub(super) fn any_int(&mut self, number: i64) {
        if number.abs() <= INT_MAX {
            self.byte(125);
            self.int(number);
            return;
        }
        let wide = number as f64;
        let narrow = wide as f32;
        if f64::from(narrow) == wide {
            self.byte(124);
            self.raw(&narrow.to_be_bytes());
        } else {
            self.byte(123);
            self.raw(&wide.to_be_bytes());
        }
    }

    /// A signed number: the sign stands in the first byte.
    fn int(&mut self, number: i64) {
        let sign = if number < 0 { 0x40 } else { 0 };
        let mut rest = number.unsigned_abs();
        let more = if rest > 0x3f { 0x80 } else { 0 };
        self.byte((rest & 0x3f) as u8 | sign | more);
        rest >>= 6;
        if more != 0 {
            self.uint(rest);
        }
    }
}
