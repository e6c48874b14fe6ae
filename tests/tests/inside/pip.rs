//! `packages.sh` with the real pip of a Debian that guards its own Python, and packages that are made up here.

use lxc_tests::harness::{Network, Node, Tree};

use crate::job::CT;
use crate::packages::packages;

/// Makes packages of nothing but a version, and has pip take them from there. `wheel` is Debian's own too.
const WHEELS: &str = "mkdir /wheels && python3 - <<'PYTHON' || exit
import zipfile
for name, version in ('sun', '1.0'), ('sun', '2.0'), ('moon', '1.0'), ('wheel', '99.0'):
    info = f'{name}-{version}.dist-info'
    with zipfile.ZipFile(f'/wheels/{name}-{version}-py3-none-any.whl', 'w') as wheel:
        wheel.writestr(f'{name}.py', f'version = \"{version}\"\\n')
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        names = f'{name}.py', f'{info}/METADATA', f'{info}/WHEEL', f'{info}/RECORD'
        wheel.writestr(f'{info}/RECORD', ''.join(f'{one},,\\n' for one in names))
PYTHON
printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' >/etc/pip.conf";

fn version(node: &Node, name: &str) -> String {
    let text = format!("python3 -c 'from importlib.metadata import version; print(version(\"{name}\"))'");
    node.shell(CT, &text).log()
}

#[test]
fn pip_installs_what_is_missing_once() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Managers, Network::Own) {
        return;
    }
    let done = node.shell(CT, WHEELS);
    assert_eq!(done.code, Some(0), "{done:?}");
    // The guard is there, and would refuse.
    let done = node.shell(CT, "python3 -m pip install sun");
    assert!(done.stderr.contains("externally-managed-environment"), "{done:?}");

    let done = packages(&node, "pip", "sun==1.0\nmoon\n");
    let wanted = ["progress 0/2 packages", "detail 2 packages: 2 installed"];
    assert_eq!((done.code, done.reports().as_slice()), (Some(0), &wanted.map(String::from)[..]), "{done:?}");
    assert!(done.log().contains("Successfully installed moon-1.0 sun-1.0"), "{done:?}");
    for same in ["sun", "Sun", "sun==1.0", "sun==1.*", "sun>=0.5,<2", "sun~=1.0", "sun!=2.0"] {
        let done = packages(&node, "pip", &format!("{same}\n"));
        assert_eq!(done.reports(), ["detail 1 package: 1 there already"], "{same}: {done:?}");
        assert_eq!(done.log(), "", "nothing was asked of pip");
    }
    for (wish, there) in [("sun>=2", "2.0"), ("sun<2", "1.0")] {
        let done = packages(&node, "pip", &format!("moon\n{wish}\n"));
        let last = done.reports().pop().unwrap();
        assert_eq!((done.code, last.as_str()), (Some(0), "detail 2 packages: 1 installed, 1 there already"));
        assert_eq!(version(&node, "sun"), there, "{done:?}");
    }
    // What Debian brought stays where it is, and the other one goes before it.
    assert_eq!(packages(&node, "pip", "wheel==99.0\n").code, Some(0));
    assert_eq!(version(&node, "wheel"), "99.0");
    assert_eq!(node.shell(CT, "dpkg --verify python3-wheel").log(), "");
    for wrong in ["nosuch", "sun==9"] {
        let done = packages(&node, "pip", &format!("moon\n{wrong}\n"));
        let why = format!("fault pip: ERROR: No matching distribution found for {wrong}");
        assert_eq!((done.code, done.reports().pop()), (Some(1), Some(why)), "{done:?}");
    }
}
