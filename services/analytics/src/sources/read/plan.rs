//! What is to be done with a table, now that its headings are known.

use bz_http::{Errors, Problem};
use serde::{Deserialize, Serialize};

use super::{
    Reading,
    fields::{self, Field, Kind},
};
use crate::catalogue::{Catalogue, Dataset};

/// How the rows of one table are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The dataset that they go to.
    pub dataset: String,
    /// How numbers and dates are written.
    pub reading: Reading,
    /// The headings.
    pub header: Vec<String>,
    /// The character between the cells.
    pub delimiter: u8,
}

/// The same, with each field's column.
pub(super) struct Columns {
    /// The dataset.
    pub dataset: &'static Dataset,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The column of each field, if it has one.
    pub places: Vec<Option<usize>>,
    /// How many columns the table has.
    pub width: usize,
}

impl Plan {
    /// The plan for a table with these headings.
    ///
    /// # Errors
    /// 422 with what does not fit.
    pub(crate) fn new(
        dataset: &str,
        reading: Reading,
        (header, delimiter): (Vec<String>, u8),
    ) -> Result<Self, Problem> {
        let plan = Self {
            dataset: dataset.to_owned(),
            reading,
            header,
            delimiter,
        };
        plan.columns()?;
        Ok(plan)
    }

    /// Which column goes where.
    ///
    /// # Errors
    /// 422 with what does not fit.
    pub(super) fn columns(&self) -> Result<Columns, Problem> {
        let dataset = Catalogue::builtin().dataset(&self.dataset);
        let dataset = dataset.ok_or_else(|| {
            Problem::invalid("/dataset", "not_found", "is no dataset of the catalogue")
        })?;
        let fields = fields::of(dataset);
        let mut places = vec![None; fields.len()];
        let mut errors = Errors::default();
        for heading in self.reading.mapping.keys() {
            if !self.header.contains(heading) {
                let message = format!("is no heading of the file; it has {}", listed(&self.header));
                errors.add(pointer(heading), "no_such_column", message);
            }
        }
        for (place, heading) in self.header.iter().enumerate() {
            match self.target(&fields, heading) {
                Ok(None) => {}
                Ok(Some(n)) if places[n].is_none() => places[n] = Some(place),
                Ok(Some(n)) => {
                    let message = format!(
                        "goes to {}, as another column does; map one to null",
                        fields[n].name
                    );
                    errors.add(pointer(heading), "repeated_field", message);
                }
                Err(name) => {
                    let message = format!(
                        "goes to {name}, which the dataset does not have; {}",
                        nearest(&fields, name)
                    );
                    errors.add(pointer(heading), "no_such_field", message);
                }
            }
        }
        missing(&fields, &places, &self.header, &mut errors);
        if errors.is_empty() {
            Ok(Columns {
                dataset,
                fields,
                places,
                width: self.header.len(),
            })
        } else {
            Err(Problem::validation(errors))
        }
    }

    /// The field of a heading: as the mapping says, else the one that it means.
    fn target<'a>(&'a self, fields: &[Field], heading: &str) -> Result<Option<usize>, &'a str> {
        match self.reading.mapping.get(heading) {
            Some(None) => Ok(None),
            Some(Some(name)) => {
                let place = fields.iter().position(|field| field.name == *name);
                place.map(Some).ok_or(name.as_str())
            }
            None => Ok(fields::meant(fields, heading)),
        }
    }

    /// Headings that go nowhere.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let Ok(columns) = self.columns() else {
            return Vec::new();
        };
        let used = |place: &usize| columns.places.contains(&Some(*place));
        let unused = (0..self.header.len()).filter(|place| !used(place));
        unused.map(|place| self.header[place].clone()).collect()
    }
}

/// Adds what no table of the dataset can do without.
fn missing(fields: &[Field], places: &[Option<usize>], header: &[String], errors: &mut Errors) {
    let has = |n: usize| places[n].is_some();
    for (n, field) in fields.iter().enumerate() {
        if field.required && !has(n) {
            let message = format!(
                "no column goes to {}; map one of {} to it",
                field.name,
                listed(header)
            );
            errors.add("/mapping", "missing_field", message);
        }
    }
    let is_measure = |field: &Field| matches!(field.kind, Kind::Number | Kind::Money);
    let measured = fields.iter().any(is_measure) && fields.iter().any(|field| field.name == "date");
    if measured && !(0..fields.len()).any(|n| has(n) && is_measure(&fields[n])) {
        let message = "no column goes to a measure of the dataset";
        errors.add("/mapping", "missing_field", message);
    }
}

fn pointer(heading: &str) -> String {
    format!("/mapping/{}", heading.replace('~', "~0").replace('/', "~1"))
}

fn listed(names: &[String]) -> String {
    let some: Vec<&str> = names.iter().take(30).map(String::as_str).collect();
    some.join(", ")
}

/// The fields whose names are most like a text.
fn nearest(fields: &[Field], name: &str) -> String {
    let mut all: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    all.sort_by_key(|field| strsim::damerau_levenshtein(field, name));
    all.truncate(3);
    format!("like it are {}", all.join(", "))
}
