#!/bin/sh
# Stands in for systemctl and systemd-run on a host without systemd: a timer is a process, an enabled unit a file. As
# with the real systemctl, to stop only the timer does not end the service that it has started.
state=/run/systemd/stub
units=/etc/systemd/system
mkdir -p "$state"

run_later() {
	while :; do
		case $1 in
		--unit=*) unit=${1#*=} ;;
		--on-active=*) seconds=${1#*=} ;;
		--*) ;;
		*) break ;;
		esac
		shift
	done
	[ ! -e "$state/refuses-timers" ] || return 1
	# shellcheck disable=SC2016 # its own words, not ours
	setsid sh -c 'sleep "$1"; rm "$2"; shift 2; "$@"' - "$seconds" "$state/$unit.timer" "$@" >/dev/null 2>&1 </dev/null &
	echo $! >"$state/$unit.timer"
}

stop() {
	for unit; do
		[ ! -e "$state/$unit" ] || kill -- "-$(cat "$state/$unit")"
		rm -f "$state/$unit"
	done
}

control() {
	while :; do
		case $1 in
		--*) shift ;;
		*) break ;;
		esac
	done
	command=$1
	shift
	case $command in
	is-active) [ -e "$state/$1" ] && kill -0 "$(cat "$state/$1")" ;;
	stop) stop "$@" ;;
	enable)
		[ ! -e "$state/refuses-units" ] || return 1
		for unit; do [ -f "$units/$unit" ] && : >"$state/enabled-$unit"; done
		;;
	is-enabled) [ -e "$state/enabled-$1" ] && [ -f "$units/$1" ] ;;
	disable) for unit; do rm -f "$state/enabled-$unit"; done ;;
	start)
		# shellcheck disable=SC2046 # words, as systemd splits them
		setsid $(sed -n 's/^ExecStart=//p' "$units/$1") >/dev/null 2>&1 </dev/null &
		;;
	daemon-reload | reset-failed) ;;
	*) exit 1 ;;
	esac
}

case ${0##*/} in
systemd-run) run_later "$@" ;;
systemctl) control "$@" ;;
esac
