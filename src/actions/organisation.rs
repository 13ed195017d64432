//! Organisations: the directory, imported from the Organisation Data Service's files.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::{
    app::App,
    domain::organisation::{OdsCode, Organisation, display_name, region_name},
    error::{Error, Result},
    query::Page,
    store::{Batch, StoreError},
};

/// Columns of the file: NHS Digital's `etr.csv` and its siblings have 27 and no header.
const COLUMNS: usize = 27;
/// Rows written together: enough to be quick, few enough to be one small transaction.
const CHUNK: usize = 200;

/// What an import did, row by row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub rows: usize,
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub refused: Vec<Refusal>,
}

/// A row that was not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub line: u64,
    pub reason: String,
}

/// What a row says about an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    code: OdsCode,
    name: String,
    region: Option<String>,
    icb: Option<String>,
    postcode: Option<String>,
    opened: Option<NaiveDate>,
    closed: Option<NaiveDate>,
}

/// Takes over an ODS file. Safe to repeat: what is the same stays untouched. Rows that can't be read
/// are refused one by one, and the rest is imported.
///
/// # Errors
/// When the store fails. What was imported until then stays.
pub async fn import(app: &App, file: &[u8], progress: impl Fn(usize)) -> Result<Report> {
    let mut report = Report::default();
    let rows = parse(file, &mut report);
    for chunk in rows.chunks(CHUNK) {
        import_chunk(app, chunk, &mut report).await?;
        progress(chunk.len());
    }
    report.refused.sort_by_key(|refusal| refusal.line);
    Ok(report)
}

async fn import_chunk(app: &App, rows: &[Row], report: &mut Report) -> Result<()> {
    let codes = rows.iter().map(|row| row.code.clone());
    let filter = Organisation::CODE.is_in(codes);
    let stored = app.store.find(filter, Organisation::CODE.asc(), Page::first(rows.len())).await?;
    let mut stored: HashMap<OdsCode, Organisation> =
        stored.into_iter().map(|organisation| (organisation.code.clone(), organisation)).collect();
    let mut batch = Batch::new();
    let (mut added, mut changed, mut unchanged) = (0, 0, 0);
    for row in rows {
        match stored.remove(&row.code) {
            None => {
                batch = batch.insert(&added_organisation(app, row));
                added += 1;
            }
            Some(organisation) if row_of(&organisation) == *row => unchanged += 1,
            Some(mut organisation) => {
                take_over(&mut organisation, row);
                organisation.updated_at = app.clock.now();
                batch = batch.replace(&organisation);
                changed += 1;
            }
        }
    }
    app.store.commit(batch).await.map_err(|error| match error {
        StoreError::Stale { .. } | StoreError::Conflict { .. } => Error::Store(StoreError::Unavailable(
            "Organisations were changed by somebody else at the same time. Run the import again.".to_owned(),
        )),
        error => error.into(),
    })?;
    report.added += added;
    report.changed += changed;
    report.unchanged += unchanged;
    Ok(())
}

fn added_organisation(app: &App, row: &Row) -> Organisation {
    let mut organisation = Organisation {
        id: app.ids.fresh(),
        version: 1,
        code: row.code.clone(),
        name: String::new(),
        region: None,
        icb: None,
        postcode: None,
        opened: None,
        closed: None,
        domains: Vec::new(),
        updated_at: app.clock.now(),
    };
    take_over(&mut organisation, row);
    organisation
}

fn take_over(organisation: &mut Organisation, row: &Row) {
    let Row { code: _, name, region, icb, postcode, opened, closed } = row.clone();
    organisation.name = name;
    organisation.region = region;
    organisation.icb = icb;
    organisation.postcode = postcode;
    organisation.opened = opened;
    organisation.closed = closed;
}

fn row_of(organisation: &Organisation) -> Row {
    let Organisation { code, name, region, icb, postcode, opened, closed, .. } = organisation.clone();
    Row { code, name, region, icb, postcode, opened, closed }
}

/// Reads the rows, the last of each code, and notes those that can't be read.
fn parse(file: &[u8], report: &mut Report) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut rows: Vec<(u64, Row)> = Vec::new();
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
                match parse_row(&record) {
                    Err(reason) => report.refused.push(Refusal { line, reason }),
                    Ok(row) => match place.get(&row.code) {
                        // A code may stand twice when it was renamed; the later row is the newer one.
                        Some(at) => {
                            let earlier = rows[*at].0;
                            let reason =
                                format!("Line {line} has the same code {} and is used.", row.code.as_str());
                            report.refused.push(Refusal { line: earlier, reason });
                            rows[*at] = (line, row);
                        }
                        None => {
                            place.insert(row.code.clone(), rows.len());
                            rows.push((line, row));
                        }
                    },
                }
            }
        }
        report.rows += 1;
    }
    rows.into_iter().map(|(_, row)| row).collect()
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

fn parse_row(record: &csv::ByteRecord) -> Result<Row, String> {
    if record.len() != COLUMNS {
        return Err(format!("It has {} columns; an ODS file has {COLUMNS}.", record.len()));
    }
    let column = |number: usize| latin(record.get(number - 1).unwrap_or_default());
    let optional = |number| Some(column(number)).filter(|text| !text.is_empty());
    let code = column(1);
    let code =
        OdsCode::parse(&code).ok_or_else(|| format!("{code:?} is not an ODS code of 3 or 5 characters."))?;
    let name = display_name(&column(2));
    if name.is_empty() {
        return Err("It has no name.".to_owned());
    }
    let region = optional(3);
    if let Some(unknown) = region.as_deref().filter(|region| region_name(region).is_none()) {
        return Err(format!("{unknown:?} is not an NHS region."));
    }
    let (opened, closed) = (date(&column(11), "opened")?, date(&column(12), "closed")?);
    if let (Some(opened), Some(closed)) = (opened, closed)
        && closed < opened
    {
        return Err(format!("It closed ({closed}) before it opened ({opened})."));
    }
    Ok(Row { code, name, region, icb: optional(4), postcode: optional(10), opened, closed })
}

/// The files are ASCII or Windows' Latin alphabet, and UTF-8 when somebody has edited them.
fn latin(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), ToOwned::to_owned);
    text.trim().to_owned()
}

fn date(text: &str, what: &str) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    NaiveDate::parse_from_str(text, "%Y%m%d")
        .map(Some)
        .map_err(|_| format!("{text:?}, when it {what}, is not a date like 20260401."))
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
        let rows = parse(file.as_bytes(), &mut report);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Renamed NHS Trust", "Welsh"]);
        report.refused.sort_by_key(|refusal| refusal.line);
        let lines: Vec<u64> = report.refused.iter().map(|refusal| refusal.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(report.rows, 9);
        assert!(report.refused[4].reason.contains("not a date"));
    }
}
