# A second gate that holds while nftables.service has flushed ours and we have not loaded it again: the same rules in a
# table that belongs to a process (nft(8), "owner"). No other process's flush reaches that table, and it ends with its
# process. At a restart systemd stops the boot unit, which is ordered after that service, before the service flushes. At
# a start and a reload it first starts or reloads the hold unit. Without support for such tables in nft or the kernel,
# nothing is held.

# If the gate does not come back in this time, the host ends as it would without us.
hold_seconds=10

cmd_hold() {
	[ -L "$dir/confirmed" ] || return 0
	read_confirmed
	use_backend_of "$confirmed_change"
	# At boot there is no gate yet, and no network.
	[ "$backend" = nftables ] && nftables_is_loaded || return 0
	[ -z "$(list_jobs nftables.service)$(list_jobs firewalld.service)$(list_jobs shutdown.target)" ] || rest_tokens
	# An administrator who stops a firewall wants it off, and a shutdown needs no gate. But a start of firewalld stops
	# nftables.service, too, and the gate comes back after it.
	case $(list_jobs nftables.service)$(list_jobs firewalld.service) in *start* | *reload*) ;; *) return 0 ;; esac
	# Numbered, because a held table that is about to end may still have the name.
	held=${table}_held_$$
	sed "s/^table inet $table {/table inet $held {\n\tflags owner;/" "$dir/confirmed" >"$dir/held.$$" || return 0
	systemd-run --quiet --collect --unit="$held_unit-$$" --property=StandardOutput=null --property=StandardError=null \
		/bin/sh -c "{ echo 'include \"$dir/held.$$\"'; sleep $hold_seconds; } | nft -i" || return 0
	# A busy host needs more than a second for it. A host without support waits in vain.
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
		nft -t list table inet "$held" >/dev/null 2>&1 && return 0
		systemctl --quiet is-active "$held_unit-$$" || return 0
		sleep 0.02
	done
}

list_jobs() { systemctl list-jobs --no-legend "$1" 2>/dev/null; }

# Ends the held gates when the real one is back, unless the service is about to flush again. It may begin to do so just
# now: what is held after the question stays.
release_held() {
	numbers=''
	for file in "$dir"/held.*; do
		[ ! -e "$file" ] || numbers="$numbers ${file##*.}"
	done
	[ -n "$numbers" ] || return 0
	case $(list_jobs nftables.service) in *nftables.service*) return 0 ;; esac
	for number in $numbers; do
		rm -f "$dir/held.$number"
		systemctl --no-block stop "$held_unit-$number" 2>/dev/null
	done
	return 0
}
