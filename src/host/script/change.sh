# The steps of a change: stage, arm, load, confirm, or undo.

# stage_begin, then put_file for each file, then stage_end, so that one lock is held over all of it.
stage_begin() {
	use_policy "$1"
	lock stage
	settle_pending
	use_change "$2"
	require_confirmed
	discard_staged
	trap discard_change EXIT
	mkdir -p "$change" || fail 12 "cannot write below $base"
}

# Ends an unfinished earlier change before the host is looked at for a new one.
cmd_settle() {
	[ ! -d "$dir" ] || settle_pending
	printf 'settled=yes\n'
}

# Removes a change that was never loaded.
discard_change() {
	stop_staged_timer "$change"
	rm -rf "$change"
	if [ ! -L "$dir/confirmed" ]; then
		set -- "$dir"/changes/*
		[ -e "$1" ] || remove_files
	fi
}

# Removes all changes but the confirmed one. None is pending.
discard_staged() {
	for other in "$dir"/changes/*; do
		if [ ! -e "$other" ] || [ "$other" = "$confirmed_change" ]; then continue; fi
		stop_staged_timer "$other"
		rm -rf "$other"
	done
}

# A timer that stays would find nothing to undo. systemd would start it again and again without its script.
stop_staged_timer() {
	read_line "$1/timer"
	[ -n "$first_line" ] || return 0
	pending_id=${1##*/} pending_timer=$first_line
	stop_timer
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

# Checks the staged files: the ruleset arrived whole, the host's own nft or iptables would load it, and then what is loaded
# now could be loaded again. The timer for the undo starts meanwhile. It undoes nothing that is not noted as pending.
stage_end() {
	read_digest "$change/ruleset"
	[ "$digest" = "$1" ] || fail 12 "the ruleset did not arrive whole"
	use_backend_of "$change"
	[ ! -f "$change/tokens" ] || stage_filled
	note_former || exit $?
	if ! { save_snapshot "$change/undo" && for_former "$change" save_former; }; then
		fail 12 "cannot write $change/undo: is the disk full?"
	fi
	read_uptime
	deadline=$((uptime + $2))
	{ trap - EXIT && start_timer "$2"; } >"$change/timer" &
	starting=$!
	try_change
	wait "$starting"
	[ -z "$refusal" ] || fail 12 "$refusal"
	[ -s "$change/timer" ] || fail 10 "the host could not start a timer for the undo: is its disk full?"
	put_line deadline "$deadline"
	put_line digest "$1"
	trap - EXIT
	printf 'staged=%s\n' "$id"
}

# Sets refusal: which of the two is refused, if one is.
try_change() {
	refusal=''
	if ! "${backend}_check_change" "$change/load" "$change/undo" 2>/dev/null; then
		if ! check_text "$change/load" >&2; then
			refusal="the host's own $backend refuses the ruleset"
		elif ! "${backend}_check_snapshot" "$change/undo" >&2; then
			refusal=$not_undoable
		fi
	fi
	for_former "$change" check_former >&2 || refusal=${refusal:-$not_undoable}
}

not_undoable="what is loaded now could not be loaded again, so the change could not be undone"

stage_filled() {
	has_own_printf || fail 12 "the host's sh has no printf of its own, so it can't make tokens without showing keys"
	with_work stage_tokens >&2 || fail 12 "the host could not make the tokens: are /run and $dir full?"
}

cmd_arm() {
	use_change "$1"
	settle_pending
	read_line "$change/deadline"
	deadline=$first_line
	read_line "$change/timer"
	timer=$first_line
	[ -n "$timer" ] || fail 13 "change $id is not staged"
	case $timer in 'process '*) kill -0 "${timer#process }" 2>/dev/null || fail 10 "the timer for the undo has ended" ;; esac
	read_boot_id
	write_pending "$id" "$boot_id" "$deadline" "$timer" || fail 1 "cannot write $dir/pending: is the disk full?"
	printf 'armed=%s\n' "$timer"
	[ ! -f "$change/former" ] || sed 's/^/former=/' "$change/former"
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
	printf 'loaded=%s\n' "$id"
	if [ -f "$change/tokens" ]; then
		claim_loaded
		printf 'clock=%s\n' "$(date +%s)"
		print_tokens "$change"
	fi
	"${backend}_print_loaded_counts"
	# While the deployer waits for a closed gate's silence. This process holds the lock until then.
	prepare_confirm >/dev/null 2>&1 &
}

# Notes what is loaded, and brings to the disk what a confirm relies on. $change/prepared says that both are done, and
# whether the host script is the one that is there already.
prepare_confirm() {
	[ -n "$just_listed" ] || claim_loaded
	read_line "$change/tool"
	lister=$first_line
	note_loaded "$change" || return 1
	if [ ! -e "$dir/host.sh" ]; then
		script=first
	elif cmp -s "$change/host.sh" "$dir/host.sh"; then
		script=same
	else
		script=other
	fi
	set -- "$change/ruleset" "$change/listing" "$change/tool" "$change/owner" "$change/backend" "$change/host.sh"
	for file in "$change/former" "$change/tokens"; do [ ! -f "$file" ] || set -- "$@" "$file"; done
	flush_to_disk "$@"
	printf '%s\n' "$script" >"$change/prepared"
}

# Answers only with what it read back. The lock decides whether this or the timer's undo comes first.
cmd_confirm() {
	use_change "$1"
	use_backend_of "$change"
	require_pending
	read_line "$change/prepared"
	[ -n "$first_line" ] || fail 1 "the loaded ruleset could not be read back: is the disk full?"
	script=$first_line
	is_as_noted "$change" || fail 1 "the table changed between load and confirm"
	if ! { install_script && install_boot && install_fill; }; then
		fail 1 "what loads the ruleset at boot could not be written"
	fi
	record_confirmed || fail 1 "the change could not be recorded as confirmed"
	read_line "$change/digest"
	digest=$first_line
	finish_confirmed
	start_boot
	start_fill
	flush_to_disk "$dir"
	[ "$confirmed_id" = "$id" ] || fail 1 "another change was recorded as confirmed"
	printf 'digest=%s\n' "$digest"
}

# The change's copy is on the disk already, so the host's is a link to it. A file system may know no such links.
install_script() {
	case $script in
	same) return 0 ;;
	first) ln "$change/host.sh" "$dir/host.sh" 2>/dev/null && return 0 ;;
	esac
	cp "$change/host.sh" "$dir/host.sh.new" && flush_to_disk "$dir/host.sh.new" && mv -f "$dir/host.sh.new" "$dir/host.sh"
}

# A link can be made at once, but not be changed at once.
record_confirmed() {
	if [ -L "$dir/confirmed" ]; then
		ln -sfn "changes/$id/ruleset" "$dir/confirmed.new" && mv -f "$dir/confirmed.new" "$dir/confirmed"
	else
		ln -s "changes/$id/ruleset" "$dir/confirmed"
	fi
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
