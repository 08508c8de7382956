//! Who gets a lead: the first rule that fits and has somebody.

use bz_http::Problem;
use bz_kernel::{TeamId, UserId};
use bz_tenant::DbError;
use serde_json::json;
use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use super::{Assign, AssignmentRule, AssignmentRuleId, Member, TerritoryCase, To, store};
use crate::{
    leads::{LEAD, Lead},
    records::{Record, Work, changes, custom, filter::Context, sql::Sql},
};

/// Who gets a lead, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picked {
    pub user: UserId,
    pub team: Option<TeamId>,
    pub rule: Option<AssignmentRuleId>,
    pub reason: String,
}

/// Whether turns are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The next one gets the next lead.
    Take,
    /// Only look.
    Look,
}

/// The first of the rules that fits the lead and has somebody for it. The lead is a row already.
pub(crate) async fn pick(
    work: &mut Work<'_>,
    lead: &Lead,
    rules: &[AssignmentRule],
    turn: Turn,
) -> Result<Option<Picked>, Problem> {
    for n in fitting(work, lead, rules).await? {
        let rule = &rules[n];
        if let Some((user, team)) = of_rule(work, lead, rule, turn).await? {
            return Ok(Some(Picked {
                user,
                team,
                rule: Some(rule.id),
                reason: format!("rule: {}", rule.name),
            }));
        }
    }
    Ok(None)
}

/// Which of the rules fit the lead, in their order: one statement for all of them. A rule whose filter names a field that is
/// gone fits nothing.
pub(super) async fn fitting(
    work: &mut Work<'_>,
    lead: &Lead,
    rules: &[AssignmentRule],
) -> Result<Vec<usize>, Problem> {
    let known = custom::definitions(work.app, work.tx).await?;
    let context = Context {
        record: LEAD,
        custom: &known,
        me: work.actor,
    };
    let mut fits = Vec::new();
    let mut sql = Sql::new("-- crm.assignment_rules.fitting\n");
    let mut asked = false;
    for (n, rule) in rules.iter().enumerate() {
        match &rule.filter {
            None => fits.push(n),
            Some(filter) if filter.check(context).is_ok() => {
                sql.push(if asked {
                    " UNION ALL SELECT "
                } else {
                    "SELECT "
                });
                sql.bind(i32::try_from(n).unwrap_or(i32::MAX));
                sql.push(" AS n FROM crm.leads WHERE id = ")
                    .bind(lead.id.as_uuid());
                filter.push(context, &mut sql)?;
                asked = true;
            }
            Some(_) => {}
        }
    }
    if asked {
        let rows: Vec<(i32,)> = sql.fetch_all(work.tx).await?;
        fits.extend(rows.into_iter().filter_map(|(n,)| usize::try_from(n).ok()));
        fits.sort_unstable();
    }
    Ok(fits)
}

/// Who of the rule gets the lead; nobody when no case fits or a team is empty.
pub(super) async fn of_rule(
    work: &mut Work<'_>,
    lead: &Lead,
    rule: &AssignmentRule,
    turn: Turn,
) -> Result<Option<(UserId, Option<TeamId>)>, DbError> {
    match &rule.assign {
        Assign::User { user_id } => Ok(Some((*user_id, None))),
        Assign::RoundRobin { members } => {
            let turn = store::turn(work.tx, rule.id, turn).await?;
            Ok(in_turn(members, turn).map(|user| (user, None)))
        }
        Assign::LeastLoaded { members } => {
            // One after the other, or two leads at once would both find the same one idle.
            store::lock(work.tx, rule.id).await?;
            Ok(least_loaded(work, members).await?.map(|user| (user, None)))
        }
        Assign::Team { team_id } => team(work, rule.id, *team_id, turn).await,
        Assign::Score { cases } => {
            let score = lead.score.unwrap_or_default();
            let case = cases
                .iter()
                .find(|case| (case.min..=case.max).contains(&score));
            to(
                work,
                rule.id,
                case.filter(|_| lead.score.is_some())
                    .map(|case| (case.user_id, case.team_id)),
                turn,
            )
            .await
        }
        Assign::Territory { cases } => {
            let case = cases.iter().find(|case| case.has(lead));
            to(
                work,
                rule.id,
                case.map(|case| (case.user_id, case.team_id)),
                turn,
            )
            .await
        }
    }
}

async fn to(
    work: &mut Work<'_>,
    rule: AssignmentRuleId,
    to: Option<To>,
    turn: Turn,
) -> Result<Option<(UserId, Option<TeamId>)>, DbError> {
    match to {
        Some((Some(user), _)) => Ok(Some((user, None))),
        Some((_, Some(id))) => team(work, rule, id, turn).await,
        _ => Ok(None),
    }
}

/// The members of a team in turn.
async fn team(
    work: &mut Work<'_>,
    rule: AssignmentRuleId,
    team: TeamId,
    turn: Turn,
) -> Result<Option<(UserId, Option<TeamId>)>, DbError> {
    let users: Vec<Uuid> = query_scalar(
        "-- crm.team_members.of_team\nSELECT user_id FROM crm.team_members WHERE team_id = $1 ORDER BY user_id",
    )
    .bind(team.as_uuid())
    .fetch_all(work.tx.conn())
    .await?;
    if users.is_empty() {
        return Ok(None);
    }
    let turn = store::turn(work.tx, rule, turn).await?;
    let members: Vec<Member> = users
        .into_iter()
        .map(|user| Member {
            user_id: user.into(),
            weight: 1,
        })
        .collect();
    Ok(in_turn(&members, turn).map(|user| (user, Some(team))))
}

