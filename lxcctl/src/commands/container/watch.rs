//! `lxcctl ls --watch`: the list drawn anew with every change. Owns when it is asked for and drawn again, and what
//! happens while lxcd is away; must not know what a row looks like, nor what fits on a screen (`screen`).

use std::convert::Infallible;
use std::time::Duration;

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::selector::Selection;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

use super::ls::{self, Listing, View};
use super::screen::{self, Picture};
use crate::client::Client;
use crate::context::Context;
use crate::follow::{Resizes, Signals, come_back, is_away};
use crate::ui::style::Look;
use crate::ui::time::{Now, fill};

/// How often the age of an old picture is told anew.
const TICK: Duration = Duration::from_secs(1);

/// What is watched, and how it is shown.
pub(super) struct Watch<'a> {
    pub(super) selection: &'a Selection,
    pub(super) fresh: bool,
    pub(super) view: &'a View,
}

/// What became of the list.
enum News {
    /// It is different now.
    Listed(Listing),
    /// lxcd cannot be asked.
    Away(Error),
}

impl Watch<'_> {
    /// Until Ctrl-C, or until nobody reads any more.
    pub(super) async fn run(&self, context: &mut Context, client: Client) -> Result<Exit> {
        let mut signals = Signals::listen()?;
        let on_a_screen = context.format.is_text() && context.printer.screen.is_some();
        let (tell, told) = channel(1);
        let ended = tokio::select! {
            biased;
            exit = signals.next() => Ok(exit),
            ended = self.show(context, told, on_a_screen) => ended,
            fault = self.ask(client, &tell, on_a_screen) => fault.map(|never| match never {}),
        };
        context.printer.leave_picture();
        ended
    }

    /// Asks again with every change. A screen may wait for lxcd as long as it likes, a pipe as long as a restart
    /// may take.
    async fn ask(&self, mut client: Client, tell: &Sender<News>, patient: bool) -> Result<Infallible> {
        loop {
            let Err(mut lost) = self.ask_while_there(&client, tell).await;
            if !is_away(&lost) {
                return Err(lost);
            }
            // Nobody listens only once this is over anyway.
            let _ = tell.send(News::Away(lost.clone())).await;
            client = loop {
                match come_back(&client, lost).await {
                    Ok(fresh) => break fresh,
                    Err(fault) if patient && is_away(&fault) => lost = fault,
                    Err(fault) => return Err(fault),
                }
            };
        }
    }

    async fn ask_while_there(&self, client: &Client, tell: &Sender<News>) -> Result<Infallible> {
        let mut changes = client.changes().await?;
        loop {
            let listing = ls::fetch(client, self.selection, self.fresh, self.view).await?;
            let _ = tell.send(News::Listed(listing)).await;
            if changes.next().await?.is_none() {
                return Err(Error::new(Code::DaemonUnreachable, "lxcd does not answer")
                    .because("it ended the stream"));
            }
        }
    }

    async fn show(&self, context: &mut Context, mut told: Receiver<News>, on_a_screen: bool) -> Result<Exit> {
        let mut resizes = Resizes::listen()?;
        let mut last: Option<Listing> = None;
        let mut away_since: Option<Instant> = None;
        loop {
            tokio::select! {
                news = told.recv() => match news {
                    Some(News::Listed(listing)) => (last, away_since) = (Some(listing), None),
                    Some(News::Away(fault)) if last.is_none() => return Err(fault),
                    // What reads lines is told by the end of them.
                    Some(News::Away(_)) if !on_a_screen => continue,
                    Some(News::Away(_)) => away_since = away_since.or(Some(Instant::now())),
                    None => return Ok(Exit::Done),
                },
                () = resizes.next(), if on_a_screen => {}
                () = sleep(TICK), if away_since.is_some() => {}
            }
            let Some(listing) = &last else { continue };
            if on_a_screen {
                self.draw(context, listing, away_since.map(|since| since.elapsed().as_secs()));
            } else {
                ls::print(context, listing, self.selection, self.view)?;
                context.printer.flush();
            }
            if context.printer.is_closed() {
                return Ok(Exit::Done);
            }
        }
    }

    fn draw(&self, context: &mut Context, listing: &Listing, away: Option<u64>) {
        context.printer.measure();
        let look = context.printer.look;
        // What is old is dim as a whole.
        let inner = Look { colour: look.colour && away.is_none(), ..look };
        let now = Now::read();
        let table = self.view.render(&listing.items, &now, inner);
        let remarks = match context.printer.is_quiet() {
            true => Vec::new(),
            false => listing.remarks(self.selection, &now, inner),
        };
        // Instants have to be spelled out before anything is measured.
        let remarks: Vec<String> = remarks.iter().map(|remark| fill(remark, false).into_owned()).collect();
        let picture = Picture { away, table: &table, headers: self.view.headers, remarks: &remarks };
        let size = context.printer.screen.unwrap_or((80, 24));
        context.printer.picture(&screen::fit(&picture, size, look));
    }
}
