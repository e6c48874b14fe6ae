//! Texts of help: the top page, the topics, and what stands under each command's own flags. Owns
//! words only.

/// Layout of a command's help.
pub const TEMPLATE: &str = "{about}.\n\nUsage: {usage}\n\n{all-args}{after-help}";

/// The same for a command whose flags are all shared.
pub const BARE: &str = "{about}.\n\nUsage: {usage}{after-help}";

/// `lxcctl --help`
pub const TOP: &str = "\
Manage LXC containers on Proxmox VE.

Look       ls  show  summary  events  node  services
Act        start  stop  shutdown  restart  delete
Make       create  template  bucket
Follow up  op  audit  explain
Set up     remote  daemon  whoami  completion  help

Examples
  lxcctl ls -l tag=web                      what runs, what does not
  lxcctl restart homelab/104                waits, forces after 30s of grace, tells how it went
  lxcctl shutdown -l 'tag=ci' --if-needed   many at once, one result each
  lxcctl ls -o json | jq -r '.items[] | select(.power == \"running\") | .target'

lxcctl COMMAND --help for flags and examples; lxcctl help selectors | exit-codes | output
";

macro_rules! after {
    ($($name:ident: $groups:literal, $examples:literal;)*) => {
        $(
            #[doc = concat!("Shared flags and examples of `", stringify!($name), "`.")]
            pub const $name: &str = concat!("Shared flags: ", $groups, "  (lxcctl help flags)\n\nExamples\n", $examples);
        )*
    };
}

