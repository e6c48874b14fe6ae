# Installs the packages of one MANAGER (apt, apk, dnf, npm, pip): $LXCD_DIR/items has one a line, in the manager's own
# way to write it, checked by lxcd. Owns that what is there already is left alone and that the rest is one
# transaction. Must not take anything away.
#
# Environment: MANAGER; LXCD_LOCK_TIMEOUT = seconds to wait for another package manager (300).
# Reports: progress 0/N packages; detail N packages: I installed, T there already; fault with the manager's own words.
# Exit codes: 69 the manager is not in this image, 65 an item is refused, 75 another process kept the lock, else the
# manager's own.

set -u
umask 022
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"
missing=$LXCD_DIR/missing

need() {
    command -v "$1" >/dev/null 2>&1 || lxcd_fail 69 "$MANAGER is not in this image"
}

# Each of these prints the items that are not there, in that version if the item says one.

missing_apt() {
    # What ends in a dash asks apt to remove the package; no import lets it in.
    if grep -q -e '-$' "$LXCD_DIR/items"; then lxcd_fail 65 'a package name ends in a dash: apt would remove it'; fi
    dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\n' |
        awk -F '\t' -v native="$(dpkg --print-architecture)" '
            installed {
                if ($1 !~ /^.i/) next
                there[$2 ":" $3] = $4
                if ($3 == native || $3 == "all") there[$2] = $4
                next
            }
            {
                at = index($0, "=")
                name = at ? substr($0, 1, at - 1) : $0
                if (!(name in there) || (at && there[name] != substr($0, at + 1))) print
            }' installed=1 - installed= "$LXCD_DIR/items"
}

missing_apk() {
    while IFS= read -r item; do
        apk info -e -- "$item" >/dev/null 2>&1 || printf '%s\n' "$item"
    done <"$LXCD_DIR/items"
}

# A group is for dnf to know. vim may be what vim-enhanced provides; a name with a version is no such thing.
missing_dnf() {
    while IFS= read -r item; do
        case $item in @*) printf '%s\n' "$item"; continue ;; esac
        rpm -q --quiet -- "$item" >/dev/null 2>&1 || rpm -q --whatprovides -- "$item" >/dev/null 2>&1 ||
            printf '%s\n' "$item"
    done <"$LXCD_DIR/items"
}

# PATH:NAME@VERSION. 5.4 asks for any 5.4.x; a range or a word such as latest is for npm to know.
missing_npm() {
    npm ls --global --depth=0 --parseable --long 2>/dev/null |
        awk -F : '
            installed {
                at = length($2)
                while (at > 1 && substr($2, at, 1) != "@") at--
                there[substr($2, 1, at - 1)] = substr($2, at + 1)
                next
            }
            {
                at = index(substr($0, 2), "@") + 1
                name = at > 1 ? substr($0, 1, at - 1) : $0
                wanted = at > 1 ? substr($0, at + 1) : ""
                same = wanted == "" || there[name] == wanted || index(there[name], wanted ".") == 1
                if (!(name in there) || !same) print
            }' installed=1 - installed= "$LXCD_DIR/items"
}

# With the reader of requirements that pip brings along. Where that fails, or extras are wished, pip finds out.
missing_pip() {
    python3 - "$LXCD_DIR/items" <<'PYTHON'
import sys
from importlib.metadata import version

for item in open(sys.argv[1]).read().split():
    try:
        from pip._vendor.packaging.requirements import Requirement
        wish = Requirement(item)
        there = not wish.extras and wish.specifier.contains(version(wish.name), prereleases=True)
    except Exception:
        there = False
    if not there:
        print(item)
PYTHON
}

install_npm() {
    npm install --global --no-fund --no-audit --no-update-notifier -- "$@" </dev/null
}

# A container is there for its packages: Debian's guard of its own Python (PEP 668) is for people's machines.
install_pip() {
    PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 \
        python3 -m pip install -- "$@" </dev/null
}

