//! Assignment rules: who gets a new lead.

mod assign;
mod choose;
mod create;
mod delete;
mod dry_run;
mod get;
mod give;
mod list;
mod put;
pub(crate) mod store;

use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::{TeamId, UserId, typed_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::AppState, records::filter::Filter, rules};

pub(crate) use assign::assign;
pub(crate) use choose::{Picked, Turn, pick};
pub(crate) use give::give;

bz_auth::permissions! {
    /// See assignment rules.
    AssignmentRulesRead = "assignment_rules:read",
    /// Make and change assignment rules.
    AssignmentRulesManage = "assignment_rules:manage",
}

typed_id!(
    /// A rule that gives new leads an owner.
    AssignmentRuleId
);

/// The most rules of a tenant.
const MOST_RULES: usize = 100;
/// The most members or cases of a rule.
const MOST_PARTS: usize = 100;
/// The most texts of a territory.
const MOST_TEXTS: usize = 500;

/// The routes of this resource; assigning one lead is in the folder of leads.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(
            list::list_assignment_rules,
            create::create_assignment_rule
        ))
        .routes(routes!(
            get::get_assignment_rule,
            put::put_assignment_rule,
            delete::delete_assignment_rule
        ))
        .routes(routes!(dry_run::dry_run_assignment_rules))
}

/// A rule that gives new leads an owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AssignmentRule {
    /// Its id.
    pub id: AssignmentRuleId,
    /// Its name.
    pub name: String,
    /// When it is tried: the smallest first.
    pub position: i32,
    /// Whether it is used.
    pub enabled: bool,
    /// For which leads; all when null.
    pub filter: Option<Filter>,
    /// Who gets them.
    pub assign: Assign,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// What a client writes of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateAssignmentRule, example = json!({
    "name": "Website", "filter": { "field": "source", "value": "website" },
    "assign": { "method": "round_robin", "members": [{ "user_id": "0199fa3e-0000-7000-8000-000000000000", "weight": 2 }] }
}))]
pub(crate) struct WantedRule {
    /// Its name, 1 to 100 characters, unique.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// When it is tried: the smallest first.
    #[serde(default)]
    pub position: i32,
    /// Whether it is used.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For which leads; all when not given.
    pub filter: Option<Filter>,
    /// Who gets them.
    pub assign: Assign,
}

const fn yes() -> bool {
    true
}

/// Who gets a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Assign {
    /// The members in turn, each as often as its weight.
    RoundRobin {
        /// Who takes part, 1 to 100.
        members: Vec<Member>,
    },
    /// Who has the fewest open leads for its weight.
    LeastLoaded {
        /// Who takes part, 1 to 100.
        members: Vec<Member>,
    },
    /// One user.
    User {
        /// The user.
        user_id: UserId,
    },
    /// The members of a team in turn; the lead belongs to the team too.
    Team {
        /// The team.
        team_id: TeamId,
    },
    /// By the lead's score: the first range that it is in.
    Score {
        /// The ranges, 1 to 100.
        cases: Vec<ScoreCase>,
    },
    /// By where the lead is: the first territory that it is in.
    Territory {
        /// The territories, 1 to 100.
        cases: Vec<TerritoryCase>,
    },
}

/// Somebody who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// The user.
    pub user_id: UserId,
    /// How many leads out of all weights, 1 to 100; 1 when not given.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 100)]
    pub weight: u8,
}

const fn one() -> u8 {
    1
}

/// A range of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreCase {
    /// From this score on, 0 to 100.
    pub min: i16,
    /// Up to this score, 0 to 100.
    pub max: i16,
    /// Who gets them: this user, or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// the members of this team in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
}

/// A territory: a lead is in it when it passes every list that is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TerritoryCase {
    /// Countries, in any spelling of upper and lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Cities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cities: Vec<String>,
    /// Regions: the lead's own field `custom.region`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// How the postal code begins: the lead's own field `custom.postal_code`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postal_prefixes: Vec<String>,
    /// Who gets them: this user, or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// the members of this team in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
}

/// One user, or a team whose members take turns.
type To = (Option<UserId>, Option<TeamId>);

impl Validate for WantedRule {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 100);
        match &self.assign {
            Assign::RoundRobin { members } | Assign::LeastLoaded { members } => {
                count(errors, "/assign/members", members.len());
                for (n, member) in members.iter().enumerate() {
                    if !(1..=100).contains(&member.weight) {
                        let pointer = format!("/assign/members/{n}/weight");
                        errors.add(pointer, "out_of_range", "must be 1 to 100");
                    }
                    if members[..n]
                        .iter()
                        .any(|other| other.user_id == member.user_id)
                    {
                        let pointer = format!("/assign/members/{n}/user_id");
                        errors.add(pointer, "repeated", "is there already; name each user once");
                    }
                }
            }
            Assign::Score { cases } => {
                count(errors, "/assign/cases", cases.len());
                for (n, case) in cases.iter().enumerate() {
                    if case.min > case.max || case.min < 0 || case.max > 100 {
                        let pointer = format!("/assign/cases/{n}/min");
                        errors.add(
                            pointer,
                            "out_of_range",
                            "must be 0 to 100, and not above max",
                        );
                    }
                    target(errors, n, (case.user_id, case.team_id));
                }
            }
            Assign::Territory { cases } => {
                count(errors, "/assign/cases", cases.len());
                for (n, case) in cases.iter().enumerate() {
                    territory(errors, n, case);
                }
            }
            Assign::User { .. } | Assign::Team { .. } => {}
        }
    }
}

fn count(errors: &mut Errors, pointer: &'static str, count: usize) {
    if count == 0 || count > MOST_PARTS {
        errors.add(pointer, "out_of_range", "must have 1 to 100 entries");
    }
}

fn target(errors: &mut Errors, n: usize, to: To) {
    if to.0.is_some() == to.1.is_some() {
        errors.add(
            format!("/assign/cases/{n}"),
            "user_or_team",
            "give either user_id or team_id",
        );
    }
}

fn territory(errors: &mut Errors, n: usize, case: &TerritoryCase) {
    target(errors, n, (case.user_id, case.team_id));
    let lists = [
        &case.countries,
        &case.cities,
        &case.regions,
        &case.postal_prefixes,
    ];
    let texts: usize = lists.iter().map(|list| list.len()).sum();
    if texts == 0 || texts > MOST_TEXTS {
        errors.add(
            format!("/assign/cases/{n}"),
            "out_of_range",
            "must name 1 to 500 countries, cities, regions and postal prefixes",
        );
    }
}
