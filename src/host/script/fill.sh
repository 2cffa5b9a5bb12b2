# Fills the sets of tokens. A load that replaces our own table keeps its unspent tokens: first nothing can spend a token
# any more, then the unspent ones are listed, then they are loaded with the new ruleset in one transaction.
#
# $dir/filled says what the sets of the loaded table hold: a line "clock SECONDS" (of the host's boot, by its clock), and
# for each set SET KEY-ID FIRST LAST, its slots.

# Sets kept: where a set's unspent tokens are. What was loaded before can be loaded again if the kernel still has it in
# our own table, or if a load took it from there (taken, a folder), and nothing could spend it since. Clients find no
# token that is further ahead than three horizons, as after a clock that was years ahead.
find_kept() {
	kept=no
	if [ "$live" = yes ] && [ "$shift_seconds" -ge $((-3 * horizon)) ] && grep -q "^$1 $2 " "$dir/filled" 2>/dev/null && [ -s "$work/unspent.$1" ]; then
		kept=kernel
	elif [ -n "$taken" ] && grep -q "^$1 $2 " "$taken/filled" 2>/dev/null; then
		kept=taken
	fi
	printf '%s\n' "$kept" >"$work/kept.$1"
}

# Decides which slots to load, and computes their tokens: $work/new.SET has SLOT TOKEN, $work/used the ranges for the
# ledger, $work/filled what is loaded then. staged: a folder with computed tokens, or nothing. Of a live table, the
# unspent tokens are listed before.
prepare_tokens() {
	read_source "$1"
	now=$(date +%s)
	read_uptime
	clock=$((now - uptime))
	shift_seconds=0
	[ "$live" = no ] || shift_seconds=$((clock - $(sed -n 's/^clock //p' "$dir/filled" 2>/dev/null || echo "$clock")))
	name_bytes
	: >"$work/used" && printf 'clock %s\n' "$clock" >"$work/filled" && list_holders "$1" >"$work/holders" || return 1
	while read -r set gate key; do
		use_key "$key"
		prepare_set || return 1
	done <"$work/holders"
}

prepare_set() {
	key_id=$(print_key_id "$gate") || return 1
	newest=$((now / slot_seconds + horizon_slots))
	from='' to=''
	find_kept "$set" "$key_id" || return 1
	if [ "$kept" != no ]; then
		read -r from to <<LINE
$(cat "$dir/filled" "${taken:-$dir}/filled" 2>/dev/null | sed -n "s,^$set $key_id ,,p" | head -n 1)
LINE
	else
		lost_to=$(find_lost "$((newest + 4 * horizon_slots))")
		[ "${lost_to:-0}" -lt $((now / slot_seconds)) ] || newest=$((lost_to + 1 + horizon_slots))
	fi
	list_used "$key_id" | print_gaps $(((now - grace_seconds) / slot_seconds)) "$newest" | limit_ranges >"$work/ranges.$set" &&
		: >"$work/new.$set" || return 1
	while read -r first_slot last_slot; do
		fetch_tokens "$first_slot" "$last_slot" >>"$work/new.$set" &&
			printf '%s %s %s\n' "$key_id" "$first_slot" "$last_slot" >>"$work/used" || return 1
		from=${from:-$first_slot} to=$last_slot
	done <"$work/ranges.$set"
	[ -z "$from" ] || printf '%s %s %s %s\n' "$set" "$key_id" "$from" "$to" >>"$work/filled"
}

# Prints the last slot that was ever loaded of a key. Clients look for tokens one horizon behind those that a host has
# lost. What was loaded while the clock was far ahead does not count.
find_lost() {
	list_used "$key_id" | while read -r first last; do
		[ "$first" -gt "$1" ] || printf '%s\n' "$last"
	done | tail -n 1
}

