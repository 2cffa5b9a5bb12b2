# What loads the confirmed ruleset at boot, and takes it away.

# The unit also follows nftables.service, whose usual configuration begins by flushing all tables, ours among them.
install_boot() {
	has_systemd || return 0
	cat >"$unit_dir/$boot_unit.new" <<UNIT || return 1
[Unit]
Description=Knockgate: load the confirmed ruleset of policy $policy
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=local-fs.target nftables.service netfilter-persistent.service ufw.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $dir/host.sh boot $policy
ExecReload=/bin/sh $dir/host.sh boot $policy

[Install]
WantedBy=sysinit.target nftables.service
UNIT
	chmod 0644 "$unit_dir/$boot_unit.new" &&
		mv -f "$unit_dir/$boot_unit.new" "$unit_dir/$boot_unit" &&
		systemctl daemon-reload && systemctl --quiet enable "$boot_unit" 2>/dev/null
}

remove_boot() {
	[ -e "$unit_dir/$boot_unit" ] || return 0
	systemctl --quiet disable "$boot_unit" 2>/dev/null
	systemctl stop "$boot_unit" 2>/dev/null
	rm -f "$unit_dir/$boot_unit"
	systemctl daemon-reload 2>/dev/null
	return 0
}

# So that the unit is active, and follows nftables.service from now on. It waits for our lock, so we can't for it.
start_boot() {
	has_systemd || return 0
	systemctl --no-block start "$boot_unit" 2>/dev/null
}

remove_files() {
	remove_boot
	rm -rf "$dir"
	rmdir "$base" 2>/dev/null
	return 0
}
