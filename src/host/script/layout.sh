# What Knockgate does on a host, for one policy. POSIX sh; runs in dash and busybox ash as root.
#
# It arrives over SSH on standard input, so that no argv holds a secret. A copy is kept beside each staged change, so
# that the timer and the boot can run it without us. Files, all below /var/lib/knockgate/POLICY, 0600 in 0700:
#
#   changes/ID/ruleset       the policy's text for the kernel (load: the same, after what removes the old rules)
#   changes/ID/tokens        what its tokens are made from, if it has any (tokens.sh)
#   changes/ID/staged        their tokens, until the change is confirmed
#   changes/ID/taken         unspent tokens that the load took away, for the undo
#   changes/ID/digest        the ruleset's checksum
#   changes/ID/undo          what was loaded when the change was staged
#   changes/ID/timer         the timer that would undo it (deadline: in which second of the host's uptime)
#   changes/ID/prepared      that a loaded change can be confirmed, and whether its host script is the old one
#   changes/ID/backend       the backend of the texts
#   changes/ID/listing       what the kernel listed after the load
#   changes/ID/tool          the tool that listed it, with its version; until the load, the one that was looked at
#   changes/ID/owner         the owner of the change
#   confirmed                link to the confirmed changes/ID/ruleset; boot loads it. Replacing this link is THE step
#                            that confirms: before it a change is undone, after it never.
#   pending                  the change that is armed and not yet confirmed
#   ledger                   which tokens were ever loaded (ledger.sh)
#   filled                   which tokens the loaded table has (fill.sh)
#   rested                   unspent tokens of an orderly shutdown (rest.sh)
#   opened                   how often each user had opened a door at the last fill (token-status.sh)
#   undone                   the last change that was undone, and why
#
# Exit codes: 1 failed; 10 host unfit; 11 another change is pending; 12 ruleset refused; 13 this change is not pending;
# 14 could not undo.

# A process costs more than all that the shell does by itself, and a change runs this script six times. So functions set
# variables where others would print, and sections go through no pipe.

set -u
umask 077
export LC_ALL=C
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

base=/var/lib/knockgate
unit_dir=/etc/systemd/system
openrc_dir=/etc/init.d
runlevels_dir=/etc/runlevels
# systemd's services that flush rules of others when they start or reload.
flushing_units="nftables.service netfilter-persistent.service iptables.service ip6tables.service"
# Those whose start is followed. A start of firewalld stops nftables.service (Conflicts=), which then flushes all tables.
followed_units="$flushing_units firewalld.service"

fail() {
	code=$1
	shift
	printf '%s\n' "$*" >&2
	exit "$code"
}

# Sets the names that belong to a policy. The policy's name is checked again here, because it becomes a path.
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
	fill_unit=knockgate-$policy.fill
	fill_crontab=/etc/cron.d/knockgate-$policy
	fill_hourly=/etc/periodic/hourly/knockgate-$policy
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

# One lock for all policies of a host, on a folder that always exists: no file is left behind, and when its holder dies,
# the lock is free. Background processes must close descriptor 9. Nothing waits for the network while it holds the lock.
lock() {
	exec 9</var/lib || fail 1 "cannot open /var/lib"
	case $1 in
	# The commands that make a host safe again wait without a limit.
	undo | boot) flock 9 ;;
	*) wait_for_lock 20 || fail 11 "another Knockgate command holds the host's lock for over 20 seconds" ;;
	esac
}

# busybox's flock knows no time limit, and says so at once.
wait_for_lock() {
	! flock -n 9 || return 0
	read_uptime
	last=$((uptime + $1))
	! flock -w "$1" 9 2>/dev/null || return 0
	until flock -n 9; do
		read_uptime
		[ "$uptime" -lt "$last" ] || return 1
		sleep 1
	done
}

has_systemd() { [ -d /run/systemd/system ]; }

# Sets boot_id.
read_boot_id() { read -r boot_id </proc/sys/kernel/random/boot_id; }

# Sets uptime, the seconds since boot: unlike the clock, they can't be set.
read_uptime() {
	read -r uptime _ </proc/uptime
	uptime=${uptime%%.*}
}

# Sets digest, the checksum of a file.
read_digest() {
	digest=$(sha256sum <"$1") && digest=${digest%% *}
}

# Sets first_line, the first line of a file. It is empty without such a file.
read_line() {
	first_line=''
	[ ! -f "$1" ] || IFS= read -r first_line <"$1" || [ -n "$first_line" ]
}

newline='
'

flush_to_disk() { sync "$@" 2>/dev/null || sync; }