# Cuts ranges off behind as many slots as a set has room for.
limit_ranges() {
	room=$most_slots
	while read -r first last; do
		[ "$room" -gt 0 ] || return 0
		[ $((last - first)) -lt "$room" ] || last=$((first + room - 1))
		room=$((room - (last - first + 1)))
		printf '%s %s\n' "$first" "$last"
	done
}

# Prints SLOT TOKEN for a range: from the staged change as far as it has them.
fetch_tokens() {
	# Mostly all of them, and no shell is as fast as sed.
	if [ -n "$staged" ] && [ "$1" -lt "$2" ] && grep -qsx "$1 $2" "$staged/$set.ranges"; then
		sed -n "/^$1 /,/^$2 /p" "$staged/$set"
		return
	fi
	if [ -n "$staged" ] && [ -f "$staged/$set" ]; then
		least=$1 most=$2
		for_lines print_within <"$staged/$set"
		sed 's/\([0-9]*\) .*/slot \1 \1/' "$staged/$set" | merge_ranges | sed 's/^slot //' | print_gaps "$1" "$2"
	else
		printf '%s %s\n' "$1" "$2"
	fi >"$work/fetched" || return 1
	while read -r one two; do
		case $two in
		????????????????????????????????) printf '%s %s\n' "$one" "$two" ;;
		*) compute_tokens "$gate" "$one" "$two" || return 1 ;;
		esac
	done <"$work/fetched"
}

print_within() { [ "$1" -lt "$least" ] || [ "$1" -gt "$most" ] || printf '%s %s\n' "$1" "$2"; }

# Computes a staged change's tokens before anything is armed, because it may take long.
stage_tokens() {
	live=no taken='' staged=''
	! nftables_is_own || live=yes
	[ "$live" = no ] || read_unspent || exit 9
	prepare_tokens "$change/tokens" && mkdir "$change/staged" || exit 9
	while read -r set _; do
		cp "$work/new.$set" "$change/staged/$set" && cp "$work/ranges.$set" "$change/staged/$set.ranges" || exit 9
	done <"$work/holders"
}

# Loads a text with the tokens of a source. `keep`, a folder, gets the unspent tokens of the sets that go. `given` is a
# folder with the computed tokens of an undone change.
load_filled() {
	text=$1 live=no
	! nftables_is_own || live=yes
	forget_rested
	read_confirmed
	[ "$live" = no ] || note_opened "$confirmed_change/tokens"
	if [ "$live" = yes ]; then
		stop_spending && read_unspent || exit 9
	fi
	prepare_tokens "$2" || exit 9
	nftables_print_filled >"$work/text" && add_to_ledger "$work/used" || exit 9
	[ -z "$taken" ] || { rm -rf "$taken" && flush_to_disk "${taken%/*}"; }
	nft -f "$work/text" 2>"$work/said" || refuse_filled $?
	stopped=''
	[ -z "$keep" ] || [ "$live" = no ] || keep_unspent
	note_filled
	note_opened "$2"
	[ -z "$given" ] || [ "$live" = no ] || return_unspent
}

# nft loads all or nothing, unless it was killed.
refuse_filled() {
	[ "$1" -ge 128 ] || put_ledger "$work/ledger"
	sed -e 's/0x[0-9a-f]\{1,\}/TOKEN/g' -e 's/^\(.\{200\}\).*/\1/' "$work/said" | head -n 8 >&2
	exit 1
}

note_filled() {
	[ ! -f "$dir/filled" ] || cp "$dir/filled" "$work/before"
	{ cp "$work/filled" "$dir/filled.new" && mv -f "$dir/filled.new" "$dir/filled"; } || rm -f "$dir/filled" "$dir/filled.new"
}

# Lists the tokens of the loaded table that are unspent.
read_unspent() { [ ! -f "$dir/filled" ] || nftables_list_tokens; }

