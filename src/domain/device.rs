//! What sessions are used with, and from where: in words, and no more than those are kept.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    config, document,
    ids::Id,
    network::{self, Address},
    query::{Field, Index},
};

/// A device is remembered so many days after its last sign-in; then it is a new one again.
pub const KEPT_DAYS: i64 = 180;

/// Who is at the other end of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub address: Address,
    pub origin: Origin,
}

/// What a session is used with, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// "Edge on Windows".
    pub device: String,
    /// "NHS network (HSCN)", "Internet address 192.0.2.x".
    pub place: String,
}

impl Origin {
    #[must_use]
    pub fn of(user_agent: &str, address: Address, places: &[config::Place]) -> Self {
        Self { device: device(user_agent), place: place(address, places) }
    }
}

fn place(address: Address, places: &[config::Place]) -> String {
    let holds = |place: &&config::Place| place.networks.iter().any(|networks| networks.contains(address));
    if let Some(place) = places.iter().find(holds) {
        return place.name.clone();
    }
    match address.to_canonical() {
        address if address.is_loopback() => "The service's own computer".to_owned(),
        address => format!("Internet address {}", network::shortened(address)),
    }
}

/// Browsers by what they alone have in their `User-Agent`, the most particular first: nearly all say that
/// they are Chrome and Safari, too.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

/// What sends this `User-Agent`, in words. Whoever sends it can write what they like there, so nothing of
/// it is repeated but the name of a program, in letters.
fn device(user_agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    match (known(&BROWSERS), known(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => program(user_agent).unwrap_or_else(|| "An unknown program".to_owned()),
    }
}

/// The product that a `User-Agent` begins with (RFC 9110, 10.1.5).
fn program(user_agent: &str) -> Option<String> {
    let name = user_agent.split(['/', ' ']).next().unwrap_or_default();
    let plain = name.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    (plain && (2..=30).contains(&name.len())).then(|| format!("The program {name}"))
}

/// A device and place that a member has signed in with. Another sign-in from there is nothing that they
/// need to be told of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Made of a secret digest of whose, what and where.
    #[serde(rename = "_id")]
    pub id: Id<Device>,
    pub version: i64,
    pub member: Id<Member>,
    pub expires_at: Timestamp,
}

document!(
    Device,
    "dev",
    "devices",
    [Index::named("member").asc(Device::MEMBER), Index::named("expires").asc(Device::EXPIRES_AT),]
);

impl Device {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    #[must_use]
    pub fn new(id: Id<Self>, member: Id<Member>, now: Timestamp) -> Self {
        Self { id, version: 1, member, expires_at: Self::kept_until(now) }
    }

    /// How long it is remembered after a sign-in at `now`.
    #[must_use]
    pub fn kept_until(now: Timestamp) -> Timestamp {
        now.plus(TimeDelta::days(KEPT_DAYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_in_words() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, words) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"),
                "Edge on Windows",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/143.0.0.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/143.0 Mobile Safari/537.36 EdgA/143.0"),
                "Edge on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1".to_owned(),
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15".to_owned(),
                "Safari on Mac",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(), "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(), "Internet Explorer on Windows"),
            ("python-requests/2.32.5".to_owned(), "The program python-requests"),
            ("curl/8.14.1".to_owned(), "The program curl"),
            ("943 476 5919".to_owned(), "An unknown program"),
            ("jo.bloggs@nhs.net".to_owned(), "An unknown program"),
            (String::new(), "An unknown program"),
            ("é".repeat(5_000), "An unknown program"),
        ] {
            assert_eq!(device(&user_agent), words, "{user_agent}");
        }
    }

    #[test]
    fn places_in_words() {
        let places = [config::Place {
            name: "NHS network (HSCN)".to_owned(),
            networks: vec!["10.0.0.0/8".parse().unwrap()],
        }];
        for (address, words) in [
            ("10.1.2.3", "NHS network (HSCN)"),
            ("::ffff:10.1.2.3", "NHS network (HSCN)"),
            ("127.0.0.1", "The service's own computer"),
            ("192.0.2.44", "Internet address 192.0.2.x"),
            ("2001:db8:1:2:3:4:5:6", "Internet address 2001:db8:1::x"),
        ] {
            assert_eq!(place(address.parse().unwrap(), &places), words);
        }
    }
}
