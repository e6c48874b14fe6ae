# Runs $LXCD_DIR/script, called SCRIPT_NAME, with the interpreter its first line names; sh without one. sh and bash
# have the functions of prelude.sh, others the environment only. Owns line ends and the interpreter. Must not wait for
# what a script leaves running in the background.
#
# Environment: SCRIPT_NAME; SCRIPT_TIMEOUT = seconds it may take (empty or 0 = as long as it takes).
# Exit codes: the script's own; 127 its interpreter is not in this image; 124 it took too long.

set -u
umask 022
# shellcheck source=core/src/provision/inside/prelude.sh
. "$LXCD_DIR/prelude.sh"
cr=$(printf '\r')
bom=$(printf '\357\273\277')
mkdir "$LXCD_DIR/run" || lxcd_fail 73 "$SCRIPT_NAME cannot be written"
file=$LXCD_DIR/run/$SCRIPT_NAME

if grep -q "$cr\$" "$LXCD_DIR/script"; then log "$SCRIPT_NAME has Windows line ends; they are taken out"; fi
sed -e "1s/^$bom//" -e "s/$cr\$//" "$LXCD_DIR/script" >"$file" || lxcd_fail 73 "$SCRIPT_NAME cannot be written"
chmod 0700 "$file"

# As the kernel reads it: a path, and the rest of the line as one argument.
first=
IFS= read -r first <"$file" || :
interpreter=/bin/sh argument=
case $first in '#!'*)
    first=${first#??}
    first=${first#"${first%%[! ]*}"}
    first=${first%"${first##*[! ]}"}
    interpreter=${first%% *}
    if [ "$interpreter" != "$first" ]; then argument=${first#* }; fi
    argument=${argument#"${argument%%[! ]*}"}
    ;;
esac

# env only looks the next word up; the functions would else be missing in a script that says /usr/bin/env bash.
if [ "${interpreter##*/}" = env ]; then
    case $argument in
        '' | -* | *' '*) ;;
        *)
            # By hand, since a shell of busybox has names for programs that are no files.
            found=
            IFS=:
            for place in $PATH; do
                if [ -z "$found" ] && [ -x "$place/$argument" ]; then found=$place/$argument; fi
            done
            unset IFS
            interpreter=${found:-$argument} argument=
            ;;
    esac
fi
[ -x "$interpreter" ] || lxcd_fail 127 "$SCRIPT_NAME needs $interpreter, which is not in this image"

case ${interpreter##*/} in
    sh | dash | ash | bash)
        # Read and not run, so that its functions are there; $0 is still the script's own path.
        # shellcheck disable=SC2016 # The inner shell expands it.
        set -- -c '. "$LXCD_DIR/prelude.sh"; . "$0"' "$file"
        ;;
    *) set -- "$file" ;;
esac
case $argument in - | --) argument= ;; esac
if [ -n "$argument" ]; then set -- "$argument" "$@"; fi

code=0
lxcd_limited "${SCRIPT_TIMEOUT:-0}" "$interpreter" "$@" || code=$?
if [ -n "$lxcd_late" ]; then lxcd_fail 124 "$SCRIPT_NAME took longer than ${SCRIPT_TIMEOUT}s and was ended"; fi
exit "$code"
