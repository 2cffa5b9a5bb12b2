# What a policy is in the kernel for the backend nftables: one table.

# Without what comes and goes in it: counters and the sources in its sets.
nftables_list() { nft -s -t list table inet "$table"; }

nftables_is_loaded() { nft -t list table inet "$table" >/dev/null 2>&1; }

nftables_describe() { nft -j -t list table inet "$table"; }

# The policy's own counters.
nftables_count() { nft -j list counters table inet "$table"; }

nftables_check() { nft -c -f "$1"; }

nftables_load() { nft -f "$1" && nftables_claim; }

# Deletes the table whether it is there or not.
nftables_print_clearing() { printf 'add table inet %s\ndelete table inet %s\n' "$table" "$table"; }

nftables_clear() { nftables_print_clearing | nft -f -; }

nftables_replace() { { nftables_print_clearing && cat "$1"; } | nft -f - && nftables_claim; }

# With the sources in the sets, so that doors that are open now are open after an undo.
nftables_snapshot() {
	nftables_print_clearing || return 1
	nft list table inet "$table" 2>/dev/null || ! nftables_is_loaded
}

nftables_check_snapshot() { nft -c -f "$1"; }

nftables_restore() { nft -f "$1" && nftables_claim; }

# Tells this very table from one that somebody else loads, which looks the same and brings the doors that were open when
# it was saved. The kernel numbers tables anew with each boot, or with each container, whose first process is another.
nftables_identify() {
	read_boot_id && read -r first </proc/1/stat || return 1
	number=$(nft -a -t list table inet "$table" 2>/dev/null | sed -n 's/^table .* # handle \([0-9]*\).*/\1/p')
	[ -n "$number" ] && printf '%s %s %s\n' "$boot_id" "$(printf '%s\n' "${first##*) }" | cut -d ' ' -f 20)" "$number"
}

# Where the disk is full no note is left, and the next boot command loads the table anew.
nftables_claim() {
	rm -f "$dir/loaded"
	save "$dir/loaded" nftables_identify 2>/dev/null || rm -f "$dir/loaded"
}

nftables_is_own() { [ -f "$dir/loaded" ] && [ "$(nftables_identify)" = "$(cat "$dir/loaded")" ]; }

# Only root may read a table.
nftables_keep_private() { :; }
