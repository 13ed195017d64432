//! The rows of a directory's file.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::import::{Refusal, Report};
use crate::domain::{
    organisation::{NAME_MAX, OdsCode, display_name},
    taxonomy::{ICB, Taxonomy},
};

/// Columns of the file: NHS Digital's `etr.csv` and its siblings have 27 and no header.
const COLUMNS: usize = 27;
/// The first column of a file that names its columns.
const CODE_COLUMN: &str = "ods_code";

/// What a row says about an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub line: u64,
    pub code: OdsCode,
    pub name: String,
    /// Names that the same file gave it in earlier rows.
    pub former: Vec<String>,
    /// What it is likely to be, or known to be: the slug of a type.
    pub kind: Option<String>,
    pub region: Option<String>,
    pub icb: Option<String>,
    pub postcode: Option<String>,
    pub opened: Option<NaiveDate>,
    pub closed: Option<NaiveDate>,
    pub successors: Vec<OdsCode>,
}

/// Reads the rows, the last of each code, and notes those that can't be read. A first line that names its
/// columns is of a file of integrated care boards; those of the Organisation Data Service have none.
pub(super) fn parse(file: &[u8], kind: Option<&str>, report: &mut Report) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut header: Option<Vec<String>> = None;
    let mut rows: Vec<Row> = Vec::new();
    let mut place: HashMap<OdsCode, usize> = HashMap::new();
    let mut record = csv::ByteRecord::new();
    let mut lines = LineNumbers { file, at: 0, line: 1 };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Err(error) => {
                let line = lines.at(reader.position().byte());
                report.refused.push(Refusal { line, reason: format!("It is not CSV: {error}") });
            }
            Ok(true) => {
                let line = lines.at(record.position().map_or(0, csv::Position::byte));
                if line == 1 && record.get(0) == Some(CODE_COLUMN.as_bytes()) {
                    header = Some(record.iter().map(latin).collect());
                    continue;
                }
                let row = match &header {
                    Some(header) => parse_icb(header, &record),
                    None => parse_row(&record, kind),
                };
                match row {
                    Err(reason) => report.refused.push(Refusal { line, reason }),
                    Ok(row) => match place.get(&row.code) {
                        Some(at) => rows[*at].superseded_by(Row { line, ..row }, report),
                        None => {
                            place.insert(row.code.clone(), rows.len());
                            rows.push(Row { line, ..row });
                        }
                    },
                }
            }
        }
        report.rows += 1;
    }
    rows
}

impl Row {
    /// A code stands twice where it was renamed: the later row is the newer one.
    fn superseded_by(&mut self, mut later: Self, report: &mut Report) {
        let (line, code) = (later.line, later.code.as_str());
        let reason = format!("Line {line} has the same code {code} and is used.");
        report.refused.push(Refusal { line: self.line, reason });
        later.former.clone_from(&self.former);
        if self.name != later.name {
            later.former.push(self.name.clone());
        }
        *self = later;
    }
}

/// Lines as an editor counts them. The CSV reader's own count is late by one where lines end in
/// carriage return and line feed.
struct LineNumbers<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl LineNumbers<'_> {
    /// The line of the record that starts at `byte`; asked for in the file's order.
    fn at(&mut self, byte: u64) -> u64 {
        let start = usize::try_from(byte).unwrap_or(usize::MAX).min(self.file.len());
        let start =
            start + self.file[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.file[self.at..start].iter().filter(|byte| **byte == b'\n').count();
        (self.at, self.line) = (start, self.line + passed as u64);
        self.line
    }
}

fn parse_row(record: &csv::ByteRecord, kind: Option<&str>) -> Result<Row, String> {
    if record.len() != COLUMNS {
        return Err(format!("It has {} columns; an ODS file has {COLUMNS}.", record.len()));
    }
    let column = |number: usize| latin(record.get(number - 1).unwrap_or_default());
    let optional = |number| Some(column(number)).filter(|text| !text.is_empty());
    let mut row = Row::named(&column(1), &column(2), optional(3))?;
    row.icb = optional(4).map(|code| self::code(&code).map(|code| code.as_str().to_owned())).transpose()?;
    row.postcode = optional(10);
    row.open(date(&column(11), "opened", ODS_DATE)?, date(&column(12), "closed", ODS_DATE)?)?;
    let taxonomy = Taxonomy::read()?;
    row.kind = kind.or_else(|| taxonomy.likely_type(&row.name)).map(str::to_owned);
    Ok(row)
}

