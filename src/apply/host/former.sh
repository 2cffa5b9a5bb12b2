# What a change takes the place of besides what it refills: the same policy that another backend keeps, and policies of
# other names that it names in changes/ID/replaces, where their owner is the same. They go right after the new ruleset is
# loaded, so that both stand for a moment and at no moment neither. changes/ID/former has a line for each, the policy and
# its backend; changes/ID/undo.POLICY is what was loaded of it.

# What keeps what a policy has confirmed; nothing where it has confirmed nothing.
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

# Does something for each of them, and stops where it fails.
for_former() {
	replacing=$1 act=$2
	[ -f "$replacing/former" ] || return 0
	while read -r name kept_by; do
		(use_policy "$name" && use_backend "$kept_by" && "$act" </dev/null) || return 1
	done <"$replacing/former"
}

save_former() { save "$replacing/undo.$policy" "${backend}_snapshot"; }
check_former() { "${backend}_check_snapshot" "$replacing/undo.$policy"; }
restore_former() { "${backend}_restore" "$replacing/undo.$policy" || load_confirmed; }

# What has another name leaves no files, or the next boot would load it.
forget_former() {
	clear_loaded
	[ "${replacing#"$dir/"}" != "$replacing" ] || remove_files
}
