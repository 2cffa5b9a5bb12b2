# The ledger: the slots whose tokens were ever loaded, so that none is loaded a second time. A token that was spent is in
# it, and so is one that was lost. A line of $dir/ledger is: KEY-ID/SLOT-SECONDS FIRST LAST. It is on the disk before the
# tokens are in the kernel.

# Prints FIRST LAST for each range of a key, with any length of slots: a token has only the slot's number in it.
list_used() { [ ! -f "$dir/ledger" ] || sed -n "s,^${1%/*}/[0-9]* ,,p" "$dir/ledger" | sort -n; }

# Prints the parts of the range from $1 to $2 that are in none of the ranges on standard input, which are sorted.
print_gaps() {
	begin=$1
	while read -r first last; do
		[ "$last" -ge "$begin" ] || continue
		[ "$first" -le "$2" ] || break
		[ "$first" -le "$begin" ] || printf '%s %s\n' "$begin" $((first - 1))
		begin=$((last + 1))
	done
	[ "$begin" -gt "$2" ] || printf '%s %s\n' "$begin" "$2"
}

# Joins ranges KEY FIRST LAST that touch each other.
merge_ranges() {
	merged='' merged_from=0 merged_to=0
	{ sort -k 1,1 -k 2,2n && echo 'end 0 0'; } | for_lines merge_range
}

merge_range() {
	if [ "$1" = "$merged" ] && [ "$2" -le $((merged_to + 1)) ]; then
		[ "$3" -le "$merged_to" ] || merged_to=$3
	else
		[ -z "$merged" ] || printf '%s %s %s\n' "$merged" "$merged_from" "$merged_to"
		merged=$1 merged_from=$2 merged_to=$3
	fi
}

# Adds the ranges in a file to the ledger. Keeps the former ledger in $work.
add_to_ledger() {
	rm -f "$work/ledger"
	[ ! -f "$dir/ledger" ] || cp "$dir/ledger" "$work/ledger" || return 1
	[ -s "$1" ] || return 0
	{ [ ! -f "$dir/ledger" ] || cat "$dir/ledger"; cat "$1"; } | merge_ranges >"$work/ledger.new" || return 1
	put_ledger "$work/ledger.new"
}

# Replaces the ledger by a file, or removes it if the file is missing or empty.
put_ledger() {
	if [ -s "$1" ]; then
		cp "$1" "$dir/ledger.new" && cmp -s "$1" "$dir/ledger.new" || return 1
		flush_to_disk "$dir/ledger.new" && mv -f "$dir/ledger.new" "$dir/ledger" || return 1
	else
		rm -f "$dir/ledger"
	fi
	flush_to_disk "$dir"
}

# Takes slots out of the ledger. They are on standard input as ranges KEY-ID FIRST LAST. Nothing can spend their tokens
# any more, and the kernel still had them when that began.
give_back() {
	[ -f "$dir/ledger" ] || return 0
	merge_ranges >"$work/back" || return 1
	while read -r key_id used_first used_last; do
		sed -n "s,^$key_id ,,p" "$work/back" | print_gaps "$used_first" "$used_last" | sed "s,^,$key_id ,"
	done <"$dir/ledger" >"$work/ledger.new" || return 1
	put_ledger "$work/ledger.new"
}

# Removes what is past. A slot has at most an hour of grace.
forget_past() {
	[ -f "$dir/ledger" ] || return 0
	now=$(date +%s)
	while read -r key_id first last; do
		[ $(((last + 1) * ${key_id#*/} + 3600)) -lt "$now" ] || printf '%s %s %s\n' "$key_id" "$first" "$last"
	done <"$dir/ledger" >"$work/ledger.new" && put_ledger "$work/ledger.new"
}
