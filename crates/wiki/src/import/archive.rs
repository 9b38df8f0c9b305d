//! The files of an export, from a zip file or an unpacked directory. Nothing is ever unpacked to a path that the archive
//! names: entries are read as streams, and names serve only as keys to find them again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::limits::{
    ATTACHMENT_BYTES_MAX, DESCRIPTOR_BYTES_MAX, ENTITIES_BYTES_MAX, ENTRIES_MAX, FOLDER_DEPTH_MAX,
    NAME_BYTES_MAX, RATIO_FREE_BYTES, RATIO_MAX, TOTAL_BYTES_MAX,
};

/// Why a file or directory is not an export that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

/// An export, opened.
pub(crate) struct Archive {
    files: Files,
    /// Clean name, relative to the folder of `entities.xml` -> where it is.
    names: HashMap<String, usize>,
    refused: Vec<String>,
    read_bytes: u64,
}

enum Files {
    Zip(Box<ZipArchive<BufReader<File>>>),
    Directory(Vec<PathBuf>),
}

const ENTITIES: &str = "entities.xml";
const DESCRIPTOR: &str = "exportDescriptor.properties";

impl Archive {
    /// Opens a zip file or a directory and finds the export in it, in a folder of it too.
    pub(crate) fn open(path: &Path) -> Result<Archive, Unreadable> {
        let shown = path.display();
        let about = fs::metadata(path)
            .map_err(|error| Unreadable(format!("`{shown}` cannot be read: {error}")))?;
        let mut refused = Vec::new();
        let (files, names) = if about.is_dir() {
            open_directory(path, &mut refused)?
        } else {
            open_zip(path, &mut refused)?
        };
        let names =
            below_entities(names, &mut refused).ok_or_else(|| Unreadable(missing_text(path)))?;
        Ok(Archive {
            files,
            names,
            refused,
            read_bytes: 0,
        })
    }

    /// Entries that were left out because of their names or kinds.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The bytes of `entities.xml`.
    pub(crate) fn entities(&mut self) -> Result<Box<dyn Read + '_>, Unreadable> {
        self.read(ENTITIES, ENTITIES_BYTES_MAX)?
            .ok_or_else(|| Unreadable(format!("`{ENTITIES}` is missing")))
    }

    /// The bytes of the descriptor, if there is one.
    pub(crate) fn descriptor(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(reader) = self.read(DESCRIPTOR, DESCRIPTOR_BYTES_MAX)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = reader.take(DESCRIPTOR_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| Unreadable(format!("`{DESCRIPTOR}` cannot be read: {error}")))?;
        Ok(Some(bytes))
    }

    /// Whether the file of one attachment version is there.
    pub(crate) fn has_attachment(&self, content: &str, attachment: &str, version: i64) -> bool {
        self.names
            .contains_key(&attachment_name(content, attachment, version))
    }

    /// The bytes of one attachment version.
    pub(crate) fn attachment(
        &mut self,
        content: &str,
        attachment: &str,
        version: i64,
    ) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        self.read(
            &attachment_name(content, attachment, version),
            ATTACHMENT_BYTES_MAX,
        )
    }

    /// Names of all attachment files: content, attachment, version as written.
    pub(crate) fn attachment_files(&self) -> impl Iterator<Item = [&str; 3]> {
        self.names.keys().filter_map(|name| {
            let mut parts = name.strip_prefix("attachments/")?.split('/');
            let file = [parts.next()?, parts.next()?, parts.next()?];
            parts.next().is_none().then_some(file)
        })
    }

    fn read(
        &mut self,
        name: &str,
        bytes_max: u64,
    ) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let Some(index) = self.names.get(name).copied() else {
            return Ok(None);
        };
        let wrong = |reason: String| Unreadable(format!("`{name}` cannot be read: {reason}"));
        let (inner, packed): (Box<dyn Read + '_>, Option<u64>) = match &mut self.files {
            Files::Directory(paths) => {
                let file = paths
                    .get(index)
                    .map(open_plain)
                    .transpose()
                    .map_err(|error| wrong(error.to_string()))?;
                (
                    Box::new(file.ok_or_else(|| wrong("it is gone".to_owned()))?),
                    None,
                )
            }
            Files::Zip(archive) => {
                let entry = archive
                    .by_index(index)
                    .map_err(|error| wrong(error.to_string()))?;
                let packed = entry.compressed_size();
                (Box::new(entry), Some(packed))
            }
        };
        let ratio_max = packed.map_or(u64::MAX, |packed| {
            packed
                .saturating_mul(RATIO_MAX)
                .saturating_add(RATIO_FREE_BYTES)
        });
        let left = bytes_max.min(ratio_max);
        Ok(Some(Box::new(Capped {
            inner,
            left,
            total: &mut self.read_bytes,
        })))
    }
}

fn attachment_name(content: &str, attachment: &str, version: i64) -> String {
    format!("attachments/{content}/{attachment}/{version}")
}

/// Ends in an error, not in an end of file, when an entry gives more than it may.
struct Capped<'a> {
    inner: Box<dyn Read + 'a>,
    left: u64,
    total: &'a mut u64,
}

impl Read for Capped<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        *self.total += read as u64;
        if read as u64 > self.left || *self.total > TOTAL_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it unpacks to far more than it may",
            ));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// The name with single slashes, or nothing if it leads out of its folder or is not plain.
