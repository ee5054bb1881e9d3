//! Files that the program writes, and what the system says about them in words.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sightread_models::atomic::{self, folder_of, partial_in, sync_folder};

/// Writes a file so that its name never stands for something half-written; what was there before is replaced as a whole.
/// Folders that are missing are made; a link stays a link.
///
/// # Errors
/// The system's reason; what was there before is unchanged.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    fs::create_dir_all(folder_of(&path))?;
    atomic::replace(&path, contents)
}

/// Writes a file beside those that are there: if its name is taken, a number is put to it. Returns where it is.
///
/// # Errors
/// The system's reason.
pub(crate) fn add(path: &Path, contents: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder_of(path))?;
    let mut written = partial_in(folder_of(path))?;
    written.write_all(contents)?;
    written.as_file().sync_all()?;
    for candidate in numbered(path) {
        match written.persist_noclobber(&candidate) {
            Ok(_) => {
                sync_folder(folder_of(path));
                return Ok(candidate);
            }
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => written = taken.file,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// `letter.txt`, `letter 2.txt`, `letter 3.txt`, …
fn numbered(path: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = path.file_stem().unwrap_or_default().to_os_string();
    let ending = path.extension().map(ToOwned::to_owned);
    let numbers = (2..10_000).map({
        let path = path.to_path_buf();
        move |number| {
            let mut name = stem.clone();
            name.push(format!(" {number}"));
            if let Some(ending) = &ending {
                name.push(".");
                name.push(ending);
            }
            path.with_file_name(name)
        }
    });
    [path.to_path_buf()].into_iter().chain(numbers)
}

/// Why a file or folder could not be used, to be put after a colon.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full; make room and try again".into(),
        ErrorKind::ReadOnlyFilesystem => "the disk can only be read; choose another folder".into(),
        ErrorKind::PermissionDenied => {
            "the system does not allow it; choose another folder or change its rights".into()
        }
        ErrorKind::NotFound => "it is not there".into(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "a file of that name is in the way".into(),
        ErrorKind::IsADirectory => "a folder of that name is in the way".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/my letter.txt");
        for (contents, name) in [("a", "my letter.txt"), ("b", "my letter 2.txt"), ("c", "my letter 3.txt")] {
            let written = add(&path, contents.as_bytes()).unwrap();
            assert_eq!(written.file_name().unwrap(), name);
            assert_eq!(fs::read_to_string(written).unwrap(), contents);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 3, "nothing is left over");
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_is_replaced_and_the_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn reasons_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let failed = replace(&file.join("below"), b"").unwrap_err();
        assert_eq!(reason(&failed), "a file of that name is in the way");
        assert!(reason(&ErrorKind::StorageFull.into()).contains("make room"));
    }
}
