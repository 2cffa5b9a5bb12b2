# xt_recent's lists of a policy: who has knocked, and how far.

# Prints when a list of xt_recent last saw a source, in the kernel's own ticks.
iptables_find() { sed -n "s/^src=$2 .* last_seen: \([0-9]*\) .*/\1/p" "/proc/net/xt_recent/$1"; }

change_lists() {
	sed -n 's/^#forget //p' "$1" | while read -r list; do
		[ ! -e "/proc/net/xt_recent/$list" ] || echo / >"/proc/net/xt_recent/$list"
	done
	sed -n 's/^#close //p' "$1" | while read -r list address; do
		[ ! -e "/proc/net/xt_recent/$list" ] || echo "-$address" >"/proc/net/xt_recent/$list"
	done
}

# A reader of a list learns who has knocked, and how far: together with packets from forged sources that is enough to
# find a knock. The kernel gives each file in /proc the mode with which the module was loaded, by default one that all
# users may read. The mode can be changed, but a list that is made anew has the first mode again.
iptables_keep_private() {
	readable=$(print_readable '')
	# shellcheck disable=SC2086 # words
	[ -z "$readable" ] || chmod 0600 $readable
}

load_private_recent() { [ -d /sys/module/xt_recent ] || modprobe -q xt_recent ip_list_perms=0600 2>/dev/null; }

# Prints the policy's lists that users other than root may read, each behind a prefix.
print_readable() {
	prefix=$1
	set --
	for list in /proc/net/xt_recent/kg_"$policy"_* /proc/net/ipt_hashlimit/kg_"$policy"_* /proc/net/ip6t_hashlimit/kg_"$policy"_*; do
		[ ! -e "$list" ] || set -- "$@" "$list"
	done
	[ $# -gt 0 ] || return 0
	# shellcheck disable=SC2012 # the names are ours
	ls -ln "$@" 2>/dev/null | sed -n -e '/^-r[w-]-------/d' -e "s,^-.* \\(/proc/.*\\)\$,$prefix\\1,p"
}
