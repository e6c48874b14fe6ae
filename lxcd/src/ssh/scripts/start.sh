# Starts a job unless it was started before:
# BASE NAME BYTES-OF-ARGV BYTES SHA-256 TIMEOUT-MS BYTES-OF-OUTPUT RUNNER, with argv and then stdin on stdin.
# Prints `LXCD-JOB now` or `LXCD-JOB before`.
set -eu
umask 077
# Perl complains of a locale that the node does not have, and what it says is read here.
export LC_ALL=C
base=$1 name=$2 argv_bytes=$3 bytes=$4 sum=$5 timeout=$6 room=$7 runner=$8
dir=$base/$name

# Returns when the runner has closed its output: then it is on the disk that the job has begun.
launch() {
    said=$(setsid perl -e "$runner" -- "$dir" "$timeout" "$room" </dev/null 2>&1 &)
    case $said in
    ok | known) ;;
    *) printf '%s\n' "${said:-the runner did not begin}" >&2; exit 1 ;;
    esac
}

before() {
    # Whoever made the directory may not have come to begin.
    if ! [ -e "$dir/started" ] && ! [ -e "$dir/exit" ]; then launch; fi
    echo 'LXCD-JOB before'
    exit 0
}

if [ -d "$dir" ]; then before; fi

mkdir -p "$base"
# Uploads that were broken off.
find "$base" -maxdepth 1 -name '*.new.*' -mmin +1440 -exec rm -rf -- {} +
new=$(mktemp -d "$base/$name.new.XXXXXXXX")
trap 'rm -rf -- "$new"' EXIT
# When nobody listens any more, saying so is the end of this, and must not be without the line above.
trap 'exit 1' HUP PIPE TERM
head -c "$argv_bytes" >"$new/argv"
cat >"$new/stdin"
got=$(cat -- "$new/argv" "$new/stdin" | wc -c)
got_sum=$(cat -- "$new/argv" "$new/stdin" | sha256sum)
if [ "$got" != "$bytes" ] || [ "${got_sum%% *}" != "$sum" ]; then
    echo "the upload is damaged: $got of $bytes bytes arrived" >&2
    exit 1
fi
# Before it can be begun: a command must never be cut short by a loss of power.
sync -- "$new/argv" "$new/stdin" "$new"
# One rename decides who was first.
if ! mv -T -- "$new" "$dir" 2>/dev/null; then
    if ! [ -d "$dir" ]; then echo "$dir cannot be made" >&2; exit 1; fi
    before
fi
launch
echo 'LXCD-JOB now'