/// A row of a file of integrated care boards: `ods_code`, `name` and `region_code`, and where the file has
/// them `opened_on`, `closed_on` (or `abolished_on`) and `successor_codes`, parted by semicolons.
fn parse_icb(header: &[String], record: &csv::ByteRecord) -> Result<Row, String> {
    if record.len() != header.len() {
        return Err(format!("It has {} columns; the first line names {}.", record.len(), header.len()));
    }
    let column = |names: &[&str]| {
        let at = header.iter().position(|name| names.contains(&name.as_str()));
        at.and_then(|at| record.get(at)).map(latin).unwrap_or_default()
    };
    let region = Some(column(&["region_code"])).filter(|text| !text.is_empty());
    let mut row = Row::named(&column(&[CODE_COLUMN]), &column(&["name"]), region)?;
    row.icb = Some(row.code.as_str().to_owned());
    row.kind = Some(ICB.to_owned());
    let closed = date(&column(&["closed_on", "abolished_on"]), "closed", ISO_DATE)?;
    row.open(date(&column(&["opened_on"]), "opened", ISO_DATE)?, closed)?;
    let successors = column(&["successor_codes"]);
    for text in successors.split(';').filter(|text| !text.is_empty()) {
        let successor = code(text)?;
        if successor == row.code {
            return Err("It is said to be its own successor.".to_owned());
        }
        row.successors.push(successor);
    }
    Ok(row)
}

impl Row {
    fn named(code: &str, name: &str, region: Option<String>) -> Result<Self, String> {
        let code = self::code(code)?;
        let name = display_name(name);
        if name.is_empty() {
            return Err("It has no name.".to_owned());
        }
        if name.chars().count() > NAME_MAX {
            return Err(format!("Its name has more than {NAME_MAX} characters."));
        }
        let taxonomy = Taxonomy::read()?;
        if let Some(unknown) = region.as_deref().filter(|region| taxonomy.region(region).is_none()) {
            return Err(format!("{unknown:?} is not an NHS region."));
        }
        Ok(Self { code, name, region, ..Self::default() })
    }

    fn open(&mut self, opened: Option<NaiveDate>, closed: Option<NaiveDate>) -> Result<(), String> {
        if let (Some(opened), Some(closed)) = (opened, closed)
            && closed < opened
        {
            return Err(format!("It closed ({closed}) before it opened ({opened})."));
        }
        (self.opened, self.closed) = (opened, closed);
        Ok(())
    }
}

fn code(text: &str) -> Result<OdsCode, String> {
    OdsCode::parse(text).ok_or_else(|| format!("{text:?} is not an ODS code of 3 or 5 characters."))
}

/// The files are ASCII or Windows' Latin alphabet, and UTF-8 when somebody has edited them.
fn latin(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), ToOwned::to_owned);
    text.trim().to_owned()
}

/// How a file writes a day, and the first of April 2026 as it writes it.
type DateForm = (&'static str, &'static str);
const ODS_DATE: DateForm = ("%Y%m%d", "20260401");
const ISO_DATE: DateForm = ("%Y-%m-%d", "2026-04-01");

fn date(text: &str, what: &str, (form, example): DateForm) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    NaiveDate::parse_from_str(text, form)
        .map(Some)
        .map_err(|_| format!("{text:?}, when it {what}, is not a date like {example}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(code: &str, name: &str, region: &str, opened: &str, closed: &str) -> String {
        let mut columns = vec![""; COLUMNS];
        (columns[0], columns[1], columns[2], columns[10], columns[11]) = (code, name, region, opened, closed);
        format!("\"{}\"\r\n", columns.join("\",\""))
    }

    #[test]
    fn broken_rows_are_refused_by_line_and_the_rest_is_read() {
        let file = [
            line("R0A", "FIRST NHS TRUST", "Y62", "20171001", ""),
            line("R0", "NO CODE", "Y62", "", ""),
            line("R0B", "", "Y62", "", ""),
            line("R0C", "BAD REGION", "Y99", "", ""),
            line("R0D", "BAD DATE", "Y62", "2017-10-01", ""),
            line("R0E", "BACKWARDS", "Y62", "20200101", "20190101"),
            "\"R0F\",\"SHORT\"\r\n".to_owned(),
            line("7A1", "WELSH", "", "", ""),
            line("R0A", "RENAMED NHS TRUST", "Y62", "20171001", ""),
        ]
        .concat();
        let mut report = Report::default();
        let rows = parse(file.as_bytes(), None, &mut report);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Renamed NHS Trust", "Welsh"]);
        assert_eq!(rows[0].former, ["First NHS Trust"]);
        report.refused.sort_by_key(|refusal| refusal.line);
        let lines: Vec<u64> = report.refused.iter().map(|refusal| refusal.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(report.rows, 9);
        assert!(report.refused[4].reason.contains("not a date"));
    }
}