fn clean_name(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let plain = !name.starts_with('/')
        && name.len() <= NAME_BYTES_MAX
        && !name.contains(['\0', ':'])
        && name.split('/').all(|part| part != "..");
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    (plain && !parts.is_empty() && parts.len() <= FOLDER_DEPTH_MAX).then(|| parts.join("/"))
}

type Names = Vec<(String, usize)>;

fn open_zip(path: &Path, refused: &mut Vec<String>) -> Result<(Files, Names), Unreadable> {
    let shown = path.display();
    let file = File::open(path)
        .map_err(|error| Unreadable(format!("`{shown}` cannot be read: {error}")))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        Unreadable(format!(
            "`{shown}` is not a complete zip file ({error}); copy or export it again"
        ))
    })?;
    if archive.len() > ENTRIES_MAX {
        return Err(Unreadable(format!(
            "`{shown}` holds more than `{ENTRIES_MAX}` entries"
        )));
    }
    let mut names = Names::new();
    for index in 0..archive.len() {
        match zip_name(&mut archive, index) {
            ZipName::Plain(name) => names.push((name, index)),
            ZipName::Folder => {}
            ZipName::Refused(shown) => refused.push(shown),
        }
    }
    Ok((Files::Zip(Box::new(archive)), names))
}

enum ZipName {
    Plain(String),
    Folder,
    Refused(String),
}

fn zip_name(archive: &mut ZipArchive<BufReader<File>>, index: usize) -> ZipName {
    let entry = match archive.by_index_raw(index) {
        Ok(entry) => entry,
        Err(error) => return ZipName::Refused(format!("entry {index}: {error}")),
    };
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    if entry.is_symlink() {
        return ZipName::Refused(format!("{name} (a link)"));
    }
    if entry.is_dir() || name.ends_with(['/', '\\']) {
        return ZipName::Folder;
    }
    clean_name(&name).map_or(ZipName::Refused(name), ZipName::Plain)
}

fn open_directory(path: &Path, refused: &mut Vec<String>) -> Result<(Files, Names), Unreadable> {
    let mut paths = Vec::new();
    let mut names = Names::new();
    let mut folders = vec![(path.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries =
            fs::read_dir(&folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                refused.push(format!("{prefix} ({error})"));
                continue;
            }
        };
        for entry in entries {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < FOLDER_DEPTH_MAX => {
                    folders.push((entry.path(), format!("{name}/"), depth + 1));
                }
                Ok(kind) if kind.is_file() => {
                    names.push((name, paths.len()));
                    paths.push(entry.path());
                }
                _ => refused.push(format!("{name} (not a plain file)")),
            }
        }
        if paths.len() > ENTRIES_MAX {
            return Err(Unreadable(format!(
                "`{}` holds more than `{ENTRIES_MAX}` files",
                path.display()
            )));
        }
    }
    Ok((Files::Directory(paths), names))
}

/// Opens a file that was a plain one when it was listed, and still is.
fn open_plain(path: &PathBuf) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not a plain file",
        ));
    }
    File::open(path)
}

/// Keeps what lies in the folder of `entities.xml`, the uppermost one if there are several.
fn below_entities(names: Names, refused: &mut Vec<String>) -> Option<HashMap<String, usize>> {
    let root = names
        .iter()
        .filter_map(|(name, _)| name.strip_suffix(ENTITIES))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
        .min_by_key(|prefix| (prefix.matches('/').count(), prefix.to_string()))?
        .to_owned();
    let mut below = HashMap::with_capacity(names.len());
    for (name, index) in &names {
        if let Some(name) = name.strip_prefix(&root)
            && below.insert(name.to_owned(), *index).is_some()
        {
            refused.push(format!("{name} (there twice; the last one counts)"));
        }
    }
    Some(below)
}

fn missing_text(path: &Path) -> String {
    format!(
        "`{}` holds no `{ENTITIES}`; an XML export of Confluence is needed, not an HTML, PDF or CSV one",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "/",
            "/etc/passwd",
            "../entities.xml",
            "a/../../b",
            "C:/x",
            "a\0b",
            "",
            "./",
            "..\\x",
        ] {
            assert_eq!(clean_name(name), None, "{name:?}");
        }
        assert_eq!(clean_name("./a//b\\c").as_deref(), Some("a/b/c"));
    }

    #[test]
    fn the_uppermost_export_of_a_directory_is_read_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("backup/attachments/1/2");
        fs::create_dir_all(&inner).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        fs::write(folder.path().join("backup/entities.xml"), "<x/>").unwrap();
        fs::write(inner.join("1"), "one").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret"), inner.join("2")).unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        let mut text = String::new();
        archive
            .attachment("1", "2", 1)
            .unwrap()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "one");
        assert!(!archive.has_attachment("1", "2", 2));
        assert_eq!(
            archive.attachment_files().collect::<Vec<_>>(),
            [["1", "2", "1"]]
        );
        assert_eq!(archive.refused().len(), usize::from(cfg!(unix)));
    }

    #[test]
    fn an_entry_that_unpacks_to_too_much_ends_in_an_error() {
        let mut total = 0;
        let bomb = io::repeat(b'x').take(10_000);
        let mut capped = Capped {
            inner: Box::new(bomb),
            left: 5_000,
            total: &mut total,
        };
        assert!(capped.read_to_end(&mut Vec::new()).is_err());
    }
}
