# Keeps unspent tokens over an orderly end of the loaded table: a shutdown, and a service that is about to flush it. First
# nothing can spend them any more. $dir/rested is good for one load, and is gone before anything can spend them again.

# What an init other than systemd calls when the host goes down.
cmd_rest() {
	[ -L "$dir/confirmed" ] || return 0
	read_confirmed
	use_backend_of "$confirmed_change"
	[ "$backend" != nftables ] || ! nftables_is_loaded || rest_tokens
}

rest_tokens() {
	[ -f "$dir/filled" ] || return 0
	exec 9</var/lib || return 0
	# A change that works has the lock, and then these tokens are lost.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if flock -n 9; then
			! nftables_is_own || with_work put_to_rest 2>/dev/null
			break
		fi
		sleep 0.1
	done
	exec 9<&-
}

put_to_rest() {
	live=yes taken='' keep=$dir/rested
	: >"$work/filled" && stop_spending && read_unspent || exit 1
	keep_unspent
	flush_to_disk "$dir"/rested/* "$dir/rested" "$dir"
	stopped='' # on purpose: the next load ends it
}

# Moves the rested tokens to where a load takes them from.
wake_tokens() {
	[ -d "$dir/rested" ] || return 0
	mv "$dir/rested" "$work/rested" && taken=$work/rested
	forget_rested
}

forget_rested() {
	[ -d "$dir/rested" ] || return 0
	rm -rf "$dir/rested"
	flush_to_disk "$dir"
}
