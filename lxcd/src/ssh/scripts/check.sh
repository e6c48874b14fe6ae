# Tells what this node lacks, a line each: BASE PROGRAM…
set -u
base=$1
shift
echo 'LXCD-JOB'
[ "$(id -u)" = 0 ] || echo "root: the log-in is $(id -un), not root"
for program in perl "$@"; do
    command -v -- "$program" >/dev/null || echo "$program: not installed"
done
# Perl complains of a locale that the node does not have.
export LC_ALL=C
if command -v perl >/dev/null && ! why=$(perl -MDigest::SHA -e 1 2>&1); then echo "perl: $why" | head -n 1; fi
umask 077
if ! why=$(mkdir -p "$base" 2>&1) || ! why=$(mktemp "$base/check.XXXXXXXX" 2>&1); then
    echo "$base: $why"
else
    rm -f -- "$why"
fi
