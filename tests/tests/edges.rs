//! Everything that reads bytes from outside, with the fuzzer's corpus and with random bytes: nothing panics, and
//! what must hold holds. `make fuzz` looks longer.

#[path = "../fuzz/edges.rs"]
mod edges;

use proptest::prelude::*;

type Edge = fn(&[u8]);

const EDGES: [(&str, Edge); 6] = [
    ("pve_answer", edges::pve_answer),
    ("upid", edges::upid),
    ("selector", edges::selector),
    ("config", edges::config),
    ("grpc", edges::grpc),
    ("template", edges::template),
];

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files =
        std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    files.map(|file| std::fs::read(file.expect("a file").path()).expect("readable")).collect()
}

#[test]
fn the_corpus_is_read() {
    for (name, edge) in EDGES {
        let seeds = corpus(name);
        assert!(!seeds.is_empty(), "{name} has no corpus");
        seeds.iter().for_each(|seed| edge(seed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        EDGES.iter().for_each(|(_, edge)| edge(&bytes));
    }

    /// A seed with some of its bytes changed, removed or repeated comes further than anything does.
    #[test]
    fn what_is_nearly_right_is_read(
        which in 0..EDGES.len(),
        seed in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let (name, edge) = EDGES[which];
        let seeds = corpus(name);
        let mut bytes = seed.get(&seeds).clone();
        for (at, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        edge(&bytes);
    }
}
