# The host's own timer: it undoes a change without us, and is no child of our session.

# Starts the host's own timer and prints what it is: one of systemd where that can be had, else a process.
start_timer() {
	if has_systemd && start_systemd_timer "$1" >&2; then
		printf 'systemd\n'
	else
		start_process_timer "$1"
	fi
}

start_systemd_timer() {
	systemctl stop "$undo_unit.timer" "$undo_unit.service" 2>/dev/null
	systemctl reset-failed "$undo_unit.service" 2>/dev/null
	if systemd-run --quiet --collect --unit="$undo_unit" --on-active="$1" --timer-property=AccuracySec=200ms \
		--property=Restart=on-failure --property=RestartSec=5 \
		/bin/sh "$change/host.sh" undo "$policy" "$id" "not confirmed in time" 9<&- &&
		systemctl --quiet is-active "$undo_unit.timer"; then
		return 0
	fi
	systemctl stop "$undo_unit.timer" 2>/dev/null
	return 1
}

start_process_timer() {
	leave_control_groups
	# It says its number when it waits, and then lets go of what it says it to.
	pid=$(setsid /bin/sh "$change/host.sh" wait "$policy" "$id" "$1" </dev/null 2>/dev/null 9<&- &)
	[ -n "$pid" ] && printf 'process %s\n' "$pid"
}

# The end of a session can kill all that is in its control group (KillUserProcesses in logind.conf(5), cgroup.kill in
# cgroups(7)). This shell leaves it, so that whatever it starts then was never in there. 0: whoever writes it. With
# version 2 the root of a container may hold no processes; its first process has a group that does.
leave_control_groups() {
	groups=/sys/fs/cgroup
	if [ -e "$groups/cgroup.procs" ]; then
		join_group "$groups" || join_group "$groups/init.scope"
	else
		for hierarchy in "$groups"/*; do join_group "$hierarchy"; done
	fi
	return 0
}

join_group() { { echo 0 >"$1/cgroup.procs"; } 2>/dev/null; }

# Sleeps in pieces: whatever ends a sleep early does not end the wait.
wait_until_undo() {
	trap '' HUP
	printf '%s\n' $$
	exec >/dev/null
	deadline=$(($(uptime_seconds) + $1))
	while left=$((deadline - $(uptime_seconds))) && [ "$left" -gt 0 ]; do sleep "$left"; done
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
		[ "$pid" = $$ ] || case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
		*"$pending_id"*) kill -- "-$pid" 2>/dev/null ;;
		esac
		;;
	esac
	return 0
}
