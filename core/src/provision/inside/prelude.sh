# What a provisioning script can call. sh and bash scripts have these without asking for them:
#
#   log TEXT…                            a line in the log of the operation
#   run_as USER COMMAND [ARGUMENT…]      as that user; arguments stay arguments
#   install_packages NAME…               with apt, apk or dnf, whichever the image has
#   save_credential SERVICE KEY VALUE    into /etc/lxcd/credentials/SERVICE, which root alone reads
#   random_password [LENGTH]             letters and digits on stdout; 32 without a length
#
# These names and arguments stay as they are. What begins with lxcd_ serves lxcd's own scripts and may change.
# Owns nothing else. Must run under set -e, -u and pipefail, in dash, bash and busybox ash.

log() {
    printf '%s\n' "$*"
}

run_as() {
    if [ $# -lt 2 ]; then lxcd_complain 'run_as USER COMMAND [ARGUMENT…]' 64; return; fi
    if ! id -u "$1" >/dev/null 2>&1; then lxcd_complain "run_as: there is no user $1" 67; return; fi
    lxcd_user=$1
    shift
    lxcd_home=$(lxcd_home_of "$lxcd_user")
    # util-linux' own before su, which wants PAM and a shell.
    if command -v runuser >/dev/null 2>&1; then
        env HOME="$lxcd_home" USER="$lxcd_user" LOGNAME="$lxcd_user" runuser -u "$lxcd_user" -- "$@"
    elif command -v su >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # The shell that su starts expands it.
        su -s /bin/sh -c 'exec "$@"' -- "$lxcd_user" lxcd "$@"
    elif command -v setpriv >/dev/null 2>&1; then
        env HOME="$lxcd_home" USER="$lxcd_user" LOGNAME="$lxcd_user" setpriv --reuid "$lxcd_user" \
            --regid "$(id -g "$lxcd_user")" --init-groups -- "$@"
    else
        lxcd_complain 'run_as: neither runuser, su nor setpriv is in this image' 69
    fi
}

install_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        lxcd_apt_install "$@"
    elif command -v apk >/dev/null 2>&1; then
        lxcd_apk_install "$@"
    elif command -v dnf >/dev/null 2>&1; then
        lxcd_dnf_install "$@"
    else
        lxcd_complain 'install_packages: neither apt, apk nor dnf is in this image' 69
    fi
}

save_credential() {
    if [ $# -ne 3 ]; then lxcd_complain 'save_credential SERVICE KEY VALUE' 64; return; fi
    case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._@-]*)
        lxcd_complain "save_credential: ${1:-nothing} is no name of a service" 64; return ;;
    esac
    case $2 in '' | [!A-Za-z_]* | *[!A-Za-z0-9_]*)
        lxcd_complain "save_credential: ${2:-nothing} is no key" 64; return ;;
    esac
    case $3 in *'
'*) lxcd_complain "save_credential: the value of $2 has several lines" 64; return ;; esac
    # In a shell of its own, for the mask. The value is never an argument of a program, where others could read it.
    (umask 077 && lxcd_keep "${LXCD_CREDENTIALS:-/etc/lxcd/credentials}" "$1" "$2" "$3") ||
        lxcd_complain "save_credential: $2 of $1 cannot be written" 73
}

random_password() {
    case ${1:-32} in *[!0-9]* | 0* | ?????*)
        lxcd_complain "random_password: ${1:-} is no length" 64; return ;;
    esac
    # More bytes than are needed, so that nothing writes to a closed pipe. A quarter of them are letters or digits.
    head -c $((${1:-32} * 16 + 256)) /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c "1-${1:-32}"
}

# TEXT CODE: says why on stderr and returns the code.
lxcd_complain() {
    printf '%s\n' "$1" >&2
    return "$2"
}

