//! Mail that something else delivers to this machine: a maildir, or a folder of `.eml` files.
//!
//! A message stays where it is until [`Folder::done`], so that a crash loses none; whoever reads it has to
//! know which ones were taken. Several processes may read the same folder.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// A folder in which messages arrive.
#[derive(Clone, Debug)]
pub enum Folder {
    /// With `new` and `cur` (<https://cr.yp.to/proto/maildir.html>).
    Maildir(PathBuf),
    /// Of files that end in `.eml`, complete from the moment they have that name. What is done goes to `done`.
    Files(PathBuf),
}

/// A message, or what can be told of one that is too large to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Whole(Vec<u8>),
    /// Its beginning: headers, most likely.
    TooLarge(Vec<u8>),
}

impl Folder {
    /// Names of messages that are not done, `limit` at most, the oldest names first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.arrivals())? {
            let entry = entry?;
            // No links: they lead out of the folder.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let name = entry.file_name().into_string().ok().filter(|name| is_file && self.is_name(name));
            names.extend(name);
        }
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    /// A message; none when another process was done with it first. No more than `max` bytes are read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&self, name: &str, max: usize) -> io::Result<Option<Found>> {
        if !self.is_name(name) {
            return Ok(None);
        }
        let file = match File::open(self.arrivals().join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() <= max {
            return Ok(Some(Found::Whole(bytes)));
        }
        bytes.truncate(max);
        Ok(Some(Found::TooLarge(bytes)))
    }

    /// Moves a message to those that are done. Nothing is left to do where another process did.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn done(&self, name: &str) -> io::Result<()> {
        if !self.is_name(name) {
            return Ok(());
        }
        let (folder, to) = match self {
            Self::Maildir(path) => (path.join("cur"), format!("{name}:2,S")),
            Self::Files(path) => (path.join("done"), name.to_owned()),
        };
        fs::create_dir_all(&folder)?;
        match fs::rename(self.arrivals().join(name), folder.join(to)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            moved => moved,
        }
    }

    fn arrivals(&self) -> PathBuf {
        match self {
            Self::Maildir(path) => path.join("new"),
            Self::Files(path) => path.clone(),
        }
    }

    fn is_name(&self, name: &str) -> bool {
        let is_plain = !name.starts_with('.') && Path::new(name).file_name().is_some_and(|last| last == name);
        is_plain && (matches!(self, Self::Maildir(_)) || name.ends_with(".eml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, [(Folder, PathBuf, PathBuf); 2]) {
        let root = tempfile::tempdir().unwrap();
        let (maildir, files) = (root.path().join("maildir"), root.path().join("files"));
        for path in [&maildir.join("new"), &files] {
            fs::create_dir_all(path).unwrap();
        }
        let folders = [
            (Folder::Maildir(maildir.clone()), maildir.join("new"), maildir.join("cur/b.eml:2,S")),
            (Folder::Files(files.clone()), files.clone(), files.join("done/b.eml")),
        ];
        (root, folders)
    }

    #[test]
    fn a_message_is_there_until_it_is_done() {
        let (_root, folders) = folders();
        for (folder, arrivals, done) in folders {
            for name in ["b.eml", "a.eml", "c.eml", ".hidden.eml"] {
                fs::write(arrivals.join(name), b"Subject: x\r\n\r\nText").unwrap();
            }
            std::os::unix::fs::symlink("/etc/hostname", arrivals.join("link.eml")).unwrap();
            fs::create_dir(arrivals.join("folder.eml")).unwrap();
            assert_eq!(folder.names(2).unwrap(), ["a.eml", "b.eml"]);
            let whole = Found::Whole(b"Subject: x\r\n\r\nText".to_vec());
            assert_eq!(folder.read("b.eml", 100).unwrap(), Some(whole));
            assert_eq!(folder.read("b.eml", 7).unwrap(), Some(Found::TooLarge(b"Subject".to_vec())));
            folder.done("b.eml").unwrap();
            folder.done("b.eml").unwrap();
            assert!(done.exists());
            assert_eq!(folder.read("b.eml", 100).unwrap(), None);
            assert_eq!(folder.names(9).unwrap(), ["a.eml", "c.eml"]);
            for outside in ["../b.eml", "/etc/passwd", "..", "", "done/b.eml"] {
                assert_eq!(folder.read(outside, 100).unwrap(), None, "{outside}");
            }
        }
    }

    #[test]
    fn a_folder_that_is_away_is_an_error() {
        assert!(Folder::Maildir("/nowhere/at/all".into()).names(1).is_err());
    }
}
