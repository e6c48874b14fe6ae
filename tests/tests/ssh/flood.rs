//! Jobs that say more than is kept: the last of it stays, and an offset means the same whoever asks.

use std::fs;

use lxc_core::job::{JobExit, JobId, JobReading, JobState};
use lxc_tests::harness::wait::until_async;

use super::lab::{Lab, shell};

const MIB: u64 = 1 << 20;
/// Bytes in a segment, and how many segments there are.
const SEGMENT: u64 = 4 * MIB;
const SEGMENTS: u64 = 4;
/// A line of a flood, with its line break.
const LINE: u64 = 16;

/// Numbered lines, that many bytes of them.
fn lines(bytes: u64) -> String {
    format!(r#"perl -e 'printf "%015d\n", $_ for 0 .. {} - 1'"#, bytes / LINE)
}

/// What stands in such a flood.
fn expected(from: u64, length: usize) -> Vec<u8> {
    let first = from / LINE;
    let lines = (first..=first + length as u64 / LINE + 1).map(|number| format!("{number:015}\n"));
    let text: String = lines.collect();
    text.into_bytes().into_iter().skip((from % LINE) as usize).take(length).collect()
}

/// Bytes of output that lie on the node.
fn kept(lab: &Lab, id: JobId) -> u64 {
    let entries = fs::read_dir(lab.directory(id)).into_iter().flatten().flatten();
    let output = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("output."));
    output.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

/// Holds what was read behind an offset against what was said.
fn holds(offset: u64, reading: &JobReading) {
    let length = reading.output.len();
    let from = offset + reading.skipped;
    assert_eq!(reading.next, from + length as u64);
    assert!(reading.output == expected(from, length), "other bytes than were said behind {from}");
}

#[tokio::test]
async fn the_last_words_stay_whatever_came_before() {
    let Some(mut lab) = Lab::new() else { return };
    let flood = 40 * MIB;
    let job = shell(&format!("{}; echo the last word >&2; exit 3", lines(flood)));
    lab.start(&job).await.unwrap();
    until_async("its end", async || {
        let now = kept(&lab, job.id);
        assert!(now <= SEGMENTS * SEGMENT, "{now} bytes are kept");
        if lab.directory(job.id).join("exit").exists() { Ok(()) } else { Err(format!("{now} bytes")) }
    })
    .await;
    let last = "the last word\n";
    let total = flood + last.len() as u64;
    assert_eq!(kept(&lab, job.id), 3 * SEGMENT + last.len() as u64);

    // Whoever is too late goes on where what they read will stay for a while.
    let first = lab.read(job.id, 0, 20).await;
    assert_eq!(
        (first.skipped, first.output.len(), first.state.clone()),
        (36 * MIB, 64 << 10, JobState::Running)
    );
    holds(0, &first);
    // What is kept is read at the place it has always had, also over the end of a segment and by somebody else.
    lab.again();
    for offset in [28 * MIB, 32 * MIB - 1001, first.next] {
        let reading = lab.read(job.id, offset, 20).await;
        assert_eq!((reading.skipped, reading.output.len()), (0, 64 << 10), "behind {offset}");
        holds(offset, &reading);
    }
    assert_eq!(lab.read(job.id, 28 * MIB - 1, 20).await.skipped, 8 * MIB + 1);
    let end = lab.read(job.id, flood - 16, 20).await;
    assert_eq!(String::from_utf8(end.output).unwrap(), format!("{:015}\n{last}", flood / LINE - 1));
    assert_eq!((end.skipped, end.next, end.state), (0, total, JobState::Ended(JobExit::Code(3))));
    let (all, exit) = lab.end(job.id).await;
    assert_eq!((all.len() as u64, exit), (total - 36 * MIB, JobExit::Code(3)));
}

#[tokio::test]
async fn a_reader_beside_a_flood_reads_what_was_said() {
    let Some(lab) = Lab::new() else { return };
    let job = shell(&lines(64 * MIB));
    lab.start(&job).await.unwrap();
    let mut offset = 0;
    let exit = loop {
        let reading = lab.read(job.id, offset, 20).await;
        holds(offset, &reading);
        assert!(kept(&lab, job.id) <= SEGMENTS * SEGMENT);
        offset = reading.next;
        if let JobState::Ended(exit) = reading.state {
            break exit;
        }
    };
    assert_eq!((offset, exit), (64 * MIB, JobExit::Code(0)));
}

#[tokio::test]
async fn a_piece_that_a_loss_of_power_took_is_passed_over() {
    let Some(lab) = Lab::new() else { return };
    let job = shell(&lines(10 * MIB));
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
    fs::File::options().write(true).open(lab.directory(job.id).join("output.1")).unwrap().set_len(7).unwrap();
    let reading = lab.read(job.id, SEGMENT, 20).await;
    assert_eq!(reading.skipped, SEGMENT);
    holds(SEGMENT, &reading);
    assert_eq!(lab.end(job.id).await, (expected(2 * SEGMENT, 2 << 20), JobExit::Code(0)));
}
