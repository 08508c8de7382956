//! Taking back what was done last.

use bz_http::Problem;

use super::outcome::{Outcome, Why};
use super::turn::{Noted, Turn};
use crate::actions::done::{self, Past};
use crate::actions::inverse;
use crate::understand::{Understood, Would, takes_back};
use crate::wording::keys;

/// What people say in English to have the last thing taken back; the lexica have the other languages.
const SAID: &[&str] = &[
    "undo",
    "undo it",
    "undo that",
    "undo this",
    "undo the last one",
    "undo last",
    "please undo",
    "undo please",
    "undo that please",
    "take that back",
    "take it back",
    "revert that",
];

/// Whether a message asks for that.
pub(super) fn is_asked(message: &str) -> bool {
    let plain = message.trim().trim_end_matches(['.', '!']).to_lowercase();
    SAID.contains(&plain.trim()) || takes_back(message)
}

impl Turn {
    /// What was done last in this conversation.
    pub(super) async fn last_done(&self, noted: &Noted) -> Result<Option<Past>, Problem> {
        let mut tx = self.app.core.db.read(&self.caller.scope).await?;
        Ok(done::last(&mut tx, noted.conversation, self.caller.user).await?)
    }

    /// Takes it back, once.
    pub(super) async fn undo(
        &self,
        noted: &Noted,
        understood: Understood,
        past: Option<Past>,
    ) -> Result<Outcome, Problem> {
        let Some(past) = past else {
            return Ok(Outcome::say(
                understood,
                Would::Nothing,
                noted.voice.word(keys::NOTHING_TO_UNDO),
            ));
        };
        let now = self.app.core.sources.now();
        let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
        let claimed = done::claim(&mut tx, past.id, now).await?;
        tx.commit().await?;
        if !claimed {
            let nothing = noted.voice.word(keys::NOTHING_TO_UNDO);
            return Ok(Outcome {
                failure: Some(Why::Used),
                ..Outcome::say(understood, Would::Nothing, nothing)
            });
        }
        let (session, _) = self.session(&format!("undo-{}", past.id));
        let links = past.steps.iter().map(|step| step.record().link()).collect();
        let titles: Vec<String> = past
            .steps
            .iter()
            .map(|step| step.title().to_owned())
            .collect();
        let (left, error) = inverse::back(past.steps, &session).await;
        if let Some(why) = error {
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            done::release(&mut tx, past.id, &left).await?;
            tx.commit().await?;
            return Ok(Outcome::failed(understood, noted.voice, &why.into(), true));
        }
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        tracing::debug!(message.id = %noted.message, "an action was taken back");
        Ok(Outcome {
            links,
            ..Outcome::say(understood, Would::Act, noted.voice.undone(&titles))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_asked;

    #[test]
    fn only_the_bare_wish_is_taken_for_it() {
        assert!(is_asked("Undo that!"));
        assert!(is_asked("take it back"));
        assert!(!is_asked("add a todo: undo the last migration"));
        assert!(!is_asked("undo the report"));
    }
}
