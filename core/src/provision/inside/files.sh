# Puts files where they belong. $LXCD_DIR/manifest has a line for each: NUMBER, POLICY, MODE, SHA256, DIRECTORY and
# NAME with a tab between; the content is $LXCD_DIR/files/NUMBER. Owns the policies (replace, default, backup), that
# a file is whole or not there at all, and its mode and owner. MODE is that of a new file; one that is there keeps its
# own, and who may read it may execute it when MODE says x. Must not look into the files.
#
# Reports: detail N files: W written, K kept, U unchanged, B backed up. A backed-up one counts as written too.
# Exit codes: 73 a target cannot be written, 65 what arrived is not what was sent. It stops at the first; what was
# written before stays, and a second run finds it unchanged.

set -u
umask 022
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"
tab=$(printf '\t')
total=0 written=0 kept=0 unchanged=0 backed=0
new=
trap 'if [ -n "$new" ]; then rm -f "$new"; fi' EXIT

sum_of() {
    sha256sum <"$1" | cut -c 1-64
}

owner_of() {
    # shellcheck disable=SC2012 # Only the numbers are looked at.
    ls -nd "$1" | awk '{ print $3 ":" $4; exit }'
}

# PATH MODE: the mode that a file is given in the place of the one that is there, as chmod reads it.
mode_of() {
    # shellcheck disable=SC2012 # Only the letters are looked at.
    ls -nd "$1" | awk -v executable="$2" '{
        for (who = 0; who < 3; who++) {
            bits = substr($1, 2 + 3 * who, 3)
            r = bits ~ /^r/ ? "r" : ""
            w = bits ~ /^.w/ ? "w" : ""
            x = bits ~ /[xst]$/ || (r && executable ~ /[1357]/) ? "x" : ""
            printf "%s%s=%s", who ? "," : "", substr("ugo", who + 1, 1), r w x
        }
        exit
    }'
}

# Where the one that is there is kept: beside it, a name nobody has yet.
aside() {
    at="$1.lxcd-$(date -u +%Y%m%d%H%M%S)"
    more=0 name=$at
    while [ -e "$name" ] || [ -L "$name" ]; do
        more=$((more + 1)) name=$at-$more
    done
    printf '%s' "$name"
}

# NUMBER POLICY MODE SHA256 DIRECTORY NAME
place() {
    directory=${5%/} path=${5%/}/$6
    if [ -L "$path" ] && ! [ -e "$path" ]; then lxcd_fail 73 "$path is a symbolic link to nowhere"; fi
    if [ -d "$path" ]; then lxcd_fail 73 "$path is a directory, not a file"; fi
    if [ -e "$path" ] && ! [ -f "$path" ]; then lxcd_fail 73 "$path is no plain file"; fi
    if [ "$2" = default ] && [ -e "$path" ]; then
        kept=$((kept + 1))
        log "kept $path"
        return
    fi
    if [ -f "$path" ] && ! [ -L "$path" ] && [ "$(sum_of "$path")" = "$4" ]; then
        unchanged=$((unchanged + 1))
        log "unchanged $path"
        return
    fi
    mkdir -p "$directory/" || lxcd_fail 73 "the directory ${directory:-/} of $6 cannot be made"
    # In the same directory, so that the move is one step. What is there keeps owner and mode; a link says nothing of them.
    new=$(mktemp "$directory/.lxcd.XXXXXX") || lxcd_fail 73 "nothing can be written in ${directory:-/}"
    cat "$LXCD_DIR/files/$1" >"$new" || lxcd_fail 73 "$path cannot be written"
    [ "$(sum_of "$new")" = "$4" ] || lxcd_fail 65 "$path did not arrive whole"
    mode=$3
    if [ -f "$path" ] && ! [ -L "$path" ]; then
        owner=$(owner_of "$path") mode=$(mode_of "$path" "$3")
    else
        owner=$(owner_of "$directory/")
    fi
    { chown "$owner" "$new" && chmod "$mode" "$new"; } || lxcd_fail 73 "$path cannot be given owner $owner and mode $mode"
    word='written'
    if [ "$2" = backup ] && [ -e "$path" ]; then
        old=$(aside "$path")
        # A second name for the old one: the path itself is never empty.
        if [ -L "$path" ] || ! ln "$path" "$old" 2>/dev/null; then
            mv -f "$path" "$old" || lxcd_fail 73 "$path cannot be moved aside"
        fi
        backed=$((backed + 1)) word="backed up as ${old##*/} and written"
    fi
    mv -f "$new" "$path" || lxcd_fail 73 "$path cannot be written"
    new=
    written=$((written + 1))
    log "$word: $path ($mode, $owner)"
}

# Its own descriptor: nothing that runs here reads the list away. Separated by tabs, the name last.
while IFS=$tab read -r number policy wanted sum directory name <&3; do
    total=$((total + 1))
    place "$number" "$policy" "$wanted" "$sum" "$directory" "$name"
done 3<"$LXCD_DIR/manifest"

parts=
for part in "$written written" "$kept kept" "$unchanged unchanged" "$backed backed up"; do
    case $part in '0 '*) ;; *) parts="$parts, $part" ;; esac
done
noun=files
if [ "$total" -eq 1 ]; then noun='file'; fi
lxcd_report detail "$total $noun${parts:+:${parts#,}}"
