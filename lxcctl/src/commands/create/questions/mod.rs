//! `lxcctl create` asks its way through where nobody said enough: template, remote, name, OS image, node, resources,
//! network, packages and scripts, then a review. Owns the order and what is not asked; what can be chosen is `choices`',
//! what an answer may be `check`'s. Never asks for a root password: there is none.

mod check;
mod choices;
mod images;
mod typed;

use lxc_core::create::{DEFAULT_CORES, DEFAULT_DISK_GB, DEFAULT_MEMORY_MB, DEFAULT_SWAP_MB, Wish};
use lxc_core::error::{Code, Error, Exit, Result};

use self::choices::{Choices, Ip};
use crate::cli::CreateArgs;
use crate::client::view::{Survey, Template};
use crate::client::{Client, CreateOrder};
use crate::commands::create::dry_run;
use crate::context::{Context, filled};
use crate::ui::printer::Unanswered;

/// Why there is no container to be made.
enum Stop {
    /// Ctrl-C: nothing was begun, and nothing is to be said.
    Ended(Exit),
    /// Something is to be said.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(fault: Error) -> Self {
        Self::Failed(fault)
    }
}

impl From<Unanswered> for Stop {
    fn from(reason: Unanswered) -> Self {
        match reason {
            Unanswered::Interrupted => Self::Ended(Exit::Interrupted),
            Unanswered::Declined => Self::Failed(not_begun().hint("lxcctl create --help")),
            Unanswered::Fault(why) => Self::Failed(
                Error::new(Code::Usage, "nothing can be asked on this terminal")
                    .because(why)
                    .hint("lxcctl create web-7 --template web-node")
                    .hint("lxcctl create --help"),
            ),
        }
    }
}

fn not_begun() -> Error {
    Error::new(Code::AnsweredNo, "create was not begun").because("the answer was not yes")
}

/// What is known so far.
struct Asking<'a> {
    context: &'a mut Context,
    /// What was answered, and what the command line said.
    flags: Wish,
    file: &'a Wish,
    /// A name that is taken is fine.
    if_needed: bool,
}

/// Whether too little was said, and somebody is there to say more.
pub(super) fn are_asked(context: &Context, args: &CreateArgs, flags: &Wish, file: &Wish) -> bool {
    let said = |of: fn(&Wish) -> bool| of(flags) || of(file);
    let enough =
        said(|wish| wish.name.is_some()) && said(|wish| wish.template.is_some() || wish.image.is_some());
    let printer = &context.printer;
    !enough && !args.waiting.yes && printer.can_ask && printer.can_move && context.format.is_text()
}

/// Asks for what the order lacks, and lets the command line say it too; the exit code where it was left.
pub(super) async fn complete(context: &mut Context, order: &mut CreateOrder) -> Result<Option<Exit>> {
    let client = context.connect().await?;
    ended(ask(context, &client, order).await)
}

/// Shows what it comes to and asks whether to go on; the exit code where it ends there.
pub(super) async fn review(
    context: &mut Context,
    client: &Client,
    order: &CreateOrder,
) -> Result<Option<Exit>> {
    ended(agreed(context, client, order).await)
}

fn ended(done: std::result::Result<(), Stop>) -> Result<Option<Exit>> {
    match done {
        Ok(()) => Ok(None),
        Err(Stop::Ended(exit)) => Ok(Some(exit)),
        Err(Stop::Failed(fault)) => Err(fault),
    }
}

/// The command line that says what was answered, for the next time.
pub(super) fn say_line(context: &mut Context) {
    let line = context.bold(&context.command_line());
    context.printer.must_say(&format!("The same without questions:\n  {line}\n"));
}

async fn agreed(context: &mut Context, client: &Client, order: &CreateOrder) -> Result<(), Stop> {
    let plan = client.plan_create(order).await?;
    let look = context.printer.err_look;
    context.printer.must_say(&format!("\n{}", dry_run::tables(&plan, look)));
    say_line(context);
    if let Some(error) = &plan.run.error {
        return Err(Stop::Failed(filled(error, &plan.run.target)));
    }
    match context.printer.agree("Create?")? {
        true => Ok(()),
        false => Err(Stop::Failed(not_begun().hint_noted("{line}", "asks nothing"))),
    }
}

