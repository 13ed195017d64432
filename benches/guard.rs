//! How long the guard takes for a long text: ten thousand characters, the most that a post may have.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hope_exchange::domain::{guard::check, text::BODY_MAX};

/// What a post is like: figures, dates, a link and a table among words.
const PROSE: &str = "On 4 March 2026 we put the question to 412 people on 7 wards, and 94.5% answered within \
    48 hours. \u{201c}Nobody had asked me before\u{201d}, said one carer. The trolley costs \u{a3}1,204.50 a year; \
    [the report](https://www.example.nhs.uk/reports/2025-26/4505577104) has the figures, and so has \
    doi:10.1136/bmjqs-2018-008370.\n\n| Ward | 2024 | 2025 |\n|---|---|---|\n| A3 | 318 | 1,024 |\n\n";
/// What should not be in one.
const FINDINGS: &str = "She was born on 12 March 1956 (NHS number 943 476 5919, MRN: A123456), lives at LS1 4AP, and \
    can be reached on 07700 900123 or at jane@example.com. NI: AB 12 34 56 C.\n\n";

fn text(pieces: &[&str]) -> String {
    pieces.iter().cycle().flat_map(|piece| piece.chars()).take(BODY_MAX).collect()
}

fn guard(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("guard, 10,000 characters");
    let texts = [
        ("without findings", text(&[PROSE]), 0),
        ("with a finding now and then", text(&[PROSE, PROSE, PROSE, PROSE, FINDINGS]), 1),
        ("with findings throughout", text(&[FINDINGS]), 100),
    ];
    for (name, text, at_least) in &texts {
        assert!(
            check(text).len() >= *at_least && (*at_least > 0 || check(text).is_empty()),
            "{:?}",
            check(text)
        );
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(*name, |bencher| bencher.iter(|| check(black_box(text))));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = guard
}
criterion_main!(benches);
