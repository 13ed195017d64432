//! What was measured, as a table.

use std::{collections::BTreeMap, time::Duration};

/// The measurements of one side.
#[derive(Default)]
pub struct Row {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Row {
    pub fn add(&mut self, (times, elapsed): (Vec<Duration>, Duration)) {
        self.times.extend(times);
        self.elapsed += elapsed;
    }

    fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn percentile(&mut self, percent: usize) -> f64 {
        self.times.sort_unstable();
        let index = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// The store, the request and the connections.
type Measured = (String, &'static str, usize);

/// Lines of the table, and requests per second by what was measured, to compare sizes.
#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    rates: BTreeMap<Measured, Vec<(usize, f64)>>,
}

impl Report {
    pub fn add(
        &mut self,
        engine: &str,
        posts: usize,
        what: &'static str,
        connections: usize,
        mut service: Row,
        mut floor: Row,
    ) {
        let (rate, floor_rate) = (service.per_second(), floor.per_second());
        self.lines.push(format!(
            "| {engine} | {posts} | {what} | {connections} | {rate:.0} | {:.2} | {:.2} | {floor_rate:.0} | {:.2} | {:.2} | {:.2} |",
            service.percentile(50),
            service.percentile(99),
            floor.percentile(50),
            floor.percentile(99),
            rate / floor_rate,
        ));
        eprintln!("{}", self.lines.last().map_or("", String::as_str));
        self.rates.entry((engine.to_owned(), what, connections)).or_default().push((posts, rate));
    }

    pub fn print(&self) {
        println!(
            "| store | posts | request | connections | per second | p50 ms | p99 ms | floor per second | floor p50 ms | floor p99 ms | ratio |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for line in &self.lines {
            println!("{line}");
        }
        for ((engine, what, connections), sizes) in &self.rates {
            if let [(small, small_rate), .., (large, large_rate)] = sizes.as_slice() {
                let slower = small_rate / large_rate;
                println!(
                    "{engine}, {what}, {connections} connections: {large} posts are {slower:.2} times as slow as {small}"
                );
            }
        }
    }
}
