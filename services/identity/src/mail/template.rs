//! The texts of mails: plain files with placeholders, the subject in the first line. The HTML of a mail is made from its
//! text, so that the two never say different things.

use std::fmt::Write as _;

use bz_kernel::html::escaped;

use super::language::Language;

/// What a mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    /// `tenant`, `link`: verify the address.
    VerifyEmail,
    /// Somebody registered with an address that has an account.
    AlreadyRegistered,
    /// `link`: choose a new password.
    ResetPassword,
    /// The password is another one.
    PasswordChanged,
    /// `link`: confirm the new address, to which this goes.
    ConfirmNewEmail,
    /// `new_email`, `link`: to the old address, with the way back.
    EmailChangeNotice,
    /// `tenant`, `inviter`, `message`, `link`, `until`: join a tenant.
    Invitation,
    /// `tenant`, `link`: somebody made an account; choose its password.
    AccountCreated,
    /// `tenant`, `by`, `until`: the tenant was deleted, and can be restored until then.
    TenantDeleted,
    /// `at`, `device`: a refresh token was used twice, its session has ended.
    RefreshReuse,
    /// `at`, `ip`: many logins failed.
    LoginLocked,
    /// `date`: the account goes for good then.
    AccountDeletion,
    /// `tenants`: a line for each.
    YourTenants,
    /// `by`, `at`, `reason`: somebody worked in the user's name.
    Impersonated,
    /// `at`, `method`: a second factor or a passkey was added or removed.
    NewPasskeyOrMfa,
}

/// A mail's texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// One line.
    pub(crate) subject: String,
    /// For readers of plain text.
    pub(crate) plain: String,
    /// The same as a page.
    pub(crate) html: String,
}

macro_rules! templates {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        impl Template {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// As the table has it.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The template of a name.
            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            const fn source(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (Self::$variant, Language::En) => include_str!(concat!("templates/", $name, ".en.txt")),
                        (Self::$variant, Language::De) => include_str!(concat!("templates/", $name, ".de.txt")),
                    )+
                }
            }
        }
    };
}

templates! {
    VerifyEmail = "verify_email",
    AlreadyRegistered = "already_registered",
    ResetPassword = "reset_password",
    PasswordChanged = "password_changed",
    ConfirmNewEmail = "confirm_new_email",
    EmailChangeNotice = "email_change_notice",
    Invitation = "invitation",
    AccountCreated = "account_created",
    TenantDeleted = "tenant_deleted",
    RefreshReuse = "refresh_reuse",
    LoginLocked = "login_locked",
    AccountDeletion = "account_deletion",
    YourTenants = "your_tenants",
    Impersonated = "impersonated",
    NewPasskeyOrMfa = "new_passkey_or_mfa",
}

impl Template {
    /// The mail in a language, with its values.
    pub(crate) fn render(self, language: Language, values: &[(String, String)]) -> Text {
        let source = self.source(language);
        let (subject, body) = source.split_once("\n\n").unwrap_or((source, ""));
        // A line break in a value must not begin another header.
        let subject = filled(subject, values).replace(char::is_control, " ");
        let paragraphs = body
            .trim()
            .split("\n\n")
            .map(|paragraph| filled(paragraph, values));
        let paragraphs: Vec<String> = paragraphs.filter(|text| !text.trim().is_empty()).collect();
        let html = page(language, &subject, &paragraphs);
        Text {
            plain: paragraphs.join("\n\n") + "\n",
            html,
            subject,
        }
    }
}

/// The text with values for its `{{placeholders}}`. Values are not looked into again.
fn filled(text: &str, values: &[(String, String)]) -> String {
    let mut parts = text.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        let value = values.iter().find(|(known, _)| known == name);
        out += value.map_or("", |(_, value)| value.as_str());
        out += rest;
    }
    out
}

fn page(language: Language, subject: &str, paragraphs: &[String]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 2em auto\">\n",
        language.tag(),
        escaped(subject)
    );
    for paragraph in paragraphs {
        let text = escaped(paragraph.trim());
        let is_link = text.starts_with("http") && !text.contains(char::is_whitespace);
        let shown = if is_link {
            format!("<a href=\"{text}\">{text}</a>")
        } else {
            text.replace('\n', "<br>\n")
        };
        let _infallible = writeln!(out, "<p>{shown}</p>");
    }
    out + "</body></html>\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split("{{")
            .skip(1)
            .filter_map(|part| part.split_once("}}"))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn each_mail_is_whole_in_each_language_and_asks_for_the_same_values() {
        for template in Template::ALL {
            assert_eq!(Template::named(template.name()), Some(*template));
            let [en, de] = [Language::En, Language::De].map(|language| template.source(language));
            assert_eq!(placeholders(en), placeholders(de), "{template:?}");
            assert_ne!(en, de, "{template:?}");
            for source in [en, de] {
                let (subject, body) = source.split_once("\n\n").unwrap();
                assert!(
                    !subject.contains('\n') && body.trim().len() > 20,
                    "{template:?}"
                );
                assert!(
                    source.lines().all(|line| line.chars().count() <= 80),
                    "{template:?}"
                );
            }
        }
    }

    #[test]
    fn values_are_only_text_in_the_page_and_only_one_line_in_the_subject() {
        let text = Template::Invitation.render(
            Language::En,
            &values(&[
                ("tenant", "<b>Acme</b>\r\nBcc: eve@example.com"),
                ("inviter", "{{link}}"),
                ("link", "https://a.example/?a=1&b=\"2\""),
            ]),
        );
        assert!(
            text.subject.contains("<b>Acme</b>  Bcc: eve@example.com"),
            "{}",
            text.subject
        );
        assert!(!text.subject.contains(char::is_control));
        assert!(text.html.contains("&lt;b&gt;Acme&lt;/b&gt;") && !text.html.contains("<b>"));
        let link = "<a href=\"https://a.example/?a=1&amp;b=&quot;2&quot;\">";
        assert!(text.html.contains(link), "{}", text.html);
        assert!(
            text.plain.contains("{{link}}"),
            "a value is not looked into again"
        );
        assert!(
            !text.plain.contains("\n\n\n"),
            "an empty message leaves no gap"
        );
    }
}
