# The change that is armed and not yet confirmed, and how an unfinished one ends.

# Sets pending_id (empty: none), pending_boot, pending_deadline, pending_timer.
read_pending() {
	pending_id='' pending_boot='' pending_deadline=0 pending_timer=''
	[ -f "$dir/pending" ] || return 0
	while IFS='=' read -r key value; do
		case $key in
		id) pending_id=$value ;;
		boot) pending_boot=$value ;;
		deadline) pending_deadline=$value ;;
		timer) pending_timer=$value ;;
		esac
	done <"$dir/pending"
}

write_pending() {
	printf 'id=%s\nboot=%s\ndeadline=%s\ntimer=%s\n' "$1" "$2" "$3" "$4" >"$dir/pending.new" &&
		flush_to_disk "$dir/pending.new" && mv -f "$dir/pending.new" "$dir/pending"
}

# Sets confirmed_id (empty: nothing is confirmed) and confirmed_change, its folder.
read_confirmed() {
	confirmed_id=''
	if [ -L "$dir/confirmed" ]; then
		for confirmed_change in "$dir"/changes/*; do
			# shellcheck disable=SC3013 # a sh without it goes on to readlink
			if [ "$dir/confirmed" -ef "$confirmed_change/ruleset" ] 2>/dev/null; then
				confirmed_id=${confirmed_change##*/}
				return 0
			fi
		done
		confirmed_id=$(readlink "$dir/confirmed") || confirmed_id=''
		confirmed_id=${confirmed_id#changes/}
		confirmed_id=${confirmed_id%/ruleset}
	fi
	confirmed_change=$dir/changes/$confirmed_id
}

# Does the same before other changes are removed. A host without memory for readlink must not lose the confirmed one.
require_confirmed() {
	read_confirmed
	[ -n "$confirmed_id" ] || [ ! -L "$dir/confirmed" ] || fail 1 "cannot read $dir/confirmed"
}

# Ends an unfinished earlier change: after a reboot nothing of it is loaded, and after its deadline its timer has died.
settle_pending() {
	read_pending
	[ -n "$pending_id" ] || return 0
	read_confirmed
	read_uptime
	if [ "$pending_id" = "$confirmed_id" ]; then
		finish_confirmed
	elif read_boot_id && [ "$pending_boot" != "$boot_id" ]; then
		note_undone "$pending_id" "the host was rebooted before it was confirmed"
		clear_pending
	elif [ "$uptime" -gt $((pending_deadline + 5)) ]; then
		undo_pending "its time was over and its timer had not run"
	else
		left=$((pending_deadline - uptime))
		fail 11 "another change of policy $policy is pending; the host undoes it in at most $((left + 6)) seconds"
	fi
}

clear_pending() {
	stop_timer
	rm -f "$dir/pending"
}

# Removes what the confirmed change leaves behind. A confirm that was interrupted may have left the former gates' files,
# too.
finish_confirmed() {
	require_confirmed
	for_former "$confirmed_change" forget_former >/dev/null 2>&1
	stop_timer
	set -- "$dir"/*.new "$dir/undone"
	for other in "$dir"/changes/*; do
		[ "$other" = "$confirmed_change" ] || set -- "$@" "$other"
	done
	for other in load undo staged taken replaces former timer deadline digest prepared; do set -- "$@" "$confirmed_change/$other"; done
	# In this order: as long as the change is noted as pending, what is left of the others is removed again.
	rm -rf "$@" "$confirmed_change"/undo.* "$dir/pending"
}

note_undone() {
	printf 'id=%s\nwhy=%s\n' "$1" "$2" >"$dir/undone.new" && mv -f "$dir/undone.new" "$dir/undone"
	rm -f "$dir/undone.new" # left if the disk is full
}

# Restores what was loaded when the pending change was armed. First restores what the change had removed.
undo_pending() {
	pending_change=$dir/changes/$pending_id
	if ! for_former "$pending_change" restore_former >/dev/null 2>&1; then
		fail 14 "could not undo change $pending_id: neither the snapshot of what it replaced nor the confirmed ruleset loads"
	fi
	use_backend_of "$pending_change"
	if ! "${backend}_restore" "$pending_change/undo" >/dev/null 2>&1; then
		undo_by_confirmed >/dev/null 2>&1 || fail 14 "could not undo change $pending_id: neither its snapshot nor the confirmed ruleset loads"
	fi
	note_undone "$pending_id" "$1"
	clear_pending
	rm -rf "$pending_change"
	[ -L "$dir/confirmed" ] || remove_files
}

# If the confirmed ruleset belongs to another backend, it is already restored.
undo_by_confirmed() {
	read_confirmed_backend
	read_line "$pending_change/backend"
	case $confirmed_backend in
	'' | "${first_line:-nftables}") load_confirmed ;;
	*) clear_loaded ;;
	esac
}
