# Loads the confirmed ruleset at boot: the services for it, and their removal.

# Sets init: systemd, openrc, or other. With another init the administrator calls the command boot.
read_init() {
	if has_systemd; then
		init=systemd
	elif [ -d /run/openrc ] && command -v rc-update >/dev/null 2>&1; then
		init=openrc
	else
		init=other
	fi
}

install_boot() {
	read_init
	case $init in
	systemd) install_units ;;
	openrc) install_openrc ;;
	esac
}

# The first unit runs early: before any network is up (network-pre.target, systemd.special(7)), and before sshd, in case
# the network was up before systemd. It is reloaded with the services whose reload flushes the loaded rules, ours
# included. The second unit is for their starts and restarts: they want it, and unlike the first one it is not active
# already, so it runs. Where firewalld takes the place of nftables.service, the first unit was stopped with that, and
# systemd can't start it in the same transaction. So the second one starts it. The third unit is active while
# nftables.service is, so it runs before each start and each reload of that.
install_units() {
	write_unit "$boot_unit" <<UNIT &&
[Unit]
Description=Knockgate: load the confirmed ruleset of policy $policy
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target ssh.service sshd.service shutdown.target
After=local-fs.target ufw.service $flushing_units
PartOf=nftables.service
ReloadPropagatedFrom=$flushing_units
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $dir/host.sh boot $policy
ExecReload=/bin/sh $dir/host.sh boot $policy
ExecStop=-/bin/sh $dir/host.sh hold $policy

[Install]
WantedBy=sysinit.target
UNIT
		write_unit "$hold_unit" <<UNIT &&
[Unit]
Description=Knockgate: keep policy $policy's gate closed while nftables.service starts or reloads
DefaultDependencies=no
Before=nftables.service shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/bin/sh $dir/host.sh hold $policy
ExecReload=-/bin/sh $dir/host.sh hold $policy

[Install]
WantedBy=nftables.service
UNIT
		write_unit "$follow_unit" <<UNIT || return 1
[Unit]
Description=Knockgate: load policy $policy again after another service has flushed it
DefaultDependencies=no
Wants=$boot_unit
After=$boot_unit $followed_units
Before=shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh $dir/host.sh boot $policy
ExecStartPost=-systemctl --no-block start $boot_unit

[Install]
WantedBy=$followed_units
UNIT
	systemctl daemon-reload && systemctl --quiet enable "$boot_unit" "$follow_unit" "$hold_unit" 2>/dev/null &&
		flush_to_disk "$unit_dir/$boot_unit" "$unit_dir/sysinit.target.wants" "$unit_dir"
}

write_unit() {
	cat >"$unit_dir/$1.new" && chmod 0644 "$unit_dir/$1.new" && mv -f "$unit_dir/$1.new" "$unit_dir/$1"
}

# OpenRC has no service that follows another one's restart. So one script has two names, because a firewall's service
# may start in runlevel boot or default: the first one runs before the network, the second one after every flush at
# boot. Every dependency is "after" or "before": these only order services that exist, and require none (openrc-run(8)).
install_openrc() {
	cat >"$openrc_dir/$boot_service.new" <<SERVICE || return 1
#!/sbin/openrc-run
# Knockgate: loads the confirmed ruleset of policy $policy

description="Knockgate: load the confirmed ruleset of policy $policy"

depend() {
	after localmount mountall mountall.sh nftables iptables ip6tables firewall ufw awall
	before net networking sshd ssh dropbear
}

start() {
	ebegin "Loading the confirmed ruleset of policy $policy"
	/bin/sh $dir/host.sh boot $policy
	eend \$?
}

stop() {
	# At a shutdown the network has gone by now, and what is unspent is kept.
	[ "\$RC_GOINGDOWN" != YES ] || [ "\$RC_SVCNAME" != $boot_service ] || /bin/sh $dir/host.sh rest $policy
	return 0
}
SERVICE
	chmod 0755 "$openrc_dir/$boot_service.new" &&
		mv -f "$openrc_dir/$boot_service.new" "$openrc_dir/$boot_service" &&
		ln -sf "$boot_service" "$openrc_dir/$boot_service.late" &&
		add_to_runlevel "$boot_service" "$(early_runlevel)" &&
		add_to_runlevel "$boot_service.late" default &&
		flush_to_disk "$openrc_dir/$boot_service" "$openrc_dir" "$runlevels_dir/$(early_runlevel)"
}

# The runlevel in which the network is brought up. In Debian's OpenRC that is already sysinit.
early_runlevel() {
	if [ -e "$runlevels_dir/sysinit/networking" ]; then printf 'sysinit\n'; else printf 'boot\n'; fi
}

add_to_runlevel() { [ -e "$runlevels_dir/$2/$1" ] || rc-update --quiet add "$1" "$2" >&2; }

remove_boot() {
	remove_fill
	remove_units
	remove_openrc
}

remove_units() {
	[ -e "$unit_dir/$boot_unit" ] || [ -e "$unit_dir/$follow_unit" ] || return 0
	systemctl --quiet disable "$follow_unit" "$boot_unit" "$hold_unit" 2>/dev/null
	systemctl stop "$follow_unit" "$boot_unit" "$hold_unit" 2>/dev/null
	systemctl stop "$held_unit-*" 2>/dev/null
	rm -f "$unit_dir/$follow_unit" "$unit_dir/$boot_unit" "$unit_dir/$hold_unit"
	systemctl daemon-reload 2>/dev/null
	return 0
}

remove_openrc() {
	for service in "$boot_service" "$boot_service.late"; do
		[ -e "$openrc_dir/$service" ] || continue
		rc-service --quiet "$service" stop >/dev/null 2>&1 9<&-
		rc-update --quiet --all delete "$service" >/dev/null 2>&1
	done
	rm -f "$openrc_dir/$boot_service.late" "$openrc_dir/$boot_service"
}

# Makes the services active: systemd's follow the flushing units from now on, and OpenRC stops only what was started when
# the host goes down. Neither is waited for, because the boot service waits for our lock.
start_boot() {
	read_init
	case $init in
	systemd)
		systemctl --no-block start "$boot_unit" 2>/dev/null
		! systemctl --quiet is-active nftables.service || systemctl --no-block start "$hold_unit" 2>/dev/null
		;;
	openrc) setsid rc-service --quiet "$boot_service" start </dev/null >/dev/null 2>&1 9<&- & ;;
	esac
}

# The ledger stays, if it has anything in it: what is loaded later must not bring back what was spent.
remove_files() {
	remove_boot
	for staged_change in "$dir"/changes/*; do stop_staged_timer "$staged_change"; done
	for file in "$dir"/*; do
		[ "$file" = "$dir/ledger" ] || rm -rf "$file"
	done
	[ -s "$dir/ledger" ] || rm -rf "$dir"
	rmdir "$base" 2>/dev/null
	return 0
}
