# The rulesets that a change replaces in addition to its own refill: the same policy on another backend, and the
# policies of other names in changes/ID/replaces, if they have the same owner. They are removed right after the new
# ruleset is loaded, so that for a moment both are loaded, and at no moment neither. changes/ID/former has a line for
# each, with policy and backend. changes/ID/undo.POLICY is what was loaded of it.

# Prints the backend of the policy's confirmed ruleset; nothing if none is confirmed.
confirmed_backend() {
	[ -L "$dir/confirmed" ] || return 0
	cat "$dir/changes/$(confirmed_id)/backend" 2>/dev/null || printf 'nftables\n'
}

note_former() {
	{
		kept_by=$(confirmed_backend)
		[ -z "$kept_by" ] || [ "$kept_by" = "$(cat "$change/backend")" ] || printf '%s %s\n' "$policy" "$kept_by"
		[ ! -f "$change/replaces" ] || while read -r name; do
			note_other "$name" </dev/null || return $?
		done <"$change/replaces"
	} >"$change/former"
	[ -s "$change/former" ] || rm -f "$change/former"
}

note_other() (
	use_policy "$1"
	[ ! -d "$dir" ] || settle_pending
	[ "$(cat "$dir/changes/$(confirmed_id)/owner" 2>/dev/null)" = "$(cat "$change/owner")" ] || exit 0
	printf '%s %s\n' "$policy" "$(confirmed_backend)"
)

# Calls a function for each of them, and stops at the first failure.
for_former() {
	replacing=$1 act=$2
	[ -f "$replacing/former" ] || return 0
	while read -r name kept_by; do
		(use_policy "$name" && use_backend "$kept_by" && "$act" </dev/null) || return 1
	done <"$replacing/former"
}

save_former() { save "$replacing/undo.$policy" "${backend}_snapshot"; }
check_former() { "${backend}_check_snapshot" "$replacing/undo.$policy"; }
# Unspent tokens go into changes/ID/undo.POLICY.taken, and come back with an undo.
clear_former() {
	if [ "$backend" = nftables ] && [ -f "$dir/filled" ]; then
		with_work clear_filled "$replacing/undo.$policy.taken" && return 0
	fi
	clear_loaded
}

restore_former() { "${backend}_restore" "$replacing/undo.$policy" || load_confirmed; }

# Under another name no files may stay, or the next boot would load that policy.
forget_former() {
	clear_loaded
	[ "${replacing#"$dir/"}" != "$replacing" ] || remove_files
}
