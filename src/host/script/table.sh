# A policy in the kernel, for any backend.

# nftables, iptables_filter or iptables_mangle. Anything else is an older change, whose backend was nftables.
use_backend() {
	ipt_table='' lister='' just_listed=''
	case $1 in
	iptables_*)
		backend=iptables
		ipt_table=${1#iptables_}
		;;
	*) backend=nftables ;;
	esac
}

use_backend_of() {
	read_line "$1/backend"
	use_backend "$first_line"
}

# Sets loaded, what the kernel lists of the policy.
read_loaded() { "${backend}_list"; }
# Sets lister, the tool that lists it, with its version.
read_lister() {
	[ -n "$lister" ] || "${backend}_read_lister" 2>/dev/null
}
relist() { "${backend}_relist" "$1"; }
check_text() { "${backend}_check" "$1"; }
# Sets counts, the packets that each gate accepted and dropped, as the kernel's tool prints them.
read_counts() { "${backend}_read_counts"; }
# Writes what is loaded, as a text that loads it again. nft itself does not notice that a disk is full.
save_snapshot() { "${backend}_read_snapshot" && printf '%s\n' "$snapshot" >"$1"; }
load_text() { "${backend}_load" "$1"; }
clear_loaded() { "${backend}_clear"; }
# Notes that we have loaded the rules ourselves, so that all open doors were opened by knocks.
claim_loaded() { "${backend}_claim"; }
# Tells whether we have.
is_own() { "${backend}_is_own"; }
# Makes sure that only root may read who is knocking.
keep_private() { "${backend}_keep_private"; }

# Notes what is loaded, and the tool that lists it: another version has other words for the same rules. just_listed is what
# the kernel listed when the load was done, if a backend has that.
note_loaded() {
	loaded=$just_listed just_listed=''
	[ -n "$loaded" ] || read_loaded || return 1
	read_lister || return 1
	if [ -e "$1/listing" ]; then
		printf '%s\n' "$loaded" >"$1/listing.new" && printf '%s\n' "$lister" >"$1/tool.new" &&
			mv -f "$1/listing.new" "$1/listing" && mv -f "$1/tool.new" "$1/tool"
	else
		printf '%s\n' "$loaded" >"$1/listing" && printf '%s\n' "$lister" >"$1/tool"
	fi
}

has_same_words() {
	read_lister
	read_line "$1/tool"
	[ "$lister" = "$first_line" ]
}

# Prints the ruleset of a change, and what the kernel should list for it: as noted, or in the current tool's words.
print_noted() {
	if ! has_same_words "$1" && said=$(relist "$1/ruleset" 2>/dev/null); then
		print_section ruleset <"$1/ruleset"
		print_text baseline "$said"
	elif [ -n "$section_end" ]; then
		printf '== ruleset %s\n' "$section_end"
		cat "$1/ruleset" - "$1/listing" <<BETWEEN
$section_end
== baseline $section_end
BETWEEN
		printf '%s\n' "$section_end"
	else
		print_section ruleset <"$1/ruleset"
		print_section baseline <"$1/listing"
	fi
}

# Tells whether what is loaded equals what was noted of a change, in the words of either version.
is_as_noted() {
	read_loaded 2>/dev/null || return 1
	[ "$loaded" != "$(cat "$1/listing")" ] || return 0
	! has_same_words "$1" || return 1
	wanted=$(relist "$1/ruleset" 2>/dev/null) &&
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
	read_confirmed
	if [ -n "$confirmed_id" ]; then
		noted=$confirmed_change
		use_backend_of "$noted"
		"${backend}_replace" "$dir/confirmed" || return 1
		note_loaded "$noted"
		rm -f "$noted"/*.new # left if the disk is full; the loaded rules are right nevertheless
	else
		clear_loaded
	fi
}