# Keeps what is not loaded any more, so that nothing can spend it. It is good for one undo. A failure loses tokens, but
# does not stop the load.
keep_unspent() {
	{ rm -rf "$keep" && mkdir "$keep" && date +%s >"$keep/time"; } || return 0
	while read -r set key_id slots; do
		if [ "$set" = clock ] || grep -q "^$set $key_id " "$work/filled"; then continue; fi
		cp "$work/unspent.$set" "$keep/$set" && printf '%s %s %s\n' "$set" "$key_id" "$slots" >>"$keep/filled"
	done <"$dir/filled"
}

# Gives slots back to the ledger whose tokens were unspent, and are not loaded any more.
return_unspent() {
	read_source "${given%/*}/tokens"
	for computed in "$given"/*; do
		case $computed in *.ranges) continue ;; esac
		set=${computed##*/}
		if [ ! -s "$work/unspent.$set" ] || grep -q "^$set " "$work/filled"; then continue; fi
		match_unspent "$set" <"$computed"
	done | give_back
}

# Prints KEY-ID SLOT SLOT for each of the given tokens (SLOT TOKEN) that is unspent.
match_unspent() {
	key_id=$(sed -n "s/^$1 \([^ ]*\) .*/\1/p" "$work/before")
	cat >"$work/given" || return 1
	if grep -q '^0x' "$work/unspent.$1"; then match_tokens "$1"; else count_tokens "$1"; fi
}

# nft leaves leading zeros out.
match_tokens() {
	{
		sed -e 's/\(.*\) \(.*\)/\2 \1/' "$work/given"
		sed -n -e 's/^0x\([^ ]*\) .*/\1 unspent/' -e ':pad' -e '/^[0-9a-f]\{1,31\} /s/^/0/' -e 't pad' -e '/ unspent$/p' "$work/unspent.$1"
	} | sort | sed -n -e '$!N' -e "s,^\([0-9a-f]*\) \([0-9]*\)\n\1 unspent\$,$key_id \2 \2,p" -e D
}

# An old nft lists numbers, which no shell can compare with 16 bytes. If all are there, none was spent.
count_tokens() {
	now=$(date +%s)
	for_lines print_alive <"$work/given" >"$work/alive"
	[ "$(wc -l <"$work/alive")" -ne "$(wc -l <"$work/unspent.$1")" ] || cat "$work/alive"
}

print_alive() {
	[ $((($1 + 1) * slot_seconds + grace_seconds)) -le $((now - 5)) ] || printf '%s %s %s\n' "$key_id" "$1" "$1"
}

# Takes the table away, and keeps its unspent tokens in a folder.
clear_filled() {
	live=no keep=$1 taken=''
	forget_rested
	! nftables_is_own || live=yes
	: >"$work/filled" || exit 9
	if [ "$live" = yes ]; then
		stop_spending && read_unspent || exit 9
	fi
	nftables_clear || exit 1
	stopped=''
	[ "$live" = no ] || keep_unspent
	rm -f "$dir/filled"
}

# Takes the table away, and forgets the slots of unspent tokens, which may be loaded again. So after a removal the ledger
# has only what was spent, and is gone if that is past.
retire_tokens() {
	live=no staged='' taken=''
	! nftables_is_own || live=yes
	[ "$live" = yes ] || exit 1
	forget_rested
	read_source "$1"
	name_bytes
	list_holders "$1" >"$work/holders" && cp "$dir/filled" "$work/before" && stop_spending && read_unspent || exit 9
	nftables_clear || exit 1
	stopped=''
	oldest=$((($(date +%s) - grace_seconds) / slot_seconds))
	while read -r set gate key; do
		read -r key_id from to <<LINE
$(sed -n "s/^$set //p" "$work/before")
LINE
		[ -n "$to" ] || continue
		[ "$from" -ge "$oldest" ] || from=$oldest
		use_key "$key"
		[ "$from" -gt "$to" ] || compute_tokens "$gate" "$from" "$to" >"$work/computed" || exit 9
		match_unspent "$set" <"$work/computed"
	done <"$work/holders" >"$work/returned"
	give_back <"$work/returned" && forget_past
	rm -f "$dir/filled"
}
