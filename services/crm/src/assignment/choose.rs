//! Who gets new leads: of each the first rule that fits it and has somebody. However many leads there are, a rule, a team
//! and the loads are looked at once.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use bz_http::Problem;
use bz_kernel::{TeamId, UserId};
use bz_tenant::DbError;
use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use super::{Assign, AssignmentRule, AssignmentRuleId, Member, TerritoryCase, To, store};
use crate::{
    leads::{LEAD, Lead, LeadStatus},
    records::{Work, custom, filter::Context, sql::Sql},
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

/// Who of a rule gets a lead, before it is asked whose turn it is.
#[derive(Debug, Clone, Copy)]
enum Whose {
    One(UserId),
    InTurn(Circle),
    LeastLoaded,
}

/// Users who take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Circle {
    /// The members of a rule, by its place among the rules.
    Rule(usize),
    Team(TeamId),
}

/// The users of each circle, in the order of their turns.
type Circles = HashMap<Circle, Vec<UserId>>;

/// Of each lead the first of the rules that fits it and has somebody for it, and who that is. The leads are rows already.
pub(crate) async fn pick(
    work: &mut Work<'_>,
    leads: &[&Lead],
    rules: &[AssignmentRule],
    turn: Turn,
) -> Result<Vec<Option<Picked>>, Problem> {
    let fits = fitting(work, leads, rules).await?;
    pick_fitting(work, (leads, &fits), rules, turn).await
}

/// The same, of the rules that are known to fit each lead.
pub(super) async fn pick_fitting(
    work: &mut Work<'_>,
    (leads, fits): (&[&Lead], &[Vec<usize>]),
    rules: &[AssignmentRule],
    turn: Turn,
) -> Result<Vec<Option<Picked>>, Problem> {
    let (mut circles, mut chosen) = (Circles::new(), Vec::with_capacity(leads.len()));
    for (lead, fits) in leads.iter().zip(fits) {
        chosen.push(choose(work, &mut circles, (lead, rules), fits).await?);
    }
    let mut queue = Queue::of(work, rules, &chosen, turn).await?;
    let picked = leads.iter().zip(chosen).map(|(lead, chosen)| {
        let (n, whose) = chosen?;
        let (user, team) = queue.next(lead, &rules[n], (n, whose), &circles)?;
        Some(Picked {
            user,
            team,
            rule: Some(rules[n].id),
            reason: format!("rule: {}", rules[n].name),
        })
    });
    Ok(picked.collect())
}

/// Which of the rules fit each lead, in their order: one statement for all of them. A rule whose filter names a field that
/// is gone fits nothing.
pub(super) async fn fitting(
    work: &mut Work<'_>,
    leads: &[&Lead],
    rules: &[AssignmentRule],
) -> Result<Vec<Vec<usize>>, Problem> {
    let known = custom::definitions(work.app, work.tx).await?;
    let context = Context {
        record: LEAD,
        custom: &known,
        me: work.actor,
    };
    let ids: Vec<Uuid> = leads.iter().map(|lead| lead.id.as_uuid()).collect();
    let mut sql = Sql::new(
        "-- crm.assignment_rules.fitting\nWITH these AS (SELECT * FROM crm.leads WHERE id = ANY(",
    );
    sql.bind(ids).push("))");
    let (mut for_all, mut union) = (Vec::new(), "");
    for (n, rule) in rules.iter().enumerate() {
        match &rule.filter {
            None => for_all.push(n),
            Some(filter) if filter.check(context).is_ok() => {
                sql.push(union).push(" SELECT ");
                sql.bind(i32::try_from(n).unwrap_or(i32::MAX));
                sql.push(" AS n, id FROM these WHERE true");
                filter.push(context, &mut sql)?;
                union = " UNION ALL";
            }
            Some(_) => {}
        }
    }
    let mut fits: HashMap<Uuid, Vec<usize>> = HashMap::new();
    if !union.is_empty() {
        let rows: Vec<(i32, Uuid)> = sql.fetch_all(work.tx).await?;
        for (n, lead) in rows {
            let fits = fits.entry(lead).or_default();
            fits.extend(usize::try_from(n).ok());
        }
    }
    let of_lead = |lead: &&Lead| {
        let mut fits = fits.remove(&lead.id.as_uuid()).unwrap_or_default();
        fits.extend(&for_all);
        fits.sort_unstable();
        fits
    };
    Ok(leads.iter().map(of_lead).collect())
}

/// The first rule that has somebody for the lead.
async fn choose(
    work: &mut Work<'_>,
    circles: &mut Circles,
    (lead, rules): (&Lead, &[AssignmentRule]),
    fits: &[usize],
) -> Result<Option<(usize, Whose)>, DbError> {
    for n in fits {
        let Some(whose) = Whose::of(*n, &rules[*n].assign, lead) else {
            continue;
        };
        if let Whose::InTurn(circle) = whose
            && let Entry::Vacant(unknown) = circles.entry(circle)
        {
            unknown.insert(match (circle, &rules[*n].assign) {
                (Circle::Team(team), _) => in_turn(&members(work, team).await?),
                (_, Assign::RoundRobin { members }) => in_turn(members),
                _ => Vec::new(),
            });
        }
        if !matches!(whose, Whose::InTurn(circle) if circles[&circle].is_empty()) {
            return Ok(Some((*n, whose)));
        }
    }
    Ok(None)
}