/// Whose turn it is. Weights are spread evenly (the smooth weighted round robin of nginx): 3 and 1 make a a b a.
fn in_turn(members: &[Member], turn: i64) -> Option<UserId> {
    let total: i64 = members.iter().map(|member| i64::from(member.weight)).sum();
    if total == 0 {
        return None;
    }
    let mut credits = vec![0_i64; members.len()];
    let mut chosen = 0;
    for _ in 0..=turn.rem_euclid(total) {
        for (credit, member) in credits.iter_mut().zip(members) {
            *credit += i64::from(member.weight);
        }
        let most = credits.iter().max().copied()?;
        chosen = credits.iter().position(|credit| *credit == most)?;
        credits[chosen] -= total;
    }
    members.get(chosen).map(|member| member.user_id)
}

/// Who has the fewest open leads for its weight; of equals the first.
async fn least_loaded(work: &mut Work<'_>, members: &[Member]) -> Result<Option<UserId>, DbError> {
    let users: Vec<Uuid> = members
        .iter()
        .map(|member| member.user_id.as_uuid())
        .collect();
    let loads: Vec<(Uuid, i64)> = query_as(
        "-- crm.leads.load\n\
         SELECT owner_id, count(*) FROM crm.leads \
         WHERE owner_id = ANY($1) AND deleted_at IS NULL AND status NOT IN ('converted', 'unqualified') GROUP BY owner_id",
    )
    .bind(users)
    .fetch_all(work.tx.conn())
    .await?;
    let load = |member: &&Member| {
        let open = loads
            .iter()
            .find(|(user, _)| *user == member.user_id.as_uuid());
        // Open leads per weight, in whole numbers: compared as a fraction with all weights as denominators.
        open.map_or(0, |(_, count)| count * 1_000_000) / i64::from(member.weight.max(1))
    };
    Ok(members.iter().min_by_key(load).map(|member| member.user_id))
}

impl TerritoryCase {
    /// Whether the lead passes every list that is given.
    fn has(&self, lead: &Lead) -> bool {
        let own = |key: &str| lead.custom.get(key).and_then(|value| value.as_str());
        let one_of = |list: &[String], text: Option<&str>| {
            let text = text.map(str::to_lowercase);
            list.is_empty() || list.iter().any(|one| Some(one.to_lowercase()) == text)
        };
        let begins = |text: &str| {
            let text = text.to_lowercase();
            self.postal_prefixes
                .iter()
                .any(|prefix| text.starts_with(&prefix.to_lowercase()))
        };
        one_of(&self.countries, lead.country.as_deref())
            && one_of(&self.cities, lead.city.as_deref())
            && one_of(&self.regions, own("region"))
            && (self.postal_prefixes.is_empty() || own("postal_code").is_some_and(begins))
    }
}

/// Gives a lead that is locked, or just created in this transaction, to who was picked.
pub(crate) async fn give(
    work: &mut Work<'_>,
    lead: Lead,
    picked: &Picked,
    is_new: bool,
) -> Result<Lead, Problem> {
    let now = work.now();
    let mut sql = Sql::new("-- crm.leads.give\nUPDATE crm.leads SET owner_id = ");
    sql.bind(picked.user.as_uuid());
    sql.push(", team_id = coalesce(")
        .bind(picked.team.map(TeamId::as_uuid))
        .push(", team_id)");
    if !is_new {
        // Nobody has seen a new one yet.
        sql.push(", version = version + 1, updated_at = ").bind(now);
    }
    sql.push(" WHERE id = ").bind(lead.id.as_uuid());
    sql.push(" RETURNING ").push(Lead::columns());
    let given: Lead = sql.fetch_one(work.tx).await?;
    let mut made = changes::Changes::new();
    made.insert("owner_id".into(), json!([lead.owner_id, given.owner_id]));
    if lead.team_id != given.team_id {
        made.insert("team_id".into(), json!([lead.team_id, given.team_id]));
    }
    let names: Vec<String> = made.keys().cloned().collect();
    work.note::<Lead>(lead.id.as_uuid(), "assigned", made, Some(&picked.reason))
        .await?;
    if !is_new {
        work.tell(&given, LEAD.events[1], &names).await?;
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_as_many_as_its_weight_and_not_all_at_once() {
        let users: Vec<UserId> = (1..=3).map(|n| Uuid::from_u128(n).into()).collect();
        let members: Vec<Member> = users
            .iter()
            .zip([3, 1, 1])
            .map(|(user_id, weight)| Member {
                user_id: *user_id,
                weight,
            })
            .collect();
        let turns: Vec<UserId> = (0..10).filter_map(|turn| in_turn(&members, turn)).collect();
        assert_eq!(turns[..5], turns[5..]);
        let count = |user: &UserId| turns.iter().filter(|turn| *turn == user).count();
        assert_eq!(users.iter().map(count).collect::<Vec<_>>(), [6, 2, 2]);
        assert!(
            turns
                .windows(3)
                .all(|three| three.iter().any(|user| *user != users[0]))
        );
        assert_eq!(in_turn(&[], 7), None);
    }
}