# COMMAND…: its output goes to the log while it runs, and its end is kept for the reason. A service that an
# installation started may hold the pipe for ever, so its reader is not waited for longer than two seconds.
followed() {
    mkfifo -m 0600 "$LXCD_DIR/pipe" || return 73
    tee "$LXCD_DIR/output" <"$LXCD_DIR/pipe" &
    reader=$!
    code=0
    "$@" >"$LXCD_DIR/pipe" 2>&1 || code=$?
    rm -f "$LXCD_DIR/pipe"
    tries=0
    while kill -0 "$reader" 2>/dev/null && [ "$tries" -lt 20 ]; do
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
    return "$code"
}

# dnf 4 ends with "Error: ", which may stand alone over the indented reasons, or be a summary of what rpm or a line
# above said; dnf 5 has its reasons below a heading, with hints of no use here at their end.
reason_dnf() {
    awk '
        /^error: |^RPM: error: |^>>> \[RPM\] / { rpm = $0; sub(/^>>> /, "", rpm) }
        /^No match for argument: |^Module or Group .* is not available/ { unknown = $0 }
        /^Error: |^Transaction failed: / { said = $0; sub(/ +$/, "", said); more = "^ +[^ ]"; next }
        /^Failed to resolve the transaction:/ { said = $0; more = "."; next }
        /^You can try to add |^\(try to add / || (more != "" && $0 !~ more) { more = "" }
        more != "" && !/ is already installed\.$/ { sub(/^ +/, ""); said = said " " $0 }
        END {
            if (said == "Error: Nothing to do." && unknown != "") said = unknown
            if (rpm != "" && (said == "" || said ~ /Transaction failed|Could not run transaction/)) said = rpm
            if (said == "") exit 1
            print said
        }' "$LXCD_DIR/output"
}

# What went wrong in the manager's own words: the line that names the package, else the last one, which at 75 is ours.
reason() {
    case $code:$MANAGER in
        75:*) false ;;
        *:apt) grep -m 1 '^E: ' "$LXCD_DIR/output" ;;
        *:apk) grep -m 1 -A 1 '^ERROR: ' "$LXCD_DIR/output" | tr -s '\n ' ' ' | grep . ;;
        *:dnf) reason_dnf ;;
        *:npm) grep -E '^npm (ERR!|error) ' "$LXCD_DIR/output" | grep -v -m 1 -E '^npm [A-Za-z!]+ (code|errno|syscall|path) ' ;;
        *:pip) grep '^ERROR: ' "$LXCD_DIR/output" | tail -n 1 | grep . ;;
    esac || grep -v '^ *$' "$LXCD_DIR/output" | tail -n 1
}

case $MANAGER in
    apt) need apt-get ;;
    apk | dnf | npm) need "$MANAGER" ;;
    pip) python3 -m pip --version >/dev/null 2>&1 || lxcd_fail 69 'pip is not in this image' ;;
    *) lxcd_fail 64 "there is no package manager $MANAGER" ;;
esac

total=$(grep -c . "$LXCD_DIR/items")
noun=packages
if [ "$total" -eq 1 ]; then noun=package; fi
"missing_$MANAGER" >"$missing" || lxcd_fail 65 "$MANAGER does not say what is installed"
new=$(grep -c . "$missing")
there=$((total - new))

if [ "$new" -gt 0 ]; then
    lxcd_report progress "$there/$total $noun"
    set --
    while IFS= read -r item; do set -- "$@" "$item"; done <"$missing"
    case $MANAGER in
        npm | pip) followed "install_$MANAGER" "$@" ;;
        *) followed "lxcd_${MANAGER}_install" "$@" ;;
    esac
    code=$?
    if [ "$code" -ne 0 ]; then lxcd_fail "$code" "$MANAGER: $(reason | tr -d '\036' | cut -c 1-500)"; fi
fi

parts=
if [ "$new" -gt 0 ]; then parts="$new installed"; fi
if [ "$there" -gt 0 ]; then parts="${parts:+$parts, }$there there already"; fi
lxcd_report detail "$total $noun${parts:+: $parts}"
