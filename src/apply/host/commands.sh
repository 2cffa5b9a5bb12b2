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
	case $backend in
	nftables) printf 'nft=%s\n' "$(nft --version 2>/dev/null)" ;;
	iptables) printf 'iptables=%s\n' "$(iptables --version 2>/dev/null)" ;;
	esac
	for tool in flock sha256sum readlink setsid; do
		command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	printf 'init=%s\n' "$(init_system)"
	print_unwritable
	read_pending
	[ -z "$pending_id" ] || printf 'pending=%s\n' "$pending_id"
	if [ -L "$dir/confirmed" ]; then
		confirmed_change=$dir/changes/$(confirmed_id)
		printf 'owner=%s\n' "$(cat "$confirmed_change/owner" 2>/dev/null)"
		is_boot_installed || printf 'boot=missing\n'
		print_section ruleset <"$dir/confirmed"
		print_section baseline <"$confirmed_change/listing"
	fi
	[ ! -f "$dir/undone" ] || print_section undone <"$dir/undone"
	if listing=$(list_loaded 2>/dev/null); then
		printf '%s\n' "$listing" | print_section listing
	fi
	[ "$backend" = nftables ] || iptables_print_front | print_section front
	print_doors | print_section doors
	print_untracked | print_section untracked
	printf 'syncookies=%s\n' "$(cat /proc/sys/net/ipv4/tcp_syncookies 2>/dev/null)"
	print_tables
	print_listening | print_section sockets
	printf 'end=probe\n'
}

# Whether what a change made for the boot is still there; where it makes nothing, nothing can be missing.
is_boot_installed() {
	case $(init_system) in
	systemd) systemctl --quiet is-enabled "$boot_unit" 2>/dev/null ;;
	openrc) [ -e "$openrc_dir/$boot_service" ] && [ -e "$runlevels_dir/$(early_runlevel)/$boot_service" ] ;;
	esac
}

# Tells how many packets each gate let pass and dropped.
cmd_count() {
	use_backend "$1"
	count_packets 2>/dev/null | print_section counts
	printf 'end=count\n'
}

# Prints what the policy's gates wrote to the kernel's log since the host was booted, the last lines of it.
cmd_log() {
	lines=$(journalctl -k -b -o short-monotonic --no-pager 2>/dev/null | grep -F " $1 " | tail -n 5000)
	[ -n "$lines" ] || lines=$(dmesg 2>/dev/null | grep -F " $1 " | tail -n 5000)
	[ -z "$lines" ] || printf '%s\n' "$lines" | print_section log
	printf 'end=log\n'
}

# Where a change writes, and nothing can be written.
print_unwritable() {
	place=$dir
	until [ -d "$place" ] || [ -z "$place" ]; do place=${place%/*}; done
	{
		echo "$place"
		case $(init_system) in
		systemd) echo "$unit_dir" ;;
		openrc) printf '%s\n' "$openrc_dir" "$runlevels_dir/$(early_runlevel)" "$runlevels_dir/default" ;;
		esac
	} | while read -r place; do
		is_writable "$place" || printf 'unwritable=%s\n' "$place"
	done
}

# busybox's test takes root for able to write anywhere. To remove what is not there changes nothing, and the kernel
# looks at the mount first.
is_writable() {
	[ -w "$1" ] || return 1
	case $(rmdir "$1/.knockgate-none" 2>&1) in *"Read-only file system"*) return 1 ;; esac
}

# All tables, ours among them, to look for what drops the protected ports; where a host has thousands of rules, ours alone.
print_tables() {
	tables=$(nft -j -t list ruleset 2>/dev/null)
	if [ "${#tables}" -le 1000000 ]; then
		printf '%s\n' "$tables" | print_section tables
	else
		"${backend}_describe" 2>/dev/null | print_section tables
	fi
}

# Where other policies gate ports: the lines of their rulesets that lead to a door, which hold no step.
print_doors() {
	for other in "$base"/*/confirmed; do
		name=${other%/confirmed}
		name=${name##*/}
		[ "$name" != "$policy" ] || continue
		[ -L "$other" ] || continue
		printf 'policy %s %s\n' "$name" "$(cat "$(dirname "$(readlink -f "$other")")/backend" 2>/dev/null)"
		sed -n -e '/ goto [^ ]*_door\([ ,]\|$\)/p' -e "/ -m recent --rcheck --seconds [0-9]* --name kg_${name}_[^ ]*_open --rsource -j /p" "$other"
	done
}

# Rules by which conntrack does not see packets. To ask the legacy iptables for a table makes the kernel load it.
print_untracked() {
	for tool in iptables ip6tables; do
		case $tool in iptables) names=/proc/net/ip_tables_names ;; *) names=/proc/net/ip6_tables_names ;; esac
		for save in "$tool-save" "$tool-legacy-save"; do
			case $("$save" --version 2>/dev/null) in
			*nf_tables*) ;;
			*) grep -qx raw "$names" 2>/dev/null || continue ;;
			esac
			"$save" -t raw 2>/dev/null | grep -e ' -j NOTRACK' -e ' -j CT .*--notrack'
		done
	done | sort -u
}

