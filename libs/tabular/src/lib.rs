//! Tables that clients upload: CSV in any encoding, packed or not, cut into pieces of whole rows as it comes. Nothing is
//! held but the row at hand and one piece.
#![warn(missing_docs)]

mod blanks;
mod splitter;
mod text;
mod upload;

pub use blanks::Blanks;
pub use splitter::{Piece, Splitter, cells};
pub use text::Text;
pub use upload::{File, delimiter, too_large};
