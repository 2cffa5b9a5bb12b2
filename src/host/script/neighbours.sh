# Other users of the host's firewall: what may remove our rules, which files have a copy of them, who may read our
# lists, or what we send.

# Firewalls whose reload empties iptables' tables without an event that a unit could follow: firewalld is reloaded over
# D-Bus, csf, Shorewall and the others by their own commands.
flushing_firewalls="firewalld shorewall shorewall6 shorewall-lite shorewall6-lite csf lfd ferm firehol apf arno-iptables-firewall"

print_neighbours() {
	[ "$backend" = nftables ] || print_flushers
	print_saved
	print_readable readable=
	read_line /proc/sys/kernel/dmesg_restrict
	printf 'dmesg_restrict=%s\n' "$first_line"
	print_sudo_logs
}

# Prints what sudo writes to its I/O log for the user who became root by it (sudoers(5)). Of two settings the last one
# counts.
print_sudo_logs() {
	[ -n "${SUDO_USER-}" ] || return 0
	input='' output=''
	set -f # the words may hold patterns
	for word in $(sudo -l -U "$SUDO_USER" 2>/dev/null </dev/null | tr ',' ' '); do
		case $word in
		log_input | log_stdin | LOG_INPUT:) input=input ;;
		'!log_input' | '!log_stdin' | NOLOG_INPUT:) input='' ;;
		log_output | log_stdout | LOG_OUTPUT:) output=output ;;
		'!log_output' | '!log_stdout' | NOLOG_OUTPUT:) output='' ;;
		esac
	done
	set +f
	for word in $input $output; do printf 'sudo_logs=%s\n' "$word"; done
}

# Prints those that run now, or will at the next boot.
print_flushers() {
	read_init
	case $init in
	systemd)
		units=''
		for name in $flushing_firewalls; do units="$units $name.service"; done
		# shellcheck disable=SC2086 # they are words
		systemctl show --property=Id,ActiveState,UnitFileState $units 2>/dev/null |
			sed -n -e 's/^Id=\(.*\)\.service$/\1/' -e '/^[^=]*$/h' \
				-e '/^\(ActiveState=\(active\|reloading\|activating\)\|UnitFileState=enabled\(-runtime\)\{0,1\}\)$/{g;s/^/flusher=/p;}'
		;;
	*)
		for name in $flushing_firewalls; do
			# Of OpenRC, of sysvinit and of runit.
			for service in "$runlevels_dir"/*/"$name" /etc/rc[S2345].d/S[0-9][0-9]"$name" /etc/service/"$name"; do
				[ ! -e "$service" ] || printf 'flusher=%s\n' "$name"
			done
		done
		;;
	esac
	# firewalld started by hand, or by another init.
	[ ! -e /run/firewalld.pid ] || printf 'flusher=firewalld\n'
	if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && grep -qs '^MANAGE_BUILTINS=yes' /etc/default/ufw; then
		printf 'flusher=ufw with MANAGE_BUILTINS=yes\n'
	fi
}

# Prints the files that are known to be loaded at boot and contain the name of the policy's table or chains. Such a file
# is a copy from when the gate was there, with its knock and its open doors. These files may include others.
print_saved() {
	set -- /etc/nftables.conf /etc/nftables.nft /etc/nftables.d/* /etc/nftables/* /etc/sysconfig/nftables.conf \
		/var/lib/nftables/rules-save /etc/iptables/* /etc/iptables.rules /etc/ip6tables.rules /etc/iptables.up.rules \
		/etc/ip6tables.up.rules /etc/iptables.conf /etc/ip6tables.conf /etc/sysconfig/iptables /etc/sysconfig/ip6tables \
		/var/lib/iptables/* /var/lib/ip6tables/* /etc/firewall.conf /etc/network/if-pre-up.d/* /etc/rc.local
	if [ -f /etc/nftables.conf ] || [ -f /etc/nftables.nft ] || [ -f /etc/sysconfig/nftables.conf ]; then
		# shellcheck disable=SC2046 # an include may be a pattern (nft(8), "INCLUDE FILES")
		set -- "$@" $(sed -n 's/^[[:space:]]*include[[:space:]]*["'\'']\(\/[^"'\'' ]*\)["'\''].*/\1/p' \
			/etc/nftables.conf /etc/nftables.nft /etc/sysconfig/nftables.conf 2>/dev/null)
	fi
	named=$newline
	while read -r file; do
		[ -n "$file" ] || continue
		case $named in *"$newline$file$newline"*) continue ;; esac
		named=$named$file$newline
		printf 'saved=%s\n' "$file"
	done <<FILES
$(grep -lsE "(^|[^a-z0-9_-])(knockgate_|kg_)$policy([^a-z0-9-]|\$)" "$@" </dev/null)
FILES
}

# The deciding rules in iptables' own form: nft's listing lacks their matches, and all rules of the legacy variant.
# Hosts with many thousands of rules are left out. Sets xtables.
read_xtables() {
	xtables=''
	for family in ip ip6; do
		rules=''
		if has_xtables "$family"; then
			rules=$("${family}tables-save" 2>/dev/null | sed -n -e '/^[*]/p' -e '/^:[A-Z]* [A-Z]/p' -e '/^-A kg_/d' -e '/^-A /p')
		fi
		[ "${#rules}" -le 300000 ] || rules=''
		case $family in ip) xtables="# ipv4$newline" ;; ip6) xtables="$xtables# ipv6$newline" ;; esac
		[ -z "$rules" ] || xtables=$xtables$rules$newline
	done
	xtables=${xtables%"$newline"}
}

# Tells whether the kernel may have a table of iptables' for a family (ip, ip6), or the table of a name. The nft variant's
# are in nft's list of all tables. Without that list, there may be one.
has_xtables() {
	names=/proc/net/${1}_tables_names
	if [ -f "$names" ]; then
		while read -r name; do
			[ "$name" != "${2-$name}" ] || return 0
		done <"$names"
	fi
	[ -z "$tables" ] || [ "$has_ip_tables" = yes ] || return 1
	case $tables in
	'{"nftables": [{"metainfo": {'*"{\"table\": {\"family\": \"$1\", \"name\": \"${2-}"*) return 0 ;;
	'{"nftables": [{"metainfo": {'*) return 1 ;;
	esac
}
