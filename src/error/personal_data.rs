//! Where text seems to identify a person: what the guard found, never the words themselves.

/// What kind of personal data a text seems to hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalData {
    /// Ten digits that are, or are called, an NHS number.
    NhsNumber,
    /// A number of the Community Health Index, Scotland's NHS number.
    ChiNumber,
    NationalInsuranceNumber,
    DateOfBirth,
    /// What a hospital calls a patient: its own number, or the medical record number (MRN).
    HospitalNumber,
    PhoneNumber,
    EmailAddress,
    Postcode,
}

impl PersonalData {
    pub const ALL: [Self; 8] = [
        Self::NhsNumber,
        Self::ChiNumber,
        Self::NationalInsuranceNumber,
        Self::DateOfBirth,
        Self::HospitalNumber,
        Self::PhoneNumber,
        Self::EmailAddress,
        Self::Postcode,
    ];

    /// As it stands in a sentence.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::NhsNumber => "an NHS number",
            Self::ChiNumber => "a CHI number",
            Self::NationalInsuranceNumber => "a National Insurance number",
            Self::DateOfBirth => "a date of birth",
            Self::HospitalNumber => "a hospital number",
            Self::PhoneNumber => "a phone number",
            Self::EmailAddress => "an e-mail address",
            Self::Postcode => "a postcode",
        }
    }
}

/// What a finding means for the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, async_graphql::Enum)]
#[graphql(name = "PersonalDataSeverity")]
pub enum Severity {
    /// It may be harmless. It is taken once its author says that it identifies no patient.
    Warn,
    /// It is not taken.
    Block,
}

/// One place in a text that seems to identify a person.
///
/// It has the place and not the words, so that it can be logged, kept and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    pub kind: PersonalData,
    pub severity: Severity,
    /// Where it begins in the text as it was typed, in characters (Unicode scalar values) from 0.
    pub start: usize,
    /// Where it ends: the first character that is no longer part of it.
    pub end: usize,
}
