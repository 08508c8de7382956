//! The names of what can be meant: the vocabulary that clients read and tests measure.

use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
pub enum Intent {
    /// A new to-do.
    #[serde(rename = "todo.create")]
    TodoCreate,
    /// To see to-dos.
    #[serde(rename = "todo.list")]
    TodoList,
    /// To mark one as done.
    #[serde(rename = "todo.complete")]
    TodoComplete,
    /// To have one open again.
    #[serde(rename = "todo.reopen")]
    TodoReopen,
    /// To give one another title, due time, priority or assignee.
    #[serde(rename = "todo.update")]
    TodoUpdate,
    /// To delete one.
    #[serde(rename = "todo.delete")]
    TodoDelete,
    /// To delete several at once.
    #[serde(rename = "todo.bulk_delete")]
    TodoBulkDelete,
    /// A new lead.
    #[serde(rename = "lead.create")]
    LeadCreate,
    /// To see leads.
    #[serde(rename = "lead.find")]
    LeadFind,
    /// To change the stage or another part of a lead.
    #[serde(rename = "lead.update")]
    LeadUpdate,
    /// To know how many leads there are.
    #[serde(rename = "lead.count")]
    LeadCount,
    /// To put a deal into another stage.
    #[serde(rename = "deal.move")]
    DealMove,
    /// To see deals.
    #[serde(rename = "deal.find")]
    DealFind,
    /// To know what deals are worth together.
    #[serde(rename = "deal.sum")]
    DealSum,
    /// To see contacts.
    #[serde(rename = "contact.find")]
    ContactFind,
    /// To know a number of the analytics.
    #[serde(rename = "metrics.query")]
    MetricsQuery,
    /// To have an agent do something.
    #[serde(rename = "agent.run")]
    AgentRun,
    /// "Yes" to a question.
    #[serde(rename = "confirm.yes")]
    ConfirmYes,
    /// "No" to a question.
    #[serde(rename = "confirm.no")]
    ConfirmNo,
    /// "Maybe" to a question.
    #[serde(rename = "confirm.unsure")]
    ConfirmUnsure,
    /// To know what can be asked.
    #[serde(rename = "help")]
    Help,
    /// A greeting or thanks.
    #[serde(rename = "smalltalk")]
    Smalltalk,
    /// Nothing that is understood.
    #[serde(rename = "none")]
    None,
}

/// What the chatbot does about a message, or would do were it not a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Would {
    /// Change something at once.
    Act,
    /// Change something after a yes.
    Confirm,
    /// Ask for what is missing, or which one is meant.
    Ask,
    /// Answer without changing anything.
    Answer,
    /// Nothing.
    Nothing,
}

/// Which part of the chatbot understood the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The deterministic rules.
    Rules,
    /// The classifier trained on public corpora.
    Classifier,
    /// A language model; what it proposes is always asked about first.
    Llm,
}

/// The language of a message.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
    /// German.
    De,
    /// French.
    Fr,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::Es, Self::De, Self::Fr];

    /// Its tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }

    /// The language of a tag such as `de-AT` (RFC 5646).
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "es" => Some(Self::Es),
            "de" => Some(Self::De),
            "fr" => Some(Self::Fr),
            _ => None,
        }
    }
}
