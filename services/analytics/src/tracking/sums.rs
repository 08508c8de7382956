//! How the events of a batch become counts, as SQL.

use super::known::OTHER;

/// Sums of the rows of `ins` (name, bucket, currency, amount and the dimensions) by name, quarter of an hour and currency: of
/// all (`dim` is ''), and by each dimension of those that have it. A common table expression with this name.
pub(super) fn sums(name: &str) -> String {
    format!(
        "{name} AS MATERIALIZED ( \
           SELECT CASE WHEN GROUPING(source) = 0 THEN 'source' WHEN GROUPING(medium) = 0 THEN 'medium' \
                       WHEN GROUPING(campaign) = 0 THEN 'campaign' WHEN GROUPING(country) = 0 THEN 'country' \
                       WHEN GROUPING(device) = 0 THEN 'device' WHEN GROUPING(path) = 0 THEN 'path' ELSE '' END AS dim, \
                  coalesce(source, medium, campaign, country, device, path, '') AS value, name, bucket, currency, \
                  count(*) AS cnt, sum(amount)::bigint AS amount_minor \
           FROM ( \
             SELECT name, date_bin('15 minutes', ts, '2000-01-01T00:00:00Z') AS bucket, coalesce(currency, '') AS currency, \
                    coalesce(value_minor, 0) AS amount, source, medium, campaign, country, device, path FROM ins \
           ) AS e \
           GROUP BY name, bucket, currency, GROUPING SETS ((), (source), (medium), (campaign), (country), (device), (path)) \
           HAVING GROUPING(source, medium, campaign, country, device, path) = 63 \
               OR coalesce(source, medium, campaign, country, device, path) IS NOT NULL \
         )"
    )
}

/// The rows of `sums` with the values together that are not counted by themselves: those of the parameters `$19` (dimensions)
/// and `$20`. A common table expression named `agg`.
pub(super) fn bounded() -> String {
    format!(
        "agg AS MATERIALIZED ( \
           SELECT s.dim, CASE WHEN o.value IS NOT NULL THEN '{OTHER}' ELSE s.value END AS value, s.name, s.bucket, s.currency, \
                  sum(s.cnt)::bigint AS cnt, sum(s.amount_minor)::bigint AS amount_minor \
           FROM sums AS s LEFT JOIN unnest($19::text[], $20::text[]) AS o (dim, value) ON o.dim = s.dim AND o.value = s.value \
           GROUP BY 1, 2, 3, 4, 5 \
         )"
    )
}
