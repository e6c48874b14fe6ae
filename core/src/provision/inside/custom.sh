# Installs by commands of the template's author: $LXCD_DIR/items has lines NAME|CHECK|INSTALL|TIMEOUT, a | inside a
# command written \|. CHECK succeeds when it is there (empty = nobody knows), TIMEOUT is in seconds (empty = none).
# Owns when which command runs and for how long. Must not judge what they do.
#
# The commands run in sh with the functions of prelude.sh. Reports: progress I/N NAME; detail as packages.sh does.
# Exit codes: 124 one took too long, 70 it is not there though its installation succeeded, else that of the
# installation that failed. The reason names it.

set -u
umask 022
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"
mark=$(printf '\001')
total=$(grep -c . "$LXCD_DIR/items")
at=0 new=0
# A check looks and does not work.
CHECK_SECONDS=60

# SECONDS COMMAND
shell() {
    # shellcheck disable=SC2016 # The inner shell expands it.
    lxcd_limited "$1" /bin/sh -c '. "$LXCD_DIR/prelude.sh"; command=$1; shift; eval "$command"' lxcd "$2"
}

# No line has a control character in it, so that one can stand for \| while the fields are taken apart.
sed "s/\\\\|/$mark/g" "$LXCD_DIR/items" >"$LXCD_DIR/fields"
while IFS='|' read -r name check install timeout <&3; do
    [ -n "$name" ] || continue
    at=$((at + 1))
    check=$(printf '%s' "$check" | tr '\001' '|')
    install=$(printf '%s' "$install" | tr '\001' '|')
    if [ -n "$check" ] && shell "$CHECK_SECONDS" "$check" >/dev/null 2>&1; then
        log "$name is there already"
        continue
    fi
    lxcd_report progress "$at/$total $name"
    code=0
    shell "${timeout:-0}" "$install" || code=$?
    if [ -n "$lxcd_late" ]; then lxcd_fail 124 "$name took longer than ${timeout}s and was ended"; fi
    if [ "$code" -ne 0 ]; then lxcd_fail "$code" "$name was not installed: exit code $code"; fi
    if [ -n "$check" ] && ! shell "$CHECK_SECONDS" "$check"; then
        lxcd_fail 70 "$name is not there though its installation succeeded: its check fails"
    fi
    new=$((new + 1))
done 3<"$LXCD_DIR/fields"

noun=packages
if [ "$total" -eq 1 ]; then noun=package; fi
parts=
if [ "$new" -gt 0 ]; then parts="$new installed"; fi
if [ "$at" -gt "$new" ]; then parts="${parts:+$parts, }$((at - new)) there already"; fi
lxcd_report detail "$total $noun${parts:+: $parts}"
