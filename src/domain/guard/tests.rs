use proptest::{prelude::*, sample::select};

use super::{
    PersonalData::{
        ChiNumber, DateOfBirth, EmailAddress, HospitalNumber, NationalInsuranceNumber, NhsNumber,
        PhoneNumber, Postcode,
    },
    Severity::{Block, Warn},
    numbers::passes,
    *,
};

fn slice(text: &str, finding: &Finding) -> String {
    text.chars().skip(finding.start).take(finding.end - finding.start).collect()
}

/// What is found in a text: the kind, the severity and the words.
type Found<'a> = &'a [(PersonalData, Severity, &'a str)];

fn assert_found(table: &[(&str, Found)]) {
    for (text, expected) in table {
        let found = check(text);
        let found: Vec<_> =
            found.iter().map(|finding| (finding.kind, finding.severity, slice(text, finding))).collect();
        let expected: Vec<_> =
            expected.iter().map(|(kind, severity, words)| (*kind, *severity, (*words).to_owned())).collect();
        assert_eq!(found, expected, "in {text:?}");
    }
}

fn assert_nothing(texts: &[&str]) {
    for text in texts {
        assert_eq!(check(text), [], "in {text:?}");
    }
}

#[test]
fn nhs_numbers() {
    assert_found(&[
        ("943 476 5919", &[(NhsNumber, Block, "943 476 5919")]),
        ("Saw 943-476-5919 today", &[(NhsNumber, Block, "943-476-5919")]),
        ("943.476.5919.", &[(NhsNumber, Block, "943.476.5919")]),
        ("943_476_5919.pdf", &[(NhsNumber, Block, "943_476_5919")]),
        ("943 – 476 – 5919", &[(NhsNumber, Block, "943 – 476 – 5919")]),
        ("943/476/5919", &[(NhsNumber, Block, "943/476/5919")]),
        ("**943** 476 5919", &[(NhsNumber, Block, "943** 476 5919")]),
        ("943&nbsp;476&nbsp;5919", &[(NhsNumber, Block, "943&nbsp;476&nbsp;5919")]),
        ("94347<b>65919</b>", &[(NhsNumber, Warn, "94347<b>65919")]),
        ("943<br>476 5919", &[(NhsNumber, Warn, "943<br>476 5919")]),
        ("(4010232137)", &[(NhsNumber, Block, "4010232137")]),
        ("45-0557-7104", &[(NhsNumber, Block, "45-0557-7104")]),
        ("a 9434765919 b", &[(NhsNumber, Warn, "9434765919")]),
        ("94 34 76 59 19 in bed 4", &[(NhsNumber, Warn, "94 34 76 59 19")]),
        // Words beside it.
        ("NHS no 9434765919", &[(NhsNumber, Block, "9434765919")]),
        ("NHS9434765919", &[(NhsNumber, Block, "9434765919")]),
        ("N.H.S. number: 9434765919", &[(NhsNumber, Block, "9434765919")]),
        ("NHS number of the lady: 9434765919", &[(NhsNumber, Block, "9434765919")]),
        ("9434765919 (NHS number)", &[(NhsNumber, Block, "9434765919")]),
        ("NHS number 94 34 76 59 19 12/03/1956", &[(NhsNumber, Block, "94 34 76 59 19")]),
        (
            "NHS numbers 9434765919, 9990000001 and 9990000018",
            &[(NhsNumber, Block, "9434765919"), (NhsNumber, Block, "9990000018")],
        ),
        // Called one, so the check digit may be the mistake.
        ("NHS number is 943 476 5918", &[(NhsNumber, Block, "943 476 5918")]),
        ("NHS number: 1234567890", &[(NhsNumber, Block, "1234567890")]),
        // Beside other figures.
        ("Bed 12 943 476 5919 12 March", &[(NhsNumber, Block, "943 476 5919")]),
        ("9434765919-01", &[(NhsNumber, Warn, "9434765919")]),
        // Three columns of a table, perhaps.
        ("943\t476\t5919", &[(NhsNumber, Warn, "943\t476\t5919")]),
        ("943 476\n5919", &[(NhsNumber, Warn, "943 476\n5919")]),
        ("x9434765919", &[(NhsNumber, Warn, "9434765919")]),
        (
            "4505577104 and 943 476 5919",
            &[(NhsNumber, Block, "4505577104"), (NhsNumber, Block, "943 476 5919")],
        ),
    ]);
    assert_nothing(&[
        "943 476 5918",
        "9991234567",
        "943 476 59190",
        "94347659190",
        "943\n\n476\n\n5919",
        "943, 476, 5919",
        "| 943 | 476 | 5919 |",
        "NHS number",
        "The NHS no longer has 12 of 20 000 000",
        "pst_01J4505577104KX",
    ]);
}

#[test]
fn disguises_are_taken_off() {
    for text in [
        "９４３ ４７６ ５９１９",
        "٩٤٣ ٤٧٦ ٥٩١٩",
        "𝟗𝟒𝟑 𝟒𝟕𝟔 𝟓𝟗𝟏𝟗",
        "943\u{A0}476\u{202F}5919",
        "9\u{200B}43 4\u{FEFF}76 59\u{AD}19",
        "943\u{2011}476\u{2212}5919",
        "943·476•5919",
        "9️⃣43 476 5919",
        "943   476 \t 5919",
        "943\u{1}476\u{7F}5919",
    ] {
        let found = check(&format!("Émile 😀 {text} ok"));
        assert_eq!(found.len(), 1, "{text}");
        let end = 8 + text.chars().count();
        assert_eq!((found[0].kind, found[0].start, found[0].end), (NhsNumber, 8, end), "{text}");
    }
}

#[test]
fn other_numbers_of_people() {
    assert_found(&[
        ("CHI 0101701236", &[]),
        ("CHI number 0101701234", &[(ChiNumber, Block, "0101701234")]),
        ("seen 311299 1236 today", &[]),
        ("NI AB123456C", &[(NationalInsuranceNumber, Block, "AB123456C")]),
        ("AB 12 34 56 C.", &[(NationalInsuranceNumber, Block, "AB 12 34 56 C")]),
        ("ab123456c", &[(NationalInsuranceNumber, Block, "ab123456c")]),
        ("AB-12-34-56-C", &[(NationalInsuranceNumber, Block, "AB-12-34-56-C")]),
        ("MRN: A123456", &[(HospitalNumber, Block, "A123456")]),
        ("his hospital number is 1234567 12/03/1956", &[(HospitalNumber, Block, "1234567")]),
        ("Hosp no. 123 4567", &[(HospitalNumber, Block, "123 4567")]),
        ("MRN (at Leeds) 1234567", &[(HospitalNumber, Warn, "1234567")]),
        ("Our hospital number is 0161 496 0000", &[(PhoneNumber, Warn, "0161 496 0000")]),
    ]);
    assert_nothing(&[
        "QQ 12 34 56 C",
        "GB123456A",
        "BO123456A",
        "AB123456E",
        "RAB123456C",
        "at 10 20 30 a",
        "By 2024-25 a third",
        "the hospital number 3",
        "patient numbers 12000",
        "The hospital no longer sees 120000 people",
    ]);
}

#[test]
fn births() {
    assert_found(&[
        ("DOB 12/03/1956", &[(DateOfBirth, Block, "12/03/1956")]),
        ("D.O.B.: 12.3.56", &[(DateOfBirth, Block, "12.3.56")]),
        ("date of birth is 1956-03-12,", &[(DateOfBirth, Block, "1956-03-12")]),
        ("Date of birth: 12th of March 1956", &[(DateOfBirth, Block, "12th of March 1956")]),
        ("DOB (dd/mm/yyyy): 12 03 1956", &[(DateOfBirth, Block, "12 03 1956")]),
        ("dob 12031956", &[(DateOfBirth, Block, "12031956")]),
        ("born on 12 Mar 1956", &[(DateOfBirth, Warn, "12 Mar 1956")]),
        ("born March 12, 1956", &[(DateOfBirth, Warn, "March 12, 1956")]),
        ("born in Leeds on 12/03/1956", &[(DateOfBirth, Warn, "12/03/1956")]),
        ("the NHS's birthday, 5 July 1948", &[(DateOfBirth, Warn, "5 July 1948")]),
        ("12/03/1956 (DOB)", &[(DateOfBirth, Warn, "12/03/1956")]),
    ]);
    assert_nothing(&[
        "We meet on 12/03/2026 at 10.30",
        "born in 1956",
        "born in March 1956",
        "date of birth",
        "DOB 45/13/1956",
        "We ask for the date of birth of everybody who comes. From 12 March 2026 on",
        "the service was born",
    ]);
}

#[test]
fn ways_to_reach_somebody_are_asked_about() {
    assert_found(&[
        ("07700 900123", &[(PhoneNumber, Warn, "07700 900123")]),
        ("call (0161) 496 0000 now", &[(PhoneNumber, Warn, "0161) 496 0000")]),
        ("+44 7700 900123", &[(PhoneNumber, Warn, "+44 7700 900123")]),
        ("+44 (0)161 496 0000", &[(PhoneNumber, Warn, "+44 (0)161 496 0000")]),
        ("0044 20 7946 0000", &[(PhoneNumber, Warn, "0044 20 7946 0000")]),
        ("+353 1 234 5678", &[(PhoneNumber, Warn, "+353 1 234 5678")]),
        ("jo@example.com, please", &[(EmailAddress, Warn, "jo@example.com")]),
        ("jo@nhs.net.example.com", &[(EmailAddress, Warn, "jo@nhs.net.example.com")]),
        ("LS1 4AP", &[(Postcode, Warn, "LS1 4AP")]),
        ("at sw1a1aa.", &[(Postcode, Warn, "sw1a1aa")]),
        ("EC1A 1BB", &[(Postcode, Warn, "EC1A 1BB")]),
    ]);
    assert_nothing(&[
        "0300 311 2233",
        "0800 123456",
        "111 or 999",
        "pals@trust.nhs.uk",
        "a.b@nhs.net",
        "ward B2 3rd floor",
        "RXA12 and 13T and G6V2S",
        "Q1 2AB",
        "E1 2CC",
    ]);
}

#[test]
fn what_looks_similar_is_left_alone() {
    assert_nothing(&[
        "https://www.england.nhs.uk/943-476-5919/LS1%204AP?x=4505577104",
        "[the report](https://example.org/4505577104) and www.example.org/943.476.5919",
        "see england.nhs.uk/4505577104",
        "doi:10.1000/4505577104, 10.1136/bmj.450-557-7104",
        "ISBN 0-306-40615-2",
        "ISBN-10: 4505577104",
        "ISBN-13 978-0-306-40615-7 and 978 0 306 40615 7",
        "£4505577104 or $ 4505577104",
        "4,505,577,104 people",
        "4-6-2024 10.30 to 12.30, 04-06-2024 10",
        "2024-2025 and 2019-20 2020-21",
        "4.5 4.6 4.7 4.8 4.9 4.4 4.3 4.2 4.1",
        "45 120 33 871 45 120 33 871 45 120 33 871",
        "| Ward | 2024 | 2025 |\n|---|---|---|\n| 7 | 412 | 3180 |\n| 8 | 450 557 | 7104 |",
        "46.101.22.100",
        "FFT: 94.5% of 1,204 said Very good, 1 to 4 are *, * and *",
    ]);
    assert_eq!(check("[943 476 5919](https://example.org/x) 4505577104").len(), 2);
}

#[test]
fn a_warning_can_be_acknowledged_and_a_block_can_not() {
    let both = "Ask at LS1 4AP for 943 476 5919.";
    let refused = refuse("body", both, Acknowledged::Nothing).unwrap_err();
    assert_eq!(refused.code, Code::PersonalData);
    assert_eq!(
        refused.message,
        "The body seems to have a postcode at characters 8 to 14 and an NHS number at characters 20 to 31. Take it \
         out: nothing that could identify a patient may be shared here."
    );
    assert_eq!(refused.personal_data.len(), 2);
    for words in ["943", "5919", "LS1", "4AP"] {
        assert!(!format!("{refused:?}").contains(words), "{words}");
    }
    let blocked = refuse("body", both, Acknowledged::Warnings).unwrap_err();
    assert_eq!(blocked.personal_data.len(), 1);
    assert!(refuse("body", "Ask at LS1 4AP.", Acknowledged::Warnings).is_ok());
    let many = refuse("title", &"LS1 4AP, ".repeat(9), Acknowledged::Nothing).unwrap_err().message;
    assert!(many.contains("and 6 more. Take it out, or confirm"), "{many}");
}

fn valid_numbers() -> impl Strategy<Value = [u8; 10]> {
    prop::array::uniform9(0..10_u8).prop_filter_map("no check digit", |nine| {
        let with = |check| {
            let mut ten = [check; 10];
            ten[..9].copy_from_slice(&nine);
            ten
        };
        (0..10).map(with).find(passes)
    })
}

const JOINTS: [&str; 22] = [
    " ",
    "  ",
    "\u{A0}",
    "\u{2007}",
    "\u{2009}",
    "\u{202F}",
    "\u{3000}",
    "-",
    " - ",
    "\u{2010}",
    "\u{2011}",
    "\u{2013}",
    "\u{2014}",
    "\u{2212}",
    "\u{FF0D}",
    ".",
    "\u{B7}",
    "\u{FF0E}",
    "_",
    "&nbsp;",
    "\u{200B} ",
    "\u{2800}",
];
const HIDDEN: [&str; 8] = ["", "\u{200B}", "\u{200D}", "\u{FEFF}", "\u{AD}", "\u{2060}", "\u{301}", "**"];
const ZEROS: [char; 6] = ['0', '０', '٠', '०', '𝟎', '𝟘'];

fn shown(digit: u8, zero: char) -> char {
    char::from_u32(zero as u32 + u32::from(digit)).unwrap()
}

proptest! {
    /// In 3-3-4, whatever parts the groups and whatever the digits look like.
    #[test]
    fn every_grouped_number_is_blocked(
        digits in valid_numbers(), joints in [select(&JOINTS[..]), select(&JOINTS[..])],
        hidden in select(&HIDDEN[..]), zero in select(&ZEROS[..]), before in "[a-zé😀]{0,8}",
    ) {
        let mut number = String::new();
        for (at, digit) in digits.into_iter().enumerate() {
            match at {
                0 => {}
                3 => number.push_str(joints[0]),
                6 => number.push_str(joints[1]),
                _ => number.push_str(hidden),
            }
            number.push(shown(digit, zero));
        }
        let text = format!("{before} {number} was seen.");
        let start = before.chars().count() + 1;
        let finding = Finding { kind: NhsNumber, severity: Block, start, end: start + number.chars().count() };
        prop_assert_eq!(check(&text), [finding]);
    }

    /// In one piece, and digit by digit.
    #[test]
    fn every_number_is_found(
        digits in valid_numbers(), joint in select(&JOINTS[..]), hidden in select(&HIDDEN[..]), zero in select(&ZEROS[..]),
        spread in any::<bool>(),
    ) {
        let joint = if spread { joint } else { hidden };
        let digits = digits.map(|digit| shown(digit, zero));
        let number = digits.map(String::from).join(joint);
        let text = format!("Mrs 😀 {number} was seen.");
        let found = check(&text);
        prop_assert_eq!(found.len(), 1, "{:?}: {:?}", text, found);
        prop_assert!(matches!(found[0].kind, NhsNumber | ChiNumber));
        prop_assert_eq!(slice(&text, &found[0]), number);
        let held = !spread || matches!(joint, "-" | "." | "_");
        if held && matches!(digits[0] as u32 - zero as u32, 4 | 6 | 7) {
            prop_assert_eq!(found[0].severity, Block);
        }
    }

    #[test]
    fn what_is_called_an_nhs_number_is_blocked(
        number in "[0-9]{10}|[0-9]{3} [0-9]{3} [0-9]{4}",
        label in select(&["NHS number", "NHS no.", "nhs no", "N.H.S. Number:", "NHS number is", "NHS #"][..]),
    ) {
        let text = format!("{label} {number}");
        let found = check(&text);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].kind, found[0].severity), (NhsNumber, Block));
        prop_assert_eq!(slice(&text, &found[0]), number);
    }

    #[test]
    fn ordinary_figures_are_not_blocked(text in prop_oneof![
        "https?://[a-z]{3,9}\\.(org|nhs\\.uk)/[a-z0-9/?=&._-]{0,30}[0-9]{10}",
        "(doi:|https://doi\\.org/|)10\\.[0-9]{4,5}/[a-z]{1,4}\\.[0-9]{10}",
        "ISBN(-10)?:? [0-9]-[0-9]{3}-[0-9]{5}-[0-9X]",
        "ISBN [0-9]{10}",
        "ISBN(-13)? 97[89][- ][0-9][- ][0-9]{3}[- ][0-9]{5}[- ][0-9]",
        "0[127][0-9]{3} [0-9]{6}",
        "0[127][0-9]{2} [0-9]{3} [0-9]{4}",
        "02[0-9] [0-9]{4} [0-9]{4}",
        "0[0-9]{10}",
        "(\\+44|0044) ?(\\(0\\))?[127][0-9]{3} ?[0-9]{6}",
        "(\\+44|0044) (\\(0\\))?[127][0-9]{2} [0-9]{3} [0-9]{4}",
        "\\+44 (\\(0\\))?20 [0-9]{4} [0-9]{4}",
        "\\+1 [2-9][0-9]{2} [0-9]{3} [0-9]{4}",
        "[A-Z][0-9A-Z]{2}( and [A-Z][0-9A-Z]{4})?",
        "£ ?[0-9]{1,10}(\\.[0-9]{2})?",
        "[£$€][0-9]{1,3}(,[0-9]{3}){0,4}",
        "[0-9]{1,3}(,[0-9]{3}){0,4}",
        "[0-3]?[0-9][/.-][01]?[0-9][/.-](19|20)[0-9]{2}( [0-2]?[0-9][.:][0-5][0-9])?",
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9])?",
        "[0-3]?[0-9] (January|March|May) (19|20)[0-9]{2} [0-9]{1,4}",
        "(19|20)[0-9]{2}( to |-|–|/)(20)?[0-9]{2}",
        "(\\| [0-9]{1,4} ){2,12}\\|",
        "([0-9]{1,2}\\.[0-9] ){2,12}",
        "[0-9]{1,3}(\\.[0-9])?%( [0-9]{1,3}(\\.[0-9])?%){0,9}",
    ]) {
        let found = check(&format!("We saw {text} last week."));
        prop_assert!(found.iter().all(|finding| finding.severity == Warn), "{}: {:?}", text, found);
    }

    /// Places lie in the text, in order, and whatever is typed does no harm.
    #[test]
    fn places_lie_in_the_text(text in "(\\PC|[0-9 .\\-]|943 476 5919|NHS number |DOB|MRN|<b>|&nbsp;|\u{200B}|\n|\t|12/03/1956|é|https://x.uk/){0,60}") {
        let length = text.chars().count();
        let mut last = 0;
        for finding in check(&text) {
            prop_assert!(last <= finding.start && finding.start < finding.end && finding.end <= length);
            last = finding.end;
        }
    }
}

/// A hundred times the text takes about a hundred times as long, and not ten thousand times.
#[test]
fn time_is_proportional_to_the_text() {
    for piece in [
        "9",
        "9 ",
        "943 476 591",
        "943 476 5919 ",
        "4 ",
        "1-",
        "0161 ",
        "+44 ",
        "0044",
        "a@",
        "a@a.",
        "a.",
        "a-",
        "https://",
        "http://(",
        "10.1234/",
        "NHS number ",
        "NHS ",
        "DOB ",
        "born 1/1/",
        "MRN ",
        "MRN 12345 ",
        "AB12345",
        "LS1 4",
        "<b",
        "&nbsp",
        "\u{200B}",
        "9\u{301}",
        "isbn ",
        "978 ",
        "\n",
        "é",
        "a.uk",
        "1956-",
    ] {
        let time = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let start = std::time::Instant::now();
            std::hint::black_box(check(&text));
            start.elapsed()
        };
        time(10_000);
        let (short, long) = (time(10_000), time(1_000_000));
        let limit = short.max(std::time::Duration::from_millis(1)) * 1_000;
        assert!(long < limit, "{piece:?}: {short:?} for 10 kB, {long:?} for 1 MB");
    }
}
