# Further commands, and the entry that finds a command.

# Prints standard input as a section of the reply.
print_section() {
	printf '== %s\n' "$1"
	sed 's/^/|/'
}

# The deployer chooses the line that ends a section, which no text can know.
section_end=''
end_sections_by() { section_end=$1; }

# Prints a text as a section; nothing if it is empty.
print_text() {
	if [ -z "$2" ]; then
		return 0
	elif [ -n "$section_end" ]; then
		printf '== %s %s\n%s\n%s\n' "$1" "$section_end" "$2" "$section_end"
	else
		printf '%s\n' "$2" | print_section "$1"
	fi
}

# Prints how many packets each gate accepted and dropped.
cmd_count() {
	use_backend "$1"
	read_counts
	print_text counts "$counts"
	printf 'end=count\n'
}

# Prints which of some sets contain an address now, and how fresh it is there.
cmd_seen() {
	use_backend "$1"
	source=$2
	shift 2
	for set; do
		age=$("${backend}_find" "$set" "$source" 2>/dev/null)
		[ -z "$age" ] || printf 'seen=%s %s\n' "$set" "$age"
	done
	printf 'end=seen\n'
}

# Prints the last lines that the policy's gates wrote to the kernel's log since the host was booted.
cmd_log() {
	lines=$(journalctl -k -b -o short-monotonic --no-pager 2>/dev/null | grep -F " $1 " | tail -n 5000)
	[ -n "$lines" ] || lines=$(dmesg 2>/dev/null | grep -F " $1 " | tail -n 5000)
	print_text log "$lines"
	printf 'end=log\n'
}

# Gives the confirmed and loaded ruleset another owner, and changes nothing else.
cmd_adopt() {
	[ ! -d "$dir" ] || settle_pending
	[ -L "$dir/confirmed" ] || fail 13 "nothing is confirmed any more"
	read_confirmed
	use_backend_of "$confirmed_change"
	read_digest "$dir/confirmed"
	if [ "$digest" != "$2" ] || ! is_as_noted "$confirmed_change"; then
		fail 13 "the policy was changed since it was looked at"
	fi
	keep_private
	if ! { printf '%s\n' "$1" >"$confirmed_change/owner.new" && mv -f "$confirmed_change/owner.new" "$confirmed_change/owner"; }; then
		rm -f "$confirmed_change/owner.new"
		fail 1 "cannot write below $base: is the disk full?"
	fi
	flush_to_disk "$confirmed_change/owner"
	printf 'owner=%s\n' "$(cat "$confirmed_change/owner")"
}

# Removes the gate and nothing else. First removes what would load it again.
cmd_remove() {
	[ ! -d "$dir" ] || settle_pending
	use_backend "$2"
	read_confirmed_backend
	tokens_from=$confirmed_change/tokens
	read_line "$confirmed_change/owner"
	if [ -L "$dir/confirmed" ] && [ "$first_line" != "$1" ]; then
		printf 'removed=another-owner\n'
		return 0
	fi
	if [ -L "$dir/confirmed" ] || read_loaded 2>/dev/null; then removed=yes; else removed=nothing; fi
	kinds=$2
	[ "$confirmed_backend" = "$2" ] || kinds="$2 $confirmed_backend"
	remove_boot
	rm -f "$dir/confirmed"
	for kept_by in $kinds; do
		use_backend "$kept_by"
		if [ "$backend" = nftables ] && [ -f "$dir/filled" ] && [ -f "$tokens_from" ]; then
			with_work retire_tokens "$tokens_from" 2>/dev/null
		fi
		clear_loaded >&2 && continue
		"${backend}_empty" 2>/dev/null ||
			fail 1 "$backend could not take the gate away; it is still loaded, but not at the next boot"
		removed=emptied
	done
	remove_files
	[ ! -e "$dir/ledger" ] || printf 'kept=%s\n' "$dir/ledger"
	print_saved
	printf 'removed=%s\n' "$removed"
}

cmd_boot() {
	read_pending
	[ -z "$pending_id" ] || { read_boot_id && [ "$pending_boot" = "$boot_id" ]; } || settle_pending
	[ -L "$dir/confirmed" ] || return 0
	read_confirmed
	use_backend_of "$confirmed_change"
	# To load it again would close open doors, so our own table stays. In a table that somebody else loaded, the open
	# doors are those from when it was saved: nobody has knocked for them.
	if is_as_noted "$confirmed_change" && is_own; then
		keep_private
		release_held
		return 0
	fi
	if said=$(load_confirmed 2>&1); then
		release_held
		return 0
	fi
	fail 1 "the gate of policy $policy may be OPEN: its confirmed ruleset could not be loaded: $(hide_numbers "$said")"
}

# For the host's log: the tools quote lines of the ruleset, and all of its secrets are numbers.
hide_numbers() { printf '%s\n' "$1" | sed 's/[0-9][0-9]*/N/g' | head -n 8; }

main() {
	command=$1
	use_policy "$2"
	shift 2
	case $command in
	probe | count | seen | log | openings) "cmd_$command" "$@" ;;
	expire)
		# A failure for lack of memory or of a tool may end later, and nothing else would try again.
		until (lock undo && cmd_undo "$1" "not confirmed in time"); do sleep 5; done
		;;
	# Take no lock: a restart of a service and a shutdown must not wait for a change that has it.
	hold | rest) "cmd_$command" ;;
	settle | arm | load | confirm | undo | adopt | remove | boot | fill)
		lock "$command"
		"cmd_$command" "$@"
		;;
	*) fail 1 "unknown command: $command" ;;
	esac
}
