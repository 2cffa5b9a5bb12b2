# The host's own timer: it undoes a change without us, and is no child of our session.

# Starts the host's own timer, no child of this session, and prints what it is.
start_timer() {
	if has_systemd; then
		systemctl stop "$undo_unit.timer" "$undo_unit.service" 2>/dev/null
		systemctl reset-failed "$undo_unit.service" 2>/dev/null
		systemd-run --quiet --collect --unit="$undo_unit" --on-active="$1" --timer-property=AccuracySec=200ms \
			--property=Restart=on-failure --property=RestartSec=5 \
			/bin/sh "$change/host.sh" undo "$policy" "$id" "not confirmed in time" >&2 9<&- &&
			systemctl --quiet is-active "$undo_unit.timer" && printf 'systemd\n'
	else
		setsid /bin/sh "$change/host.sh" wait "$policy" "$id" "$1" </dev/null >/dev/null 2>&1 9<&- &
		kill -0 $! 2>/dev/null && printf 'process %s\n' $!
	fi
}

stop_timer() {
	case $pending_timer in
	systemd)
		# From inside the timer's own service, stopping the service would end this very command.
		systemctl stop "$undo_unit.timer" 2>/dev/null
		;;
	'process '*)
		pid=${pending_timer#process }
		# The timer runs this very command when its time is over; and its number may be somebody else's by now.
		if [ "$pid" != $$ ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$pending_id"; then
			kill -- "-$pid" 2>/dev/null
		fi
		;;
	esac
	return 0
}
