# The steps of a change: stage, arm, load, confirm, or undo.

# stage_begin, then put_file for each file, then stage_end, so that one lock is held over all of it.
stage_begin() {
	use_policy "$1"
	lock stage
	settle_pending
	[ -d "$dir/changes" ] || mkdir -p "$dir/changes" || fail 12 "cannot write below $base"
	use_change "$2"
	require_confirmed
	for other in "$dir"/changes/*; do
		[ ! -e "$other" ] || [ "$other" = "$confirmed_change" ] || rm -rf "$other"
	done
	trap discard_change EXIT
	mkdir "$change" || fail 12 "cannot write below $base"
}

# Ends an unfinished earlier change before the host is looked at for a new one.
cmd_settle() {
	[ ! -d "$dir" ] || settle_pending
	printf 'settled=yes\n'
}

# Removes a change that was never loaded.
discard_change() {
	rm -rf "$change"
	[ -L "$dir/confirmed" ] || remove_files
}

# Without a printf of the shell's own, the argv of another process would hold the text.
put_file() {
	if has_own_printf; then
		put_line "$1" "$2"
	else
		cat >"$change/$1" <<TEXT || fail 12 "cannot write $change/$1: is the disk full?"
$2
TEXT
	fi
}

# The deployer sends this script a second time, in the variable host_script.
put_script() {
	printf '%s\nmain "$@"\n' "${host_script-}" >"$change/host.sh" || fail 12 "cannot write $change/host.sh: is the disk full?"
}

put_line() { printf '%s\n' "$2" >"$change/$1" || fail 12 "cannot write $change/$1: is the disk full?"; }

add_line() { printf '%s\n' "$2" >>"$change/$1" || fail 12 "cannot write $change/$1: is the disk full?"; }

# Checks the staged files: the ruleset arrived whole, and the host's own nft or iptables would load it.
stage_end() {
	read_digest "$change/ruleset"
	[ "$digest" = "$1" ] || fail 12 "the ruleset did not arrive whole"
	use_backend_of "$change"
	check_text "$change/load" >&2 || fail 12 "the host's own $backend refuses the ruleset"
	[ ! -f "$change/tokens" ] || stage_filled
	trap - EXIT
	printf 'staged=%s\n' "$id"
}

stage_filled() {
	has_own_printf || fail 12 "the host's sh has no printf of its own, so it can't make tokens without showing keys"
	with_work stage_tokens >&2 || fail 12 "the host could not make the tokens: are /run and $dir full?"
}

cmd_arm() {
	use_change "$1"
	use_backend_of "$change"
	settle_pending
	[ -f "$change/load" ] || fail 13 "change $id is not staged"
	read_uptime
	deadline=$((uptime + $2))
	note_former || exit $?
	if ! { save "$change/undo" "${backend}_snapshot" && for_former "$change" save_former; }; then
		fail 12 "cannot write $change/undo: is the disk full?"
	fi
	{ "${backend}_check_snapshot" "$change/undo" && for_former "$change" check_former; } >&2 &
	checking=$!
	# The timer starts meanwhile. It only undoes a change that is noted as pending.
	timer=$(start_timer "$2")
	wait "$checking" || fail_to_arm 12 "what is loaded now could not be loaded again, so the change could not be undone"
	[ -n "$timer" ] || fail_to_arm 10 "the host could not start a timer for the undo"
	read_boot_id
	write_pending "$id" "$boot_id" "$deadline" "$timer" || fail_to_arm 12 "cannot write $dir/pending: is the disk full?"
	printf 'armed=%s\n' "$timer"
	[ ! -f "$change/former" ] || sed 's/^/former=/' "$change/former"
}

# Leaves no timer behind.
fail_to_arm() {
	pending_id=$id pending_timer=$timer
	clear_pending
	fail "$@"
}

require_pending() {
	read_pending
	[ "$pending_id" = "$id" ] || fail 13 "change $id is not pending any more: the host has undone it"
	read_uptime
	[ "$uptime" -lt "$pending_deadline" ] || fail 13 "change $id is over its time: the host undoes it now"
}

cmd_load() {
	use_change "$1"
	use_backend_of "$change"
	require_pending
	load_text "$change/load" >&2 || fail 1 "$backend could not load the ruleset; what was loaded is unchanged"
	for_former "$change" clear_former >&2 || fail 1 "the new ruleset is loaded, but what it replaces could not be taken away"
	counts=$(count_packets 2>/dev/null)
	[ "$backend" != nftables ] || nftables_learn_lister "$counts"
	note_loaded "$change" || fail 1 "the loaded ruleset could not be read back"
	printf 'loaded=%s\n' "$id"
	if [ -f "$change/tokens" ]; then
		printf 'clock=%s\n' "$(date +%s)"
		print_tokens "$change"
	fi
	print_text counts "$counts"
}

# Answers only with what it read back. The lock decides whether this or the timer's undo comes first.
cmd_confirm() {
	use_change "$1"
	use_backend_of "$change"
	require_pending
	is_as_noted "$change" || fail 1 "the table changed between load and confirm"
	if ! { install_script && install_boot && install_fill; }; then
		fail 1 "what loads the ruleset at boot could not be written"
	fi
	set -- "$change/ruleset" "$change/listing" "$change/tool" "$change/owner" "$change/backend" "$dir/host.sh"
	for file in "$change/former" "$change/tokens"; do [ ! -f "$file" ] || set -- "$@" "$file"; done
	flush_to_disk "$@"
	if ! { ln -sfn "changes/$id/ruleset" "$dir/confirmed.new" && mv -f "$dir/confirmed.new" "$dir/confirmed"; }; then
		fail 1 "the change could not be recorded as confirmed"
	fi
	finish_confirmed
	start_boot
	start_fill
	flush_to_disk "$dir"
	read_digest "$dir/confirmed"
	printf 'digest=%s\n' "$digest"
}

install_script() {
	cmp -s "$change/host.sh" "$dir/host.sh" ||
		{ cp "$change/host.sh" "$dir/host.sh.new" && mv -f "$dir/host.sh.new" "$dir/host.sh"; }
}

cmd_undo() {
	use_change "$1"
	read_pending
	read_confirmed
	if [ "$id" = "$confirmed_id" ]; then
		[ "$pending_id" != "$id" ] || finish_confirmed
		printf 'undo=confirmed\n'
	elif [ "$pending_id" = "$id" ]; then
		undo_pending "$2"
		printf 'undo=undone\n'
	else
		[ -n "$pending_id" ] || discard_change
		printf 'undo=nothing\n'
	fi
}
