# A policy in the kernel for the backends iptables_filter and iptables_mangle: chains of its own in that table, and one
# jump to the first of them, for each family. A text for the kernel has a part below "# ipv4" and one below "# ipv6".
# Lines "#forget LIST" and "#close LIST ADDRESS" are for xt_recent's lists.

print_part() {
	case $1 in
	iptables) sed -n '/^# ipv4$/,/^# ipv6$/p' "$2" ;;
	ip6tables) sed -n '/^# ipv6$/,$p' "$2" ;;
	esac
}

print_own() { "$1-save" -t "$ipt_table" 2>/dev/null | select_own; }

# Our lines, as iptables-save writes them. Names of policies have no underscore, so no other policy's lines match.
select_own() {
	sed -n \
		-e "s/^\(:kg_$policy\(_[^ ]*\)\{0,1\} -\) .*/\1 [0:0]/p" \
		-e "/^-A kg_${policy}[_ ]/p" \
		-e "/^-A kg_/!{/ -j kg_$policy\$/p;}"
}

# Prints the lines that remove our rules: first the jumps, then the rules, then the chains that the given text does not
# declare.
print_own_clearing() {
	own=$(print_own "$1")
	empty='' remove=''
	while read -r line; do
		case $line in
		-A\ kg_*) ;;
		-A\ *) printf -- '-D %s\n' "${line#-A }" ;;
		:*)
			chain=${line%% *}
			case $newline$2 in *"$newline$chain "*) continue ;; esac
			empty="$empty-F ${chain#:}$newline" remove="$remove-X ${chain#:}$newline"
			;;
		esac
	done <<OWN
$own
OWN
	printf '%s%s' "$empty" "$remove"
}

# Rules have no state that changes by itself, so a snapshot serves as a list.
iptables_list() {
	iptables_read_snapshot
	loaded=$snapshot
	case $loaded in *kg_*) ;; *) return 1 ;; esac
}

iptables_read_lister() { lister=$(iptables --version); }

# iptables has no description of rules except their text.
iptables_print_description() { :; }

# Lists a text as the tools would, in an empty network namespace (unshare(1)).
iptables_relist() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		# shellcheck disable=SC2016 # for the shell in there
		said=$(print_part "$tool" "$1" |
			unshare -n sh -c '"$1-restore" --noflush -w 10 && exec "$1-save" -t "$2"' sh "$tool" "$ipt_table") || return 1
		printf '%s\n' "$said" | select_own
	done
}

# Sorts by family and chain. The rules of a chain keep their order.
iptables_order() {
	family=''
	while read -r line; do
		case $line in '# '*) family=${line#??} ;; esac
		printf '%s|%s\n' "$family" "$line"
	done | sort -s -k 1,2
}

# Prints the rules that a packet meets up to our jump, which is the last line. Without a last jump, ours is not there.
iptables_print_preceding() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		rules=$("$tool-save" -t "$ipt_table" 2>/dev/null)
		print_hooked "$rules" | sed "/ -j kg_$policy\$/q" | head -n 200 |
			while read -r rule; do is_ban "$rules" "$rule" || printf '%s\n' "$rule"; done
	done
}

# Prints the rules of the built-in chain that our jump is in.
print_hooked() {
	case $ipt_table in filter) hook=INPUT ;; *) hook=PREROUTING ;; esac
	printf '%s\n' "$1" | grep "^-A $hook "
}

# Tells whether a rule only leads to a list of banned sources, as fail2ban's do: its chain lets nothing in.
is_ban() {
	target=${2##* -j }
	case $1 in *":$target - "*) ;; *) return 1 ;; esac
	! printf '%s\n' "$1" | grep -e "^-A $target " |
		grep -qvE '^-A [^ ]+ (-j RETURN|-s [^ ]+ -j (DROP|REJECT( --reject-with [^ ]+)?))$'
}

# Prints the place of our jump: before all rules but the bans at the front. Who is banned stays out with a knock, too.
# Our own jump does not count, because it is deleted first.
find_place() {
	rules=$("$1-save" -t "$ipt_table" 2>/dev/null)
	print_hooked "$rules" | {
		place=1
		index=1
		while read -r rule; do
			case $rule in *" -j kg_$policy") continue ;; esac
			index=$((index + 1))
			case $rule in *" -j kg_"*) continue ;; esac
			is_ban "$rules" "$rule" || break
			place=$index
		done
		printf '%s\n' "$place"
	}
}

# iptables has its counters at the rules.
iptables_read_counts() { counts=$(iptables_print_counts 2>/dev/null); }

iptables_print_counts() {
	for tool in iptables ip6tables; do
		"$tool-save" -c -t "$ipt_table" | sed -n "/^[[][0-9:]*] -A kg_${policy}[_ ]/p"
	done
}

iptables_print_loaded_counts() {
	iptables_read_counts
	print_text counts "$counts"
}

# Loads standard input, and leaves other rules as they are.
restore() {
	tool=$1
	shift
	text=$(place_jump "$tool")
	printf '%s\n' "$text" | "$tool-restore" --noflush -w 10 "$@" && return 0
	takes_chain_lines "$tool" && return 1
	printf '%s\n' "$text" | spell_chains "$tool" | "$tool-restore" --noflush -w 10 "$@"
}

# The texts put our jump at place 1.
place_jump() { sed "/ -j kg_$policy\$/s/^-I \([A-Z]*\) 1 /-I \1 $(find_place "$1") /"; }

# The released iptables-nft 1.8.4 refuses each line that makes a chain (`Bad argument '-'`).
takes_chain_lines() {
	printf '*%s\n:kg__none - [0:0]\nCOMMIT\n' "$ipt_table" | "$1-restore" --noflush --test -w 10 >/dev/null 2>&1
}

# Replaces those lines by commands: one empties an existing chain, one makes a new chain.
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

iptables_check() {
	print_part iptables "$1" | restore iptables --test && print_part ip6tables "$1" | restore ip6tables --test
}

# The tools try one text at a time.
iptables_check_change() { return 1; }

# Loads both families or neither. One restore is a transaction for only one table of one family.
iptables_load() {
	save_snapshot "$1.before" || return 1
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

iptables_clear() {
	for tool in iptables ip6tables; do
		{ printf '*%s\n' "$ipt_table" && print_own_clearing "$tool" '' && echo COMMIT; } | restore "$tool" || return 1
	done
}

iptables_empty() { return 1; }

# Each family is replaced in one transaction, so that at each moment either the old or the new rules hold. It needs no
# disk.
iptables_replace() {
	iptables_check_snapshot "$1" && iptables_restore "$1"
}

# xt_recent's lists outlive a change, so a snapshot has only rules.
iptables_read_snapshot() { snapshot=$(iptables_print_snapshot); }

iptables_print_snapshot() {
	for tool in iptables ip6tables; do
		case $tool in iptables) printf '# ipv4\n' ;; ip6tables) printf '# ipv6\n' ;; esac
		print_own "$tool"
	done
}

# Prints the lines that replace our rules by a snapshot or by the text of a ruleset. The jump goes to our jump's usual
# place.
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

# No saved file contains xt_recent's lists.
iptables_is_own() { :; }
iptables_claim() { :; }
