# The policy's table in the kernel.

# What the table is, without what comes and goes in it: counters and the sources in its sets.
list_table() { nft -s -t list table inet "$table"; }
has_table() { nft -t list table inet "$table" >/dev/null 2>&1; }
# Deletes the table whether it is there or not.
print_clearing() { printf 'add table inet %s\ndelete table inet %s\n' "$table" "$table"; }

# With the sources in the sets, so that doors that are open now are open after an undo.
print_snapshot() {
	print_clearing || return 1
	! has_table || nft list table inet "$table"
}

# Puts back what was confirmed last, or nothing if nothing ever was. The kernel lists sets in the order in which they
# came, so that what it says of the same ruleset is noted anew.
load_confirmed() {
	if [ -L "$dir/confirmed" ]; then
		{ print_clearing && cat "$dir/confirmed"; } | nft -f - || return 1
		listing=$dir/changes/$(confirmed_id)/listing
		save "$listing.new" list_table && mv -f "$listing.new" "$listing"
		rm -f "$listing.new" # left where the disk is full, and then what is loaded is right all the same
	else
		print_clearing | nft -f -
	fi
}
