//! Languages, and how each writes numbers and dates (Unicode CLDR).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language, and how it writes numbers and dates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English: 1,234.5
    #[default]
    En,
    /// German: 1.234,5
    De,
    /// Spanish: 1234,5 and 12.345,6
    Es,
    /// French: 1 234,5
    Fr,
}

/// Words of charts and reports.
#[expect(missing_docs, reason = "the English ones say it")]
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) no_data: &'static str,
    pub(crate) new: &'static str,
    pub(crate) total: &'static str,
    pub(crate) previous: &'static str,
    pub(crate) change: &'static str,
    pub(crate) other: &'static str,
    pub(crate) not_set: &'static str,
    pub(crate) points: &'static str,
    pub(crate) of_previous: &'static str,
    pub(crate) of_first: &'static str,
    pub(crate) days: &'static str,
    pub(crate) more_rows: &'static str,
    pub(crate) page: &'static str,
    pub(crate) of: &'static str,
    pub(crate) compared_with: &'static str,
    pub(crate) time_zone: &'static str,
    pub(crate) data_version: &'static str,
    pub(crate) data_of: &'static str,
    pub(crate) versus: &'static str,
    pub(crate) partial: &'static str,
    pub(crate) estimate: &'static str,
    pub(crate) cut_table: &'static str,
    pub(crate) cut_query: &'static str,
    pub(crate) failed_part: &'static str,
    pub(crate) continued: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) months: [&'static str; 12],
}

impl Locale {
    /// The tag of BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Es => "es",
            Self::Fr => "fr",
        }
    }

    pub(crate) const fn words(self) -> &'static Words {
        match self {
            Self::En => &EN,
            Self::De => &DE,
            Self::Es => &ES,
            Self::Fr => &FR,
        }
    }

    /// What stands before the decimals.
    pub(super) const fn decimal_mark(self) -> char {
        match self {
            Self::En => '.',
            Self::De | Self::Es | Self::Fr => ',',
        }
    }

    /// What stands between groups of three figures.
    pub(super) const fn group_mark(self) -> char {
        match self {
            Self::En => ',',
            Self::De | Self::Es => '.',
            Self::Fr => '\u{202f}',
        }
    }

    /// How many figures a number has before groups are marked.
    pub(super) const fn grouped_from(self) -> usize {
        match self {
            Self::Es => 5,
            Self::En | Self::De | Self::Fr => 4,
        }
    }
}

static EN: Words = Words {
    no_data: "No data",
    new: "new",
    total: "Total",
    previous: "Period before",
    change: "Change",
    other: "Other",
    not_set: "(not set)",
    points: "pts",
    of_previous: "of step before",
    of_first: "of first step",
    days: "days",
    more_rows: "more rows",
    page: "Page",
    of: "of",
    compared_with: "compared with",
    time_zone: "Time zone",
    data_version: "Data version",
    data_of: "Data as of",
    versus: "was",
    partial: "The last period is not over: its numbers will grow.",
    estimate: "Estimated:",
    cut_table: "The table has more rows than a PDF shows. The CSV and XLSX files have all of them. Rows shown:",
    cut_query: "There are more rows than were asked for; totals are of all of them.",
    failed_part: "This part could not be made:",
    continued: "continued",
    currency: "Currency",
    months: [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ],
};

static DE: Words = Words {
    no_data: "Keine Daten",
    new: "neu",
    total: "Gesamt",
    previous: "Vorperiode",
    change: "Änderung",
    other: "Übrige",
    not_set: "(ohne Angabe)",
    points: "PP",
    of_previous: "vom vorigen Schritt",
    of_first: "vom ersten Schritt",
    days: "Tage",
    more_rows: "weitere Zeilen",
    page: "Seite",
    of: "von",
    compared_with: "verglichen mit",
    time_zone: "Zeitzone",
    data_version: "Datenstand",
    data_of: "Daten vom",
    versus: "vorher",
    partial: "Der letzte Zeitraum ist nicht abgeschlossen: seine Zahlen wachsen noch.",
    estimate: "Geschätzt:",
    cut_table: "Die Tabelle hat mehr Zeilen, als ein PDF zeigt. CSV und XLSX enthalten alle. Gezeigte Zeilen:",
    cut_query: "Es gibt mehr Zeilen als abgefragt; Summen gelten für alle.",
    failed_part: "Dieser Teil konnte nicht erstellt werden:",
    continued: "Fortsetzung",
    currency: "Währung",
    months: [
        "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
        "Dez.",
    ],
};

static ES: Words = Words {
    no_data: "Sin datos",
    new: "nuevo",
    total: "Total",
    previous: "Periodo anterior",
    change: "Cambio",
    other: "Otros",
    not_set: "(sin definir)",
    points: "pp",
    of_previous: "del paso anterior",
    of_first: "del primer paso",
    days: "días",
    more_rows: "filas más",
    page: "Página",
    of: "de",
    compared_with: "comparado con",
    time_zone: "Zona horaria",
    data_version: "Versión de datos",
    data_of: "Datos del",
    versus: "antes",
    partial: "El último periodo no ha terminado: sus cifras crecerán.",
    estimate: "Estimado:",
    cut_table: "La tabla tiene más filas de las que muestra un PDF. CSV y XLSX las contienen todas. Filas mostradas:",
    cut_query: "Hay más filas de las solicitadas; los totales son de todas.",
    failed_part: "Esta parte no se pudo generar:",
    continued: "continuación",
    currency: "Moneda",
    months: [
        "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic",
    ],
};

static FR: Words = Words {
    no_data: "Aucune donnée",
    new: "nouveau",
    total: "Total",
    previous: "Période précédente",
    change: "Évolution",
    other: "Autres",
    not_set: "(non défini)",
    points: "pts",
    of_previous: "de l’étape précédente",
    of_first: "de la première étape",
    days: "jours",
    more_rows: "lignes de plus",
    page: "Page",
    of: "sur",
    compared_with: "comparé à",
    time_zone: "Fuseau horaire",
    data_version: "Version des données",
    data_of: "Données du",
    versus: "avant",
    partial: "La dernière période n’est pas terminée : ses chiffres vont augmenter.",
    estimate: "Estimé :",
    cut_table: "Le tableau compte plus de lignes qu’un PDF n’en montre. CSV et XLSX les contiennent toutes. Lignes affichées :",
    cut_query: "Il y a plus de lignes que demandé ; les totaux portent sur toutes.",
    failed_part: "Cette partie n’a pas pu être produite :",
    continued: "suite",
    currency: "Devise",
    months: [
        "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
        "déc.",
    ],
};
