# What a policy is in the kernel for the backend nftables: one table.

# Without what comes and goes in it: counters and the sources in its sets.
nftables_list() { nft -s -t list table inet "$table"; }

nftables_is_loaded() { nft -t list table inet "$table" >/dev/null 2>&1; }

nftables_describe() { nft -j -t list table inet "$table"; }

# The policy's own counters.
nftables_count() { nft -j list counters table inet "$table"; }

# For how long a source stays in a set.
nftables_find() {
	nft get element inet "$table" "$1" "{ $2 }" | sed -n 's/.* expires \([0-9a-z]*\).*/\1/p'
}

nftables_check() { nft -c -f "$1"; }

nftables_load() { nft -f "$1"; }

# Deletes the table whether it is there or not.
nftables_print_clearing() { printf 'add table inet %s\ndelete table inet %s\n' "$table" "$table"; }

nftables_clear() { nftables_print_clearing | nft -f -; }

nftables_replace() { { nftables_print_clearing && cat "$1"; } | nft -f -; }

# With the sources in the sets, so that doors that are open now are open after an undo.
nftables_snapshot() {
	nftables_print_clearing || return 1
	nft list table inet "$table" 2>/dev/null || ! nftables_is_loaded
}

nftables_check_snapshot() { nft -c -f "$1"; }

nftables_restore() { nft -f "$1"; }
