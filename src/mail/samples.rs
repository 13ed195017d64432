//! One of each mail, with awkward text in it: for the tests that look at all of them.

use super::{
    List, Message, access_token::AccessTokenMail, applicant::ApplicantMail, data_export::DataExportMail,
    decision::DecisionMail, digest::DigestMail, erasure::ErasureMail, identity::IdentityMail,
    invitation::InvitationMail, new_device::NewDeviceMail, notification::NotificationMail,
    review_reminder::ReviewReminder, second_factor::SecondFactorMail, sign_in::SignInMail,
    suppression::SuppressionMail, verify_reminder::VerifyReminder,
};
use crate::domain::email::EmailAddress;

/// All mails, each by the name of its folder of templates.
///
/// # Errors
/// A mistake in a template.
pub fn samples() -> Result<Vec<(&'static str, Message)>, String> {
    let list = |kind: &str| {
        Some(List {
            id: format!("{kind}.hope.example"),
            unsubscribe_url: "https://hope.example/unsubscribe/ZGlnZXN0".to_owned(),
            unsubscribe_mailto: "mailto:hope-network@example.nhs.uk?subject=Stop".to_owned(),
        })
    };
    let message = |name: &'static str, subject: String, list, (text, html): (String, String)| {
        let to = EmailAddress::parse("asha.oneill@leedsth.nhs.uk").map_err(ToString::to_string)?;
        let (to_name, message_id) = ("Asha O’Neill".to_owned(), format!("{name}-sample@hope.example"));
        Ok::<_, String>((name, Message { to, to_name, subject, text, html, message_id, list }))
    };
    macro_rules! each {
        ($($name:literal: $mail:ty),* $(,)?) => {
            vec![$({
                let mail = <$mail>::sample();
                message($name, mail.subject(), None, mail.render_both()?)?
            }),*]
        };
    }
    let mut all = each! {
        "access_token": AccessTokenMail,
        "applicant": ApplicantMail,
        "data_export": DataExportMail,
        "decision": DecisionMail,
        "erasure": ErasureMail,
        "identity": IdentityMail,
        "invitation": InvitationMail,
        "new_device": NewDeviceMail,
        "review_reminder": ReviewReminder,
        "second_factor": SecondFactorMail,
        "sign_in": SignInMail,
        "suppression": SuppressionMail,
        "verify_reminder": VerifyReminder,
    };
    let mail = DigestMail::sample();
    all.push(message("digest", mail.subject.clone(), list("digest"), mail.render_both()?)?);
    let mail = NotificationMail::sample();
    all.push(message("notification", mail.subject.clone(), list("mentioned"), mail.render_both()?)?);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How they look is held in files, so that a change in any of them is seen.
    #[test]
    fn mails_look_as_they_did() {
        for (name, message) in samples().unwrap() {
            insta::with_settings!({ snapshot_path => "snapshots/golden", prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(name, message.html);
            });
        }
    }

    #[test]
    fn there_is_one_for_each_folder_of_templates() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/templates");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let folders = entries.filter(|path| path.is_dir());
        let mut names: Vec<_> =
            folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        let mut sampled: Vec<_> = samples().unwrap().into_iter().map(|(name, _)| name).collect();
        sampled.sort_unstable();
        assert_eq!(sampled, names);
    }
}
