# Computes tokens: HMAC-SHA-256 (RFC 2104) by the shell's own printf and one sha256sum over many files. No argv holds a
# secret. What tokens are made from is a text of lines, changes/ID/tokens:
#
#   policy NAME, host NAME, slot SECONDS, horizon SECONDS, grace SECONDS, all SET, and for each gate and user:
#   user SET GATE KEY

# Printable ASCII from code 45.
ascii='-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz'

# An external printf would have keys in its argv. It is not found there.
has_own_printf() { PATH=/dev/null printf '' 2>/dev/null; }

# Sets token_host, slot_seconds, horizon_slots, grace_seconds, most_slots (what a set has room for) and all_set.
read_source() {
	token_host='' slot_seconds=60 horizon=0 grace_seconds=0 all_set=''
	[ -f "$1" ] || return 0
	while read -r word value _; do
		case $word in
		host) token_host=$value ;;
		slot) slot_seconds=$value ;;
		horizon) horizon=$value ;;
		grace) grace_seconds=$value ;;
		all) all_set=$value ;;
		esac
	done <"$1"
	horizon_slots=$(((horizon + slot_seconds - 1) / slot_seconds))
	most_slots=$((horizon_slots + (grace_seconds + slot_seconds - 1) / slot_seconds + 1))
}

# Prints SET GATE KEY for each gate and user. Secret.
list_holders() { [ ! -f "$1" ] || sed -n 's/^user //p' "$1"; }

# Tells whether a load has to do with tokens.
uses_tokens() { [ -f "$1" ] || [ -f "$dir/filled" ]; }

# Calls a function that may write into the folder $work. The folder is in memory, or on the disk if memory has no room
# for it. The function leaves by code 9 when it could not write there. The lock's holder has the folder to itself.
with_work() {
	worked=9
	for place in /run "$dir"; do
		[ "$worked" = 9 ] || break
		work=$place/knockgate-$policy.work stopped=''
		(
			rm -rf "$work" && mkdir "$work" 2>/dev/null || exit 9
			trap end_work EXIT
			trap 'exit 1' HUP INT TERM
			"$@"
		)
		worked=$?
	done
	return "$worked"
}

end_work() {
	left_by=$?
	[ -z "$stopped" ] || go_on_spending
	rm -rf "$work"
	exit "$left_by"
}

# Calls a function with the words of each line of standard input. The words are numbers, times and names. Some shells read
# a file byte by byte, but not a text in their memory.
for_lines() { eval "$(sed "s/^/$1 /")"; }

# Sets x00 to xff: how printf writes each byte.
name_bytes() {
	byte=0
	for high in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		for low in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
			eval "x$high$low='\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))'"
			byte=$((byte + 1))
		done
	done
}

# Sets inner and outer, the two blocks of a key, as printf writes them.
use_key() {
	rest=$1 inner='' outer='' left=64
	while [ "$left" -gt 0 ]; do
		code=0
		if [ -n "$rest" ]; then
			before=${ascii%%"${rest%"${rest#?}"}"*}
			code=$((45 + ${#before}))
			rest=${rest#?}
		fi
		left=$((left - 1))
		x=$((code ^ 54)) y=$((code ^ 92))
		inner="$inner\\$((x >> 6))$((x >> 3 & 7))$((x & 7))"
		outer="$outer\\$((y >> 6))$((y >> 3 & 7))$((y & 7))"
	done
}

# Sets head: a message up to its last word, as printf writes it. An IPv6 address may have a percent sign.
use_purpose() { head="$1\\000$policy\\000$2\\000$(printf '%s\n' "$token_host" | sed 's/%/%%/g')\\000"; }

# Prints what names a key in the ledger, for one gate and host. It does not show the key.
print_key_id() {
	use_purpose knockgate-ledger-1 "$1"
	said=$(compute_batch 0 0) && printf '%s/%s\n' "$(printf '%s\n' "$said" | sed 's/^0 \(.\{16\}\).*/\1/')" "$slot_seconds"
}

# Prints SLOT TOKEN for each slot from $2 to $3 of gate $1.
compute_tokens() {
	use_purpose knockgate-token-1 "$1"
	first=$2
	while [ "$first" -le "$3" ]; do
		last=$((first + 2047))
		[ "$last" -le "$3" ] || last=$3
		compute_batch "$first" "$last" || return 1
		first=$((last + 1))
	done
}

# The files have the slots' numbers as names. The first sed writes a line of shell for each file, because only the shell
# can write bytes without an argv.
# shellcheck disable=SC2016,SC2059,SC2035 # for sed; the formats hold the bytes; all names are numbers
compute_batch() (
	rm -rf "$work/batch" && mkdir "$work/batch" && cd "$work/batch" || exit 1
	slot=$1
	while [ "$slot" -le "$2" ]; do
		printf "$inner$head$slot" >"$slot" || exit 1
		slot=$((slot + 1))
	done
	sha256sum * >../digests || exit 1
	sed -e 'h;s/.*  /" >/;x;s/ .*//;s/../$x&/g;s/^/printf "$outer/;G;s/\n//' ../digests >../write || exit 1
	# shellcheck source=/dev/null
	. ../write || exit 1
	sha256sum * >../digests || exit 1
	sed -e 'h;s/.*  //;x;s/^\(.\{32\}\).*/\1/;s/../& /g;s/0a /0b /g;s/ //g;x;G;s/\n/ /' ../digests
)
