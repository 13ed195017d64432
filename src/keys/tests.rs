//! Keys on a disk: made once, kept private, rotated.

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt};

use super::*;
use crate::clock::Clock;

fn ids() -> Ids {
    Ids::system(Clock::System { offset: chrono::TimeDelta::zero() })
}

fn now() -> Timestamp {
    Clock::System { offset: TimeDelta::zero() }.now()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_kept_and_for_the_service_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("deep/keys");
    let (first, again) = (Keys::open(&folder, &ids()).unwrap(), Keys::open(&folder, &ids()).unwrap());
    assert_eq!(first.tag("a", "b"), again.tag("a", "b"));
    let signing = |keys: &Keys| keys.signing(now()).unwrap().kid.clone();
    assert_eq!(signing(&first), signing(&again));
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|path| mode(path) == 0o600));
}

#[test]
fn processes_that_start_at_once_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let opened: Vec<Keys> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Keys::open(&path, &ids()).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().map(|keys| keys.tag("a", "b")).collect::<HashSet<_>>().len(), 1);
    // Each may have made a key that signs, and all of them must be known to all in the end.
    for (keys, other) in opened.iter().zip(opened.iter().skip(1)) {
        *keys.read_at.lock().unwrap() = Instant::now().checked_sub(READ_AGAIN).unwrap();
        assert!(keys.named(&other.signing(now()).unwrap().kid).is_some());
    }
    assert!(fs::read_dir(&path).unwrap().all(|entry| !entry.unwrap().path().ends_with(".part")));
}

#[test]
fn files_that_others_can_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    Keys::open(folder.path(), &ids()).unwrap();
    let secret = folder.path().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    let problem = Keys::open(folder.path(), &ids()).err().unwrap();
    assert!(problem.contains("chmod 600") && problem.contains("secret"), "{problem}");
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    Keys::open(folder.path(), &ids()).unwrap();
    files::read_or_make(&folder.path().join("zz.pk8"), || Ok(b"rubbish".to_vec())).unwrap();
    let problem = Keys::open(folder.path(), &ids()).err().unwrap();
    assert!(problem.contains("zz.pk8"), "{problem}");
}

fn published(keys: &Keys) -> usize {
    keys.jwks()["keys"].as_array().unwrap().len()
}

/// As if the folder had been read that long ago.
fn age(keys: &Keys, by: Duration) {
    *keys.read_at.lock().unwrap() = Instant::now().checked_sub(by).unwrap();
}

#[test]
fn a_new_key_is_published_then_signs_and_the_old_one_goes_when_its_tokens_have_expired() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) =
        (Keys::open(folder.path(), &ids()).unwrap(), Keys::open(folder.path(), &ids()).unwrap());
    let (start, old) = (now(), mine.signing(now()).unwrap().kid.clone());
    let at = |minutes| start.plus(TimeDelta::minutes(minutes));
    let new = mine.rotate(&ids(), start, at(5)).unwrap().kid.clone();
    assert_eq!(mine.rotate(&ids(), at(1), at(6)).unwrap().kid, new, "it waits already");
    assert_eq!((published(&mine), published(&other)), (2, 1));
    age(&other, READ_EVERY);
    assert_eq!(published(&other), 2);
    for keys in [&mine, &other] {
        for (minutes, kid) in [(0, &old), (4, &old), (5, &new), (60, &new)] {
            assert_eq!(&keys.signing(at(minutes)).unwrap().kid, kid, "{minutes}");
        }
    }
    assert!(mine.retire(at(24)).is_empty() && mine.named(&old).is_some());
    assert_eq!(mine.retire(at(25)), std::slice::from_ref(&old));
    assert!(mine.named(&old).is_none() && mine.named(&new).is_some());
    age(&other, READ_EVERY);
    assert!(other.named(&old).is_none() && other.retire(at(60)).is_empty());
}

#[test]
fn an_unknown_key_is_looked_for_but_not_all_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(folder.path(), &ids()).unwrap();
    let first = keys.signing(now()).unwrap().kid.clone();
    files::read_or_make(&folder.path().join("by-hand.pk8"), || new_key(&[7; 32])).unwrap();
    assert!(keys.named("by-hand").is_none(), "the folder was read a moment ago");
    age(&keys, READ_AGAIN);
    assert!(keys.named("by-hand").is_some());
    assert_eq!(keys.signing(now()).unwrap().kid, first, "a name without a time is an old key's");
}

#[test]
fn a_key_that_leaked_goes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(folder.path(), &ids()).unwrap();
    let leaked = keys.signing(now()).unwrap().kid.clone();
    let new = keys.rotate(&ids(), now(), now()).unwrap().kid.clone();
    assert_eq!(keys.keep_only(&new), std::slice::from_ref(&leaked));
    assert!(keys.named(&leaked).is_none());
    assert_eq!(keys.signing(now()).unwrap().kid, new);
}

#[test]
fn tags_differ_by_purpose_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(folder.path(), &ids()).unwrap();
    let tag = keys.tag("code", "1");
    assert!(keys.is_tag("code", "1", &tag) && keys.is_tag("code", "1", &tag[..16]));
    for (purpose, data, tag) in
        [("link", "1", &tag[..]), ("code", "2", &tag[..]), ("code", "1", &tag[..15]), ("code", "1", &[])]
    {
        assert!(!keys.is_tag(purpose, data, tag));
    }
}
