//! A job as lxcd starts one: an archive through `lxc-attach` into `enter.sh`. Owns how it is put together.

use lxc_tests::harness::Node;
use lxc_tests::harness::node::Done;

pub(crate) const ENTER: &str = include_str!("../../../core/src/provision/inside/enter.sh");
pub(crate) const PRELUDE: &str = include_str!("../../../core/src/provision/inside/prelude.sh");
/// The container of every test.
pub(crate) const CT: u32 = 104;

/// One of them.
pub(crate) struct Job {
    main: String,
    variables: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Job {
    pub(crate) fn new(main: &str) -> Self {
        Self { main: main.to_owned(), variables: Vec::new(), files: Vec::new() }
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push(format!("{name}={value}"));
        self
    }

    /// An argument as it is.
    pub(crate) fn bare(mut self, argument: &str) -> Self {
        self.variables.push(argument.to_owned());
        self
    }

    pub(crate) fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    pub(crate) fn archive(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let always = [("main", self.main.as_bytes()), ("prelude.sh", PRELUDE.as_bytes())];
        let own = self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice()));
        for (path, content) in always.into_iter().chain(own) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, path, content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    pub(crate) fn run(&self, node: &Node) -> Done {
        self.run_with(node, &self.archive())
    }

    pub(crate) fn run_with(&self, node: &Node, archive: &[u8]) -> Done {
        let mut command = node.command("lxc-attach");
        command.args(["-n", &CT.to_string(), "--clear-env", "--", "/bin/sh", "-c", ENTER, "lxcd"]);
        command.args(&self.variables);
        node.run(command, archive)
    }
}

/// As the node ends a job: enter.sh alone, which was there before what it started.
pub(crate) fn end(node: &Node) {
    let find = "for one in $(ls /proc | grep '^[0-9]' | sort -n); do \
                grep -q '[W]here every job' /proc/$one/cmdline && kill -TERM $one && exit 0; done; exit 1";
    assert_eq!(node.shell(CT, find).code, Some(0));
}
