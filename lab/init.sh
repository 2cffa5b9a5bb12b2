#!/bin/sh
# First process of a lab machine, inside its new namespaces: makes the machine, then lives as long as its stdin is open.
# Only the lab's process holds the other end, so even a lab killed with -9 leaves no machine: when the first process of
# a pid namespace ends, the kernel ends all others in it (pid_namespaces(7)).
# usage: init.sh NAME [SETUP-FILE [ARGUMENT...]]     (the setup file is sourced; its function leave runs at the end)
set -eu
name=$1
shift
step="reading its own pid"
trap 'echo "failed while $step" >&2' EXIT

# /proc is still the outside's, so this is the pid by which nsenter finds us.
read -r pid _ </proc/self/stat
step="mounting /proc"
mount -t proc proc /proc
step="naming itself"
echo "$name" >/proc/sys/kernel/hostname
step="turning duplicate address detection off"
# While a link-local address is still being checked, the router does not ask for neighbours, for two seconds.
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
step="bringing lo up"
ip link set lo up

leave() { :; }
if [ $# -gt 0 ]; then
	setup=$1
	shift
	# shellcheck source=/dev/null
	. "$setup"
fi

step="watching the lab"
exec 3<&0 </dev/null
cat <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
trap - EXIT
echo "ready $pid ${hostKey-}"

# While it waits, the shell also reaps all orphans of the machine, as an init must.
wait "$watcher" || true
leave
