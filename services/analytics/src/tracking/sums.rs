//! The one way in which events become counts, as SQL: ingestion and rebuilding share it, so that both come to the same.

use super::known::OTHER;

/// Sums of the rows of `events` (name, bucket, currency, amount and the dimensions) by name, quarter of an hour and
/// currency: of all (`dim` is ''), and by each dimension of those that have it. A common table expression named `sums`.
pub(crate) fn sums(events: &str) -> String {
    format!(
        "sums AS MATERIALIZED ( \
           SELECT CASE WHEN GROUPING(source) = 0 THEN 'source' WHEN GROUPING(medium) = 0 THEN 'medium' \
                       WHEN GROUPING(campaign) = 0 THEN 'campaign' WHEN GROUPING(country) = 0 THEN 'country' \
                       WHEN GROUPING(device) = 0 THEN 'device' WHEN GROUPING(path) = 0 THEN 'path' ELSE '' END AS dim, \
                  coalesce(source, medium, campaign, country, device, path, '') AS value, name, bucket, currency, \
                  count(*) AS cnt, sum(amount)::bigint AS amount_minor \
           FROM ( \
             SELECT name, date_bin('15 minutes', ts, '2000-01-01T00:00:00Z') AS bucket, coalesce(currency, '') AS currency, \
                    coalesce(value_minor, 0) AS amount, source, medium, campaign, country, device, path FROM {events} \
           ) AS e \
           GROUP BY name, bucket, currency, GROUPING SETS ((), (source), (medium), (campaign), (country), (device), (path)) \
           HAVING GROUPING(source, medium, campaign, country, device, path) = 63 \
               OR coalesce(source, medium, campaign, country, device, path) IS NOT NULL \
         )"
    )
}

/// The same sums with the values together that are not counted by themselves: those for which `is_other` holds, a
/// condition on a row of `sums` joined with `join`. A common table expression named `agg`.
pub(crate) fn bounded(join: &str, is_other: &str) -> String {
    format!(
        "agg AS MATERIALIZED ( \
           SELECT s.dim, CASE WHEN {is_other} THEN '{OTHER}' ELSE s.value END AS value, s.name, s.bucket, s.currency, \
                  sum(s.cnt)::bigint AS cnt, sum(s.amount_minor)::bigint AS amount_minor \
           FROM sums AS s {join} GROUP BY 1, 2, 3, 4, 5 \
         )"
    )
}
