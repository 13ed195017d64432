//! `hope`'s commands, as an operator runs them.

use std::{path::Path, process::Output};

use tokio::process::Command;

use crate::app::{On, drop_database, mongodb, random};

/// A folder and a store for one test's commands.
struct Place {
    folder: tempfile::TempDir,
    store: String,
}

impl Place {
    fn hope(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hope"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOPE_STORE", &self.store)
            .env("HOPE_DATA", self.folder.path().join("data"))
            .env("HOPE_MAIL", format!("dir://{}", self.folder.path().join("mail").display()))
            .env("HOPE_LISTEN", "127.0.0.1:0")
            .env("HOPE_LOG", "warn")
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.hope(arguments).output().await.unwrap();
        (output.status.success(), text(&output))
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn place(on: On, test: impl AsyncFnOnce(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    let store = match on {
        On::Sqlite => format!("sqlite://{}", folder.path().join("hope.db").display()),
        On::Mongo => {
            let Some(server) = mongodb() else { return };
            server.replacen("/?", &format!("/hope_{:032x}?", u128::from_be_bytes(random())), 1)
        }
    };
    let place = Place { folder, store };
    test(&place).await;
    if matches!(on, On::Mongo) {
        drop_database(&place.store).await;
    }
}

fn organisations(path: &Path, names: &[(&str, &str)]) {
    let row = |(code, name): &(&str, &str)| {
        let mut columns = vec![String::new(); 27];
        (columns[0], columns[1], columns[2], columns[10]) =
            ((*code).to_owned(), (*name).to_owned(), "Y62".to_owned(), "20171001".to_owned());
        format!("\"{}\"\r\n", columns.join("\",\""))
    };
    std::fs::write(path, names.iter().map(row).collect::<String>()).unwrap();
}

async fn organisations_are_imported_again_and_again(place: &Place) {
    let file = place.folder.path().join("etr.csv");
    let many: Vec<(String, String)> =
        (0..450).map(|n| (format!("A{n:04}"), format!("TRUST NUMBER {n}"))).collect();
    let mut names: Vec<(&str, &str)> =
        many.iter().map(|(code, name)| (code.as_str(), name.as_str())).collect();
    names.insert(1, ("BROKEN CODE", "NOBODY"));
    organisations(&file, &names);
    let import = ["import", "organisations", file.to_str().unwrap()];
    let (ok, first) = place.run(&import).await;
    assert!(ok && first.contains("451 rows\nadded 450\nchanged 0\nunchanged 0\nrefused 1\n"), "{first}");
    assert!(first.contains("line 2: \"BROKEN CODE\" is not an ODS code"), "{first}");
    names[0].1 = "RENAMED TRUST";
    organisations(&file, &names);
    let (ok, second) = place.run(&import).await;
    assert!(ok && second.contains("added 0\nchanged 1\nunchanged 449\nrefused 1\n"), "{second}");
    let (ok, missing) = place.run(&["import", "organisations", "nowhere.csv"]).await;
    assert!(!ok && missing.contains("nowhere.csv can't be read"), "{missing}");
}

async fn the_first_administrator_is_granted(place: &Place) {
    let (ok, granted) = place.run(&["member", "grant", "jo@trust.nhs.uk", "administrator"]).await;
    assert!(ok && granted.contains("jo@trust.nhs.uk is Administrator now."), "{granted}");
    let (ok, refused) = place.run(&["member", "grant", "jo@nhs.net,x@evil.com", "administrator"]).await;
    assert!(!ok && !refused.is_empty(), "{refused}");
    let (ok, refused) = place.run(&["member", "grant", "jo@trust.nhs.uk", "member"]).await;
    assert!(!ok && refused.contains("There has to be an administrator."), "{refused}");
    let (ok, done) = place.run(&["member", "sign-out", "jo@trust.nhs.uk"]).await;
    assert!(ok && done.contains("jo@trust.nhs.uk is signed out everywhere."), "{done}");
    let (ok, unknown) = place.run(&["member", "sign-out", "nobody@trust.nhs.uk"]).await;
    assert!(!ok && unknown.contains("No member has this address"), "{unknown}");
    let (ok, done) = place.run(&["member", "reset-second-factor", "jo@trust.nhs.uk"]).await;
    assert!(ok && done.contains("jo@trust.nhs.uk has no second factor now."), "{done}");
    let (ok, unknown) = place.run(&["member", "reset-second-factor", "nobody@trust.nhs.uk"]).await;
    assert!(!ok && unknown.contains("No member has this address"), "{unknown}");
    let (ok, preview) = place.run(&["digest", "preview", "jo@trust.nhs.uk"]).await;
    assert!(ok && preview.contains("nothing new"), "{preview}");
    let (ok, unknown) = place.run(&["digest", "preview", "nobody@trust.nhs.uk"]).await;
    assert!(!ok && unknown.contains("No member has this address"), "{unknown}");
    let (ok, run) = place.run(&["digest", "run", "--at", "2030-01-01T12:00:00Z"]).await;
    assert!(ok && run.contains("planned 1\njobs done 1"), "{run}");
}

async fn check_says_what_works(place: &Place) {
    let (ok, said) = place.run(&["check"]).await;
    assert!(ok && ["Store: ", "Mail: ", "Attachments: "].iter().all(|what| said.contains(what)), "{said}");
}

#[tokio::test]
async fn on_sqlite() {
    place(On::Sqlite, organisations_are_imported_again_and_again).await;
    place(On::Sqlite, the_first_administrator_is_granted).await;
    place(On::Sqlite, check_says_what_works).await;
}

#[tokio::test]
async fn on_mongodb() {
    place(On::Mongo, organisations_are_imported_again_and_again).await;
    place(On::Mongo, the_first_administrator_is_granted).await;
    place(On::Mongo, check_says_what_works).await;
}

#[tokio::test]
async fn keys_are_rotated_with_no_store_at_hand() {
    place(On::Sqlite, async |place| {
        let keys = || {
            let folder = std::fs::read_dir(place.folder.path().join("data/keys")).unwrap();
            let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut keys: Vec<String> = names.filter(|name| name.ends_with(".pk8")).collect();
            keys.sort();
            keys
        };
        let rotate = async |more: &[&str]| {
            let nowhere = ("HOPE_STORE", "mongodb://127.0.0.1:1/hope?replicaSet=rs0");
            let arguments = [&["keys", "rotate"], more].concat();
            let output = place.hope(&arguments).env(nowhere.0, nowhere.1).output().await.unwrap();
            assert!(output.status.success(), "{}", text(&output));
            text(&output)
        };
        let said = rotate(&[]).await;
        let (old, new) = (keys()[0].replace(".pk8", ""), keys()[1].replace(".pk8", ""));
        assert!(said.contains(&format!("{new} is published, and signs from ")), "{said}");
        assert!(said.contains(&format!("{old} is removed 20 minutes after the next one signs.")), "{said}");
        assert!(rotate(&[]).await.contains(&new) && keys().len() == 2, "one waits already");
        let said = rotate(&["--leaked"]).await;
        assert!(said.contains(&format!("{old} is removed.")), "{said}");
        assert_eq!(keys(), [format!("{new}.pk8")], "the one that waits was never used");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_at_start_is_said_in_a_sentence() {
    place(On::Sqlite, async |place| {
        for (variable, value, expected) in [
            ("HOPE_LISTEN", "nowhere", "listen"),
            ("HOPE_NONSENSE", "1", "nonsense"),
            ("HOPE_LIMITS__RATE", "maybe", "rate"),
            ("HOPE_STORE", "postgres://x", "sqlite://path or mongodb://host/database"),
            ("HOPE_STORE", "sqlite:///proc/nowhere/hope.db", "hope.db"),
            (
                "HOPE_STORE",
                "mongodb://hope:s3cr3t@127.0.0.1:1/hope?replicaSet=rs0",
                "No MongoDB answers at 127.0.0.1:1",
            ),
            ("HOPE_MAIL", "pigeon://x", "must be dir://PATH or smtp://"),
        ] {
            let output = place.hope(&["serve"]).env(variable, value).output().await.unwrap();
            let said = text(&output);
            assert!(!output.status.success(), "{variable}={value}: {said}");
            assert!(said.to_lowercase().contains(&expected.to_lowercase()), "{variable}={value}: {said}");
            assert!(!said.contains("s3cr3t") && !said.contains("panicked"), "{said}");
        }
        let unreachable =
            place.hope(&["check"]).env("HOPE_MAIL", "smtp://127.0.0.1:1?tls=none").output().await.unwrap();
        assert!(
            !unreachable.status.success() && text(&unreachable).contains("Mail: "),
            "{}",
            text(&unreachable)
        );
        let nowhere = "s3://key:s3cr3t@files?endpoint=http://127.0.0.1:1";
        let unreachable = place.hope(&["check"]).env("HOPE_ATTACHMENTS", nowhere).output().await.unwrap();
        let said = text(&unreachable);
        assert!(
            !unreachable.status.success() && said.contains("Attachments: ") && !said.contains("s3cr3t"),
            "{said}"
        );
        let missing = place.run(&["--config", "nowhere.toml", "check"]).await;
        assert!(!missing.0 && missing.1.contains("nowhere.toml"), "{}", missing.1);
    })
    .await;
}

#[tokio::test]
async fn the_checked_in_schema_is_what_the_program_writes() {
    place(On::Sqlite, async |place| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        let (ok, said) = place.run(&["schema", "--check", "--folder", folder.to_str().unwrap()]).await;
        assert!(ok, "{said}");
        let (ok, said) = place.run(&["schema", "--check", "--folder", "empty"]).await;
        assert!(!ok && said.contains("schema.graphql") && said.contains("Run `hope schema`"), "{said}");
    })
    .await;
}
