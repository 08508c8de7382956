//! What the pages say.

use super::links::Page;
use crate::mail::language::Language;

/// The texts of one page.
pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) button: &'static str,
    pub(super) done: &'static str,
}

/// The texts of a page in a language.
pub(super) const fn of(page: Page, language: Language) -> Texts {
    let (title, lead, button, done) = match (page, language) {
        (Page::VerifyEmail, Language::En) => (
            "Verify your address",
            "This shows that mail reaches you. You can log in afterwards.",
            "Verify the address",
            "Your address is verified. You can log in now.",
        ),
        (Page::VerifyEmail, Language::De) => (
            "Adresse bestätigen",
            "Das zeigt, dass Sie Post an diese Adresse erhalten. Danach können Sie sich anmelden.",
            "Adresse bestätigen",
            "Ihre Adresse ist bestätigt. Sie können sich jetzt anmelden.",
        ),
        (Page::ResetPassword, Language::En) => (
            "Choose a password",
            "Saving it ends all sessions that are open now.",
            "Save the password",
            "Your password is saved. You can log in with it now.",
        ),
        (Page::ResetPassword, Language::De) => (
            "Passwort wählen",
            "Mit dem Speichern enden alle Sitzungen, die jetzt offen sind.",
            "Passwort speichern",
            "Ihr Passwort ist gespeichert. Sie können sich jetzt damit anmelden.",
        ),
        (Page::Invitation, Language::En) => (
            "Accept the invitation",
            "Choose a password to join. If you have an account elsewhere on this platform, accept in the application instead.",
            "Join",
            "You have joined. You can log in now.",
        ),
        (Page::Invitation, Language::De) => (
            "Einladung annehmen",
            "Wählen Sie ein Passwort, um beizutreten. Haben Sie hier schon ein Konto, nehmen Sie in der Anwendung an.",
            "Beitreten",
            "Sie sind beigetreten. Sie können sich jetzt anmelden.",
        ),
        (Page::ConfirmEmail, Language::En) => (
            "Confirm your new address",
            "It becomes the address that you log in with, and all open sessions end.",
            "Confirm the address",
            "Your address was changed. Log in with the new one.",
        ),
        (Page::ConfirmEmail, Language::De) => (
            "Neue Adresse bestätigen",
            "Sie melden sich künftig mit dieser Adresse an, und alle offenen Sitzungen enden.",
            "Adresse bestätigen",
            "Ihre Adresse wurde geändert. Melden Sie sich mit der neuen an.",
        ),
        (Page::RevertEmail, Language::En) => (
            "Take the change of your address back",
            "Your old address is used again, all sessions end, and you get a link to choose a new password.",
            "Take it back",
            "Your old address is used again. Look into your mail to choose a new password.",
        ),
        (Page::RevertEmail, Language::De) => (
            "Änderung Ihrer Adresse zurücknehmen",
            "Ihre alte Adresse gilt wieder, alle Sitzungen enden, und Sie erhalten einen Link für ein neues Passwort.",
            "Zurücknehmen",
            "Ihre alte Adresse gilt wieder. Sehen Sie in Ihre Post, um ein neues Passwort zu wählen.",
        ),
    };
    Texts {
        title,
        lead,
        button,
        done,
    }
}

/// What the label of the field for the password says, and what is said of it.
pub(super) fn password(language: Language, fewest: u8) -> (&'static str, String) {
    match language {
        Language::En => ("New password", format!("At least {fewest} characters.")),
        Language::De => ("Neues Passwort", format!("Mindestens {fewest} Zeichen.")),
    }
}

/// What is said of a problem.
pub(super) fn problem(code: &str, language: Language) -> &'static str {
    match (code, language) {
        ("token_invalid", Language::En) => "This link is not good any more. Ask for another one.",
        ("token_invalid", Language::De) => {
            "Dieser Link gilt nicht mehr. Fordern Sie einen neuen an."
        }
        ("validation_failed", Language::En) => {
            "This password cannot be used: it is too short, or one of those that are tried first. Choose another one."
        }
        ("validation_failed", Language::De) => {
            "Dieses Passwort geht nicht: Es ist zu kurz oder eines von denen, die zuerst probiert werden. Wählen Sie ein anderes."
        }
        (_, Language::En) => "That did not work. Try again in a moment.",
        (_, Language::De) => "Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.",
    }
}
