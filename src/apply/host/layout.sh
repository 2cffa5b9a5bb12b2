# What Knockgate does on a host, for one policy. POSIX sh; runs in dash and busybox ash as root.
#
# It arrives over SSH on standard input, so that no argv holds a secret, and it is kept beside each staged change, so
# that the timer and the boot can run it without us. Files, all below /var/lib/knockgate/POLICY, 0600 in 0700:
#
#   changes/ID/ruleset       what the policy shall be in the kernel (load: the same behind what it replaces)
#   changes/ID/undo          what was loaded when the change was armed
#   changes/ID/backend       which backend the texts are for
#   changes/ID/listing       what the kernel said after the load
#   changes/ID/tool          what listed it so, with its version
#   changes/ID/owner         whose change it is
#   confirmed                link to the confirmed changes/ID/ruleset; boot loads it. To replace this link is THE
#                            step that confirms: before it a change is undone, after it never.
#   pending                  the change that is armed and not yet confirmed
#   undone                   the last change that was undone, and why
#
# Exit codes: 1 failed; 10 host unfit; 11 another change is pending; 12 ruleset refused; 13 this change is not pending;
# 14 could not undo.

set -u
umask 077
export LC_ALL=C
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

base=/var/lib/knockgate
unit_dir=/etc/systemd/system
openrc_dir=/etc/init.d
runlevels_dir=/etc/runlevels
# systemd's services that flush more than what is their own when they start or reload.
flushing_units="nftables.service netfilter-persistent.service iptables.service ip6tables.service"

fail() {
	code=$1
	shift
	printf '%s\n' "$*" >&2
	exit "$code"
}

# Names what belongs to a policy. The name was checked before it came here; checked again, because it becomes a path.
use_policy() {
	case $1 in
	'' | *[!a-z0-9-]*) fail 1 "not a policy name" ;;
	esac
	policy=$1
	dir=$base/$policy
	table=knockgate_$policy
	boot_unit=knockgate-$policy.service
	follow_unit=knockgate-$policy.follow.service
	hold_unit=knockgate-$policy.hold.service
	held_unit=knockgate-$policy-held
	boot_service=knockgate-$policy
	undo_unit=knockgate-$policy-undo
}

use_change() {
	case $1 in
	'' | *[!a-z0-9-]*) fail 1 "not a change id" ;;
	esac
	id=$1
	change=$dir/changes/$id
}

# One lock for all policies of a host, on a folder that is always there: nothing is left behind, and a holder that
# dies releases it. Background processes must close descriptor 9. Nobody waits for the network while holding it.
lock() {
	exec 9</var/lib || fail 1 "cannot open /var/lib"
	case $1 in
	# What makes a host safe again waits as long as it takes.
	undo | boot) flock 9 ;;
	*) wait_for_lock 20 || fail 11 "another Knockgate command holds the host's lock for over 20 seconds" ;;
	esac
}

# busybox's flock can't wait for a time.
wait_for_lock() {
	tries=$1
	until flock -n 9; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 1
	done
}

has_systemd() { [ -d /run/systemd/system ]; }

# Sets boot_id.
read_boot_id() { read -r boot_id </proc/sys/kernel/random/boot_id; }

# Seconds since boot: unlike the clock, nobody sets it.
uptime_seconds() {
	read -r up _ </proc/uptime
	printf '%s\n' "${up%%.*}"
}

# Prints the checksum of standard input.
digest() {
	sum=$(sha256sum) && printf '%s\n' "${sum%% *}"
}

# Writes into a file what a command says: nft by itself does not notice that a disk is full.
save() {
	file=$1
	shift
	said=$("$@") && printf '%s\n' "$said" >"$file"
}

flush_to_disk() { sync "$@" 2>/dev/null || sync; }
