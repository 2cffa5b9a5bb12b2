# A policy in the kernel for the backend nftables: one table.

nftables_read_lister() { lister=$(nft --version); }

# Sets lister from JSON that nft has written, in the words of nft --version.
nftables_learn_lister() {
	case $1 in '{"nftables": [{"metainfo": {"version": "'*'", "release_name": "'*) ;; *) return 0 ;; esac
	rest=${1#*'"version": "'}
	lister="nftables v${rest%%\"*}"
	rest=${rest#*'"release_name": "'}
	lister="$lister (${rest%%\"*})"
}

# Leaves out what changes by itself: counters and the sources in sets.
nftables_list() {
	loaded=$(nft -s -t list table inet "$table") || return $?
	# Mostly there is nothing to change.
	case $loaded in
	*'# count '* | *' 0 bytes 0'* | *"	type 0$newline"*) loaded=$(printf '%s\n' "$loaded" | sed "$lasting") ;;
	esac
}

# For sed. nft since 1.1.4 prints the number of elements behind a set's size. 0.9 prints zeros for each counter. Up to
# 1.0.2 it prints a type of a set of tokens that it can't read. Handles are numbers of this very table.
lasting='s/ # handle [0-9]*$//
s/^\(	*size [0-9]*\)[ 	]*# count [0-9]*$/\1/
s/^	*packets 0 bytes 0	}$/	}/
s/^		type 0$/		typeof @th,64,128/'

# Tells whether the list of all tables has none of ours. Without that list, there may be one.
nftables_is_unlisted() {
	case $tables in '' | *"\"$table\""*) return 1 ;; esac
}

nftables_is_loaded() { nft -t list table inet "$table" >/dev/null 2>&1; }

nftables_describe() { nft -j -t list table inet "$table"; }

# Lists a text as nft would, in an empty network namespace (unshare(1)).
nftables_relist() {
	# shellcheck disable=SC2016 # for the shell in there
	said=$(unshare -n sh -c 'nft -f "$1" && exec nft -s -t list table inet "$2"' sh "$1" "$table") &&
		printf '%s\n' "$said" | sed "$lasting"
}

# Puts each block in one line and sorts the lines: the kernel lists blocks in the order in which they were made.
nftables_order() {
	sed -e '/^	[a-z].* {$/{' -e ':more' -e 'N' -e '/\n	}$/!b more' -e 's/\n/;/g' -e '}' | sort
}

# Tells whether nft can list a gate as JSON, and prints the description of ours unless it is in the list of all tables.
# Some builds have no JSON, and some versions crash over it (0.9.9, 1.0.1). With those, if nothing is loaded, a sample in
# an empty network namespace shows it.
nftables_print_description() {
	if [ "$1" = loaded ] && [ -n "$tables" ]; then
		json=$tables
	elif [ "$1" = loaded ]; then
		json=$(nftables_describe 2>/dev/null)
		print_json own "$json"
	elif [ -n "$tables" ] && nftables_lists_all; then
		json=$tables
	else
		json=$(nftables_print_sample | unshare -n sh -c 'nft -f - && exec nft -j -t list table inet sample' 2>/dev/null)
		unshare -n true 2>/dev/null || json=$(nft -j list tables 2>/dev/null)
	fi
	if is_json "$json"; then
		printf 'json=yes\n'
	else
		case $(nft -j list tables 2>&1) in
		*"not compiled"*) printf 'json=missing\n' ;;
		*) printf 'json=fails\n' ;;
		esac
	fi
}

# Tells whether no crash is known of this nft.
nftables_lists_all() {
	read_lister
	case $lister in 'nftables v0.'* | 'nftables v1.0.0 '* | 'nftables v1.0.1 '*) return 1 ;; 'nftables v'*) ;; *) return 1 ;; esac
}

nftables_print_sample() {
	cat <<'SAMPLE'
table inet sample {
	counter opened {
	}
	set open {
		type ipv4_addr
		size 8
		flags dynamic,timeout
	}
	chain input {
		type filter hook input priority filter - 10; policy accept;
		ip saddr @open counter name "opened" accept
	}
}
SAMPLE
}

# What a table's counters have after a load, the list before it tells, too.
nftables_print_loaded_counts() { :; }

# The policy's own counters.
nftables_read_counts() { counts=$(nft -j list counters table inet "$table" 2>/dev/null); }

# Prints how long a source stays in a set.
nftables_find() {
	nft get element inet "$table" "$1" "{ $2 }" | sed -n 's/.* expires \([0-9a-z]*\).*/\1/p'
}

nftables_check() { nft -c -f "$1"; }

# Tries a load and then its undo in one transaction, because each transaction makes the kernel wait for all its processors.
# What the load can't say of itself there, because the kernel checks chains at a transaction's end, it says when it is
# loaded: all or nothing. An undo that only deletes our table needs no try.
nftables_check_change() {
	third=''
	{ read -r _ && read -r _ && read -r third; } <"$2"
	if [ -z "$third" ]; then
		nft -c -f "$1"
	else
		nft -c -f - <<CHANGE
include "$1"
include "$2"
CHANGE
	fi
}

