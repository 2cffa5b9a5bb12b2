# What a host reports when it is looked at.

# Reports the host's state, and changes nothing. $3 is the word tokens if it is to hold tokens. A look mostly waits for
# other programs, so it has two at a time.
cmd_probe() {
	use_backend "$1"
	print_surroundings | {
		print_state "$2" "${3-}"
		cat
	}
}

# Prints what has to do neither with the policy's table nor with any other, and the end of the report.
print_surroundings() {
	print_addresses
	# The files in /proc list all connections. ss asks the kernel only for sockets that listen.
	sockets=$(ss -Hltun 2>/dev/null) || sockets=$(print_sockets)
	print_text sockets "$sockets"
	print_neighbours
	read_line /proc/sys/net/ipv4/tcp_syncookies
	printf 'syncookies=%s\n' "$first_line"
	printf 'end=probe\n'
}

print_state() {
	printf 'client=%s\n' "${1%% *}"
	read_line /proc/sys/kernel/osrelease
	printf 'kernel=%s\n' "$first_line"
	read_tables
	for tool in iptables-restore ip6tables-restore iptables-save ip6tables-save; do
		[ "$backend" = nftables ] || command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	read_lister
	case $backend in
	nftables) printf 'nft=%s\n' "$lister" ;;
	iptables) printf 'iptables=%s\n' "$lister" ;;
	esac
	for tool in flock sha256sum readlink setsid; do
		command -v "$tool" >/dev/null 2>&1 || printf 'missing=%s\n' "$tool"
	done
	read_init
	printf 'init=%s\n' "$init"
	print_unwritable
	read_pending
	[ -z "$pending_id" ] || printf 'pending=%s\n' "$pending_id"
	read_confirmed_backend
	if [ "$2" = tokens ] || [ -f "$confirmed_change/tokens" ]; then
		printf 'clock=%s\n' "$(date +%s)"
	fi
	if [ -n "$confirmed_id" ]; then
		read_line "$confirmed_change/owner"
		printf 'owner=%s\n' "$first_line"
		printf 'kept_by=%s\n' "$confirmed_backend"
		print_tokens "$confirmed_change"
		is_boot_installed || printf 'boot=missing\n'
		is_fill_installed "$confirmed_change" || printf 'fill=missing\n'
		print_noted "$confirmed_change"
	fi
	[ ! -f "$dir/undone" ] || print_section undone <"$dir/undone"
	read_looked_at
	case $? in
	0)
		print_text listing "$loaded"
		"${backend}_print_description" loaded
		is_loaded=yes
		;;
	# The tool was ended by a signal, so its output says nothing about what is loaded.
	129 | 13? | 14? | 15?)
		printf 'listing=crashes\n'
		is_loaded=no
		;;
	*)
		"${backend}_print_description" none
		is_loaded=no
		;;
	esac
	[ "$2" != tokens ] || can_hold_tokens || printf 'tokens=no\n'
	[ "$backend" = nftables ] || iptables_print_preceding | print_section preceding
	read_xtables
	print_text xtables "$xtables"
	print_doors
	print_untracked
	print_tables
}

# Reads what is loaded, unless the list of all tables shows that nothing is.
read_looked_at() {
	[ "$backend" != nftables ] || ! nftables_is_unlisted || return 1
	read_loaded 2>/dev/null
}

# What holds tokens now is not asked to try.
can_hold_tokens() {
	[ "$backend" = nftables ] && has_own_printf || return 1
	if [ "$is_loaded" = no ] || [ ! -f "$confirmed_change/tokens" ]; then nftables_holds_tokens; fi
}

# Tells whether the boot services of a change still exist. With another init there are none, so none can be missing.
is_boot_installed() {
	read_init
	case $init in
	systemd) systemctl --quiet is-enabled "$boot_unit" 2>/dev/null ;;
	openrc) [ -e "$openrc_dir/$boot_service" ] && [ -e "$runlevels_dir/$(early_runlevel)/$boot_service" ] ;;
	esac
}

