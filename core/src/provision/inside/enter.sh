# Where every job inside a container begins: /bin/sh -c ENTER lxcd NAME=VALUE …, with a tar archive on stdin.
# Owns the environment, the private staging directory (LXCD_DIR) and its removal. Then it runs $LXCD_DIR/main
# with stdin closed and no terminal, and ends with its exit code. Must not know what main does.
#
# Exit codes of its own, each with a line that says why:
#   64  an argument is no NAME=VALUE      69  a program is missing
#   65  the archive is cut or unreadable  73  no staging directory can be made
# POSIX sh (dash, bash, busybox ash).

umask 022

lxcd_stop() {
    printf 'lxcd: %s\n' "$2" >&2
    printf '\036lxcd fault %s\n' "$2"
    exit "$1"
}

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
for lxcd_name in tar mkfifo mktemp setsid tail tr wc; do
    command -v "$lxcd_name" >/dev/null 2>&1 || lxcd_stop 69 "$lxcd_name is not in this image"
done

# /run first: nobody but root writes there, and it is empty after a restart. Not where systemd or OpenRC is still to
# mount it, over what lies there by then; the other two may be cleaned or mounted as well, /var/tmp the least.
lxcd_places='/run /var/tmp /tmp'
case $(readlink -f /sbin/init 2>/dev/null):$(command -v openrc) in */systemd:* | *openrc*)
    lxcd_places='/var/tmp /run /tmp'
    while read -r lxcd_rest lxcd_name lxcd_rest; do
        if [ "$lxcd_name" = /run ]; then lxcd_places='/run /var/tmp /tmp'; fi
    done 2>/dev/null </proc/mounts
    ;;
esac
LXCD_DIR=
for lxcd_name in $lxcd_places; do
    if [ -d "$lxcd_name" ] && LXCD_DIR=$(mktemp -d "$lxcd_name/lxcd.XXXXXX" 2>/dev/null); then break; fi
    LXCD_DIR=
done
[ -n "$LXCD_DIR" ] || lxcd_stop 73 'no private directory can be made in /run, /var/tmp or /tmp'

lxcd_main=
# Ends main with what it started, in its own session, by force after six seconds: four less than the runner on the node
# gives a job that it cancels, which ends this shell and finds nothing of another session. What main itself ends in
# sessions of their own takes less (lxcd_put_down in prelude.sh).
# shellcheck disable=SC2317 # The traps call it.
lxcd_end() {
    trap '' HUP INT TERM
    if [ -n "$lxcd_main" ] && kill -TERM "-$lxcd_main" 2>/dev/null; then
        lxcd_until=$(($(date +%s) + 6))
        while kill -0 "-$lxcd_main" 2>/dev/null; do
            if [ "$(date +%s)" -ge "$lxcd_until" ]; then kill -KILL "-$lxcd_main"; break; fi
            sleep 0.1 2>/dev/null || sleep 1
        done
    fi
    exit "$1"
}
trap 'rm -rf "$LXCD_DIR"' EXIT
trap 'lxcd_end 129' HUP
trap 'lxcd_end 130' INT
trap 'lxcd_end 143' TERM

cat >"$LXCD_DIR/archive" || lxcd_stop 73 "the archive does not fit into $LXCD_DIR"
# An archive ends with 1,024 zeroes. One that was cut between two files would else pass for whole.
lxcd_size=$(($(wc -c <"$LXCD_DIR/archive")))
lxcd_rest=$(($(tail -c 1024 "$LXCD_DIR/archive" | tr -d '\000' | wc -c)))
if [ "$lxcd_size" -lt 1536 ] || [ $((lxcd_size % 512)) -ne 0 ] || [ "$lxcd_rest" -ne 0 ]; then
    lxcd_stop 65 "the archive was cut: only $lxcd_size bytes came"
fi
tar -xf "$LXCD_DIR/archive" -C "$LXCD_DIR" || lxcd_stop 65 'the archive cannot be unpacked'
rm -f "$LXCD_DIR/archive"
[ -f "$LXCD_DIR/main" ] || lxcd_stop 65 'there is no main in the archive'

# What a caller says wins over the standard, but for the directory. A value is data and never evaluated.
lxcd_dir=$LXCD_DIR
export HOME=/root LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive USER=root LOGNAME=root
for lxcd_name in "$@"; do
    case $lxcd_name in *=*) ;; *) lxcd_stop 64 "$lxcd_name is no NAME=VALUE" ;; esac
    case ${lxcd_name%%=*} in
        '' | [0-9]* | *[!A-Za-z0-9_]*) lxcd_stop 64 "${lxcd_name%%=*} is no name of a variable" ;;
    esac
    # shellcheck disable=SC2163 # The variable that is named in it is meant.
    export "$lxcd_name"
done
LXCD_DIR=$lxcd_dir
export LXCD_DIR
cd "$HOME" 2>/dev/null || cd / || exit 73

# Not with &: what a shell puts into the background ignores SIGINT and SIGQUIT, and so would all it starts. setsid in a
# session of its own forks and is done at once. How main ended comes through a pipe, which also ends should the shell
# around it be killed; what waits for that is in the background, since a shell hears no signal while it waits for
# anything else.
mkfifo -m 0600 "$LXCD_DIR/end" || lxcd_stop 73 "no pipe can be made in $LXCD_DIR"
# Both ends at once, since one alone would wait for the other.
exec 3<>"$LXCD_DIR/end"
exec 4<"$LXCD_DIR/end"
exec 5>"$LXCD_DIR/end" 3>&- 6>&1
(read -r lxcd_code <&4; exit "${lxcd_code:-137}") 5>&- 6>&- &
lxcd_wait=$!
# shellcheck disable=SC2016 # The inner shell expands it.
lxcd_main=$(setsid setsid /bin/sh -c 'trap : HUP INT TERM
    echo $$
    exec >&6 6>&-
    /bin/sh "$LXCD_DIR/main" 5>&-
    echo $? >&5' </dev/null 4<&-)
exec 4<&- 5>&- 6>&-
wait "$lxcd_wait"
lxcd_code=$?
lxcd_main=
exit "$lxcd_code"
