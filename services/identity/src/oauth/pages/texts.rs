//! What the pages say, in each language.

use http::HeaderMap;

use crate::mail::language::Language;

/// The texts of a language.
pub(in crate::oauth) struct Texts {
    /// Its tag.
    pub(super) language: &'static str,
    pub(super) log_in: &'static str,
    pub(super) log_in_to: (&'static str, &'static str),
    pub(super) email: &'static str,
    pub(super) password: &'static str,
    pub(super) wrong_credentials: &'static str,
    pub(super) second_factor: &'static str,
    pub(super) second_factor_more: &'static str,
    pub(super) code: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) too_many_codes: &'static str,
    pub(super) code_too_late: &'static str,
    pub(super) needs_second_factor: &'static str,
    pub(super) not_verified: &'static str,
    pub(super) busy: &'static str,
    pub(super) stale_form: &'static str,
    pub(super) network: &'static str,
    pub(super) factor_elsewhere: &'static str,
    pub(super) set_up: &'static str,
    pub(super) set_up_more: &'static str,
    pub(super) set_up_picture: &'static str,
    pub(super) set_up_key: &'static str,
    pub(super) recovery_codes: &'static str,
    pub(super) recovery_codes_more: &'static str,
    pub(super) go_on: &'static str,
    pub(super) allow_title: &'static str,
    pub(super) wants: (&'static str, &'static str),
    pub(super) logged_in_as: &'static str,
    pub(super) other_account: &'static str,
    pub(super) sent_to: &'static str,
    pub(super) allow: &'static str,
    pub(super) deny: &'static str,
    pub(super) openid: &'static str,
    pub(super) profile: &'static str,
    pub(super) email_scope: &'static str,
    pub(super) offline_access: &'static str,
    pub(super) permission: &'static str,
    pub(super) error: &'static str,
    pub(super) error_advice: &'static str,
    pub(super) unknown_client: &'static str,
    pub(super) bad_redirect: &'static str,
    pub(super) bad_request: &'static str,
    pub(super) log_out: &'static str,
    pub(super) log_out_question: &'static str,
    pub(super) logged_out: &'static str,
    pub(super) logged_out_more: &'static str,
}

const ENGLISH: Texts = Texts {
    language: "en",
    log_in: "Log in",
    log_in_to: ("To go on to ", "."),
    email: "E-mail",
    password: "Password",
    wrong_credentials: "The e-mail or the password is wrong.",
    second_factor: "Second factor",
    second_factor_more: "Type the code that your authenticator app shows, or one of your recovery codes.",
    code: "Code",
    wrong_code: "The code is wrong, or was used before.",
    too_many_codes: "There were too many wrong codes. Try again in an hour.",
    code_too_late: "The code came too late, or after too many wrong ones. Log in again.",
    needs_second_factor: "A second factor is asked for here. Set one up in your account first.",
    not_verified: "The address is not verified yet. Follow the link that was sent to it.",
    busy: "Too many people are logging in. Try again in a moment.",
    stale_form: "The page was open for too long, or cookies are off. Try again.",
    network: "Your organisation lets nobody in from this network.",
    factor_elsewhere: "Your organisation asks for a second factor, and a passkey cannot be used on this page. Add an \
                       authenticator app to your account first.",
    set_up: "Set up a second factor",
    set_up_more: "Your organisation asks for one. Scan the picture with an authenticator app, or type the key into it; then type \
                  the code that the app shows.",
    set_up_picture: "QR code of the key",
    set_up_key: "Key:",
    recovery_codes: "Your recovery codes",
    recovery_codes_more: "Each is good once, for the day when the app is lost. Keep them in a safe place: they are not shown again.",
    go_on: "Continue",
    allow_title: "Allow access?",
    wants: ("", " wants to:"),
    logged_in_as: "You are logged in as",
    other_account: "Use another account",
    sent_to: "Afterwards you are sent to",
    allow: "Allow",
    deny: "Do not allow",
    openid: "know who you are",
    profile: "see your name",
    email_scope: "see your e-mail address",
    offline_access: "keep this access while you are away",
    permission: "use this permission of yours:",
    error: "This did not work",
    error_advice: "Go back to the application and try again. If it happens again, tell those who run it.",
    unknown_client: "The application is not known here.",
    bad_redirect: "The application asked to send you to an address that is not registered for it.",
    bad_request: "The application sent a request that makes no sense.",
    log_out: "Log out",
    log_out_question: "Do you want to log out?",
    logged_out: "You are logged out",
    logged_out_more: "You can close this window.",
};

