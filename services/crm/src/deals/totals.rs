//! Sums of deals, by currency: amounts of different currencies are not added up.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// What deals are worth together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Total {
    /// The currency (ISO 4217).
    pub currency: String,
    /// The sum of the amounts.
    #[serde(with = "rust_decimal::serde::str")]
    #[schema(value_type = String)]
    pub amount: Decimal,
    /// The sum of the amounts times their probabilities.
    #[serde(with = "rust_decimal::serde::str")]
    #[schema(value_type = String)]
    pub weighted_amount: Decimal,
}

impl Total {
    /// A sum that a statement made; none for deals without an amount.
    pub(crate) fn new(
        currency: Option<String>,
        amount: Option<Decimal>,
        weighted: Option<Decimal>,
    ) -> Option<Self> {
        Some(Self {
            currency: currency?,
            amount: amount?,
            weighted_amount: weighted.unwrap_or_default(),
        })
    }
}
