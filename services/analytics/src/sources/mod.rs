//! Where numbers come from that are no events: files, other systems, the platform's own services. What they tell becomes
//! facts by day, orders and deals.

pub mod deals;
pub mod facts;
pub mod orders;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One load of one source. What a load brings replaces what earlier loads of the source brought of the same thing; parts
/// of the same load are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// The source.
    pub source_id: Uuid,
    /// The load: new for every one.
    pub load_id: Uuid,
    /// When it is loaded.
    pub at: DateTime<Utc>,
}
