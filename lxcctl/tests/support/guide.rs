//! The examples of the style guide that are due, kept in `golden/guide.txt` in its own notation:
//! `⇒ N` is the exit code, `┊` marks stderr.

const GOLDEN: &str = include_str!("../golden/guide.txt");

/// One example.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The `number`-th example (from 0) of that command line.
pub(crate) fn example(line: &str, number: usize) -> Example {
    let mut found = examples(GOLDEN).into_iter().filter(|example| example.line == line);
    found.nth(number).unwrap_or_else(|| panic!("no example {number} of {line:?}"))
}

/// Every example of a text.
pub(crate) fn examples(text: &str) -> Vec<Example> {
    let mut all: Vec<Example> = Vec::new();
    let mut open = false;
    for raw in text.lines() {
        if let Some(rest) = raw.strip_prefix("$ ") {
            let (line, code) = rest.split_once('⇒').unwrap_or((rest, "0"));
            let line = line.split("  #").next().unwrap_or(line).trim().to_owned();
            all.push(Example {
                line,
                code: code.trim().parse().unwrap(),
                out: String::new(),
                err: String::new(),
            });
            open = true;
        } else if raw.starts_with("```") {
            open = false;
        } else if let Some(example) = all.last_mut().filter(|_| open) {
            match raw.strip_prefix('┊') {
                Some(err) => example.err.push_str(&format!("{}\n", err.strip_prefix(' ').unwrap_or(err))),
                // The guide leaves an empty line between two examples.
                None if raw.is_empty() => {}
                None => example.out.push_str(&format!("{raw}\n")),
            }
        }
    }
    all
}

/// The guide itself, where it is at hand.
pub(crate) fn shared() -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let dir = std::env::var("LXC_SHARED").unwrap_or_else(|_| beside.to_owned());
    std::fs::read_to_string(std::path::Path::new(&dir).join("CLI.md")).ok()
}

/// The run is what the guide says about that line.
pub(crate) fn assert_like(run: &super::Run, line: &str, number: usize) {
    let want = example(line, number);
    assert_eq!(run.out, want.out, "stdout of {line}\nstderr was {}", run.err);
    assert_eq!(run.err, want.err, "stderr of {line}");
    assert_eq!(run.code, want.code, "exit of {line}");
}