impl Whose {
    /// Who of a rule; nobody when no case fits.
    fn of(n: usize, assign: &Assign, lead: &Lead) -> Option<Self> {
        let to = |to: To| match to {
            (Some(user), _) => Some(Self::One(user)),
            (_, Some(team)) => Some(Self::InTurn(Circle::Team(team))),
            _ => None,
        };
        match assign {
            Assign::User { user_id } => Some(Self::One(*user_id)),
            Assign::RoundRobin { .. } => Some(Self::InTurn(Circle::Rule(n))),
            Assign::LeastLoaded { .. } => Some(Self::LeastLoaded),
            Assign::Team { team_id } => Some(Self::InTurn(Circle::Team(*team_id))),
            Assign::Score { cases } => {
                let score = lead.score?;
                let mut cases = cases.iter();
                let case = cases.find(|case| (case.min..=case.max).contains(&score))?;
                to((case.user_id, case.team_id))
            }
            Assign::Territory { cases } => {
                let case = cases.iter().find(|case| case.has(lead))?;
                to((case.user_id, case.team_id))
            }
        }
    }
}

/// The members of a team.
async fn members(work: &mut Work<'_>, team: TeamId) -> Result<Vec<Member>, DbError> {
    let users: Vec<Uuid> = query_scalar(
        "-- crm.team_members.of_team\nSELECT user_id FROM crm.team_members WHERE team_id = $1 ORDER BY user_id",
    )
    .bind(team.as_uuid())
    .fetch_all(work.tx.conn())
    .await?;
    let member = |user: Uuid| Member {
        user_id: user.into(),
        weight: 1,
    };
    Ok(users.into_iter().map(member).collect())
}

/// The members in the order of their turns, until it begins anew. Weights are spread evenly (the smooth weighted round robin
/// of nginx): 3 and 1 make a a b a.
fn in_turn(members: &[Member]) -> Vec<UserId> {
    let total: i64 = members.iter().map(|member| i64::from(member.weight)).sum();
    let mut credits = vec![0_i64; members.len()];
    let mut turns = Vec::new();
    for _ in 0..total {
        for (credit, member) in credits.iter_mut().zip(members) {
            *credit += i64::from(member.weight);
        }
        // Of equals the first.
        let most = (0..members.len()).rev().max_by_key(|n| credits[*n]);
        let Some(chosen) = most else { break };
        credits[chosen] -= total;
        turns.push(members[chosen].user_id);
    }
    turns
}

/// Whose turn it is, and who has how much to do, while leads are given one after the other.
struct Queue {
    /// The next turn of each rule that has turns.
    turns: HashMap<usize, i64>,
    /// Open leads of those who are compared by them.
    loads: HashMap<UserId, i64>,
}

impl Queue {
    /// Takes as many turns of each rule as it was chosen. Rules are locked in their order until the transaction ends: no two
    /// leads have one turn or find the same one idle, and two who take several do not wait for each other.
    async fn of(
        work: &mut Work<'_>,
        rules: &[AssignmentRule],
        chosen: &[Option<(usize, Whose)>],
        turn: Turn,
    ) -> Result<Self, DbError> {
        let mut used: BTreeMap<usize, i64> = BTreeMap::new();
        let shared = chosen.iter().flatten();
        for (n, _) in shared.filter(|(_, whose)| !matches!(whose, Whose::One(_))) {
            *used.entry(*n).or_default() += 1;
        }
        let (mut turns, mut loads) = (HashMap::new(), HashMap::new());
        for (n, count) in used {
            if let Assign::LeastLoaded { members } = &rules[n].assign {
                store::lock(work.tx, rules[n].id).await?;
                loads.extend(open_leads(work, members).await?);
            } else {
                turns.insert(n, store::turns(work.tx, rules[n].id, count, turn).await?);
            }
        }
        Ok(Self { turns, loads })
    }

    /// Who gets the lead.
    fn next(
        &mut self,
        lead: &Lead,
        rule: &AssignmentRule,
        (n, whose): (usize, Whose),
        circles: &Circles,
    ) -> Option<(UserId, Option<TeamId>)> {
        let (user, team) = match (whose, &rule.assign) {
            (Whose::One(user), _) => (user, None),
            (Whose::InTurn(circle), _) => {
                let (users, turn) = (circles.get(&circle)?, self.turns.get_mut(&n)?);
                let place = usize::try_from(*turn).ok()?.checked_rem(users.len())?;
                *turn += 1;
                let team = match circle {
                    Circle::Team(team) => Some(team),
                    Circle::Rule(_) => None,
                };
                (users[place], team)
            }
            (Whose::LeastLoaded, Assign::LeastLoaded { members }) => {
                (self.least_loaded(members)?, None)
            }
            (Whose::LeastLoaded, _) => return None,
        };
        if !matches!(lead.status, LeadStatus::Converted | LeadStatus::Unqualified) {
            *self.loads.entry(user).or_default() += 1;
        }
        Some((user, team))
    }

    /// Who has the fewest open leads for its weight; of equals the first.
    fn least_loaded(&self, members: &[Member]) -> Option<UserId> {
        let load = |member: &&Member| {
            let open = self.loads.get(&member.user_id).copied().unwrap_or_default();
            // In whole numbers.
            open * 1_000_000 / i64::from(member.weight.max(1))
        };
        members.iter().min_by_key(load).map(|member| member.user_id)
    }
}

/// How many open leads those have who have any.
async fn open_leads(
    work: &mut Work<'_>,
    members: &[Member],
) -> Result<Vec<(UserId, i64)>, DbError> {
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
    let loads = loads.into_iter();
    Ok(loads.map(|(user, open)| (user.into(), open)).collect())
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
        let turns = in_turn(&members);
        let count = |user: &UserId| turns.iter().filter(|turn| *turn == user).count();
        assert_eq!(users.iter().map(count).collect::<Vec<_>>(), [3, 1, 1]);
        let twice = [turns.clone(), turns].concat();
        assert!(
            twice
                .windows(3)
                .all(|three| three.iter().any(|user| *user != users[0]))
        );
        assert!(in_turn(&[]).is_empty());
    }
}
