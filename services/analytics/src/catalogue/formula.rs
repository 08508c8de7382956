//! How a metric is made from what is measured.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A formula over sums of measures, never over means: the quotient of two sums is right for every period and every group,
/// the mean of quotients for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schema(no_recursion)]
pub enum Formula {
    /// A measure.
    Measure {
        /// Its name: `cost` of the metric's own dataset, `google-ads:cost` of another.
        measure: String,
        /// Of events: only those with this name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<String>,
    },
    /// The first by the second, times `scale`; null when the second is zero.
    Ratio {
        /// Both.
        ratio: Box<[Formula; 2]>,
        /// 1 when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        scale: Option<Decimal>,
    },
    /// All of them together.
    Sum {
        /// The parts.
        sum: Vec<Formula>,
    },
    /// The first without the second.
    Difference {
        /// Both.
        difference: Box<[Formula; 2]>,
    },
    /// All of them multiplied.
    Product {
        /// The factors.
        product: Vec<Formula>,
    },
    /// The part that a row has in the whole.
    Share {
        /// Of what.
        share: Box<Formula>,
    },
}

impl Formula {
    /// Calls `f` with every measure and event name in it.
    pub fn for_each_leaf<'a>(&'a self, f: &mut impl FnMut(&'a str, Option<&'a str>)) {
        match self {
            Self::Measure { measure, event } => f(measure, event.as_deref()),
            Self::Ratio { ratio: parts, .. } | Self::Difference { difference: parts } => {
                parts.iter().for_each(|part| part.for_each_leaf(f));
            }
            Self::Sum { sum: parts } | Self::Product { product: parts } => {
                parts.iter().for_each(|part| part.for_each_leaf(f));
            }
            Self::Share { share } => share.for_each_leaf(f),
        }
    }

    /// Whether it is more than sums, so that it has none itself.
    #[must_use]
    pub fn is_quotient(&self) -> bool {
        match self {
            Self::Measure { .. } => false,
            Self::Ratio { .. } | Self::Product { .. } | Self::Share { .. } => true,
            Self::Difference { difference } => difference.iter().any(Self::is_quotient),
            Self::Sum { sum } => sum.iter().any(Self::is_quotient),
        }
    }
}
