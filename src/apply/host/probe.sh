# What a host says when it is looked at.

# Tells what is here and changes nothing.
cmd_probe() {
	use_backend "$1"
	printf 'client=%s\n' "${2%% *}"
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
	printf 'init=%s\n' "$(init_system)"
	print_unwritable
	read_pending
	[ -z "$pending_id" ] || printf 'pending=%s\n' "$pending_id"
	if [ -L "$dir/confirmed" ]; then
		confirmed_change=$dir/changes/$(confirmed_id)
		printf 'owner=%s\n' "$(cat "$confirmed_change/owner" 2>/dev/null)"
		printf 'kept_by=%s\n' "$(confirmed_backend)"
		is_boot_installed || printf 'boot=missing\n'
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
	# It was ended by a signal, so that it says nothing of what is loaded.
	129 | 13? | 14? | 15?) printf 'listing=crashes\n' ;;
	*) "${backend}_print_description" none ;;
	esac
	[ "$backend" = nftables ] || iptables_print_front | print_section front
	print_neighbours
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

# The addresses that packets to elsewhere would leave with, by which others may reach this host: of each family one at most.
print_addresses() {
	if command -v ip >/dev/null 2>&1; then
		# Addresses for documentation, which are routed like any other (RFC 5737, RFC 3849).
		for far in 192.0.2.1 2001:db8::1; do
			ip route get "$far" 2>/dev/null | sed -n 's/.* src \([0-9a-f.:]*\).*/address=\1/p' | head -n 1
		done
	else
		# Scope 00: global (proc(5), net/if_inet6).
		sed -n 's/^\([0-9a-f]\{32\}\) [0-9a-f]* [0-9a-f]* 00 .*/\1/p' /proc/net/if_inet6 2>/dev/null | head -n 1 |
			sed -e 's/..../&:/g' -e 's/:$//' -e 's/^/address=/'
	fi
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

# The tables of all, to look for what drops the protected ports; where a host has thousands of rules, none. What is in
# somebody else's table can be more than this nft can list: then table by table.
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

# A tool that ends half-way says half of it, or nothing.
is_json() { case $1 in '{'*'}') ;; *) return 1 ;; esac }

print_json() { is_json "$2" && printf '%s\n' "$2" | print_section "$1"; }

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
