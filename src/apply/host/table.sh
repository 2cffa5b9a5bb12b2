# What a policy is in the kernel, whichever backend keeps it there.

# nftables, iptables_filter or iptables_mangle; anything else is an older change, whose backend was nftables.
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
check_text() { "${backend}_check" "$1"; }
count_packets() { "${backend}_count"; }
load_text() { "${backend}_load" "$1"; }
clear_loaded() { "${backend}_clear"; }
# Whether it was us who loaded what is there, so that the doors that are open are doors that were knocked at.
is_own() { "${backend}_is_own"; }
# Sees to it that nobody but root may read who is knocking.
keep_private() { "${backend}_keep_private"; }

# Puts back what was confirmed last, or nothing if nothing ever was. The kernel lists sets in the order in which they
# came, so that what it says of the same ruleset is noted anew.
load_confirmed() {
	if [ -L "$dir/confirmed" ]; then
		use_backend_of "$dir/changes/$(confirmed_id)"
		"${backend}_replace" "$dir/confirmed" || return 1
		listing=$dir/changes/$(confirmed_id)/listing
		save "$listing.new" list_loaded && mv -f "$listing.new" "$listing"
		rm -f "$listing.new" # left where the disk is full, and then what is loaded is right all the same
	else
		clear_loaded
	fi
}
