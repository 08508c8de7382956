//! Texts whose cells stand apart by blanks, as tables in papers and old exports do.

/// Makes one `|` of the blanks between two cells, as the text comes; blanks at the ends of a line go.
#[derive(Debug)]
pub struct Blanks {
    line_began: bool,
    blank: bool,
}

impl Default for Blanks {
    fn default() -> Self {
        Self {
            line_began: true,
            blank: false,
        }
    }
}

impl Blanks {
    /// What the cells stand apart by afterwards.
    pub const DELIMITER: u8 = b'|';

    /// Reads on.
    #[must_use]
    pub fn push(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for &byte in text {
            match byte {
                b' ' | b'\t' => self.blank = true,
                b'\n' | b'\r' => {
                    out.push(byte);
                    *self = Self::default();
                }
                _ => {
                    if self.blank && !self.line_began {
                        out.push(Self::DELIMITER);
                    }
                    (self.blank, self.line_began) = (false, false);
                    out.push(byte);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_cells_become_one_mark_wherever_the_parts_end() {
        let text = b"  00001  19970101   1\t11.77 \r\n00002 a\n";
        for step in [1, 5, 100] {
            let mut blanks = Blanks::default();
            let parts = text.chunks(step).flat_map(|part| blanks.push(part));
            let all = String::from_utf8(parts.collect()).unwrap();
            assert_eq!(all, "00001|19970101|1|11.77\r\n00002|a\n");
        }
    }
}
