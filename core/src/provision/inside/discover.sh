# Says in one go what runs here, for core/src/services to judge. Owns what is asked and that a part which fails is said
# and the others go on. Must not judge, change or print a secret that was not asked for.
#
# Environment: REVEAL = the service whose secrets are printed with their values (empty = none).
# Output: sections. Each begins with a line of its own, "\036lxcd section NAME", and ends where the next begins; within
# one no line begins with \036. "\036lxcd error NAME TEXT" is a section that cannot be had, "\036lxcd end" the whole.
#   systemd      systemctl show: KEY=VALUE lines, an empty line between units
#   openrc       rc-status: [RUNLEVEL] lines and "SERVICE = STATE" lines
#   docker       docker ps: one JSON object a line; then "ID POLICY" lines: when docker starts it again by itself
#   sockets      tcp|tcp6|udp|udp6 ADDRESS:PORT INODE, address and port as the kernel writes them
#   owners       INODE PID PPID,PPID,… NAME CGROUP: a process, its parents, the nearest first; a dash for none
#   credentials  key|value SERVICE KEY[=VALUE]
#   addresses    ADDRESS, one of IPv6 with its INTERFACE; "route INTERFACE NETWORK MASK", as the kernel writes them, for
#                the networks it is in and the default route; "route6 INTERFACE" for that of IPv6
# Exit code 0, also where sections are errors.

set -u
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"

# NAME COMMAND…: the section, or why there is none. What it prints is kept first, so that no half of it is believed.
section() {
    section=$1
    shift
    if "$@" >"$LXCD_DIR/section" 2>"$LXCD_DIR/said"; then
        lxcd_report section "$section"
        tr -d '\036' <"$LXCD_DIR/section"
    else
        said=$(tr -d '\036' <"$LXCD_DIR/said" | grep -v '^ *$' | tail -n 1 | cut -c 1-300)
        lxcd_report error "$section" "${said:-no answer}"
    fi
}

units() {
    lxcd_limited 20 systemctl show --no-pager --type=service --all --property=Id,Type,Description,LoadState \
        --property=ActiveState,SubState,Result,ExecMainStatus,NRestarts,MainPID,ControlGroup,FragmentPath,UnitFileState '*.service'
}

runlevels() {
    lxcd_limited 20 rc-status --all --format ini
}

images() {
    lxcd_limited 5 docker ps --all --no-trunc --format '{{json .}}' >"$LXCD_DIR/images" || {
        code=$?
        [ "$code" -ne 124 ] || printf 'docker does not answer within 5s\n' >&2
        return "$code"
    }
    cat "$LXCD_DIR/images"
    # One that is gone by now is said to be missing, and the others are told.
    # shellcheck disable=SC2046 # Words of hexadecimal digits.
    set -- $(sed -n 's/.*"ID":"\([0-9a-f]*\)".*/\1/p' "$LXCD_DIR/images")
    [ $# -eq 0 ] ||
        lxcd_limited 5 docker inspect --type container --format '{{.Id}} {{.HostConfig.RestartPolicy.Name}}' "$@" \
            2>/dev/null || :
}

# Who listens: TCP in the state 0A, UDP that is connected to nobody. Not by ss, which many images lack.
sockets() {
    for protocol in tcp tcp6 udp udp6; do
        [ -r "/proc/net/$protocol" ] || continue
        awk -v protocol="$protocol" 'FNR > 1 && (protocol ~ /^tcp/ ? $4 == "0A" : $4 == "07" && $3 ~ /:0000$/) {
            print protocol, $2, $10
        }' "/proc/net/$protocol"
    done
}

# One ls for all processes; a process that ends meanwhile is not there.
owners() {
    sockets | awk '{ print $3 }' >"$LXCD_DIR/inodes"
    # shellcheck disable=SC2012 # Of a link only its target is looked at.
    ls -l /proc/[0-9]*/fd 2>/dev/null | awk '
        listed { wanted[$1] = 1; next }
        /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3]; next }
        match($0, /socket:\[[0-9]+\]$/) {
            inode = substr($0, RSTART + 8, RLENGTH - 9)
            if (inode in wanted && !((inode, pid) in seen)) { seen[inode, pid] = 1; print inode, pid }
        }' listed=1 "$LXCD_DIR/inodes" listed= - >"$LXCD_DIR/pids"
    while read -r inode pid; do
        printf '%s %s %s %s %s\n' "$inode" "$pid" "$(ancestors "$pid")" "$(name_of "$pid")" "$(group_of "$pid")"
    done <"$LXCD_DIR/pids"
}

# PID: its parents.
ancestors() {
    line='' next=$1
    while [ "$next" -gt 1 ] && [ -r "/proc/$next/status" ]; do
        parent=0
        while read -r key value; do
            if [ "$key" = PPid: ]; then parent=$value; break; fi
        done <"/proc/$next/status" 2>/dev/null
        [ "$parent" -gt 0 ] || break
        line="${line:+$line,}$parent" next=$parent
    done
    printf '%s' "${line:--}"
}

# PID: what it calls itself, which may be anything.
name_of() {
    name=$(tr -c 'A-Za-z0-9._@+-' '?' <"/proc/$1/comm" 2>/dev/null) || name=
    printf '%s' "${name:--}" | sed 's/?$//'
}

# PID: its control group, of version 2 or else systemd's of version 1.
group_of() {
    awk -F : '$1 == "0" && $3 != "/" { found = $0 } /^[0-9]+:name=systemd:/ { found = $0; exit } END {
        sub(/^[^:]*:[^:]*:/, "", found)
        print found == "" ? "-" : found
    }' "/proc/$1/cgroup" 2>/dev/null || printf -- '-'
}

# Their keys, and their values for the one that was asked for.
credentials() {
    for file in "${LXCD_CREDENTIALS:-/etc/lxcd/credentials}"/*; do
        service=${file##*/}
        case $service in *[!A-Za-z0-9._@-]*) continue ;; esac
        [ -f "$file" ] || continue
        if [ -n "${REVEAL:-}" ] && [ "$service" = "$REVEAL" ]; then
            sed -n "s/^\([A-Za-z_][A-Za-z0-9_]*=\)/value $service \1/p" "$file"
        else
            sed -n "s/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/key $service \1/p" "$file"
        fi
    done
}

# All of them that others can reach, and what tells which one is the container's, which is the caller's to know.
addresses() {
    awk '$1 == "|--" { last = $2 } /host LOCAL/ && last !~ /^127\./ && !(last in seen) { seen[last] = 1; print last }' \
        /proc/net/fib_trie 2>/dev/null
    awk '$4 == "00" { text = $1; gsub(/..../, "&:", text); print substr(text, 1, length(text) - 1), $6 }' \
        /proc/net/if_inet6 2>/dev/null
    awk 'FNR > 1 && ($3 == "00000000" || $2 $8 == "0000000000000000") { print "route", $1, $2, $8 }' \
        /proc/net/route 2>/dev/null
    awk '$1 ~ /^0+$/ && $2 == "00" && $NF != "lo" { print "route6", $NF; exit }' /proc/net/ipv6_route 2>/dev/null
    return 0
}

if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then section systemd units; fi
if command -v rc-status >/dev/null 2>&1; then section openrc runlevels; fi
if command -v docker >/dev/null 2>&1; then section docker images; fi
section sockets sockets
section owners owners
section credentials credentials
section addresses addresses
lxcd_report end