async fn ask(context: &mut Context, client: &Client, order: &mut CreateOrder) -> Result<(), Stop> {
    let before = order.flags.clone();
    let mut asking = Asking { context, flags: before.clone(), file: &order.file, if_needed: order.if_needed };
    asking.template(&client.templates("", &[]).await?.0)?;
    let typed = order.remote.clone();
    if order.remote.is_empty() {
        order.remote = asking.remote(client).await?;
    }
    let survey = client.survey(&order.remote).await?;
    let template = match asking.said(|wish| wish.template.clone()) {
        // Asked for by name, so that one that is not there is refused before anything else is asked.
        Some(name) => client.templates(&name, &[]).await?.0.into_iter().next(),
        None => None,
    };
    let template = template.as_ref();
    asking.name(&survey)?;
    asking.image(&survey, template)?;
    asking.node(&survey, template)?;
    asking.resources(&survey, template)?;
    asking.network(&survey)?;
    asking.pieces(template)?;
    let flags = asking.flags;
    let mut words = typed::words(&before, &flags);
    if order.remote != typed {
        words.extend(["--remote".to_owned(), order.remote.clone()]);
    }
    context.type_more(&words);
    order.flags = flags;
    Ok(())
}

impl Asking<'_> {
    fn said<T>(&self, of: impl Fn(&Wish) -> Option<T>) -> Option<T> {
        of(&self.flags).or_else(|| of(self.file))
    }

    fn pick<T: Clone>(&mut self, question: &str, from: &Choices<T>) -> Result<T, Unanswered> {
        let at = self.context.printer.pick(question, &from.rows, &from.shown, 0)?;
        from.values.get(at).cloned().ok_or_else(|| Unanswered::Fault("no such row".to_owned()))
    }

    fn template(&mut self, all: &[Template]) -> Result<(), Stop> {
        let image = self.said(|wish| wish.template.clone().or_else(|| wish.image.clone()));
        let from = choices::templates(all);
        if image.is_some() || from.is_settled() {
            return Ok(());
        }
        let at = self.pick("Template", &from)?;
        self.flags.template = at.and_then(|at| all.get(at)).map(|template| template.name.clone());
        Ok(())
    }

    /// The one that is meant when there is no doubt, else one of them; empty = the daemon's choice.
    async fn remote(&mut self, client: &Client) -> Result<String, Stop> {
        let all = client.remotes("").await?;
        let from = choices::remotes(&all);
        if from.is_settled() || all.iter().any(|remote| remote.is_default) {
            return Ok(String::new());
        }
        Ok(self.pick("Remote", &from)?)
    }

    fn name(&mut self, survey: &Survey) -> Result<(), Stop> {
        if self.said(|wish| wish.name.clone()).is_none() {
            let shared = self.if_needed;
            let name =
                self.context.printer.line("Host name", None, |text| check::name(text, survey, shared))?;
            self.flags.name = Some(name);
        }
        Ok(())
    }

    fn image(&mut self, survey: &Survey, template: Option<&Template>) -> Result<(), Stop> {
        if self.said(|wish| wish.image.clone()).is_some() {
            return Ok(());
        }
        let may = self.said(|wish| wish.download) != Some(false);
        let from = images::images(survey, self.said(|wish| wish.node.clone()).as_deref(), template, may);
        if from.values.is_empty() {
            let error = Error::new(Code::NoImage, format!("{} has no OS image to offer", survey.remote))
                .because("no node that could take it holds one the token may see")
                .hint_noted("pveam update && pveam available --section system", "on a node");
            return Err(Stop::Failed(error));
        }
        let image = self.pick("OS image", &from)?;
        self.flags.image = image.name;
        if image.download && self.said(|wish| wish.download).is_none() {
            self.flags.download = Some(true);
        }
        Ok(())
    }

    fn node(&mut self, survey: &Survey, template: Option<&Template>) -> Result<(), Stop> {
        let image = self.said(|wish| wish.image.clone()).or_else(|| template.map(choices::wanted));
        let from = images::nodes(survey, &image.unwrap_or_default());
        if self.said(|wish| wish.node.clone()).is_none() && from.values.len() > 2 {
            self.flags.node = self.pick("Node", &from)?;
        }
        Ok(())
    }

    fn resources(&mut self, survey: &Survey, template: Option<&Template>) -> Result<(), Stop> {
        let cores = template.map_or(DEFAULT_CORES, |template| template.cpu);
        if self.said(|wish| wish.cores).is_none() {
            self.flags.cores = self.amount("Cores", cores, u32::to_string, check::cores, check::count)?;
        }
        let memory = template.map_or(DEFAULT_MEMORY_MB, |template| template.memory_bytes >> 20);
        let (mb, read) = (|amount: &u64| typed::mebibytes(*amount), crate::cli::values::mebibytes);
        if self.said(|wish| wish.memory_mb).is_none() {
            self.flags.memory_mb = self.amount("Memory", memory, mb, check::memory, read)?;
        }
        if self.said(|wish| wish.swap_mb).is_none() {
            self.flags.swap_mb = self.amount("Swap", DEFAULT_SWAP_MB, mb, check::swap, read)?;
        }
        let disk = template.map_or(DEFAULT_DISK_GB, |template| template.disk_bytes >> 30);
        if self.said(|wish| wish.disk_gb).is_none() {
            let gb = |amount: &u64| typed::gibibytes(*amount);
            self.flags.disk_gb = self.amount("Disk", disk, gb, check::disk, crate::cli::values::gibibytes)?;
        }
        let from = choices::storages(survey, self.said(|wish| wish.node.clone()).as_deref());
        if self.said(|wish| wish.storage.clone()).is_none() && !from.is_settled() {
            self.flags.storage = self.pick("Storage of the disk", &from)?;
        }
        Ok(())
    }

    /// What was answered, if it is anything but the usual.
    fn amount<T: PartialEq>(
        &mut self,
        question: &str,
        usual: T,
        shown: impl Fn(&T) -> String,
        check: fn(&str) -> Result<(), String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Unanswered> {
        let answer = self.context.printer.line(question, Some(&shown(&usual)), check)?;
        Ok(Some(read(&answer).map_err(Unanswered::Fault)?).filter(|answer| *answer != usual))
    }

    fn network(&mut self, survey: &Survey) -> Result<(), Stop> {
        let from = choices::bridges(survey, self.said(|wish| wish.node.clone()).as_deref());
        if self.said(|wish| wish.bridge.clone()).is_none() && !from.is_settled() {
            self.flags.bridge = self.pick("Bridge", &from)?;
        }
        if self.said(|wish| wish.ip.clone()).is_some() {
            return Ok(());
        }
        match self.pick("IPv4", &choices::addressing())? {
            Ip::Dhcp => {}
            Ip::None => self.flags.ip = Some("none".to_owned()),
            Ip::Static => {
                let asked = "Address and bits of its network, such as 10.0.0.5/24";
                let address = self.context.printer.line(asked, None, check::address)?;
                if self.said(|wish| wish.gateway).is_none() {
                    let own = |text: &str| check::gateway(text, &address);
                    let gateway = self.context.printer.line("Gateway (Enter alone: none)", None, own)?;
                    self.flags.gateway = gateway.parse().ok();
                }
                self.flags.ip = Some(address);
            }
        }
        Ok(())
    }

    fn pieces(&mut self, template: Option<&Template>) -> Result<(), Stop> {
        let Some(from) = template.map(choices::pieces).filter(|from| !from.values.is_empty()) else {
            return Ok(());
        };
        if self.said(|wish| wish.without.clone()).is_some() {
            return Ok(());
        }
        let all = from.values.len();
        let shown = |taken: &[usize]| format!("{} of {all}", taken.len());
        let taken = self.context.printer.tick("Packages and scripts", &from.rows, shown)?;
        let left = from.values.into_iter().enumerate().filter(|(at, _)| !taken.contains(at));
        let left: Vec<String> = left.map(|(_, piece)| piece).collect();
        self.flags.without = (!left.is_empty()).then_some(left);
        Ok(())
    }
}
