# shellcheck shell=sh disable=SC2034,SC2317 # shared with init.sh
# Sourced by init.sh: the network in between. usage: router-setup.sh LAB-DIRECTORY
step="turning forwarding on"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
# The network in between must carry spoofed sources too. A namespace may inherit a stricter setting.
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
# Removes the lab's folder, however the lab's process ended.
leftover=$1
leave() { rm -rf -- "$leftover"; }
