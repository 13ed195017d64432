//! Small private files that appear whole or not at all.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Makes `folder`, for its owner only.
pub(super) fn private_folder(folder: &Path) -> Result<(), String> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| format!("{} could not be made: {error}.", folder.display()))
}

/// What `path` holds. A secret that others can read is none, so that is refused, as ssh does.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("{} could not be read: {error}.", path.display());
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).map_err(failed)?) & 0o777;
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(format!(
                "{path} can be read or written by others (mode {mode:o}). Run `chmod 600 {path}`."
            ));
        }
    }
    fs::read(path).map_err(failed)
}

/// What `path` holds; made first when it is missing. Of several processes that make it at once, one
/// wins, and all return what it wrote.
pub(super) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    if !path.exists() {
        let content = make()?;
        create(path, &content)
            .map_err(|error| format!("{} could not be written: {error}.", path.display()))?;
    }
    read(path)
}

/// Written beside and linked into place, which fails when the name is taken: nobody ever reads half
/// a key, and nobody's key is overwritten.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let unique = format!("{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let beside = path.with_extension(unique);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let _ = fs::remove_file(&beside);
    linked?;
    // The name outlives a power cut only when the folder is written too.
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// Removes a file. One that is gone already is as good.
pub(super) fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{} could not be removed: {error}.", path.display()))
        }
        _ => Ok(()),
    }
}

/// The files of `folder` whose names end so.
pub(super) fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let failed = |error: io::Error| format!("{} could not be listed: {error}.", folder.display());
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
    let paths = entries.map_err(failed)?.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}