after! {
    LS: "targets, lists, every command",
        "  lxcctl ls -l 'tag=web,status=error|unknown'\n  lxcctl ls --columns +disk,-cpu --sort=-memory\n  lxcctl ls -o json | jq -r '.items[].target'";
    SHOW: "every command", "  lxcctl show 104\n  lxcctl show homelab/web-1 -o json";
    SUMMARY: "targets, every command", "  lxcctl summary\n  lxcctl summary -l tag=web -o json";
    EVENTS: "targets, every command",
        "  lxcctl events 104 --since 2h\n  lxcctl events --follow -o jsonl\n  lxcctl events edge/201 --follow --after 48211 -o jsonl";
    SERVICES: "every command",
        "  lxcctl services 104\n  lxcctl services homelab/web-1 --refresh -o json\n  lxcctl services 104 --reveal code-server";
    NODE: "lists, every command", "  lxcctl node\n  lxcctl node ls --fresh --strict";
    START: "targets, verbs, many targets, every command",
        "  lxcctl start 104\n  lxcctl start -l 'tag=web,remote=homelab' --if-needed\n  lxcctl start 104 --wait-lock 10m -o json";
    STOP: "targets, verbs, many targets, every command", "  lxcctl stop 104\n  lxcctl stop homelab/104 homelab/105 --if-needed";
    SHUTDOWN: "targets, verbs, many targets, every command",
        "  lxcctl shutdown 104 --grace 2m\n  lxcctl shutdown -l tag=ci --if-needed --yes\n  lxcctl shutdown 104 109 --dry-run";
    RESTART: "targets, verbs, many targets, every command",
        "  lxcctl restart homelab/104\n  lxcctl restart -l tag=web --max-parallel 1 --on-error stop --yes";
    DELETE: "targets, verbs, many targets, every command",
        "  lxcctl delete 131\n  lxcctl delete -l tag=ci --if-needed --yes\n  lxcctl delete 131 --dry-run";
    FORGET: "targets, verbs, many targets, every command", "  lxcctl forget homelab/109\n  lxcctl forget -l status=unknown --yes";
    UNLOCK: "every command", "  lxcctl unlock 104\n  lxcctl unlock homelab/104 -o json";
    OP: "lists, every command", "  lxcctl op\n  lxcctl op show 4f9c2e1b\n  lxcctl op watch 4f9c2e1b";
    OP_LS: "targets, lists, every command", "  lxcctl op ls --state running\n  lxcctl op ls 104 --since 1d";
    OP_SHOW: "every command", "  lxcctl op show 4f9c2e1b\n  lxcctl op show 4f9c2e1b -o json";
    OP_LOG: "every command", "  lxcctl op log 5d1e77a0\n  lxcctl op log 5d1e77a0 -n 20";
    OP_WATCH: "every command", "  lxcctl op watch 4f9c2e1b\n  lxcctl op watch 4f9c2e1b --timeout 5m -o jsonl";
    OP_WAIT: "every command", "  lxcctl op wait 4f9c2e1b\n  lxcctl op wait 4f9c2e1b --timeout 5m -q && echo done";
    OP_CANCEL: "every command", "  lxcctl op cancel 4f9c2e1b\n  lxcctl op cancel 4f9c2e1b --abandon";
    OP_RETRY: "every command", "  lxcctl op retry 7d20c4aa\n  lxcctl op retry 7d20c4aa --detach";
    OP_RESOLVE: "every command", "  lxcctl op resolve 4f9c2e1b --as succeeded\n  lxcctl op resolve 4f9c2e1b --as failed";
    AUDIT: "lists, every command", "  lxcctl audit --failed --since 1d\n  lxcctl audit ls --target homelab/104 -o json";
    EXPLAIN: "every command", "  lxcctl explain LXC0401\n  lxcctl explain";
    REMOTE: "lists, every command",
        "  lxcctl remote\n  lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli'\n  lxcctl remote doctor homelab";
    REMOTE_LS: "lists, every command", "  lxcctl remote ls\n  lxcctl remote ls -o json";
    REMOTE_SHOW: "every command", "  lxcctl remote show homelab\n  lxcctl remote show homelab -o json";
    REMOTE_ADD: "every command",
        "  lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli'\n  lxcctl remote add edge https://edge1:8006 --token-id 'lxcd@pve!cli' --ca ca.pem\n  lxcctl remote add lab https://pve1.lan:8006 https://pve2.lan:8006 --token-id 'lxcd@pve!cli'";
    REMOTE_TEST: "every command", "  lxcctl remote test homelab\n  lxcctl remote test homelab -o json";
    REMOTE_DOCTOR: "every command", "  lxcctl remote doctor homelab\n  lxcctl remote doctor homelab -o json";
    REMOTE_TRUST: "every command", "  lxcctl remote trust homelab\n  lxcctl remote trust homelab --rotate";
    REMOTE_SET: "every command",
        "  lxcctl remote set homelab --default\n  lxcctl remote set homelab --token-id 'lxcd@pve!new' --token-secret-file secret\n  lxcctl remote set homelab --ssh root --ssh-key ~/.ssh/id_ed25519";
    REMOTE_LOGIN: "every command",
        "  lxcctl remote login homelab --token-id 'ann@pve!cli'\n  lxcctl remote login homelab --token-id 'ann@pve!cli' --token-secret-file secret\n  lxcctl remote login homelab --user ann@pve";
    REMOTE_LOGOUT: "every command", "  lxcctl remote logout homelab\n  lxcctl remote logout homelab -o json";
    REMOTE_SHARE: "every command",
        "  lxcctl remote share homelab bob --role operator\n  lxcctl remote share homelab @dev --role viewer";
    REMOTE_UNSHARE: "every command", "  lxcctl remote unshare homelab bob\n  lxcctl remote unshare homelab bob --domain cat.lan";
    REMOTE_REMOVE: "every command", "  lxcctl remote remove edge\n  lxcctl remote remove edge --dry-run";
    TEMPLATES: "lists, every command",
        "  lxcctl template\n  lxcctl template import ./templates --dry-run\n  lxcctl template ls -l 'tag=web,os=debian'";
    TEMPLATE_LS: "lists, every command", "  lxcctl template ls\n  lxcctl template ls -l 'tag=web,os=debian|alpine' -o json";
    TEMPLATE_SHOW: "every command", "  lxcctl template show web-node\n  lxcctl template show web-node -o json";
    CREATE: "every command",
        "  lxcctl create\n  lxcctl create web-7 --template web-node\n  lxcctl create box --image debian-12 --cores 2 --memory 2G --ip 10.0.0.7/24 --gateway 10.0.0.1\n  lxcctl create web-8 -t web-node --dry-run\n  lxcctl create -f box.toml --if-needed";
    TEMPLATE_IMPORT: "every command",
        "  lxcctl template import ./web-node\n  lxcctl template import ./templates --dry-run\n  lxcctl explain LXC0216";
    TEMPLATE_CREATE: "every command",
        "  lxcctl template create web-node\n  lxcctl template create web-node -f web-node.toml\n  lxcctl explain LXC0216";
    TEMPLATE_EDIT: "every command",
        "  lxcctl template edit web-node\n  lxcctl template edit web-node -f web-node.toml";
    BUCKETS: "lists, every command",
        "  lxcctl bucket\n  lxcctl bucket add base nginx curl --manager apt\n  lxcctl bucket show base";
    BUCKET_LS: "lists, every command", "  lxcctl bucket ls\n  lxcctl bucket ls -o json";
    BUCKET_SHOW: "every command", "  lxcctl bucket show base\n  lxcctl bucket show base -o json";
    BUCKET_CREATE: "every command", "  lxcctl bucket create base\n  lxcctl bucket create base -f base.toml";
    BUCKET_EDIT: "every command", "  lxcctl bucket edit base\n  lxcctl bucket edit base -f base.toml";
    BUCKET_ADD: "every command",
        "  lxcctl bucket add base nginx curl=8.5.0 --manager apt\n  lxcctl bucket add base --manager npm -f packages.txt";
    BUCKET_REMOVE: "every command", "  lxcctl bucket remove base nginx --manager apt\n  lxcctl bucket remove base --manager apt -f packages.txt";
    BUCKET_DELETE: "every command", "  lxcctl bucket delete base\n  lxcctl bucket delete base --yes";
    TEMPLATE_EXPORT: "every command", "  lxcctl template export web-node ./web-node\n  lxcctl template export web-node /tmp/web-node -o json";
    TEMPLATE_DELETE: "every command", "  lxcctl template delete web-node\n  lxcctl template delete web-node --yes";
    DAEMON: "every command", "  lxcctl daemon\n  lxcctl daemon status -o json";
    DAEMON_LS: "lists, every command", "  lxcctl daemon ls\n  lxcctl daemon ls -o json | jq -r '.items[] | select(.status == \"ok\") | .host'";
    DAEMON_DRAIN: "every command", "  lxcctl daemon drain\n  lxcctl daemon drain 4f9c2e1b";
    WHOAMI: "every command", "  lxcctl whoami\n  lxcctl whoami -o json";
    COMPLETION: "every command",
        "  lxcctl completion bash > ~/.local/share/bash-completion/completions/lxcctl\n  lxcctl completion fish > ~/.config/fish/completions/lxcctl.fish";
    HELP: "every command", "  lxcctl help selectors\n  lxcctl help op watch";
}

