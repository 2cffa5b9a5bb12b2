# What a policy is in the kernel for the backends iptables_filter and iptables_mangle: chains of its own in that table
# and one jump to the first of them, in each family. A text for the kernel has a part below "# ipv4" and one below
# "# ipv6"; lines "#forget LIST" and "#close LIST ADDRESS" are for xt_recent's lists.

print_part() {
	case $1 in
	iptables) sed -n '/^# ipv4$/,/^# ipv6$/p' "$2" ;;
	ip6tables) sed -n '/^# ipv6$/,$p' "$2" ;;
	esac
}

print_own() { "$1-save" -t "$ipt_table" 2>/dev/null | select_own; }

# What is ours, as iptables-save writes it. Names of policies have no underscore, so that no other policy's match.
select_own() {
	sed -n \
		-e "s/^\(:kg_$policy\(_[^ ]*\)\{0,1\} -\) .*/\1 [0:0]/p" \
		-e "/^-A kg_${policy}[_ ]/p" \
		-e "/^-A kg_/!{/ -j kg_$policy\$/p;}"
}

# The lines that take away what is ours: the jumps, then the rules, then the chains, less those that a text declares.
print_own_clearing() {
	print_own "$1" | sed -n "/^-A kg_/!s/^-A \(.*\)/-D \1/p"
	for verb in F X; do
		print_own "$1" | sed -n 's/^:\([^ ]*\) .*/\1/p' | while read -r own; do
			printf '%s\n' "$2" | grep -q "^:$own " || printf -- '-%s %s\n' "$verb" "$own"
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

iptables_tool() { iptables --version; }

# iptables' rules have no description but their text.
iptables_print_description() { :; }

# What the tools list of a text where nothing else is loaded: in a network of its own (unshare(1)).
iptables_relist() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		# shellcheck disable=SC2016 # for the shell in there
		said=$(print_part "$tool" "$1" |
			unshare -n sh -c '"$1-restore" --noflush -w 10 && exec "$1-save" -t "$2"' sh "$tool" "$ipt_table") || return 1
		printf '%s\n' "$said" | select_own
	done
}

# By family and chain; the rules of a chain stay in their order.
iptables_order() {
	family=''
	while read -r line; do
		case $line in '# '*) family=${line#??} ;; esac
		printf '%s|%s\n' "$family" "$line"
	done | sort -s -k 1,2
}

# The rules that a packet meets up to our jump, the jump itself being the last: without it, it is not there.
iptables_print_front() {
	case $ipt_table in filter) hook=INPUT ;; *) hook=PREROUTING ;; esac
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		"$tool-save" -t "$ipt_table" 2>/dev/null |
			sed -n -e "/^-A $hook /p" -e "/^-A $hook .* -j kg_$policy\$/q" | head -n 200
	done
}

# iptables counts by rule.
iptables_count() {
	for tool in iptables ip6tables; do
		"$tool-save" -c -t "$ipt_table" | sed -n "/^[[][0-9:]*] -A kg_${policy}[_ ]/p"
	done
}

# Loads standard input beside what there is.
restore() {
	tool=$1
	shift
	if takes_chain_lines "$tool"; then
		"$tool-restore" --noflush -w 10 "$@"
	else
		spell_chains "$tool" | "$tool-restore" --noflush -w 10 "$@"
	fi
}

# iptables-nft 1.8.4, as released, refuses each line that makes a chain (`Bad argument '-'`).
takes_chain_lines() {
	printf '*%s\n:kg__none - [0:0]\nCOMMIT\n' "$ipt_table" | "$1-restore" --noflush --test -w 10 >/dev/null 2>&1
}

# The same by commands: a chain that is there is emptied, another one is made.
spell_chains() {
	own=$(print_own "$1")
	while read -r line; do
		chain=${line%% *}
		case $line in
		:*) case $own in
			*"$chain "*) printf -- '-F %s\n' "${chain#:}" ;;
			*) printf -- '-N %s\n' "${chain#:}" ;;
			esac ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

# When a list of xt_recent saw a source last, in the kernel's own ticks.
iptables_find() { sed -n "s/^src=$2 .* last_seen: \([0-9]*\) .*/\1/p" "/proc/net/xt_recent/$1"; }

iptables_check() {
	print_part iptables "$1" | restore iptables --test && print_part ip6tables "$1" | restore ip6tables --test
}

# Both families or neither: a restore is one transaction for one table of one family.
iptables_load() {
	save "$1.before" iptables_snapshot || return 1
	load_private_recent
	if print_part iptables "$1" | restore iptables && print_part ip6tables "$1" | restore ip6tables; then
		rm -f "$1.before"
		change_lists "$1"
		iptables_keep_private
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
		{ printf '*%s\n' "$ipt_table" && print_own_clearing "$tool" '' && echo COMMIT; } | restore "$tool" || return 1
	done
}

iptables_empty() { return 1; }

# In one transaction for a family, so that at no moment there is less than before or after it. It needs no disk.
iptables_replace() {
	iptables_check_snapshot "$1" && iptables_restore "$1"
}

# xt_recent's lists outlive a change, so that a snapshot has rules alone.
iptables_snapshot() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		print_own "$tool"
	done
}

# What was saved, or the text of a ruleset, takes the place of what is there. Its jump goes where a jump of ours always
# is: before all other rules.
print_restoring() {
	part=$(print_part "$1" "$2")
	printf '*%s\n' "$ipt_table"
	printf '%s\n' "$part" | grep '^:'
	print_own_clearing "$1" "$part"
	printf '%s\n' "$part" | sed -n -e '/^-I /p' -e "/^-A kg_/!s/^-A \([^ ]*\) /-I \1 1 /p" -e '/^-A kg_/p'
	echo COMMIT
}

iptables_check_snapshot() {
	for tool in iptables ip6tables; do
		print_restoring "$tool" "$1" | restore "$tool" --test || return 1
	done
}

iptables_restore() {
	load_private_recent
	for tool in iptables ip6tables; do
		print_restoring "$tool" "$1" | restore "$tool" || return 1
	done
	iptables_keep_private
}

# Who reads a list learns who has knocked, and how far: with packets from forged sources that is enough to find a knock.
# The kernel gives each file in /proc the mode that the module was loaded with, or one that all may read, until somebody
# changes it; a list that is made anew has it again.
iptables_keep_private() {
	for list in $(list_readable); do chmod 0600 "$list"; done
}

load_private_recent() { [ -d /sys/module/xt_recent ] || modprobe -q xt_recent ip_list_perms=0600 2>/dev/null; }

# The lists of the policy that others than root may read.
list_readable() {
	for list in /proc/net/xt_recent/kg_"$policy"_* /proc/net/ipt_hashlimit/kg_"$policy"_* /proc/net/ip6t_hashlimit/kg_"$policy"_*; do
		[ -e "$list" ] || continue
		case $(ls -ln "$list" 2>/dev/null) in
		'' | -r[w-]-------*) ;;
		*) printf '%s\n' "$list" ;;
		esac
	done
}

# xt_recent's lists are in no file that anybody saves.
iptables_is_own() { :; }
