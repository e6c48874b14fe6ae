//! Directories of templates: finding them, reading and writing their files. Owns what touches the disk; what a file
//! means is core's.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use lxc_core::error::{Code, Error, Result};
use lxc_core::template::{
    CONF, Fault, LARGEST_TEMPLATE, MOST_FILES, Outline, Source, Sources, outline, refused, too_large,
};

/// Folders below each other that are looked into.
const DEEPEST: usize = 16;

/// The directories with a template.conf in or below a directory, in order. A template has no others below it.
pub(super) fn find(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    look(root, 0, &mut found).map_err(|fault| unreadable(root, &fault))?;
    if found.is_empty() {
        return Err(Error::new(Code::BadTemplate, format!("there is no template in {}", root.display()))
            .because(format!("a directory with a {CONF} in it is one; none is there or below"))
            .hint_noted(format!("lxcctl explain {}", Code::BadTemplate), "says how a template is written"));
    }
    Ok(found)
}

fn look(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name() == CONF {
            found.push(directory.to_owned());
            return Ok(());
        }
        // Not through links: they may lead around in circles. What is hidden is git's or an editor's.
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() && !hidden && depth < DEEPEST {
            folders.push(entry.path());
        }
    }
    folders.sort();
    folders.iter().try_for_each(|folder| look(folder, depth + 1, found))
}

/// What a directory is called, however it was typed.
pub(super) fn called(directory: &Path) -> String {
    let whole = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    whole.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The files of one template. Nothing larger than it may be is read.
pub(super) fn read(directory: &Path) -> Result<Sources> {
    let mut reader = Reader { directory, sources: Sources::new(), total: 0, faults: Vec::new() };
    reader.file(CONF)?;
    reader.folder("container-configs", 0)?;
    let Reader { sources, faults, .. } = reader;
    if faults.is_empty() { Ok(sources) } else { Err(refused(&faults, &directory.to_string_lossy())) }
}

struct Reader<'a> {
    directory: &'a Path,
    sources: Sources,
    total: u64,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn folder(&mut self, path: &str, depth: usize) -> Result<()> {
        let whole = self.directory.join(path);
        let entries = match fs::read_dir(&whole) {
            Err(fault) if depth == 0 && fault.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|fault| unreadable(&whole, &fault))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|fault| unreadable(&whole, &fault))?.file_name();
            match name.into_string() {
                Ok(name) => names.push(name),
                Err(name) => self.fault(
                    &format!("{path}/{}", name.to_string_lossy()),
                    "its name is no UTF-8",
                    "a name is text",
                ),
            }
        }
        names.sort();
        for name in names {
            let path = format!("{path}/{name}");
            let whole = self.directory.join(&path);
            let metadata = fs::symlink_metadata(&whole).map_err(|fault| unreadable(&whole, &fault))?;
            match metadata.is_dir() {
                true if depth < DEEPEST => self.folder(&path, depth + 1)?,
                true => {}
                false => self.file(&path)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str) -> Result<()> {
        let Outline::Read(most) = outline(path) else { return Ok(()) };
        let whole = self.directory.join(path);
        let metadata = fs::symlink_metadata(&whole).map_err(|fault| unreadable(&whole, &fault))?;
        if !metadata.is_file() {
            let why = "links lead out of the template, and devices have no end: put the file itself here";
            self.fault(path, "this is no plain file", why);
            return Ok(());
        }
        if metadata.len() > most {
            self.faults.push(too_large(path, metadata.len(), most));
            return Ok(());
        }
        self.total += metadata.len();
        if self.total > LARGEST_TEMPLATE || self.sources.len() >= MOST_FILES {
            let why = format!("at most {MOST_FILES} files and {LARGEST_TEMPLATE} bytes (8 MiB) together");
            return Err(refused(&[fault(path, "the template is too large", &why)], &self.shown()));
        }
        let content = fs::read(&whole).map_err(|fault| unreadable(&whole, &fault))?;
        self.sources.insert(path.to_owned(), Source { content, executable: is_executable(&metadata) });
        Ok(())
    }

    fn fault(&mut self, path: &str, what: &str, why: &str) {
        self.faults.push(fault(path, what, why));
    }

    fn shown(&self) -> String {
        self.directory.to_string_lossy().into_owned()
    }
}

fn fault(path: &str, what: &str, why: &str) -> Fault {
    Fault { file: path.to_owned(), line: None, what: what.to_owned(), why: why.to_owned(), mend: None }
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}

/// Writes files into a directory that is new or empty.
pub(super) fn write(directory: &Path, sources: &Sources) -> Result<()> {
    let full = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_some(),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => false,
        Err(fault) => return Err(unwritable(directory, &fault)),
    };
    if full {
        return Err(Error::new(Code::BadValue, format!("{} is not empty", directory.display()))
            .because("what lies there would become a part of the template, or get lost")
            .hint_noted("lxcctl template export --help", "takes a new or an empty directory"));
    }
    for (path, source) in sources {
        let below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let whole = directory.join(path);
        if !below {
            return Err(Error::new(Code::Internal, "lxcd's answer has a path that leads elsewhere")
                .because(path.clone())
                .hint("lxcctl daemon status"));
        }
        put(&whole, source).map_err(|fault| unwritable(&whole, &fault))?;
    }
    Ok(())
}

fn put(path: &Path, source: &Source) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mode = if source.executable { 0o755 } else { 0o644 };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(&source.content)
}

fn unreadable(path: &Path, fault: &io::Error) -> Error {
    Error::new(Code::BadTemplate, format!("{} cannot be read", path.display()))
        .because(fault.to_string())
        .hint("lxcctl template import --help")
}

fn unwritable(path: &Path, fault: &io::Error) -> Error {
    Error::new(Code::OutputFailed, format!("{} cannot be written", path.display()))
        .because(fault.to_string())
        .hint("lxcctl template export --help")
}
