//! How long and how many, in characters. A text has the limit of the network's case-study template; a
//! limit of our own says why.

pub use crate::domain::{text::TITLE_MAX, topic::MAX_PER_CONTRIBUTION as TOPICS_MAX};

/// Reused in digests.
pub const SUMMARY_MAX: usize = 500;
pub const PROBLEM_MAX: usize = 2_000;
pub const WHAT_MATTERS_MAX: usize = 1_000;
pub const AIM_MAX: usize = 500;
pub const WHAT_WE_DID_MAX: usize = 4_000;
pub const RECOGNITION_MAX: usize = 500;
/// Staff impact, and unintended effects.
pub const EFFECT_MAX: usize = 1_000;
/// What worked, what did not, and advice.
pub const LESSON_MAX: usize = 1_500;
pub const MEASURES_MAX: usize = 10;
/// Months from publishing to the review date, unless the authors choose another.
pub const REVIEW_MONTHS: u32 = 24;

/// How people were involved, how a lens was used, why there are no measures: a paragraph each, as the
/// template says less of them than of staff impact.
pub const PARAGRAPH_MAX: usize = 1_000;
/// A vision or aim statement is one sentence.
pub const STATEMENT_MAX: usize = 500;
/// A measure's name is a row of a table.
pub const MEASURE_NAME_MAX: usize = 150;
/// "percentage points", with room.
pub const UNIT_MAX: usize = 50;
/// What somebody said, in a few sentences.
pub const QUOTE_MAX: usize = 500;
/// "A carer, community hospital"
pub const ATTRIBUTION_MAX: usize = 100;
/// "2 days a week of a band 6 for 4 months", an owner, a funding source.
pub const LINE_MAX: usize = 200;
/// A citation with its address.
pub const REFERENCE_MAX: usize = 500;
/// The longest name in the directory has about 100.
pub const ORGANISATION_NAME_MAX: usize = 150;
/// The longest e-mail address (RFC 5321, 4.5.3.1.3).
pub const MAILBOX_MAX: usize = 254;

/// Lists that a person fills in by hand: more is a mistake, or a second case study.
pub const PARTNERS_MAX: usize = 20;
pub const CHOICES_MAX: usize = 10;
pub const QUOTES_MAX: usize = 10;
pub const REFERENCES_MAX: usize = 20;
/// A group that edits a text together; each gets the reminder to review it.
pub const CO_AUTHORS_MAX: usize = 10;