const GERMAN: Texts = Texts {
    language: "de",
    log_in: "Anmelden",
    log_in_to: ("Weiter zu ", "."),
    email: "E-Mail",
    password: "Passwort",
    wrong_credentials: "E-Mail oder Passwort ist falsch.",
    second_factor: "Zweiter Faktor",
    second_factor_more: "Geben Sie den Code Ihrer Authenticator-App oder einen Ihrer Wiederherstellungscodes ein.",
    code: "Code",
    wrong_code: "Der Code ist falsch oder wurde schon benutzt.",
    too_many_codes: "Es gab zu viele falsche Codes. Versuchen Sie es in einer Stunde noch einmal.",
    code_too_late: "Der Code kam zu spät oder nach zu vielen falschen. Melden Sie sich noch einmal an.",
    needs_second_factor: "Hier wird ein zweiter Faktor verlangt. Richten Sie zuerst einen in Ihrem Konto ein.",
    not_verified: "Die Adresse ist noch nicht bestätigt. Folgen Sie dem Link, der an sie geschickt wurde.",
    busy: "Gerade melden sich zu viele an. Versuchen Sie es gleich noch einmal.",
    stale_form: "Die Seite war zu lange offen, oder Cookies sind aus. Versuchen Sie es noch einmal.",
    network: "Ihre Organisation lässt aus diesem Netz niemanden herein.",
    factor_elsewhere: "Ihre Organisation verlangt einen zweiten Faktor, und ein Passkey lässt sich auf dieser Seite nicht verwenden. \
                       Richten Sie zuerst in Ihrem Konto eine Authenticator-App ein.",
    set_up: "Zweiten Faktor einrichten",
    set_up_more: "Ihre Organisation verlangt einen. Lesen Sie das Bild mit einer Authenticator-App ein, oder geben Sie ihr den \
                  Schlüssel; geben Sie dann den Code ein, den die App zeigt.",
    set_up_picture: "QR-Code des Schlüssels",
    set_up_key: "Schlüssel:",
    recovery_codes: "Ihre Wiederherstellungscodes",
    recovery_codes_more: "Jeder gilt einmal, falls die App verloren geht. Bewahren Sie sie sicher auf: Sie werden nicht noch einmal \
                          gezeigt.",
    go_on: "Weiter",
    allow_title: "Zugriff erlauben?",
    wants: ("", " möchte:"),
    logged_in_as: "Sie sind angemeldet als",
    other_account: "Anderes Konto verwenden",
    sent_to: "Danach geht es weiter zu",
    allow: "Erlauben",
    deny: "Nicht erlauben",
    openid: "wissen, wer Sie sind",
    profile: "Ihren Namen sehen",
    email_scope: "Ihre E-Mail-Adresse sehen",
    offline_access: "diesen Zugriff behalten, während Sie weg sind",
    permission: "diese Berechtigung von Ihnen nutzen:",
    error: "Das hat nicht geklappt",
    error_advice: "Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal. Geschieht es wieder, sagen Sie es denen, die \
                   sie betreiben.",
    unknown_client: "Die Anwendung ist hier nicht bekannt.",
    bad_redirect: "Die Anwendung wollte Sie an eine Adresse schicken, die für sie nicht eingetragen ist.",
    bad_request: "Die Anwendung hat eine Anfrage geschickt, die keinen Sinn ergibt.",
    log_out: "Abmelden",
    log_out_question: "Möchten Sie sich abmelden?",
    logged_out: "Sie sind abgemeldet",
    logged_out_more: "Sie können dieses Fenster schließen.",
};

/// The language that a person reads: what the application asks for, else what the browser asks for, else English.
pub(in crate::oauth) fn of(headers: &HeaderMap, ui_locales: Option<&str>) -> &'static Texts {
    let mut asked = ui_locales.unwrap_or_default().split(' ');
    let asked = asked.find_map(Language::known);
    match asked.unwrap_or_else(|| Language::of_headers(headers)) {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_read() {
        let of = |accepted: &'static str, asked| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            super::of(&headers, asked).language
        };
        for (accepted, asked, expected) in [
            ("", None, "en"),
            ("de", None, "de"),
            ("de-AT,en;q=0.8", None, "de"),
            ("fr,en;q=0.3,de;q=0.4", None, "de"),
            ("fr", None, "en"),
            ("de;q=0", None, "en"),
            ("en", Some("fr de"), "de"),
            ("de;q=x,,;", None, "en"),
        ] {
            assert_eq!(of(accepted, asked), expected, "{accepted} {asked:?}");
        }
    }
}
