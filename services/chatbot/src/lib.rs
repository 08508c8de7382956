//! The chatbot: conversations that do things for the user in the CRM, in natural language, with or without a model.
#![warn(missing_docs)]

pub mod understand;