# The sockets that something listens on. ss asks the kernel for them alone; its files in /proc list every connection.
print_listening() {
	ss -Hltun 2>/dev/null && return 0
	for protocol in tcp udp; do
		echo "$protocol"
		cat "/proc/net/$protocol" "/proc/net/${protocol}6" 2>/dev/null
	done
}

# Gives what is confirmed and loaded another owner, and touches nothing else.
cmd_adopt() {
	[ ! -d "$dir" ] || settle_pending
	[ -L "$dir/confirmed" ] || fail 13 "nothing is confirmed any more"
	confirmed_change=$dir/changes/$(confirmed_id)
	use_backend_of "$confirmed_change"
	if [ "$(digest <"$dir/confirmed")" != "$2" ] || ! list_loaded | cmp -s - "$confirmed_change/listing"; then
		fail 13 "the policy was changed since it was looked at"
	fi
	if ! { printf '%s\n' "$1" >"$confirmed_change/owner.new" && mv -f "$confirmed_change/owner.new" "$confirmed_change/owner"; }; then
		rm -f "$confirmed_change/owner.new"
		fail 1 "cannot write below $base: is the disk full?"
	fi
	flush_to_disk "$confirmed_change/owner"
	printf 'owner=%s\n' "$(cat "$confirmed_change/owner")"
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
	[ -z "$pending_id" ] || { read_boot_id && [ "$pending_boot" = "$boot_id" ]; } || settle_pending
	[ -L "$dir/confirmed" ] || return 0
	use_backend_of "$dir/changes/$(confirmed_id)"
	# To load it again would close doors that are open.
	list_loaded 2>/dev/null | cmp -s - "$dir/changes/$(confirmed_id)/listing" && return 0
	said=$(load_confirmed 2>&1) && return 0
	fail 1 "the gate of policy $policy may be OPEN: its confirmed ruleset could not be loaded: $(hide_numbers "$said")"
}

# What goes to a log of the host: the tools quote lines of the ruleset, and its secrets are numbers.
hide_numbers() { printf '%s\n' "$1" | sed 's/[0-9][0-9]*/N/g' | head -n 8; }

main() {
	command=$1
	use_policy "$2"
	shift 2
	case $command in
	probe | count | log) "cmd_$command" "$@" ;;
	wait)
		wait_until_undo "$2"
		# What fails now, because memory or a tool is missing, may work later; nobody else would try again.
		until (lock undo && cmd_undo "$1" "not confirmed in time"); do sleep 5; done
		;;
	settle | arm | load | confirm | undo | adopt | remove | boot)
		lock "$command"
		"cmd_$command" "$@"
		;;
	*) fail 1 "unknown command: $command" ;;
	esac
}
