//! Questions that nothing else understands, asked of the tenant's documents. What they say is quoted; it cannot make anything
//! happen, because no action is planned here.

use super::outcome::{Outcome, Waiting};
use super::turn::{Noted, Turn};
use crate::queries::{call_today, documents};
use crate::understand::{Intent, Slots, Understood, question};

impl Turn {
    /// The answer of the documents, to a question that is not understood with confidence.
    pub(super) async fn asked_of_documents(
        &self,
        noted: &Noted,
        understood: &Understood,
    ) -> Option<Outcome> {
        let message = &self.request.message;
        let open = understood.intent == Intent::None || !understood.is_certain();
        let asks = question::is_question(message, noted.voice.language);
        if !open || !asks || call_today::is_asked(message) {
            return None;
        }
        let token = self.caller.token();
        let found = self.app.knowledge.search(message, token).await;
        let answer = documents::answer(message, &found, noted.voice)?;
        let understood = Understood {
            intent: Intent::None,
            slots: Slots::default(),
            ..understood.clone()
        };
        self.events.tell("understood", &understood);
        let waiting = match noted.pending {
            Some(_) => Waiting::Ends("dropped"),
            None => Waiting::Stays,
        };
        Some(Outcome {
            waiting,
            ..Outcome::answer(understood, answer)
        })
    }
}
