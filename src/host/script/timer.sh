# The host's own timer: it undoes a change without us, and is not a child of our session.

# Starts the host's own timer and prints its kind: a systemd timer if possible, otherwise a process. Leaves no timer that
# nobody knows.
start_timer() {
	if has_systemd && start_systemd_timer "$1" >&2; then pending_timer=systemd; else start_process_timer; fi
	[ -n "$pending_timer" ] || return 1
	printf '%s\n' "$pending_timer" && return 0
	pending_id=$id
	stop_timer
	return 1
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

# Waits for its time, and then becomes the host script. Until then it need not read that. It prints its pid when it waits,
# and then closes its output. It sleeps in pieces: if something ends a sleep early, the wait goes on.
# shellcheck disable=SC2016 # for the shell in there; a line, because stop_timer reads it as one
waiting='trap "" HUP; echo $$; exec >/dev/null; while read -r up _ </proc/uptime && left=$(($4 - ${up%%.*})) && [ "$left" -gt 0 ]; do sleep "$left"; done; exec /bin/sh "$1" expire "$2" "$3"'

start_process_timer() {
	leave_control_groups
	pid=$(setsid /bin/sh -c "$waiting" sh "$change/host.sh" "$policy" "$id" "$deadline" </dev/null 2>/dev/null 9<&- &)
	pending_timer=${pid:+process $pid}
}

# The end of a session can kill all processes in its control group (KillUserProcesses in logind.conf(5), cgroup.kill in
# cgroups(7)). This shell leaves that group, so a process that it then starts was never in it. 0 stands for the writing
# process. With version 2 the root of a container may hold no processes, but its first process has a group that may.
leave_control_groups() {
	groups=/sys/fs/cgroup
	is_in_control_group || return 0
	if [ -e "$groups/cgroup.procs" ]; then
		join_group "$groups" || join_group "$groups/init.scope"
	else
		for hierarchy in "$groups"/*; do join_group "$hierarchy"; done
	fi
	return 0
}

# To join a group that one is in would make the kernel wait for all its processors.
is_in_control_group() {
	while IFS=: read -r _ _ path; do
		[ "$path" = / ] || return 0
	done </proc/self/cgroup
	return 1
} 2>/dev/null

join_group() { { echo 0 >"$1/cgroup.procs"; } 2>/dev/null; }

stop_timer() {
	case $pending_timer in
	systemd)
		# When this command runs in the timer's own service, stopping that service would end this command.
		systemctl stop "$undo_unit.timer" 2>/dev/null
		;;
	'process '*)
		pid=${pending_timer#process }
		# When its time is over, the timer runs this very command. Its pid may belong to another process by now.
		[ "$pid" != $$ ] || return 0
		words=''
		# The shell leaves the zeros out.
		{ read -r words <"/proc/$pid/cmdline"; } 2>/dev/null
		case $words in *"$pending_id"*) kill -- "-$pid" 2>/dev/null ;; esac
		;;
	esac
	return 0
}
