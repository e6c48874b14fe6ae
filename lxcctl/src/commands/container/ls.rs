//! `lxcctl ls`: the list, its warnings and hints, and what to do when it is empty.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::selector::Selection;
use lxc_core::text::short_id;

use super::ls_columns::{self, Shown, USUAL};
use super::watch;
use crate::cli::{Format, LsArgs};
use crate::client::Client;
use crate::client::view::{Container, Warning};
use crate::commands::{columns, warnings};
use crate::context::Context;
use crate::ui::json;
use crate::ui::style::{self, Look};
use crate::ui::table::Table;
use crate::ui::time::Now;

/// How to begin, with nothing registered.
const FIRST_STEPS: &str = "\
No Proxmox is known here yet. Make a token on a Proxmox node (its secret is shown once):
  pveum user add lxcd@pve
  pveum acl modify / --users lxcd@pve --roles PVEVMAdmin,PVEAuditor
  pveum user token add lxcd@pve cli --privsep 0
then here:  lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli'";

/// Everything one look gave.
pub(super) struct Listing {
    pub(super) items: Vec<Container>,
    warnings: Vec<Warning>,
    remotes: u32,
}

/// How the list is to look.
pub(super) struct View {
    columns: Vec<Shown>,
    order: Vec<(Shown, bool)>,
    pub(super) headers: bool,
}

pub(crate) async fn run(context: &mut Context, args: &LsArgs) -> Result<Exit> {
    let selection = args.select.selection();
    context.check(&selection)?;
    let view = View::of(args, context.format)?;
    if args.watch {
        context.refuse_endless_json("--watch")?;
    }
    let client = context.connect().await?;
    if args.watch {
        let watch = watch::Watch { selection: &selection, fresh: args.lists.asks(), view: &view };
        return watch.run(context, client).await;
    }
    let listing = fetch(&client, &selection, args.lists.asks(), &view).await?;
    print(context, &listing, &selection, &view)?;
    if args.lists.strict && !listing.warnings.is_empty() {
        return Err(incomplete(&listing.warnings));
    }
    Ok(Exit::Done)
}

pub(super) async fn fetch(
    client: &Client,
    selection: &Selection,
    fresh: bool,
    view: &View,
) -> Result<Listing> {
    let mut stream = client.list(selection, fresh).await?;
    let mut listing = Listing { items: Vec::new(), warnings: Vec::new(), remotes: 0 };
    while let Some(mut chunk) = stream.next().await? {
        listing.items.append(&mut chunk.items);
        listing.warnings.append(&mut chunk.warnings);
        listing.remotes = listing.remotes.max(chunk.remotes);
    }
    view.sort(&mut listing.items);
    Ok(listing)
}

pub(super) fn print(
    context: &mut Context,
    listing: &Listing,
    selection: &Selection,
    view: &View,
) -> Result<()> {
    let now = Now::read();
    if context.structured("ContainerList", &listing.items, &listing.warnings, |c| &c.target)? {
        if context.format == Format::Jsonl {
            for warning in &listing.warnings {
                context.printer.answer_line(&json::line(warning)?);
            }
        }
        if !context.format.is_json() {
            for line in listing.cautions(&now) {
                context.printer.warn(&line);
            }
        }
        return Ok(());
    }
    let text = view.render(&listing.items, &now, context.printer.look);
    context.printer.answer(&text);
    let look = context.printer.err_look;
    for line in listing.remarks(selection, &now, look) {
        context.printer.say(&line);
    }
    Ok(())
}

impl Listing {
    /// What is said below the table: that it is empty, warnings, hints.
    pub(super) fn remarks(&self, selection: &Selection, now: &Now, look: Look) -> Vec<String> {
        let empty = self.items.is_empty().then(|| empty(self, selection));
        let cautions = self.cautions(now).into_iter().map(|line| style::warning(&line, look));
        let hints = hints(&self.items).into_iter().map(|line| style::hint(&line, look));
        empty.into_iter().chain(cautions).chain(hints).collect()
    }

    /// What could not be asked, and what needs a look.
    fn cautions(&self, now: &Now) -> Vec<String> {
        let attention = |item: &Container| {
            let id = short_id(item.attention.as_deref()?);
            let target = &item.target;
            Some(format!("{target} needs a look, nobody knows how op {id} ended: lxcctl op show {id}"))
        };
        let asked = self.warnings.iter().map(|warning| warnings::line(warning, now));
        asked.chain(self.items.iter().filter_map(attention)).collect()
    }
}

/// What to do next when there is nothing to show.
fn empty(listing: &Listing, selection: &Selection) -> String {
    if listing.remotes == 0 {
        FIRST_STEPS.to_owned()
    } else if !selection.is_empty() || selection.remote.is_some() {
        format!("No container matches {}.", selection.describe())
    } else {
        "No container is there yet; what is made on Proxmox shows up here by itself.".to_owned()
    }
}

fn hints(items: &[Container]) -> Vec<String> {
    let failed = items.iter().filter(|item| item.status == "error");
    failed
        .filter_map(|item| {
            let id = short_id(item.error_operation_id.as_deref()?);
            let how = item.error_summary.as_deref().unwrap_or("is in error");
            Some(format!("{} {how}: lxcctl op show {id}", item.target))
        })
        .collect()
}

fn incomplete(warnings: &[Warning]) -> Error {
    let mut error = Error::new(Code::Incomplete, "the list is not complete, and --strict was given");
    for warning in warnings {
        error =
            error.because(format!("{}: {}", warning.target.as_deref().unwrap_or("lxcd"), warning.message));
    }
    error.hint("lxcctl node")
}

impl View {
    fn of(args: &LsArgs, format: Format) -> Result<Self> {
        let names: Vec<&str> = ls_columns::all().iter().map(|column| column.name).collect();
        let usual: &[&str] = if format == Format::Wide { &names } else { &USUAL };
        let pick = |name: &str| ls_columns::all().into_iter().find(|column| column.name == name);
        let chosen = columns::choose(args.tables.columns.as_deref(), usual, &names)?;
        let order = columns::order(args.tables.sort.as_deref(), &names)?;
        Ok(Self {
            columns: chosen.into_iter().filter_map(pick).collect(),
            order: order.into_iter().filter_map(|(name, turned)| pick(name).map(|c| (c, turned))).collect(),
            headers: !args.tables.no_headers,
        })
    }

    fn sort(&self, items: &mut [Container]) {
        items.sort_by(|a, b| {
            let asked = self.order.iter().map(|(column, turned)| column.order(a, b, *turned));
            let usual = || {
                let named = a.name.is_none().cmp(&b.name.is_none());
                named.then_with(|| (&a.name, &a.remote, a.vmid).cmp(&(&b.name, &b.remote, b.vmid)))
            };
            asked.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then_with(usual)
        });
    }

    pub(super) fn render(&self, items: &[Container], now: &Now, look: Look) -> String {
        let mut table =
            Table::new(self.columns.iter().map(|shown| shown.column).collect()).headers(self.headers);
        for item in items {
            table.row(self.columns.iter().map(|shown| shown.cell(item, now)).collect());
        }
        table.render(look)
    }
}
