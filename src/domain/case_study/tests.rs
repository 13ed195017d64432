use super::{
    content::Content,
    measure::{FftCounts, Shown, TypedMeasure, TypedPoint},
    problems::Problems,
    typed::TypedContent,
};

fn point(value: f64, n: Option<u32>) -> TypedPoint {
    TypedPoint { value: Some(value), date: "2025-01".parse().ok(), n, fft: None }
}

fn taken(measure: TypedMeasure) -> Content {
    let typed = TypedContent {
        measures: async_graphql::MaybeUndefined::Value(vec![measure]),
        ..TypedContent::default()
    };
    let (mut content, mut problems) = (Content::default(), Problems::default());
    content.take(Some("Quiet nights"), &typed, &mut problems);
    assert_eq!(problems.into_vec(), []);
    content
}

#[test]
fn one_to_four_are_suppressed_and_kept_for_the_form() {
    for (n, shown) in [
        (None, Shown::Value { value: 41.5, n: None }),
        (Some(0), Shown::Value { value: 41.5, n: Some(0) }),
        (Some(1), Shown::Suppressed),
        (Some(4), Shown::Suppressed),
        (Some(5), Shown::Value { value: 41.5, n: Some(5) }),
    ] {
        let typed = point(41.5, n);
        let measure = TypedMeasure { before: Some(typed.clone()), ..TypedMeasure::default() };
        let content = taken(measure);
        let before = content.measures[0].before.as_ref().unwrap();
        assert_eq!(before.shown(), shown, "{n:?}");
        assert_eq!(before.typed(), typed);
    }
}

#[test]
fn positive_is_very_good_and_good_of_all_responses() {
    let counts = FftCounts { very_good: 60, good: 20, dont_know: 15, poor: 5, ..FftCounts::default() };
    assert_eq!((counts.responses(), counts.positive()), (100, Some(80.0)));
    let third = FftCounts { very_good: 1, poor: 2, ..FftCounts::default() };
    assert_eq!(third.positive(), Some(33.3));
    assert_eq!(FftCounts::default().positive(), None);

    let measure = |source: &str, unit: &str| TypedMeasure {
        source: Some(source.to_owned()),
        unit: Some(unit.to_owned()),
        before: Some(TypedPoint { fft: Some(third), ..TypedPoint::default() }),
        ..TypedMeasure::default()
    };
    for fft in [measure("fft", ""), measure("local-survey", "FFT positive %")] {
        let content = taken(fft);
        // Three people answered.
        assert_eq!(content.measures[0].before.as_ref().unwrap().shown(), Shown::Suppressed);
        assert_eq!(content.measures[0].typed().before.unwrap().fft, Some(third));
    }
}

#[test]
fn what_is_absent_stays_and_what_is_null_or_empty_goes() {
    let mut content = Content::default();
    let mut take = |typed: TypedContent| {
        let mut problems = Problems::default();
        content.take(None, &typed, &mut problems);
        assert_eq!(problems.into_vec(), []);
        (content.aim.as_ref().map(|aim| aim.markdown.clone()), content.settings.len())
    };
    let text = |text: &str| async_graphql::MaybeUndefined::Value(text.to_owned());
    let settings = async_graphql::MaybeUndefined::Value(vec!["icb".to_owned(), "icb".to_owned()]);
    assert_eq!(
        take(TypedContent { aim: text("Sleep"), settings, ..TypedContent::default() }),
        (Some("Sleep".to_owned()), 1)
    );
    assert_eq!(take(TypedContent::default()), (Some("Sleep".to_owned()), 1));
    assert_eq!(take(TypedContent { aim: text(" "), ..TypedContent::default() }), (None, 1));
    let null = async_graphql::MaybeUndefined::Null;
    assert_eq!(take(TypedContent { settings: null, ..TypedContent::default() }), (None, 0));
}
