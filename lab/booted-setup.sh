# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # shared with init.sh and accounts.sh
# Sourced by init.sh: makes the part of a machine that outlives its boots, its disk. Each boot is a container in here.
# usage: booted-setup.sh INIT ROOTFS SSH-PORT PUBLIC-KEY NETWORK-FILE        (INIT: see inits.ts)
init=$1
rootfs=$2
sshPort=$3
publicKey=$4
networkFile=$5

# systemd-nspawn keeps notes in /run. It looks for links in /sys, which must belong to this network and be read-only, so
# that no udev writes to it. It chooses the container's form of control groups by those that it finds here.
step="giving it its own /run and /sys"
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t sysfs -o ro sysfs /sys
step="mounting the control groups"
mount -t cgroup2 cgroup2 /sys/fs/cgroup

step="taking a control group"
exec 8</sys/fs/cgroup
flock 8 # otherwise another lab could take a new, still empty group for one that was left
for old in /sys/fs/cgroup/knockgate-*; do
	# Left by a killed lab. A group in use always holds processes.
	! grep -qx "populated 0" "$old/cgroup.events" 2>/dev/null || find "$old" -depth -type d -exec rmdir {} + ||
		[ ! -e "$old" ] # its owner has removed it meanwhile
done
group=$(mktemp -d /sys/fs/cgroup/knockgate-XXXXXX)
mkdir "$group/outer" "$group/boot"
echo 0 >"$group/outer/cgroup.procs"
exec 8<&-
leave() {
	echo 0 >/sys/fs/cgroup/cgroup.procs
	kill -KILL -1
	until grep -qx "populated 0" "$group/cgroup.events"; do sleep 0.02; done
	find "$group" -depth -type d -exec rmdir {} +
}

echo "$group/boot" >/run/group

step="making its disk"
mkdir /run/disk
mount -t tmpfs -o mode=0755 tmpfs /run/disk
root=/run/disk/root
mkdir "$root" /run/disk/upper /run/disk/work
mount -t overlay -o "lowerdir=$rootfs,upperdir=/run/disk/upper,workdir=/run/disk/work" overlay "$root"

# Without libpam-systemd PAM would add nothing.
if [ "$init" = systemd ]; then usePam=yes; else usePam=no; fi
# shellcheck source=/dev/null
. "${setup%/*}/accounts.sh"

step="preparing its boot"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
echo 'SSHD_OPTS="-E /var/log/sshd.log"' >"$root/etc/default/ssh"
if [ "$init" = systemd ]; then
	mkdir -p "$root/etc/systemd/network" "$root/etc/systemd/system.conf.d"
	printf '%s' "$networkFile" >"$root/etc/systemd/network/eth0.network"
	# A session that does not end at once must not delay a reboot by a minute and a half.
	printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/lab.conf"
	# A newer systemctl needs it.
	mount -t proc proc "$root/proc"
	chroot "$root" systemctl --quiet enable systemd-networkd.service
	for service in netfilter-persistent ufw firewalld fail2ban; do
		# Not each Debian has them.
		chroot "$root" systemctl --quiet disable "$service.service" 2>/dev/null || true
	done
	chroot "$root" systemctl --quiet mask console-getty.service getty.target apt-daily.timer \
		apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer systemd-networkd-wait-online.service
	umount "$root/proc"
else
	printf '%s' "$networkFile" >"$root/etc/network/interfaces"
	[ ! -e "$root/etc/inittab" ] || sed -i '/getty/d' "$root/etc/inittab"
fi
