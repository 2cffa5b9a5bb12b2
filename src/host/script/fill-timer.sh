# What fills the sets of tokens from time to time: each hour, and when the clock was set.

install_fill() {
	if [ ! -f "$change/tokens" ]; then
		remove_fill
		return 0
	fi
	read_init
	case $init in
	systemd) install_fill_units ;;
	*) install_fill_cron ;;
	esac
}

# OnClockChange= came with systemd 242 (systemd.timer(5)).
install_fill_units() {
	write_unit "$fill_unit.service" <<UNIT &&
[Unit]
Description=Knockgate: fill the tokens of policy $policy
After=$boot_unit

[Service]
Type=oneshot
Nice=10
ExecStart=/bin/sh $dir/host.sh fill $policy
UNIT
		write_unit "$fill_unit.timer" <<UNIT || return 1
[Unit]
Description=Knockgate: fill the tokens of policy $policy each hour

[Timer]
OnCalendar=hourly
RandomizedDelaySec=300
Persistent=true
$([ "$(systemd_version)" -lt 242 ] || printf 'OnClockChange=true\n')

[Install]
WantedBy=timers.target
UNIT
	systemctl daemon-reload && systemctl --quiet enable "$fill_unit.timer" 2>/dev/null &&
		flush_to_disk "$unit_dir/$fill_unit.timer" "$unit_dir/timers.target.wants" "$unit_dir"
}

systemd_version() { systemctl --version 2>/dev/null | sed -n 's/^systemd \([0-9]*\).*/\1/p' | grep . || echo 0; }

# Tells whether what fills the sets is there and works. With another init and no cron, nothing can be missing.
is_fill_installed() {
	if [ ! -f "$1/tokens" ]; then
		return 0
	elif has_systemd; then
		# While the system boots, the timer may still wait for its turn.
		[ -e "$unit_dir/$fill_unit.service" ] && systemctl --quiet is-enabled "$fill_unit.timer" 2>/dev/null &&
			{ systemctl --quiet is-active "$fill_unit.timer" || [ -n "$(list_jobs "$fill_unit.timer")" ]; }
	elif [ -d "${fill_hourly%/*}" ]; then
		[ -x "$fill_hourly" ]
	else
		[ ! -d "${fill_crontab%/*}" ] || [ -f "$fill_crontab" ]
	fi
}

# Alpine's crond runs what is in /etc/periodic/hourly, others read /etc/cron.d (cron(8)). With neither, the administrator
# runs the command fill each hour.
install_fill_cron() {
	if [ -d "${fill_hourly%/*}" ]; then
		printf '#!/bin/sh\nexec /bin/sh %s/host.sh fill %s\n' "$dir" "$policy" >"$fill_hourly" && chmod 0755 "$fill_hourly"
	elif [ -d "${fill_crontab%/*}" ]; then
		printf '# Knockgate: fills the tokens of policy %s\n17 * * * * root /bin/sh %s/host.sh fill %s 2>/dev/null\n' \
			"$policy" "$dir" "$policy" >"$fill_crontab" && chmod 0644 "$fill_crontab"
	fi
}

start_fill() {
	[ -f "$change/tokens" ] && has_systemd || return 0
	systemctl --no-block start "$fill_unit.timer" 2>/dev/null
	return 0
}

remove_fill() {
	for file in "$fill_hourly" "$fill_crontab"; do [ ! -e "$file" ] || rm -f "$file"; done
	[ -e "$unit_dir/$fill_unit.timer" ] || return 0
	systemctl --quiet disable "$fill_unit.timer" 2>/dev/null
	systemctl stop "$fill_unit.timer" 2>/dev/null
	rm -f "$unit_dir/$fill_unit.timer" "$unit_dir/$fill_unit.service" "/var/lib/systemd/timers/stamp-$fill_unit.timer"
	systemctl daemon-reload 2>/dev/null
	return 0
}

# What the host's timer calls.
cmd_fill() {
	read_pending
	# A change that is armed has filled its own table.
	[ -z "$pending_id" ] || (settle_pending) 2>/dev/null || return 0
	[ -L "$dir/confirmed" ] || return 0
	read_confirmed
	use_backend_of "$confirmed_change"
	[ -f "$confirmed_change/tokens" ] && nftables_is_loaded || return 0
	if ! nftables_is_own; then
		# Somebody loaded a saved table, with the tokens that were unspent when it was saved.
		load_confirmed || give_up_fill "the confirmed ruleset could not be loaded"
	# The kernel may not have removed the last expired token yet, so that a set has no room.
	elif ! with_work top_up "$confirmed_change/tokens" 2>/dev/null && sleep 3 &&
		! with_work top_up "$confirmed_change/tokens"; then
		give_up_fill "they could not be made or loaded"
	fi
}

give_up_fill() {
	has_systemd || logger -t knockgate "policy $policy has no new tokens: $1" 2>/dev/null
	fail 1 "policy $policy has no new tokens: $1. Those that are loaded stay, and the next try is at the next fill."
}

# Adds the tokens of new slots. When the clock was set, each token gets the time that it has left by the new clock.
top_up() {
	live=yes taken='' staged='' text='' anew=no
	forget_rested
	go_on_spending # what a killed command has left
	note_opened "$1"
	read_unspent && prepare_tokens "$1" || exit 9
	if [ "${shift_seconds#-}" -gt 2 ]; then
		anew=yes
		stop_spending && read_unspent || exit 9
	fi
	nftables_print_filled >"$work/text" && add_to_ledger "$work/used" || exit 9
	nft -f "$work/text" 2>"$work/said" || refuse_filled $?
	note_filled
}
