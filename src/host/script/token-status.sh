# Until when each user has tokens, and how often and when last each opened a door. The kernel counts openings, but keeps
# no time of them. So the host notes its counters at each fill: the last opening was after the note that lacks it. A line
# of $dir/opened is SET COUNT AFTER BEFORE NOTED, with times in seconds since 1970, and 0 for one that is not known.

# Prints the lines of $dir/opened as they are now.
print_opened() {
	now=$(date +%s)
	counts=$(nft list counters table inet "$table" 2>/dev/null |
		tr -d '\n' | sed -e 's/counter \([^ ]*\) {[^p}]*packets \([0-9]*\) [^}]*}/\
\1 \2\
/g' | sed -n '/^[^ ]*_user_[^ ]* [0-9]*$/p')
	list_holders "$1" | while read -r set _; do
		count=$(printf '%s\n' "$counts" | sed -n "s/^${set%_*} //p")
		count=${count:-0}
		before=$(sed -n "s/^$set //p" "$dir/opened" 2>/dev/null)
		read -r old_count after until noted <<LINE
${before:-$count 0 0 0}
LINE
		# A count that is less than before began anew.
		if [ "$count" -gt "$old_count" ] || { [ "$count" -lt "$old_count" ] && [ "$count" -gt 0 ]; }; then
			after=$noted until=$now
		fi
		printf '%s %s %s %s %s\n' "$set" "$count" "$after" "$until" "$now"
	done
}

# A full disk is no reason to fail.
note_opened() {
	[ -f "$1" ] || return 0
	{ print_opened "$1" >"$dir/opened.new" && mv -f "$dir/opened.new" "$dir/opened"; } 2>/dev/null || rm -f "$dir/opened.new"
	return 0
}

# Prints what a host says of a change's tokens. No key, and nothing of one but the digest of the whole source.
print_tokens() {
	[ -f "$1/tokens" ] || return 0
	read_digest "$1/tokens"
	printf 'tokens_digest=%s\n' "$digest"
	printf 'tokens_host=%s\n' "$(sed -n '/^host /{s///p;q;}' "$1/tokens")"
	is_private "$1/tokens" || printf 'tokens_readable=yes\n'
	# A number that is none ends some shells.
	(print_users "$1") 2>/dev/null
	return 0
}

# Tells whether a file is root's, and nobody else may read or write it.
is_private() {
	# shellcheck disable=SC2046 # words
	set -- $(ls -ln "$1" 2>/dev/null)
	case $1 in -??-------*) [ "$3" = 0 ] ;; *) return 1 ;; esac
}

# Prints GATE USER FROM UNTIL OPENED AFTER BEFORE for each user.
print_users() {
	read_source "$1/tokens"
	loaded_slots=''
	! nftables_is_own || loaded_slots=$(cat "$dir/filled" 2>/dev/null)
	opened=$(print_opened "$1/tokens")
	list_holders "$1/tokens" | while read -r set gate _; do
		user=${set#"${gate}_user_"}
		read -r from to <<LINE
$(printf '%s\n' "$loaded_slots" | sed -n "s/^$set [^ ]* //p")
LINE
		if [ -n "$to" ]; then from=$((from * slot_seconds)) to=$(((to + 1) * slot_seconds)); fi
		read -r _ count after until _ <<LINE
$(printf '%s\n' "$opened" | grep "^$set ")
LINE
		printf 'tokens_user=%s %s %s %s %s %s %s\n' "$gate" "${user%_*}" "${from:-0}" "${to:-0}" "$count" "$after" "$until"
	done
}

# Prints when last each user opened each gate, by the lines that the confirmed ruleset writes to the kernel's log, and how
# far back the log was read. The journal has the lines of all boots. Without one, the kernel has the newest of this boot.
cmd_openings() {
	prefix=$(sed -n 's/.* log prefix "\([^ "]*\) [^ "]* opened [^ "]* ".*/\1/p' "$dir/confirmed" 2>/dev/null | head -n 1)
	[ -z "$prefix" ] || print_openings
	printf 'end=openings\n'
}

# A line is GATE USER SECONDS SOURCE, the last one of each user and gate. The kernel counts the seconds from the boot, the
# journal from 1970. A gate that logs what it drops can fill a journal, so there is a limit to what is read.
print_openings() {
	line="s/^\\[\{0,1\} *\([0-9]*\)\.[0-9]*[] ].* $prefix \([^ ]*\) opened \([^ ]*\) IN=.* SRC=\([^ ]*\) .*/\2 \3 \1 \4/p"
	log=journal
	found=$(journalctl --quiet --no-pager --reverse --lines=200000 --output=short-unix _TRANSPORT=kernel 2>/dev/null |
		sed -n -e '$ {h;s/^\([0-9]*\)\..*/oldest \1/p;g;}' -e "$line")
	if [ -z "$found" ]; then
		log=kernel
		read_uptime
		printf 'booted=%s\n' $(($(date +%s) - uptime))
		found=$(dmesg 2>/dev/null | sed -n -e '1 {h;s/^\[ *\([0-9]*\)\..*/oldest \1/p;g;}' -e "$line")
	fi
	[ -n "$found" ] || log=none
	printf 'log=%s\n' "$log"
	printf '%s\n' "$found" | sort -k 1,2 -k 3,3n | sed -n -e '$!N' -e '/^\([^ ]* [^ ]*\) .*\n\1 /!P' -e D |
		print_section openings
}
