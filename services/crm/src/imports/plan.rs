//! What is to be done with a file.

use bz_http::{Errors, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{keys, mapping};
use crate::{
    jobs::store::JobRow,
    leads::LEAD,
    records::{RecordType, access::Sight, custom::Definition},
};

/// What becomes of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// New records; what is there already is a duplicate.
    #[default]
    Create,
    /// Changes of records that are there; other rows fail.
    Update,
    /// Changes of records that are there, and new records.
    Upsert,
}

/// What becomes of a row that is a duplicate: in mode `create` of a record, in any mode of an earlier row of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnDuplicate {
    /// It is left out.
    Skip,
    /// It changes the record.
    Update,
    /// It fails.
    Error,
}

/// How to import.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// What becomes of rows; `create` when not given.
    pub mode: Option<Mode>,
    /// Fields by which a row is the same as a record, in this order, with commas: `id`, `external_id`, `email`, `phone`,
    /// `domain`, `name`. When not given, those of `id`, `external_id`, `email` and `domain` that the file has.
    pub match_on: Option<String>,
    /// What becomes of duplicates; `skip` when not given, but `update` in the other modes.
    pub on_duplicate: Option<OnDuplicate>,
    /// Whether to check everything and write nothing.
    pub dry_run: Option<bool>,
    /// Whether new leads without an owner get one by the assignment rules, as those do that come by themselves; `false` when
    /// not given.
    pub assign: Option<bool>,
    /// The field for each heading of the file as a JSON object: `{"E-Mail": "email", "Plan": "custom.plan", "Notes": null}`.
    /// Headings that it does not name go to the field of that name, if there is one.
    pub mapping: Option<String>,
    /// The character between two cells, or `tab`; found out when not given.
    pub delimiter: Option<String>,
    /// `utf-8` or `windows-1252`; found out when not given. UTF-16 is known by its mark.
    pub encoding: Option<String>,
}

/// What is to be done with a file, as the job has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub mode: Mode,
    pub match_on: Vec<String>,
    pub on_duplicate: OnDuplicate,
    pub dry_run: bool,
    /// Whether new records get owners by the assignment rules.
    #[serde(default)]
    pub assign: bool,
    pub delimiter: u8,
    /// The headings of the file.
    pub header: Vec<String>,
    /// The field of each column, if it has one.
    pub columns: Vec<Option<String>>,
    /// Whose records the user may change.
    pub sight: String,
}

impl Plan {
    /// The plan of a job.
    pub(super) fn of(row: &JobRow) -> Result<Self, Problem> {
        serde_json::from_value(row.params.clone()).map_err(Problem::internal)
    }

    /// The plan for a file with these headings.
    ///
    /// # Errors
    /// 422 with what does not fit.
    pub(super) fn new(
        query: &ImportQuery,
        record: &'static RecordType,
        custom: &[Definition],
        (header, delimiter): (Vec<String>, u8),
        sight: Sight,
    ) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let columns = mapping::columns(
            query.mapping.as_deref(),
            record,
            custom,
            &header,
            &mut errors,
        );
        let mode = query.mode.unwrap_or_default();
        let match_on = match_on(query, record, &columns, &mut errors);
        if mode != Mode::Create && match_on.is_empty() && errors.is_empty() {
            errors.add_parameter(
                "match_on",
                "required",
                "name a column of the file by which a row is the same as a record",
            );
        }
        let assign = query.assign.unwrap_or(false);
        if assign && record.name != LEAD.name {
            let text = format!("is for leads: {} have no assignment rules", record.plural);
            errors.add_parameter("assign", "unexpected", text);
        }
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        let usual = match mode {
            Mode::Create => OnDuplicate::Skip,
            Mode::Update | Mode::Upsert => OnDuplicate::Update,
        };
        Ok(Self {
            mode,
            match_on,
            on_duplicate: query.on_duplicate.unwrap_or(usual),
            dry_run: query.dry_run.unwrap_or(false),
            assign,
            delimiter,
            header,
            columns,
            sight: sight.name().to_owned(),
        })
    }

    /// The mapping as it is answered.
    pub(super) fn mapping(&self) -> Map<String, Value> {
        let columns = self.columns.iter().map(|field| Value::from(field.clone()));
        self.header.iter().cloned().zip(columns).collect()
    }
}

fn match_on(
    query: &ImportQuery,
    record: &RecordType,
    columns: &[Option<String>],
    errors: &mut Errors,
) -> Vec<String> {
    let mapped = |name: &str| columns.iter().flatten().any(|column| column == name);
    let Some(asked) = &query.match_on else {
        let usual = keys::USUAL.iter().filter(|name| mapped(name));
        return usual.map(ToString::to_string).collect();
    };
    let names: Vec<String> = asked
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    for name in &names {
        if keys::of(record, name).is_none() {
            errors.add_parameter(
                "match_on",
                "invalid_value",
                format!(
                    "{name:.100} is no field by which {} are the same",
                    record.plural
                ),
            );
        } else if !mapped(name) {
            errors.add_parameter(
                "match_on",
                "not_mapped",
                format!("no column of the file goes to {name}"),
            );
        }
    }
    names
}
