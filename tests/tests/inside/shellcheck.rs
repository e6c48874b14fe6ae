//! The shell code itself, as shellcheck reads it for POSIX sh.

use std::io::Write;
use std::path::Path;
use std::process::Command;

#[test]
fn the_scripts_are_plain_posix_shell() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = ["core/src/provision/inside", "tests/src/harness/node"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "sh")).collect();
    assert!(scripts.len() >= 10, "{scripts:?}");
    for script in &scripts {
        let text = std::fs::read_to_string(script).unwrap();
        assert!(text.starts_with('#') && text.lines().count() < 300, "{}", script.display());
    }
    match Command::new("shellcheck").args(["-s", "sh", "-x", "-P"]).arg(root).args(&scripts).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: shellcheck: {error}");
        }
    }
}
