# What Knockgate does on a host, for one policy. POSIX sh; runs in dash and busybox ash as root.
#
# It arrives over SSH on standard input, so that no argv holds a secret, and it is kept beside each staged change, so
# that the timer and the boot can run it without us. Files, all below /var/lib/knockgate/POLICY, 0600 in 0700:
#
#   changes/ID/ruleset       what the policy shall be in the kernel (load: the same behind what it replaces)
#   changes/ID/undo          what was loaded when the change was armed
#   changes/ID/backend       which backend the texts are for
#   changes/ID/listing       what the kernel said after the load
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

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# Seconds since boot: unlike the clock, nobody sets it.
uptime_seconds() {
	read -r up _ </proc/uptime
	printf '%s\n' "${up%%.*}"
}

# Writes into a file what a command says: nft by itself does not notice that a disk is full.
save() {
	file=$1
	shift
	said=$("$@") && printf '%s\n' "$said" >"$file"
}

flush_to_disk() { sync "$@" 2>/dev/null || sync; }

# What a policy is in the kernel for the backend nftables: one table.

# Without what comes and goes in it: counters and the sources in its sets.
nftables_list() { nft -s -t list table inet "$table"; }

nftables_is_loaded() { nft -t list table inet "$table" >/dev/null 2>&1; }

nftables_describe() { nft -j -t list table inet "$table"; }

nftables_check() { nft -c -f "$1"; }

nftables_load() { nft -f "$1"; }

# Deletes the table whether it is there or not.
nftables_print_clearing() { printf 'add table inet %s\ndelete table inet %s\n' "$table" "$table"; }

nftables_clear() { nftables_print_clearing | nft -f -; }

nftables_replace() { { nftables_print_clearing && cat "$1"; } | nft -f -; }

# With the sources in the sets, so that doors that are open now are open after an undo.
nftables_snapshot() {
	nftables_print_clearing || return 1
	! nftables_is_loaded || nft list table inet "$table"
}

nftables_check_snapshot() { nft -c -f "$1"; }

nftables_restore() { nft -f "$1"; }

# What a policy is in the kernel for the backends iptables_filter and iptables_mangle: chains of its own in that table
# and one jump to the first of them, in each family. A text for the kernel has a part below "# ipv4" and one below
# "# ipv6"; lines "#forget LIST" and "#close LIST ADDRESS" are for xt_recent's lists.

print_part() {
	case $1 in
	iptables) sed -n '/^# ipv4$/,/^# ipv6$/p' "$2" ;;
	ip6tables) sed -n '/^# ipv6$/,$p' "$2" ;;
	esac
}

# What is ours, as iptables-save writes it. Names of policies have no underscore, so that no other policy's match.
print_own() {
	"$1-save" -t "$ipt_table" 2>/dev/null | sed -n \
		-e "s/^\(:kg_$policy\(_[^ ]*\)\{0,1\} -\) .*/\1 [0:0]/p" \
		-e "/^-A kg_${policy}[_ ]/p" \
		-e "/^-A kg_/!{/ -j kg_$policy\$/p;}"
}

# The lines that take away what is ours: the jumps, then the rules, then the chains, less those named in a file.
print_own_clearing() {
	print_own "$1" | sed -n "/^-A kg_/!s/^-A \(.*\)/-D \1/p"
	for verb in F X; do
		print_own "$1" | sed -n 's/^:\([^ ]*\) .*/\1/p' | while read -r own; do
			grep -q "^:$own " "$2" 2>/dev/null || printf -- '-%s %s\n' "$verb" "$own"
		done
	done
}

# Rules have no state that comes and goes, so that a snapshot lists them.
iptables_list() {
	snapshot=$(iptables_snapshot)
	case $snapshot in
	*kg_*) printf '%s\n' "$snapshot" ;;
	*) return 1 ;;
	esac
}

iptables_describe() { :; }

iptables_check() {
	print_part iptables "$1" | iptables-restore --noflush --test -w 10 &&
		print_part ip6tables "$1" | ip6tables-restore --noflush --test -w 10
}

# Both families or neither: a restore is one transaction for one table of one family.
iptables_load() {
	save "$1.before" iptables_snapshot || return 1
	if print_part iptables "$1" | iptables-restore --noflush -w 10 &&
		print_part ip6tables "$1" | ip6tables-restore --noflush -w 10; then
		rm -f "$1.before"
		change_lists "$1"
		return 0
	fi
	iptables_restore "$1.before"
	rm -f "$1.before"
	return 1
}