/// `lxcctl help selectors`
pub const SELECTORS: &str = "\
How containers are named, for every command.

  104                  a vmid: all digits
  web-1                a hostname; where several have it, they are listed and nothing is done
  homelab/104          on one remote; homelab/web-1 too
  'web-*'              a glob: * any characters, ? one
  -l 'tag=web,status=running|stopped,node=pve1,vmid!=101'
                       properties; a comma and a repeated -l mean AND, | means OR, != excludes
  --all                all of them; over several remotes it needs --remote

Keys    remote node vmid name tag status lifecycle power template pool
Status  running stopped creating deleting error unknown

--remote NAME or LXCCTL_REMOTE narrows everything. Empty is never everything: -l '', tag= and an empty
TARGET are refused. --at-most N refuses if more are picked.

Examples
  lxcctl ls -l 'name=web-*,pool!=prod'
  lxcctl restart 'homelab/web-*' --at-most 5
  lxcctl delete -l 'tag=ci,status=stopped' --dry-run
";

/// `lxcctl help exit-codes`
pub const EXIT_CODES: &str = "\
How a command ends. The first two digits of an error's code are its exit code: LXC0401 exits 4.

    0  done
    1  the operation failed or was cancelled
    2  wrong usage, ambiguous, the answer was no
    3  not found, or not yours to see
    4  locked, here or on Proxmox
    5  wrong state, protected, refused beforehand
    6  not permitted: role, Proxmox privilege, socket
    7  Proxmox unreachable
    8  lxcd unreachable, or of another protocol version
    9  partial: some succeeded, some did not; or a strict listing was incomplete
   10  gave up waiting, still running
   11  needs attention: outcome unknown
   12  done with warnings (--fail-on-warnings)
  130  interrupted, detached    143  terminated, detached

