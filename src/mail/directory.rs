//! Mail as files, one `.eml` each: what development and demonstrations use in place of a server.
//! `/dev/mail` shows them.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{MailError, Message, compose::Composer};

#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    composer: Composer,
}

impl Directory {
    /// Opens the folder, making it when it is not there.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub(super) fn open(path: &Path, composer: Composer) -> Result<Self, String> {
        if path.as_os_str().is_empty() {
            return Err("mail is dir:// without a path: write dir://data/mail.".to_owned());
        }
        fs::create_dir_all(path)
            .map_err(|error| format!("The mail folder {} can't be made: {error}.", path.display()))?;
        Ok(Self { path: path.to_owned(), composer })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), MailError> {
        let bytes = self.composer.compose(message)?.formatted();
        // Names sort by time. A message that is sent again is another file, so that it is noticed.
        let stem = format!(
            "{}-{}",
            self.composer.now().utc().format("%Y%m%dT%H%M%S%3f"),
            plain(&message.message_id)
        );
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write(&path, &stem, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(MailError::Later(format!("the mail folder can't be written: {error}"))),
            Err(error) => Err(MailError::Later(format!("writing to the mail folder failed: {error}"))),
        }
    }

    /// The newest messages' names, newest first, `limit` at most.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            names.extend(name.to_str().filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort_unstable_by(|left, right| right.cmp(left));
        names.truncate(limit);
        Ok(names)
    }

    /// A message as it was sent; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if !is_name(name) {
            return Ok(None);
        }
        match fs::read(self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

/// Complete from the moment it has its name, and on the disk when this returns.
fn write(folder: &Path, stem: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{stem}.part"));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let free = |path: &PathBuf| !path.exists();
    let names =
        (1..).map(|copy: u32| if copy == 1 { format!("{stem}.eml") } else { format!("{stem}-{copy}.eml") });
    let path = names.map(|name| folder.join(name)).find(free).unwrap_or_else(|| folder.join(stem));
    fs::rename(&part, path)?;
    File::open(folder)?.sync_all()
}

/// Letters, digits and what else is harmless in a file name, of which `.` only one at a time.
fn plain(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@') { c } else { '-' };
    text.chars().take(150).map(plain).collect()
}

/// A name that [`plain`] could have made: nothing that leads out of the folder.
fn is_name(name: &str) -> bool {
    name.strip_suffix(".eml").is_some_and(|stem| {
        !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@'))
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::compose::tests::{composer, message},
        *,
    };

    #[tokio::test]
    async fn a_repeat_is_another_file_with_the_same_id() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&folder.path().join("a/b"), composer()).unwrap();
        for _ in 0..2 {
            directory.send(&message("Jo")).await.unwrap();
        }
        let names = directory.names(10).unwrap();
        assert_eq!(
            names,
            [
                "20260303T073000000-dig_1-20260303@hope-example.eml",
                "20260303T073000000-dig_1-20260303@hope-example-2.eml"
            ]
        );
        let read = |name: &String| String::from_utf8(directory.read(name).unwrap().unwrap()).unwrap();
        assert!(names.iter().all(|name| read(name).contains("Message-ID: <dig_1-20260303@hope.example>")));
    }

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.eml"), "x").unwrap();
        let directory = Directory::open(&folder.path().join("mail"), composer()).unwrap();
        for evil in [
            "../secret.eml",
            "..",
            "/etc/passwd",
            "%2e%2e/secret.eml",
            "a/../../secret.eml",
            ".eml",
            "a.b.eml",
            "a\0.eml",
        ] {
            assert_eq!(directory.read(evil).unwrap(), None, "{evil}");
        }
    }
}
