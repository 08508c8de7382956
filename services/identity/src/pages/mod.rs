//! The pages that links in mails open: a person reads what will happen and presses a button. Following the link alone
//! does nothing, because mail programs follow links too.

pub(crate) mod layout;
mod links;
mod texts;

pub(crate) use self::links::{Page, routes};