change_lists() {
	sed -n 's/^#forget //p' "$1" | while read -r list; do
		[ ! -e "/proc/net/xt_recent/$list" ] || echo / >"/proc/net/xt_recent/$list"
	done
	sed -n 's/^#close //p' "$1" | while read -r list address; do
		[ ! -e "/proc/net/xt_recent/$list" ] || echo "-$address" >"/proc/net/xt_recent/$list"
	done
}

iptables_clear() {
	for tool in iptables ip6tables; do
		{ printf '*%s\n' "$ipt_table" && print_own_clearing "$tool" /dev/null && echo COMMIT; } |
			"$tool-restore" --noflush -w 10 || return 1
	done
}

iptables_replace() { iptables_clear && iptables_load "$1"; }

# xt_recent's lists outlive a change, so that a snapshot has rules alone.
iptables_snapshot() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		print_own "$tool"
	done
}

# What was saved goes back to where a jump of ours always is: before all other rules.
print_restoring() {
	print_part "$1" "$2" >"$2.$1" || return 1
	printf '*%s\n' "$ipt_table"
	grep '^:' "$2.$1"
	print_own_clearing "$1" "$2.$1"
	sed -n -e "/^-A kg_/!s/^-A \([^ ]*\) /-I \1 1 /p" -e '/^-A kg_/p' "$2.$1"
	echo COMMIT
	rm -f "$2.$1"
}

iptables_check_snapshot() {
	for tool in iptables ip6tables; do
		print_restoring "$tool" "$1" | "$tool-restore" --noflush --test -w 10 || return 1
	done
}

iptables_restore() {
	for tool in iptables ip6tables; do
		print_restoring "$tool" "$1" | "$tool-restore" --noflush -w 10 || return 1
	done
}

# What a policy is in the kernel, whichever backend keeps it there.

# nftables, iptables_filter or iptables_mangle; anything else is an older change, whose backend was nftables.
use_backend() {
	ipt_table=''
	case $1 in
	iptables_*)
		backend=iptables
		ipt_table=${1#iptables_}
		;;
	*) backend=nftables ;;
	esac
}

use_backend_of() { use_backend "$(cat "$1/backend" 2>/dev/null)"; }

list_loaded() { "${backend}_list"; }
check_text() { "${backend}_check" "$1"; }
load_text() { "${backend}_load" "$1"; }
clear_loaded() { "${backend}_clear"; }

# Puts back what was confirmed last, or nothing if nothing ever was. The kernel lists sets in the order in which they
# came, so that what it says of the same ruleset is noted anew.
load_confirmed() {
	if [ -L "$dir/confirmed" ]; then
		use_backend_of "$dir/changes/$(confirmed_id)"
		"${backend}_replace" "$dir/confirmed" || return 1
		listing=$dir/changes/$(confirmed_id)/listing
		save "$listing.new" list_loaded && mv -f "$listing.new" "$listing"
		rm -f "$listing.new" # left where the disk is full, and then what is loaded is right all the same
	else
		clear_loaded
	fi
}

# The change that is armed and waits for its confirmation, and how an unfinished one ends.

# Sets pending_id (empty: none), pending_boot, pending_deadline, pending_timer.
read_pending() {
	pending_id='' pending_boot='' pending_deadline=0 pending_timer=''
	[ -f "$dir/pending" ] || return 0
	while IFS='=' read -r key value; do
		case $key in
		id) pending_id=$value ;;
		boot) pending_boot=$value ;;
		deadline) pending_deadline=$value ;;
		timer) pending_timer=$value ;;
		esac
	done <"$dir/pending"
}

write_pending() {
	printf 'id=%s\nboot=%s\ndeadline=%s\ntimer=%s\n' "$1" "$2" "$3" "$4" >"$dir/pending.new" &&
		flush_to_disk "$dir/pending.new" && mv -f "$dir/pending.new" "$dir/pending"
}

