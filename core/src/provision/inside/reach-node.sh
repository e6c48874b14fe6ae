# On the node: /bin/sh -c REACH_NODE lxcd VMID COMMAND…. Tries until a process can be attached to the container, five
# times with 2, 4, 8 and 16 s between, and then becomes the command. Owns that patience; what runs is the caller's.
#
# LXCD_SCALE in the environment divides the waits, for tests. Exit code 75: nothing could be attached; the last words
# of lxc-attach are the reason. Else the command's own.

lxcd_vmid=$1
shift
for lxcd_pause in 2 4 8 16 0; do
    lxcd_said=$(lxc-attach -n "$lxcd_vmid" --clear-env -- /bin/true 2>&1 </dev/null) && exec "$@"
    if [ "$lxcd_pause" -ne 0 ]; then
        printf 'container %s does not answer yet: %s\n' "$lxcd_vmid" "$lxcd_said"
        sleep "$(awk -v s="$lxcd_pause" -v by="${LXCD_SCALE:-1}" 'BEGIN { print s / by }')"
    fi
done
lxcd_said=$(printf '%s\n' "$lxcd_said" | tr -d '\036' | grep -v '^ *$' | tail -n 1)
printf 'container %s does not answer: %s\n' "$lxcd_vmid" "${lxcd_said:-/bin/true fails in it}" >&2
printf '\036lxcd fault container %s does not answer: %s\n' "$lxcd_vmid" "${lxcd_said:-/bin/true fails in it}"
exit 75