Many targets: any 11 is 11; some succeeded and some did not is 9; all failed alike is that code; all
failed differently is 1; none failed but some still run is 10; then 12.

Examples
  lxcctl start 104 --if-needed || echo \"ended with $?\"
  lxcctl explain LXC0401
";

/// `lxcctl help output`
pub const OUTPUT: &str = "\
stdout is the answer, stderr is everything about getting it: progress, questions, hints, errors.

  -o table   for people; cut to a narrow terminal, never in a pipe
  -o wide    every column
  -o json    one object, indented; lists have api_version, kind, items, warnings
  -o jsonl   one object a line, as things happen
  -o yaml    the same fields as json
  -o name    remote/vmid (or an id), one a line

JSON: the shape does not depend on how many there are, every field is always there, null is not known,
times are RFC 3339 UTC, units stand in names (_bytes, _seconds), cpu is 0 to 1. Fields are only added.
An error of the call is one JSON line on stderr.

  --color auto|always|never, NO_COLOR        --progress auto|plain|none        -q silent unless wrong

Examples
  lxcctl ls -o json | jq -r '.items[] | select(.status == \"error\") | .target'
  lxcctl start 104 --if-needed -o json | jq -r '.items[] | \"\\(.result) \\(.changed)\"'
";

/// `lxcctl help flags`
pub const FLAGS: &str = "\
Flags that several commands share. Where they would mean nothing they are refused.

Targets        -l, --selector KEY=VALUE   properties (lxcctl help selectors)
               --all                      all containers
               --remote NAME              only on this remote (LXCCTL_REMOTE)
Lists          --columns +disk,-cpu       more and fewer columns, or exactly those
               --sort=-memory,name        order; a minus turns it round
               --no-headers               without the first line
               --fresh                    ask Proxmox now (ls, node)
               --strict                   ask now, and exit 9 when something could not be asked (ls, node)
Verbs          --timeout TIME             how long to wait, 0 = for ever; the operation goes on
                                          (start, stop 60s; delete 120s; shutdown, restart grace + 60s)
               --detach                   do not wait
               --dry-run                  check everything, call nothing
               --if-needed                already so is a success
               --wait-lock TIME           wait for a lock, 0 = for ever
               --request-id UUID          the same one again returns the same operations
               --fail-on-warnings         exit 12 when done with warnings
               -y, --yes                  answer every question with yes
Many targets   --max-parallel N           at the same time (8)
               --max-per-node N           at the same time on one node
               --on-error continue|stop   what happens to the rest (continue)
               --pause TIME               between two beginnings
               --at-most N                refuse if there are more
Every command  -o, --output FORMAT        table, wide, json, jsonl, yaml, name
               --socket PATH              lxcd's socket (LXCCTL_SOCKET)
               --color WHEN               auto, always, never (NO_COLOR)
               --progress HOW             auto, plain, none
               -q, --quiet                silent unless something is wrong
               -v, --verbose              Proxmox's own words behind an error
               -h, --help

TIME is 90, 90s, 5m, 2h, 1d or 1h30m; bare numbers are seconds.
";

/// The topics by name.
pub const TOPICS: [(&str, &str); 4] =
    [("selectors", SELECTORS), ("exit-codes", EXIT_CODES), ("output", OUTPUT), ("flags", FLAGS)];
