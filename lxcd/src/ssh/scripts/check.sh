# Tells what this node lacks, a line each: BASE PROGRAM…
set -u
base=$1
shift
echo 'LXCD-JOB'
[ "$(id -u)" = 0 ] || echo "root: the log-in is $(id -un), not root"
for program in perl setsid sha256sum "$@"; do
    command -v -- "$program" >/dev/null || echo "$program: not installed"
done
umask 077
if ! why=$(mkdir -p "$base" 2>&1) || ! why=$(mktemp "$base/check.XXXXXXXX" 2>&1); then
    echo "$base: $why"
else
    rm -f -- "$why"
fi