confirmed_id() {
	target=$(readlink "$dir/confirmed" 2>/dev/null) || return 0
	target=${target#changes/}
	printf '%s\n' "${target%/ruleset}"
}

# Ends what an earlier change left: after a reboot nothing of it is loaded; past its deadline its timer has died.
settle_pending() {
	read_pending
	[ -n "$pending_id" ] || return 0
	if [ "$pending_id" = "$(confirmed_id)" ]; then
		clear_pending
	elif [ "$pending_boot" != "$(boot_id)" ]; then
		note_undone "$pending_id" "the host was rebooted before it was confirmed"
		clear_pending
	elif [ "$(uptime_seconds)" -gt $((pending_deadline + 5)) ]; then
		undo_pending "its time was over and its timer had not run"
	else
		left=$((pending_deadline - $(uptime_seconds)))
		fail 11 "another change of policy $policy is pending; the host undoes it in at most $((left + 6)) seconds"
	fi
}

clear_pending() {
	stop_timer
	rm -f "$dir/pending"
}

note_undone() {
	printf 'id=%s\nwhy=%s\n' "$1" "$2" >"$dir/undone.new" && mv -f "$dir/undone.new" "$dir/undone"
	rm -f "$dir/undone.new" # left where the disk is full
}

# Puts back what was loaded when the pending change was armed.
undo_pending() {
	pending_change=$dir/changes/$pending_id
	use_backend_of "$pending_change"
	if ! "${backend}_restore" "$pending_change/undo" >/dev/null 2>&1; then
		load_confirmed || fail 14 "could not undo change $pending_id: neither its snapshot nor the confirmed ruleset loads"
	fi
	note_undone "$pending_id" "$1"
	clear_pending
	rm -rf "$pending_change"
	[ -L "$dir/confirmed" ] || remove_files
}

# The host's own timer: it undoes a change without us, and is no child of our session.

# Starts the host's own timer, no child of this session, and prints what it is.
start_timer() {
	if has_systemd; then
		systemctl stop "$undo_unit.timer" "$undo_unit.service" 2>/dev/null
		systemctl reset-failed "$undo_unit.service" 2>/dev/null
		systemd-run --quiet --collect --unit="$undo_unit" --on-active="$1" --timer-property=AccuracySec=200ms \
			/bin/sh "$change/host.sh" undo "$policy" "$id" "not confirmed in time" >&2 9<&- &&
			systemctl --quiet is-active "$undo_unit.timer" && printf 'systemd\n'
	else
		setsid /bin/sh "$change/host.sh" wait "$policy" "$id" "$1" </dev/null >/dev/null 2>&1 9<&- &
		kill -0 $! 2>/dev/null && printf 'process %s\n' $!
	fi
}

stop_timer() {
	case $pending_timer in
	systemd)
		# From inside the timer's own service, stopping the service would end this very command.
		systemctl stop "$undo_unit.timer" 2>/dev/null
		;;
	'process '*)
		pid=${pending_timer#process }
		# The timer runs this very command when its time is over; and its number may be somebody else's by now.
		if [ "$pid" != $$ ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$pending_id"; then
			kill -- "-$pid" 2>/dev/null
		fi
		;;
	esac
	return 0
}

# What loads the confirmed ruleset at boot, and takes it away.

# The unit also follows nftables.service, whose usual configuration begins by flushing all tables, ours among them.
install_boot() {
	has_systemd || return 0
	cat >"$unit_dir/$boot_unit.new" <<UNIT || return 1
[Unit]
Description=Knockgate: load the confirmed ruleset of policy $policy
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=local-fs.target nftables.service netfilter-persistent.service ufw.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $dir/host.sh boot $policy
ExecReload=/bin/sh $dir/host.sh boot $policy

[Install]
WantedBy=sysinit.target nftables.service
UNIT
	chmod 0644 "$unit_dir/$boot_unit.new" &&
		mv -f "$unit_dir/$boot_unit.new" "$unit_dir/$boot_unit" &&
		systemctl daemon-reload && systemctl --quiet enable "$boot_unit" 2>/dev/null
}

remove_boot() {
	[ -e "$unit_dir/$boot_unit" ] || return 0
	systemctl --quiet disable "$boot_unit" 2>/dev/null
	systemctl stop "$boot_unit" 2>/dev/null
	rm -f "$unit_dir/$boot_unit"
	systemctl daemon-reload 2>/dev/null
	return 0
}

# So that the unit is active, and follows nftables.service from now on. It waits for our lock, so we can't for it.
start_boot() {
	has_systemd || return 0
	systemctl --no-block start "$boot_unit" 2>/dev/null
}

remove_files() {
	remove_boot
	rm -rf "$dir"
	rmdir "$base" 2>/dev/null
	return 0
}

# The steps of a change: stage, arm, load, confirm, or undo.

# stage_begin, then put_file for each file, then stage_end: so that one lock is held over all of it.
stage_begin() {
	use_policy "$1"
	lock stage
	settle_pending
	mkdir -p "$dir/changes" || fail 12 "cannot write below $base"
	use_change "$2"
	for other in "$dir"/changes/*; do
		[ "$other" = "$dir/changes/$(confirmed_id)" ] || rm -rf "$other"
	done
	trap discard_change EXIT
	mkdir "$change" || fail 12 "cannot write below $base"
}

# Before a host is looked at for a change: what an earlier one left, ends first.
cmd_settle() {
	[ ! -d "$dir" ] || settle_pending
	printf 'settled=yes\n'
}

# Takes away a change of which nothing was loaded.
discard_change() {
	rm -rf "$change"
	[ -L "$dir/confirmed" ] || remove_files
}

put_file() { cat >"$change/$1" || fail 12 "cannot write $change/$1: is the disk full?"; }

# Checks what arrived: the file is the one that was sent, and the host's own nft would load it.
stage_end() {
	[ "$(sha256sum <"$change/ruleset" | cut -d ' ' -f 1)" = "$1" ] || fail 12 "the ruleset did not arrive whole"
	use_backend_of "$change"
	check_text "$change/load" >&2 || fail 12 "the host's own $backend refuses the ruleset"
	flush_to_disk "$change/ruleset"
	trap - EXIT
	printf 'staged=%s\n' "$id"
}

cmd_arm() {
	use_change "$1"
	use_backend_of "$change"
	settle_pending
	[ -f "$change/load" ] || fail 13 "change $id is not staged"
	save "$change/undo" "${backend}_snapshot" || fail 12 "cannot write $change/undo: is the disk full?"
	"${backend}_check_snapshot" "$change/undo" >&2 || fail 12 "what is loaded now could not be loaded again, so the change could not be undone"
	deadline=$(($(uptime_seconds) + $2))
	write_pending "$id" "$(boot_id)" "$deadline" none || fail 12 "cannot write $dir/pending: is the disk full?"
	if timer=$(start_timer "$2"); then
		write_pending "$id" "$(boot_id)" "$deadline" "$timer" && printf 'armed=%s\n' "$timer" && return 0
	fi
	read_pending
	pending_timer=$timer
	clear_pending
	fail 10 "the host could not start a timer for the undo"
}

require_pending() {
	read_pending
	[ "$pending_id" = "$id" ] || fail 13 "change $id is not pending any more: the host has undone it"
	[ "$(uptime_seconds)" -lt "$pending_deadline" ] || fail 13 "change $id is over its time: the host undoes it now"
}

cmd_load() {
	use_change "$1"
	use_backend_of "$change"
	require_pending
	load_text "$change/load" >&2 || fail 1 "$backend could not load the ruleset; what was loaded is unchanged"
	save "$change/listing" list_loaded || fail 1 "the loaded ruleset could not be read back"
	printf 'loaded=%s\n' "$id"
}

# Answers only what it read back. Whether this or the timer's undo comes first, the lock decides.
cmd_confirm() {
	use_change "$1"
	use_backend_of "$change"
	require_pending
	list_loaded | cmp -s - "$change/listing" || fail 1 "the table changed between load and confirm"
	if ! { cp "$change/host.sh" "$dir/host.sh.new" && mv -f "$dir/host.sh.new" "$dir/host.sh" && install_boot; }; then
		fail 1 "what loads the ruleset at boot could not be written"
	fi
	flush_to_disk "$change/listing" "$change/owner" "$dir/host.sh"
	rm -f "$dir/confirmed.new"
	if ! { ln -s "changes/$id/ruleset" "$dir/confirmed.new" && mv -f "$dir/confirmed.new" "$dir/confirmed"; }; then
		fail 1 "the change could not be recorded as confirmed"
	fi
	clear_pending
	start_boot
	rm -f "$dir"/*.new "$dir/undone" "$change/load" "$change/undo"
	for other in "$dir"/changes/*; do
		[ "$other" = "$change" ] || rm -rf "$other"
	done
	flush_to_disk "$dir"
	printf 'digest=%s\n' "$(sha256sum <"$dir/confirmed" | cut -d ' ' -f 1)"
}

cmd_undo() {
	use_change "$1"
	read_pending
	if [ "$id" = "$(confirmed_id)" ]; then
		[ "$pending_id" != "$id" ] || clear_pending
		printf 'undo=confirmed\n'
	elif [ "$pending_id" = "$id" ]; then
		undo_pending "$2"
		printf 'undo=undone\n'
	else
		[ -n "$pending_id" ] || discard_change
		printf 'undo=nothing\n'
	fi
}

# What else can be asked of the host, and how a command is found.

print_section() {
	printf '== %s\n' "$1"
	sed 's/^/|/'
}

# Tells what is here and changes nothing.
cmd_probe() {
	use_backend "$1"
	printf 'client=%s\n' "${2%% *}"
	for tool in iptables-restore ip6tables-restore iptables-save ip6tables-save; do
		[ "$backend" = nftables ] || command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	printf 'iptables=%s\n' "$(iptables --version 2>/dev/null)"
	printf 'nft=%s\n' "$(nft --version 2>/dev/null | sed 's/^nftables v\([^ ]*\).*/\1/')"
	for tool in flock sha256sum readlink setsid; do
		command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	if has_systemd; then printf 'init=systemd\n'; else printf 'init=other\n'; fi
	read_pending
	[ -z "$pending_id" ] || printf 'pending=%s\n' "$pending_id"
	if [ -L "$dir/confirmed" ]; then
		printf 'confirmed=%s\n' "$(confirmed_id)"
		confirmed_change=$dir/changes/$(confirmed_id)
		printf 'owner=%s\n' "$(cat "$confirmed_change/owner" 2>/dev/null)"
		print_section ruleset <"$dir/confirmed"
		print_section baseline <"$confirmed_change/listing"
	fi
	[ ! -f "$dir/undone" ] || print_section undone <"$dir/undone"
	if listing=$(list_loaded 2>/dev/null); then
		printf '%s\n' "$listing" | print_section listing
		"${backend}_describe" | print_section table
	fi
	print_others | print_section others
	for protocol in tcp udp; do
		echo "$protocol"
		cat "/proc/net/$protocol" "/proc/net/${protocol}6" 2>/dev/null
	done | print_section sockets
	printf 'end=probe\n'
}

# All tables, to look for what drops the protected ports; not where a host has thousands of rules.
print_others() {
	[ "$(nft -t list ruleset 2>/dev/null | wc -l)" -gt 3000 ] || nft -j -t list ruleset 2>/dev/null
}

# Removes the gate and nothing else. What would bring it back goes first.
cmd_remove() {
	[ ! -d "$dir" ] || settle_pending
	use_backend "$2"
	if [ -L "$dir/confirmed" ] && [ "$(cat "$dir/changes/$(confirmed_id)/owner" 2>/dev/null)" != "$1" ]; then
		printf 'removed=another-owner\n'
		return 0
	fi
	remove_boot
	rm -f "$dir/confirmed"
	clear_loaded >&2 || fail 1 "$backend could not take the gate away; it is still loaded, but not at the next boot"
	remove_files
	printf 'removed=yes\n'
}

cmd_boot() {
	read_pending
	[ -z "$pending_id" ] || [ "$pending_boot" = "$(boot_id)" ] || settle_pending
	[ -L "$dir/confirmed" ] || return 0
	use_backend_of "$dir/changes/$(confirmed_id)"
	# To load it again would close doors that are open.
	list_loaded 2>/dev/null | cmp -s - "$dir/changes/$(confirmed_id)/listing" || load_confirmed
}

main() {
	command=$1
	use_policy "$2"
	shift 2
	case $command in
	probe) cmd_probe "$@" ;;
	wait)
		sleep "$2"
		lock undo
		cmd_undo "$1" "not confirmed in time"
		;;
	settle | arm | load | confirm | undo | remove | boot)
		lock "$command"
		"cmd_$command" "$@"
		;;
	*) fail 1 "unknown command: $command" ;;
	esac
}
