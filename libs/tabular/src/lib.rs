//! Tables as files. What clients upload: CSV in any encoding, packed or not, cut into pieces of whole rows as it comes, of which
//! nothing is held but the row at hand and one piece. What people open: spreadsheets, written while they are sent.
#![warn(missing_docs)]

mod blanks;
pub mod safe;
mod splitter;
mod text;
mod upload;
mod xlsx;
mod xml;

pub use blanks::Blanks;
pub use splitter::{Piece, Splitter, cells};
pub use text::Text;
pub use upload::{File, delimiter, too_large};
pub use xlsx::{Cell, Format, Xlsx};
