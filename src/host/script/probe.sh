# What a host reports when it is looked at.

# Reports the host's state, and changes nothing.
cmd_probe() {
	use_backend "$1"
	printf 'client=%s\n' "${2%% *}"
	printf 'kernel=%s\n' "$(uname -r 2>/dev/null)"
	print_addresses
	for tool in iptables-restore ip6tables-restore iptables-save ip6tables-save; do
		[ "$backend" = nftables ] || command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	case $backend in
	nftables) printf 'nft=%s\n' "$(name_tool)" ;;
	iptables) printf 'iptables=%s\n' "$(name_tool)" ;;
	esac
	for tool in flock sha256sum readlink setsid; do
		command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	[ "$backend" != nftables ] || { has_own_printf && nftables_holds_tokens; } || printf 'tokens=no\n'
	printf 'clock=%s\n' "$(date +%s)"
	printf 'init=%s\n' "$(init_system)"
	print_unwritable
	read_pending
	[ -z "$pending_id" ] || printf 'pending=%s\n' "$pending_id"
	if [ -L "$dir/confirmed" ]; then
		confirmed_change=$dir/changes/$(confirmed_id)
		printf 'owner=%s\n' "$(cat "$confirmed_change/owner" 2>/dev/null)"
		printf 'kept_by=%s\n' "$(confirmed_backend)"
		print_tokens "$confirmed_change"
		is_boot_installed || printf 'boot=missing\n'
		is_fill_installed "$confirmed_change" || printf 'fill=missing\n'
		print_section ruleset <"$dir/confirmed"
		print_noted "$confirmed_change" | print_section baseline
	fi
	[ ! -f "$dir/undone" ] || print_section undone <"$dir/undone"
	listing=$(list_loaded 2>/dev/null)
	case $? in
	0)
		printf '%s\n' "$listing" | print_section listing
		"${backend}_print_description" loaded
		;;
	# The tool was ended by a signal, so its output says nothing about what is loaded.
	129 | 13? | 14? | 15?) printf 'listing=crashes\n' ;;
	*) "${backend}_print_description" none ;;
	esac
	[ "$backend" = nftables ] || iptables_print_preceding | print_section preceding
	print_neighbours
	print_doors | print_section doors
	print_untracked | print_section untracked
	printf 'syncookies=%s\n' "$(cat /proc/sys/net/ipv4/tcp_syncookies 2>/dev/null)"
	print_tables
	print_listening | print_section sockets
	printf 'end=probe\n'
}

# Tells whether the boot services of a change still exist. With another init there are none, so none can be missing.
is_boot_installed() {
	case $(init_system) in
	systemd) systemctl --quiet is-enabled "$boot_unit" 2>/dev/null ;;
	openrc) [ -e "$openrc_dir/$boot_service" ] && [ -e "$runlevels_dir/$(early_runlevel)/$boot_service" ] ;;
	esac
}

# Prints the source addresses of packets to the outside, by which others may reach this host: at most one of each
# family.
print_addresses() {
	if command -v ip >/dev/null 2>&1; then
		# Documentation addresses (RFC 5737, RFC 3849). The kernel routes them like any others.
		for far in 192.0.2.1 2001:db8::1; do
			ip route get "$far" 2>/dev/null | sed -n 's/.* src \([0-9a-f.:]*\).*/address=\1/p' | head -n 1
		done
	else
		# Scope 00: global (proc(5), net/if_inet6).
		sed -n 's/^\([0-9a-f]\{32\}\) [0-9a-f]* [0-9a-f]* 00 .*/\1/p' /proc/net/if_inet6 2>/dev/null | head -n 1 |
			sed -e 's/..../&:/g' -e 's/:$//' -e 's/^/address=/'
	fi
}

# Prints the folders of a change that can't be written.
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

# busybox's test takes every folder for writable by root. Removing a folder that does not exist changes nothing, and the
# kernel checks the mount first.
is_writable() {
	[ -w "$1" ] || return 1
	case $(rmdir "$1/.knockgate-none" 2>&1) in *"Read-only file system"*) return 1 ;; esac
}

# Prints all tables, to find what drops the protected ports; none on a host with thousands of rules. If this nft can't
# list somebody else's table, it prints table by table.
print_tables() {
	command -v nft >/dev/null 2>&1 || return 0
	tables=$(nft -j -t list ruleset 2>/dev/null)
	if [ "${#tables}" -gt 1000000 ]; then
		printf 'unlisted=%s\n' "all tables, because there are too many rules"
	elif is_json "$tables"; then
		print_json tables "$tables"
	elif tables=$(nft list tables 2>/dev/null); then
		printf '%s\n' "$tables" | while read -r _ family name; do
			[ -n "$name" ] || continue
			one=$(nft -j -t list table "$family" "$name" 2>/dev/null)
			print_json tables "$one" || printf 'unlisted=%s\n' "table $family $name"
		done
	else
		printf 'unlisted=%s\n' "all tables"
	fi
}

# A tool that ends half-way prints an incomplete object, or nothing.
is_json() { case $1 in '{'*'}') ;; *) return 1 ;; esac }

print_json() { is_json "$2" && printf '%s\n' "$2" | print_section "$1"; }

# Prints the lines of other policies' rulesets that lead to a door. They show the gated ports, and hold no step.
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

# Prints rules that hide packets from conntrack. A legacy table is only read if it is loaded: to ask for it would load
# it.
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

# Prints the listening sockets. ss asks the kernel only for them; the files in /proc list all connections.
print_listening() {
	ss -Hltun 2>/dev/null && return 0
	for protocol in tcp udp; do
		echo "$protocol"
		cat "/proc/net/$protocol" "/proc/net/${protocol}6" 2>/dev/null
	done
}
