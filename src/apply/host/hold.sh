# A second gate that stands while nftables.service has taken ours away and we have not loaded it again: the same rules in
# a table that belongs to a process (nft(8), "owner"), so that nobody else's flush reaches it, and that ends with it. A
# restart stops the boot unit, which comes after that service, before the service flushes; a reload first reloads the
# hold unit. Where nft or the kernel knows no such tables, nothing is held.

# If the gate does not come back, the host ends as it would without us.
hold_seconds=10

cmd_hold() {
	[ -L "$dir/confirmed" ] || return 0
	use_backend_of "$dir/changes/$(confirmed_id)"
	[ "$backend" = nftables ] || return 0
	# Who stops a firewall wants it off, and a shutdown needs none.
	case $(list_nftables_jobs) in *restart* | *reload*) ;; *) return 0 ;; esac
	# Numbered, because one that is just ending may still have the name.
	held=${table}_held_$$
	sed "s/^table inet $table {/table inet $held {\n\tflags owner;/" "$dir/confirmed" >"$dir/held" || return 0
	systemd-run --quiet --collect --unit="$held_unit-$$" --property=StandardOutput=null --property=StandardError=null \
		/bin/sh -c "{ echo 'include \"$dir/held\"'; sleep $hold_seconds; } | nft -i" || return 0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		nft -t list table inet "$held" >/dev/null 2>&1 && return 0
		systemctl --quiet is-active "$held_unit-$$" || return 0
		sleep 0.02
	done
}

list_nftables_jobs() { systemctl list-jobs --no-legend nftables.service 2>/dev/null; }

# Once the gate itself is there again, unless that service is about to take it away once more.
release_held() {
	[ -e "$dir/held" ] || return 0
	case $(list_nftables_jobs) in *nftables.service*) return 0 ;; esac
	rm -f "$dir/held"
	systemctl --no-block stop "$held_unit-*" 2>/dev/null
	return 0
}
