#!/bin/sh
# Stands in for lxc-attach: -n VMID [--clear-env] -- COMMAND…, in the container of that number below $LXCD_TEST_ROOTS,
# with its exit code. Without one that runs it fails with the words of the real one. A file VMID/refuse with a number
# makes that many calls fail; VMID/delay has seconds each call costs.
set -u
vmid='' clear=''
while [ $# -gt 0 ]; do
    case $1 in
        -n | --name) vmid=$2; shift 2 ;;
        --clear-env) clear=yes; shift ;;
        --) shift; break ;;
        -*) printf 'lxc-attach: unrecognized option %s\n' "$1" >&2; exit 1 ;;
        *) break ;;
    esac
done
here=$LXCD_TEST_ROOTS/$vmid
if [ -r "$here/delay" ]; then sleep "$(cat "$here/delay")"; fi

refuse() {
    for said in 'get_attach_context: 405 Connection refused - Failed to get init pid' \
        'lxc_attach: 1469 Connection refused - Failed to get attach context'; do
        printf 'lxc-attach: %s: ../src/lxc/attach.c: %s\n' "$vmid" "$said" >&2
    done
    exit 1
}

left=0
if [ -r "$here/refuse" ]; then left=$(cat "$here/refuse"); fi
if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >"$here/refuse"
    refuse
fi
[ -r "$here/pid" ] || refuse
pid=$(cat "$here/pid")
kill -0 "$pid" 2>/dev/null || refuse
if [ -n "$clear" ]; then set -- env -i container=lxc "$@"; fi
exec nsenter --target "$pid" --pid --mount --uts --net --root --wd -- "$@"