# Loads a text. What the text removes can be restored from changes/ID/taken.
nftables_load() {
	if uses_tokens "${1%/*}/tokens"; then
		anew=yes taken='' staged=${1%/*}/staged keep=${1%/*}/taken given=''
		with_work load_filled "$1" "${1%/*}/tokens"
	else
		nft -f "$1"
	fi
}

# Sets clearing, commands that delete the table, whether it exists or not.
nftables_write_clearing() { clearing="add table inet $table${newline}delete table inet $table"; }
nftables_print_clearing() { nftables_write_clearing && printf '%s\n' "$clearing"; }

nftables_clear() { nftables_print_clearing | nft -f -; }

# An nft that crashes at a newer one's table can still flush its rules, because for that it lists nothing.
nftables_empty() { nft flush table inet "$table"; }

# Loads a ruleset that stands in a change, in place of all that is there. Tokens are no reason to load none.
nftables_replace() {
	read_confirmed
	if uses_tokens "$confirmed_change/tokens"; then
		anew=yes taken='' staged='' keep='' given=''
		with_work replace_filled "$1" "$confirmed_change/tokens" && nftables_claim && return 0
		tell_log "the tokens of policy $policy could not be filled, so nobody has new ones; the next try is at the next fill"
	fi
	{ nftables_print_clearing && cat "$1"; } | nft -f - && rm -f "$dir/filled" && nftables_claim
}

replace_filled() {
	{ nftables_print_clearing && cat "$1"; } >"$work/replace" || exit 9
	wake_tokens
	load_filled "$work/replace" "$2"
}

# Keeps the sources in the sets, so that doors that are open now are open after an undo. Leaves out elements with a
# rate: nft 0.9 can't read its own listing of them. All elements of a set are of one kind. Leaves out tokens, because some
# may be spent until the undo.
nftables_read_snapshot() {
	if said=$(nft list table inet "$table" 2>&1); then
		case $said in "table inet $table {"*) ;; *) said=$(nft list table inet "$table" 2>/dev/null) || return 1 ;; esac
		case $said in *"$newline}") ;; *) return 1 ;; esac # nft ended half-way
		case $said in
		*'	elements = '* | *' # count '* | *' 0 bytes 0	}'* | *"	type 0$newline"*)
			said=$(printf '%s\n' "$said" | sed -e "$lasting" -e "$tokens_in_sets" \
				-e '/^	*elements = {.* limit rate .*}$/d' -e '/^	*elements = {.* limit rate /,/}$/d')
			;;
		esac
	else
		case $said in 'Error: No such file or directory'*) ;; *) ! nftables_is_loaded || return 1 ;; esac
		said=''
	fi
	nftables_write_clearing
	snapshot=$clearing${said:+$newline$said}
}

nftables_check_snapshot() { nft -c -f "$1"; }

# Loads a snapshot of an undone change (changes/ID/undo, changes/ID/undo.POLICY). Unspent tokens that the change took
# away come back. Unspent tokens of users who were new are free for the next change.
nftables_restore() {
	read_confirmed
	if uses_tokens "$confirmed_change/tokens"; then
		anew=yes taken='' staged='' keep='' given=${1%/*}/staged
		[ ! -d "${1%/*}/taken" ] || taken=${1%/*}/taken
		[ ! -d "$1.taken" ] || taken=$1.taken
		with_work load_filled "$1" "$confirmed_change/tokens" && nftables_claim && return 0
		tell_log "the tokens of policy $policy could not be filled after an undo; the next try is at the next fill"
	fi
	nft -f "$1" && rm -f "$dir/filled" && nftables_claim
}

# Identifies this very table. Another one that somebody loads from a saved file looks the same, and opens the doors that
# were open then. The kernel numbers tables anew after each boot, and in each container, whose first process differs.
# Sets listed, as nftables_list would, and identity.
nftables_read_identity() {
	identity='' listed=''
	read_boot_id && read -r first </proc/1/stat || return 1
	# The first line, which has the handle, comes again at the end.
	said=$(nft -a -s -t list table inet "$table" 2>/dev/null | sed -e 1h -e "$lasting" -e '$G')
	handle=${said##*' # handle '}
	case $handle in '' | *[!0-9]*) return 1 ;; esac
	# An nft that ended half-way has listed nothing.
	case ${said%"$newline"*} in *"$newline}") listed=${said%"$newline"*} ;; esac
	# shellcheck disable=SC2086 # words: the 20th is when the process started (proc(5), field 22)
	set -- ${first##*) }
	identity="$boot_id ${20} $handle"
}

# On a full disk no note is left, and the next boot command loads the table anew.
nftables_claim() {
	forget_rested
	if nftables_read_identity; then
		just_listed=$listed
		read_line "$dir/loaded"
		[ "$first_line" != "$identity" ] || return 0
		{ printf '%s\n' "$identity" >"$dir/loaded"; } 2>/dev/null && return 0
	fi
	rm -f "$dir/loaded"
	return 0
}

nftables_is_own() {
	[ -f "$dir/loaded" ] && nftables_read_identity || return 1
	read_line "$dir/loaded"
	[ "$first_line" = "$identity" ]
}

# The kernel lets only root read a table.
nftables_keep_private() { :; }