# DIRECTORY SERVICE KEY VALUE: the file as it was without that key, and then the key.
lxcd_keep() {
    (umask 022 && mkdir -p "${1%/*}") && mkdir -p "$1" && chmod 0700 "$1" && lxcd_new=$(mktemp "$1/.lxcd.XXXXXX") ||
        return
    if [ -f "$1/$2" ]; then grep -v "^$3=" "$1/$2" >"$lxcd_new" || [ $? -eq 1 ] || return; fi
    printf '%s=%s\n' "$3" "$4" >>"$lxcd_new" && chmod 0600 "$lxcd_new" && mv -f "$lxcd_new" "$1/$2"
}

# KEY TEXT…: a result for lxcd.
lxcd_report() {
    printf '\036lxcd %s\n' "$*"
}

# CODE TEXT: ends the job; the text stands in the log and is the reason lxcd gives.
lxcd_fail() {
    printf '%s\n' "$2" >&2
    lxcd_report fault "$2"
    exit "$1"
}

# -GROUP: asks it to end and, three seconds later, makes it: less than enter.sh waits before it ends this shell.
lxcd_put_down() {
    kill -TERM "$1" 2>/dev/null || return 0
    lxcd_until=$(($(date +%s) + 3))
    while kill -0 "$1" 2>/dev/null; do
        if [ "$(date +%s)" -ge "$lxcd_until" ]; then kill -KILL "$1" 2>/dev/null || :; return 0; fi
        sleep 0.1 2>/dev/null || sleep 1
    done
}

# SECONDS COMMAND…: the command, ended with what it started when it takes longer: 124, and lxcd_late is yes. 0 = as long
# as it takes. timeout(1) is not everywhere, nor the same everywhere. A process that left the session is not found.
lxcd_limited() {
    lxcd_limit=$1
    lxcd_late=
    shift
    if [ "$lxcd_limit" = 0 ]; then "$@" </dev/null; return; fi
    lxcd_leader=$(mktemp "$LXCD_DIR/leader.XXXXXX") || return 73
    # Ends the command when its time is over or when this job is ended, which TERM tells it as it tells this shell. HUP
    # tells it that the command has ended. Nothing of it may hold the output open.
    (
        trap 'kill "${pause:-}" 2>/dev/null; exit 0' HUP
        trap 'trap "" HUP TERM; kill "${pause:-}" 2>/dev/null; lxcd_put_down_session; exit 143' TERM
        sleep "$lxcd_limit" & pause=$!
        wait "$pause"
        trap '' HUP TERM
        lxcd_put_down_session
        exit 124
    ) >/dev/null 2>&1 &
    lxcd_watch=$!
    # In the foreground: what a shell puts into the background ignores SIGINT and SIGQUIT, with all it starts.
    lxcd_code=0
    # shellcheck disable=SC2016 # The inner shell expands it.
    setsid /bin/sh -c 'echo $$ >"$0" && exec "$@"' "$lxcd_leader" "$@" </dev/null || lxcd_code=$?
    kill -HUP "$lxcd_watch" 2>/dev/null || :
    # What the command has left of its session ends too when it took too long.
    lxcd_said=0
    wait "$lxcd_watch" 2>/dev/null || lxcd_said=$?
    rm -f "$lxcd_leader"
    # shellcheck disable=SC2034 # Who calls this reads it.
    if [ "$lxcd_code" -ne 0 ] && [ "$lxcd_said" -eq 124 ]; then lxcd_late=yes lxcd_code=124; fi
    return "$lxcd_code"
}

# The session of the command that lxcd_limited began.
lxcd_put_down_session() {
    read -r lxcd_child <"$lxcd_leader" && lxcd_put_down "-$lxcd_child"
}

# USER: the home directory.
lxcd_home_of() {
    awk -F : -v user="$1" '$1 == user { print $6; found = 1; exit } END { if (!found) print "/" }' /etc/passwd
}

