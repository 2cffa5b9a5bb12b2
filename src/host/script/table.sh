# A policy in the kernel, for any backend.

# nftables, iptables_filter or iptables_mangle. Anything else is an older change, whose backend was nftables.
use_backend() {
	ipt_table=''
	case $1 in
	iptables_*)
		backend=iptables
		ipt_table=${1#iptables_}
		;;
	*) backend=nftables ;;
	esac
}

use_backend_of() {
	backend=''
	{ read -r backend <"$1/backend"; } 2>/dev/null
	use_backend "$backend"
}

list_loaded() { "${backend}_list"; }
name_tool() { "${backend}_tool" 2>/dev/null; }
relist() { "${backend}_relist" "$1"; }
check_text() { "${backend}_check" "$1"; }
count_packets() { "${backend}_count"; }
load_text() { "${backend}_load" "$1"; }
clear_loaded() { "${backend}_clear"; }
# Tells whether we have loaded the rules ourselves, so that all open doors were opened by knocks.
is_own() { "${backend}_is_own"; }
# Makes sure that only root may read who is knocking.
keep_private() { "${backend}_keep_private"; }

# Notes what is loaded, and the tool that lists it: another version has other words for the same rules.
note_loaded() {
	save "$1/listing.new" list_loaded && save "$1/tool.new" name_tool &&
		mv -f "$1/listing.new" "$1/listing" && mv -f "$1/tool.new" "$1/tool"
}

has_same_words() { name_tool | cmp -s - "$1/tool"; }

# Prints what the kernel should list for a change: as noted, or in the current tool's words.
print_noted() {
	if ! has_same_words "$1" && said=$(relist "$1/ruleset" 2>/dev/null); then
		printf '%s\n' "$said"
	else
		cat "$1/listing"
	fi
}

# Tells whether what is loaded equals what was noted of a change, in the words of either version.
is_as_noted() {
	list_loaded 2>/dev/null | cmp -s - "$1/listing" && return 0
	! has_same_words "$1" || return 1
	loaded=$(list_loaded 2>/dev/null) && wanted=$(relist "$1/ruleset" 2>/dev/null) &&
		[ "$(printf '%s\n' "$loaded" | "${backend}_order")" = "$(printf '%s\n' "$wanted" | "${backend}_order")" ]
}

# Writes a line into the host's log. A unit's errors are there already.
tell_log() {
	printf '%s\n' "$1" >&2
	has_systemd || logger -t knockgate "$1" 2>/dev/null
	return 0
}

# Restores the ruleset that was confirmed last, or nothing if none was. The kernel lists sets in the order in which they
# were made, so the listing of the same ruleset is noted anew.
load_confirmed() {
	if [ -L "$dir/confirmed" ]; then
		use_backend_of "$dir/changes/$(confirmed_id)"
		"${backend}_replace" "$dir/confirmed" || return 1
		noted=$dir/changes/$(confirmed_id)
		note_loaded "$noted"
		rm -f "$noted"/*.new # left if the disk is full; the loaded rules are right nevertheless
	else
		clear_loaded
	fi
}