# Prints the source addresses of packets to the outside, by which others may reach this host: at most one of each
# family.
print_addresses() {
	if command -v ip >/dev/null 2>&1; then
		# Documentation addresses (RFC 5737, RFC 3849). The kernel routes them like any others. busybox's ip has no batch.
		said=$(
			ip -force -batch - 2>/dev/null <<FAR
route get 192.0.2.1
route get 2001:db8::1
FAR
		)
		[ -n "$said" ] || said=$(for far in 192.0.2.1 2001:db8::1; do ip route get "$far" 2>/dev/null; done)
		while :; do
			case $said in *' src '*) ;; *) break ;; esac
			said=${said#*' src '}
			printf 'address=%s\n' "${said%%[!0-9a-f.:]*}"
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
	set -- "$place"
	case $init in
	systemd) set -- "$@" "$unit_dir" ;;
	openrc) set -- "$@" "$openrc_dir" "$runlevels_dir/$(early_runlevel)" "$runlevels_dir/default" ;;
	esac
	# busybox's test takes every folder for writable by root. Removing a folder that does not exist changes nothing, and
	# the kernel checks the mount first.
	count=$# read_only=''
	for place; do set -- "$@" "$place/.knockgate-none"; done
	shift "$count"
	case $(rmdir "$@" 2>&1) in *"Read-only file system"*) read_only=some ;; esac
	for place; do is_writable "${place%/*}" || printf 'unwritable=%s\n' "${place%/*}"; done
}

is_writable() {
	[ -w "$1" ] || return 1
	[ -n "$read_only" ] || return 0
	case $(rmdir "$1/.knockgate-none" 2>&1) in *"Read-only file system"*) return 1 ;; esac
}

# Sets tables: all of them in JSON, or nothing if nft can't list them, or if there are thousands of rules. They are listed
# once, because many questions are answered by them.
read_tables() {
	tables='' are_many=no
	command -v nft >/dev/null 2>&1 || return 0
	tables=$(nft -j -t list ruleset 2>/dev/null)
	[ "$backend" != nftables ] || nftables_learn_lister "$tables"
	[ "${#tables}" -le 1000000 ] || are_many=yes
	[ "$are_many" = no ] && is_json "$tables" || tables=''
	# To look for each of them in a long text takes the shell long.
	case $tables in *'{"table": {"family": "ip'*) has_ip_tables=yes ;; *) has_ip_tables=no ;; esac
}

# Prints all tables, to find what drops the protected ports; none on a host with thousands of rules. If this nft can't
# list somebody else's table, it prints table by table.
print_tables() {
	command -v nft >/dev/null 2>&1 || return 0
	if [ "$are_many" = yes ]; then
		printf 'unlisted=%s\n' "all tables, because there are too many rules"
	elif [ -n "$tables" ]; then
		print_json tables "$tables"
	elif names=$(nft list tables 2>/dev/null); then
		printf '%s\n' "$names" | while read -r _ family name; do
			[ -n "$name" ] || continue
			one=$(nft -j -t list table "$family" "$name" 2>/dev/null)
			print_json tables "$one" || printf 'unlisted=%s\n' "table $family $name"
		done
	else
		printf 'unlisted=%s\n' "all tables"
	fi
}

# A tool that ends half-way prints an incomplete object, or nothing.
is_json() { [ "${1#'{'}" != "$1" ] && [ "${1%'}'}" != "$1" ]; }

print_json() { is_json "$2" && print_text "$1" "$2"; }

# Prints the lines of other policies' rulesets that lead to a door. They show the gated ports, and hold no step.
print_doors() {
	for other in "$base"/*/confirmed; do
		name=${other%/confirmed}
		name=${name##*/}
		if [ "$name" = "$policy" ] || [ ! -L "$other" ]; then continue; fi
		doors=$(print_doors_of "$name")
		print_text doors "$doors"
	done
}

print_doors_of() {
	use_policy "$1"
	read_confirmed
	read_line "$confirmed_change/backend"
	printf 'policy %s %s\n' "$1" "$first_line"
	sed -n -e '/ goto [^ ]*_door\([ ,]\|$\)/p' -e "/ -m recent --rcheck --seconds [0-9]* --name kg_${name}_[^ ]*_open --rsource -j /p" "$dir/confirmed"
}

# Prints rules that hide packets from conntrack. A legacy table is only read if it is loaded: to ask for it would load
# it.
print_untracked() {
	if has_xtables ip raw || has_xtables ip6 raw; then list_untracked | print_section untracked; fi
}

list_untracked() {
	for family in ip ip6; do
		names=/proc/net/${family}_tables_names tool=${family}tables
		has_xtables "$family" raw || continue
		for save in "$tool-save" "$tool-legacy-save"; do
			case $("$save" --version 2>/dev/null) in
			*nf_tables*) ;;
			*) grep -qx raw "$names" 2>/dev/null || continue ;;
			esac
			"$save" -t raw 2>/dev/null | grep -e ' -j NOTRACK' -e ' -j CT .*--notrack'
		done
	done | sort -u
}

print_sockets() {
	for protocol in tcp udp; do
		echo "$protocol"
		cat "/proc/net/$protocol" "/proc/net/${protocol}6" 2>/dev/null
	done
}
