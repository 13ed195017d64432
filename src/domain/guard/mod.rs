//! The guard against personal data: what could identify a patient must not get into the network.
//!
//! Every text that comes in passes [`check`] before it is stored, because both ways in do it:
//! [`line`](super::text::line) and [`RichText::parse`](super::text::RichText::parse). What it finds is
//! told by its kind and its place alone. The words themselves are in no error, log, mail or document.
//!
//! Some findings *block*: they mean one person and have no place in a forum. Others *warn*, because
//! they are as often harmless: the author is asked once, says that no patient is meant, and goes on.
//! A guard that refuses too much is worked around; one that asks too often is no longer read.
//!
//! | kind | blocks | warns |
//! |---|---|---|
//! | NHS number | valid and begins with 4, 6 or 7, or stands 3-3-4, or "NHS number" is near; any ten digits directly after "NHS number" | any other valid one: one in eleven of all ten-digit numbers is |
//! | CHI number | valid, begins with a date, in one piece or 6-4; any ten digits directly after "CHI number" | |
//! | National Insurance number | always: its form is like nothing else | |
//! | date of birth | directly after "DOB" or "date of birth" | further off, before them, or near "born" and "birthday": services are born, too |
//! | hospital number | directly after "MRN" or "hospital number" | further off |
//! | phone number | | 01, 02, 05, 07 and international; not 03, 08 and 09, which are organisations' |
//! | e-mail address | | not those of the NHS and of public bodies: members give them on purpose |
//! | postcode | | always: a trust's own address is fine |
//!
//! Nothing is found in URLs, DOIs and ISBNs. Disguises are taken off first ([`normal`]). Names are
//! beyond patterns: people report those.
//!
//! It reads a text once for each pattern, in time proportional to its length.

mod normal;
mod numbers;
mod words;

#[cfg(test)]
mod tests;

use self::{normal::Normal, words::Words};
use crate::error::{Code, Problem};
pub use crate::error::{Finding, PersonalData, Severity};

/// Places that a message names one by one; more are counted.
const PLACES_MAX: usize = 3;

/// What a text's author has said about warnings.
///
/// What lets a text in is decided in [`Acknowledged::covers`] alone. Each covers what those before do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acknowledged {
    #[default]
    Nothing,
    /// They looked at each warning: no patient is meant.
    Warnings,
    /// A moderator takes it whatever is found, with a reason that is kept in the audit log.
    All,
}

impl Acknowledged {
    fn covers(self, finding: &Finding) -> bool {
        match self {
            Self::Nothing => false,
            Self::Warnings => finding.severity == Severity::Warn,
            Self::All => true,
        }
    }
}

impl From<bool> for Acknowledged {
    fn from(warnings: bool) -> Self {
        if warnings { Self::Warnings } else { Self::Nothing }
    }
}

/// Every place in `text` that seems to identify a person, in order and apart from each other.
///
/// Places are counted in characters of the text as it was typed.
#[must_use]
pub fn check(text: &str) -> Vec<Finding> {
    let normal = Normal::of(text);
    let words = Words::of(&normal);
    let is_exempt = |finding: &Finding| {
        let after = words.exempt.partition_point(|span| span.end <= finding.start);
        words.exempt.get(after).is_some_and(|span| span.start < finding.end)
    };
    let mut found = numbers::find(&normal, &words);
    found.extend(words::find(&normal).into_iter().filter(|finding| !is_exempt(finding)));
    let mut found = apart(found);
    for finding in &mut found {
        (finding.start, finding.end) = normal.typed(finding.start, finding.end);
    }
    found
}

/// In order; of those that overlap, the one that weighs most, then the first, then the longest.
fn apart(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| {
        (finding.start, std::cmp::Reverse(finding.severity), std::cmp::Reverse(finding.end))
    });
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        match kept.last_mut().filter(|last| last.end > finding.start) {
            None => kept.push(finding),
            Some(last) if finding.severity > last.severity => *last = finding,
            Some(_) => {}
        }
    }
    kept
}

/// Refuses a text with findings that its author has not acknowledged, or can't.
///
/// # Errors
/// One problem of the field, with all of them.
pub fn refuse(field: &str, text: &str, acknowledged: Acknowledged) -> Result<(), Problem> {
    let mut findings = check(text);
    findings.retain(|finding| !acknowledged.covers(finding));
    if findings.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(field, Code::PersonalData, message(field, &findings));
    Err(Problem { personal_data: findings, ..problem })
}

/// A sentence about where and what, and one about what to do. Characters are counted from 1 here, as
/// people do.
fn message(field: &str, findings: &[Finding]) -> String {
    let place = |finding: &Finding| {
        format!("{} at characters {} to {}", finding.kind.phrase(), finding.start + 1, finding.end)
    };
    let mut places: Vec<String> = findings.iter().take(PLACES_MAX).map(place).collect();
    if findings.len() > PLACES_MAX {
        places.push(format!("{} more", findings.len() - PLACES_MAX));
    }
    let last = places.pop().unwrap_or_default();
    let places = if places.is_empty() { last } else { format!("{} and {last}", places.join(", ")) };
    let advice = if findings.iter().any(|finding| finding.severity == Severity::Block) {
        "Take it out: nothing that could identify a patient may be shared here."
    } else {
        "Take it out, or confirm that it does not identify a patient."
    };
    format!("The {field} seems to have {places}. {advice}")
}
