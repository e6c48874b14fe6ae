# Waits until the container can be worked in: running is not ready. Owns what ready means: init has started, there is
# a default route, the host of its packages has an address. Looks only; needs neither ip, ss nor dig.
#
# Environment: NEEDS = some of "init route dns"; DEADLINE = seconds until it gives up.
# Reports: address ADDRESS, v4 before v6, of the interface with the default route; fault with what was missing.
# Exit code: 75 something was missing at the deadline.

set -u
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"
began=$(date +%s)
why=

# Whether process 1 is that program, or is about to become it.
is_init() {
    first=
    read -r first 2>/dev/null </proc/1/comm || :
    second=$(readlink -f /sbin/init 2>/dev/null)
    [ "$first" = "$1" ] || [ "${second##*/}" = "$1" ]
}

# Init has done its work, whether or not every service is well. What is there before it has begun says nothing.
has_init() {
    if [ -d /run/systemd/system ]; then
        command -v systemctl >/dev/null 2>&1 || return 0
        state=$(lxcd_limited 10 systemctl is-system-running 2>/dev/null) || :
        case $state in
            running | degraded | maintenance) return 0 ;;
            *) why="systemd is not done (${state:-it does not answer})" ;;
        esac
    elif is_init systemd; then
        why='systemd is not done (it has not begun)'
    elif is_init openrc-init || command -v openrc >/dev/null 2>&1; then
        # In a container that runs another init the level is never set.
        level=
        if [ -r /run/openrc/softlevel ]; then read -r level </run/openrc/softlevel || :; fi
        if [ "$level" = default ] && ! [ -d /run/openrc/rc.starting ]; then return 0; fi
        why="OpenRC is not done (runlevel ${level:-none})"
    else
        [ -d /proc/1 ] && return 0
        why='no process 1 is to be seen'
    fi
    return 1
}

route4() {
    awk 'FNR > 1 && $2 == "00000000" && $8 == "00000000" && $1 !~ /^(lo|[*])$/ { print $1; exit }' /proc/net/route
}

# The interface of the default route, of IPv4 before IPv6. 0x0200 is a route that refuses, and so is one of lo.
route_interface() {
    {
        route4
        awk '$1 == "00000000000000000000000000000000" && $2 == "00" && $10 != "lo" && substr($9, 6, 1) !~ /[2367abef]/ {
            print $10
        }' /proc/net/ipv6_route
    } 2>/dev/null | head -n 1
}

# IPv4 addresses as "INTERFACE ADDRESS": the kernel's own addresses, on the interface whose network they are in.
# Those in none of the networks stand with a dash.
addresses() {
    awk '
        function number(text, at, value) {
            value = 0
            for (at = 1; at <= length(text); at++) value = value * 16 + index("0123456789ABCDEF", substr(text, at, 1)) - 1
            return value
        }
        # As the kernel writes it: the bytes backwards.
        function address(text) {
            return number(substr(text, 7, 2) substr(text, 5, 2) substr(text, 3, 2) substr(text, 1, 2))
        }
        routes && FNR > 1 && $8 != "00000000" {
            count++
            name[count] = $1; net[count] = address($2); size[count] = 4294967296 - address($8)
        }
        routes { next }
        $1 == "|--" { last = $2 }
        /host LOCAL/ && last !~ /^127\./ && !(last in seen) {
            seen[last] = 1
            split(last, part, ".")
            value = ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4]
            found = "-"
            for (at = 1; at <= count; at++) if (int(value / size[at]) == int(net[at] / size[at])) found = name[at]
            print found, last
        }' routes=1 /proc/net/route routes= /proc/net/fib_trie 2>/dev/null
}

# What there is in place of a route, for the reason.
networks() {
    found=$(addresses | awk '{
        printf "%s%s has %s", (NR > 1 ? ", " : ""), ($1 == "-" ? "an interface that is down" : $1), $2
    }')
    if [ -z "$found" ]; then
        found=$(awk -F : 'FNR > 2 { gsub(/ /, "", $1); if ($1 != "lo") { print $1 " has no address"; exit } }' /proc/net/dev)
    fi
    printf '%s' "${found:-there is no network interface but lo}"
}

has_route() {
    [ -n "$(route_interface)" ] && return 0
    why="no default route ($(networks))"
    return 1
}

# The first host its package manager loads from.
package_host() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apk/repositories \
        /etc/yum.repos.d/*.repo 2>/dev/null | grep -v '^ *#' |
        sed -n 's|^.*https\{0,1\}://\([^/@ ]*@\)\{0,1\}\([A-Za-z0-9.-]*\).*$|\2|p' | head -n 1
}

has_dns() {
    host=$(package_host)
    servers=$(awk '$1 == "nameserver" { printf "%s%s", (n++ ? " " : ""), $2 }' /etc/resolv.conf 2>/dev/null)
    if [ -n "$host" ] && command -v getent >/dev/null 2>&1; then
        lxcd_limited 10 getent hosts "$host" >/dev/null 2>&1 && return 0
        why="$host does not resolve (${servers:+nameserver }${servers:-no nameserver in /etc/resolv.conf})"
        return 1
    fi
    if ! command -v nslookup >/dev/null 2>&1; then
        [ -n "$servers" ] && return 0
        why='no nameserver in /etc/resolv.conf'
        return 1
    fi
    # Without a host of its own any answer will do, also that there is no such name.
    said=$(lxcd_limited 10 nslookup "${host:-localhost}" 2>&1) && return 0
    case $host:$said in
        :*NXDOMAIN* | :*SERVFAIL* | :*"can't find"*) return 0 ;;
    esac
    why="${host:-no name} does not resolve (${servers:+nameserver }${servers:-no nameserver in /etc/resolv.conf})"
    return 1
}

for need in ${NEEDS:-}; do
    case $need in init | route | dns) ;; *) lxcd_fail 64 "nobody knows how to wait for $need" ;; esac
    until "has_$need"; do
        if [ $(($(date +%s) - began)) -ge "${DEADLINE:-60}" ]; then
            # The sentence, and in brackets how things are.
            case $why in
                *' ('*) lxcd_fail 75 "${why%% (*} after ${DEADLINE:-60}s (${why#* (}" ;;
                *) lxcd_fail 75 "$why after ${DEADLINE:-60}s" ;;
            esac
        fi
        sleep 1
    done
done

interface=$(route_interface)
if [ -n "$interface" ]; then
    # An address with a network of its own alone (/32) has no route there: then those that are left over.
    addresses | awk -v of="$interface" -v routed="$(route4)" '
        $1 == of { print $2; found = 1 }
        $1 == "-" { rest = rest $2 "\n" }
        END { if (!found && routed != "") printf "%s", rest }' |
        while IFS= read -r address; do lxcd_report address "$address"; done
    # Global ones that are neither tentative nor duplicates.
    awk -v of="$interface" '$4 == "00" && $6 == of && substr($5, 1, 1) !~ /[4567cdef]/ && substr($5, 2, 1) !~ /[89a-f]/ {
        text = $1
        gsub(/..../, "&:", text)
        print substr(text, 1, length(text) - 1)
    }' /proc/net/if_inet6 2>/dev/null | while IFS= read -r address; do lxcd_report address "$address"; done
fi