# apt-get with what every call needs. What a person changed in a configuration file stays. On a terminal of its own dpkg
# would be in a session that nobody finds who ends this one.
lxcd_apt_get() {
    apt-get -q -y -o "DPkg::Lock::Timeout=${LXCD_LOCK_TIMEOUT:-300}" -o Acquire::Retries=3 \
        -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# FILE: whether a process holds this lock: on the file as the kernel keeps it, or, as dnf does, with its number in it.
lxcd_held() {
    [ -e "$1" ] || return 1
    case $1 in
        *.pid)
            lxcd_holder=
            read -r lxcd_holder 2>/dev/null <"$1" || :
            [ -n "$lxcd_holder" ] && [ -e "/proc/$lxcd_holder/stat" ]
            ;;
        *)
            # shellcheck disable=SC2012 # Only the number is looked at.
            lxcd_inode=$(ls -i "$1" | awk '{ print $1 }')
            grep -q ":$lxcd_inode " /proc/locks 2>/dev/null
            ;;
    esac
}

# FILE: waits while another process holds the lock. The timeout of apt covers dpkg's locks, not those of its lists
# and archives; dnf has none.
lxcd_lock() {
    lxcd_until=$(($(date +%s) + ${LXCD_LOCK_TIMEOUT:-300}))
    lxcd_said=
    while lxcd_held "$1"; do
        [ -n "$lxcd_said" ] || log "waiting for another process that holds $1"
        lxcd_said=yes
        if [ "$(date +%s)" -ge "$lxcd_until" ]; then
            lxcd_complain "another process holds $1 for more than ${LXCD_LOCK_TIMEOUT:-300}s" 75
            return
        fi
        sleep 1
    done
}

# Whether a package is neither installed nor removed as a whole, as after a job that was ended amid its work.
lxcd_dpkg_torn() {
    [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]
}

# Finishes what was torn, which apt-get refuses to work beside. What cannot be finished apt-get says in its own words.
lxcd_dpkg_mend() {
    lxcd_dpkg_torn || return 0
    # Unless somebody is at work on it right now.
    lxcd_lock /var/lib/dpkg/lock-frontend && lxcd_lock /var/lib/dpkg/lock || return
    lxcd_dpkg_torn || return 0
    log 'an installation was interrupted; dpkg finishes it'
    dpkg --configure -a --force-confdef --force-confold </dev/null || log 'dpkg could not finish all of it'
}

# PACKAGE…: lists first, since an image brings none or old ones.
lxcd_apt_install() {
    lxcd_dpkg_mend || return
    lxcd_lock /var/lib/apt/lists/lock || return
    lxcd_apt_get update || log 'apt-get update failed; going on with the lists that are there'
    lxcd_lock /var/cache/apt/archives/lock || return
    # What was unpacked by half apt-get leaves as it is, and says nothing.
    lxcd_half=$(dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | awk '$1 ~ /^iH|^i.R/ { print $2 }')
    # shellcheck disable=SC2086 # Names of packages.
    [ -z "$lxcd_half" ] || lxcd_apt_get --reinstall install -- $lxcd_half || log 'apt-get could not finish all of it'
    lxcd_apt_get --allow-downgrades install -- "$@"
}

lxcd_apk_install() {
    apk add --update-cache --wait "${LXCD_LOCK_TIMEOUT:-300}" -- "$@" </dev/null
}

# PACKAGE…: dnf 4 waits for another dnf without an end, and neither 4 nor 5 for whoever works on rpm's database. The
# lock that is only taken after the download is waited for by trying again.
lxcd_dnf_install() {
    lxcd_rpm=$(rpm -E '%{?_rpmlock_path}%{!?_rpmlock_path:%{_dbpath}/.rpm.lock}' 2>/dev/null) || lxcd_rpm=
    while :; do
        for lxcd_name in /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
            /var/lib/dnf/rpmdb_lock.pid /run/dnf/rpmtransaction.lock "$lxcd_rpm"; do
            lxcd_lock "$lxcd_name" || return
        done
        lxcd_code=0
        dnf install -y -- "$@" </dev/null || lxcd_code=$?
        if [ "$lxcd_code" -eq 0 ]; then return; fi
        if ! lxcd_held /run/dnf/rpmtransaction.lock && ! lxcd_held "$lxcd_rpm"; then return "$lxcd_code"; fi
    done
}
