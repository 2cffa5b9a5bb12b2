# The rulesets that a change replaces in addition to its own refill: the same policy on another backend, and the
# policies of other names in changes/ID/replaces, if they have the same owner. They are removed right after the new
# ruleset is loaded, so that for a moment both are loaded, and at no moment neither. changes/ID/former has a line for
# each, with policy and backend. changes/ID/undo.POLICY is what was loaded of it.

# Sets confirmed_backend, the backend of the policy's confirmed ruleset. It is empty if none is confirmed.
read_confirmed_backend() {
	read_confirmed
	confirmed_backend=''
	[ -n "$confirmed_id" ] || return 0
	read_line "$confirmed_change/backend"
	confirmed_backend=${first_line:-nftables}
}

note_former() {
	former=''
	read_confirmed_backend
	read_line "$change/backend"
	[ -z "$confirmed_backend" ] || [ "$confirmed_backend" = "$first_line" ] ||
		former=$policy\ $confirmed_backend$newline
	[ ! -f "$change/replaces" ] || while read -r name; do
		other=$(note_other "$name" </dev/null) || exit $?
		[ -z "$other" ] || former=$former$other$newline
	done <"$change/replaces"
	[ -z "$former" ] || printf '%s' "$former" >"$change/former" || fail 12 "cannot write $change/former: is the disk full?"
}

note_other() (
	read_line "$change/owner"
	owner=$first_line
	use_policy "$1"
	[ ! -d "$dir" ] || settle_pending
	read_confirmed
	read_line "$confirmed_change/owner"
	[ "$first_line" = "$owner" ] || exit 0
	read_confirmed_backend
	printf '%s %s\n' "$policy" "$confirmed_backend"
)

# Calls a function for each of them, and stops at the first failure.
for_former() {
	replacing=$1 act=$2
	[ -f "$replacing/former" ] || return 0
	while read -r name kept_by; do
		(use_policy "$name" && use_backend "$kept_by" && "$act" </dev/null) || return 1
	done <"$replacing/former"
}

save_former() { save_snapshot "$replacing/undo.$policy"; }
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
