//! The helper of a node: our own program, that runs there for as long as the connection does and answers requests over
//! one channel, many at a time. A command of its own for each request costs a new channel, a log-in shell and a start of
//! perl, which together take longer than most of what is asked. Owns its beginning, its end and which answer is whose;
//! must not know what it is asked.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::exec::{Command, End, Fault, complain, keep};
use super::frame::{Answers, Request};
use super::session::Session;

/// How long it may take to begin.
const BEGIN: Duration = Duration::from_secs(60);
/// Requests that wait to be written.
const QUEUE: usize = 16;
/// Bytes written at a time.
const PIECE: usize = 32 << 10;
/// What it says when it has begun; a log-in shell may have greeted before.
const READY: &[u8] = b"LXCD-JOB ready\n";
/// Bytes of such greetings.
const MOST_GREETING: usize = 64 << 10;
/// Bytes kept of what it complains of.
const MOST_ERROR: usize = 4 << 10;

const PROGRAM: &str = concat!(
    include_str!("scripts/common.pl"),
    include_str!("scripts/start.pl"),
    include_str!("scripts/runner.pl"),
    include_str!("scripts/run.pl"),
    include_str!("scripts/read.pl"),
    include_str!("scripts/cancel.pl"),
    include_str!("scripts/end.pl"),
    include_str!("scripts/forget.pl"),
    include_str!("scripts/helper.pl"),
);

type Reply = oneshot::Sender<Result<Bytes, Fault>>;

/// A helper that begins or has begun; it ends when this is gone.
pub(super) struct Helper {
    requests: mpsc::Sender<(Request, Reply)>,
}

/// Who waits for which answer. None once no answer will come any more.
struct Waiting(Mutex<Option<HashMap<u64, Reply>>>);

impl Helper {
    /// Starts it. `root` is what makes it root's, in front of the program.
    pub(super) async fn begin(session: &Session, root: &[&str], base: &str) -> Result<Self, Fault> {
        let words = root.iter().copied().chain(["perl", "-e", PROGRAM, "--", base]);
        let command = Command { words: words.map(str::to_owned).collect(), patience: BEGIN };
        let (read, write) = session.begin(&command).await?.split();
        let (requests, queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let waiting = Waiting(Mutex::new(Some(HashMap::new())));
            let why = tokio::select! {
                why = listen(read, &waiting) => why,
                () = speak(&write, queue, &waiting) => Fault::Lost("nobody asks any more".to_owned()),
            };
            waiting.end(&why);
            // A connection that is gone has closed it.
            let _ = write.close().await;
        });
        Ok(Self { requests })
    }

    /// Asks it, and waits that long for an answer. Who stops waiting has asked all the same.
    pub(super) async fn ask(&self, request: Request, patience: Duration) -> Result<Bytes, Fault> {
        let gone = || Fault::Lost("our program on the node has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.requests.send((request, reply)).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        timeout(patience, asked)
            .await
            .unwrap_or_else(|_| Err(Fault::Lost(format!("no answer came within {} s", patience.as_secs()))))
    }
}

impl Waiting {
    fn insert(&self, id: u64, reply: Reply) {
        if let Some(waiting) = &mut *self.0.lock() {
            waiting.insert(id, reply);
        }
    }

    fn answer(&self, id: u64, what: Result<Bytes, String>) {
        let reply = self.0.lock().as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(reply) = reply {
            // Who does not wait any more is told nothing.
            let _ = reply.send(what.map_err(Fault::Failed));
        }
    }

    fn end(&self, why: &Fault) {
        for (_, reply) in self.0.lock().take().into_iter().flatten() {
            // As above.
            let _ = reply.send(Err(why.clone()));
        }
    }
}

/// What it says, from its greetings on.
#[derive(Default)]
struct Said {
    greeting: Vec<u8>,
    begun: bool,
    answers: Answers,
    complaint: Vec<u8>,
    end: Option<End>,
}

impl Said {
    fn add(&mut self, data: &[u8]) {
        if self.begun {
            return self.answers.add(data);
        }
        keep(&mut self.greeting, data, MOST_GREETING);
        if let Some(at) = self.greeting.windows(READY.len()).position(|bytes| bytes == READY) {
            self.begun = true;
            self.answers.add(&std::mem::take(&mut self.greeting)[at + READY.len()..]);
        }
    }

    /// Why there will be no more.
    fn why(&self) -> Fault {
        let complaint = String::from_utf8_lossy(&self.complaint).trim().to_owned();
        match (&self.end, self.begun) {
            // It never was what it should be, and will not be over another connection.
            (Some(end), false) => Fault::Failed(complain(&complaint, end)),
            (Some(end), true) => {
                Fault::Lost(format!("our program there ended: {}", complain(&complaint, end)))
            }
            (None, _) => Fault::Lost("the connection was cut".to_owned()),
        }
    }
}

/// Hands answers to those who wait for them until there are no more; why.
async fn listen(mut channel: ChannelReadHalf, waiting: &Waiting) -> Fault {
    let mut said = Said::default();
    let begin_by = Instant::now() + BEGIN;
    loop {
        let message = if said.begun {
            channel.wait().await
        } else {
            match timeout_at(begin_by, channel.wait()).await {
                Ok(message) => message,
                Err(_) => {
                    let seconds = BEGIN.as_secs();
                    return Fault::Lost(format!("our program there did not begin within {seconds} s"));
                }
            }
        };
        match message {
            Some(ChannelMsg::Data { data }) => said.add(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => keep(&mut said.complaint, &data, MOST_ERROR),
            Some(ChannelMsg::ExitStatus { exit_status }) => said.end = Some(End::Code(exit_status)),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                said.end = Some(End::Signal(format!("{signal_name:?}")));
            }
            Some(ChannelMsg::Failure) => return Fault::Failed(End::Refused.to_string()),
            Some(ChannelMsg::Close) | None => return said.why(),
            Some(_) => {}
        }
        loop {
            match said.answers.next() {
                Ok(Some(answer)) => waiting.answer(answer.id, answer.what),
                Ok(None) => break,
                Err(why) => return Fault::Lost(why),
            }
        }
    }
}

/// Writes what is asked, each request whole, as fast as the node takes it.
async fn speak(
    channel: &ChannelWriteHalf<Msg>,
    mut queue: mpsc::Receiver<(Request, Reply)>,
    waiting: &Waiting,
) {
    let mut writer = channel.make_writer();
    let mut id = 0;
    while let Some((request, reply)) = queue.recv().await {
        // Who gave up before it was sent does not want it any more.
        if reply.is_closed() {
            continue;
        }
        id += 1;
        waiting.insert(id, reply);
        for piece in request.frame(id).iter().flat_map(|piece| piece.chunks(PIECE)) {
            if writer.write_all(piece).await.is_err() {
                // The other half learns why.
                return std::future::pending().await;
            }
        }
    }
}
