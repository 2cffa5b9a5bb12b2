# Tokens in the kernel, as elements of sets.

# Tells whether nft and the kernel know a set of 16 bytes of a packet: nft from 0.9.4 on. Loads nothing.
nftables_holds_tokens() {
	nft -c -f - >/dev/null 2>&1 <<'SAMPLE'
add table inet knockgate_sample
add set inet knockgate_sample tokens { typeof @th,64,128; size 8; flags dynamic,timeout; }
add element inet knockgate_sample tokens { 0x1c70a366cbb9dd0b45cc64882cba4a42 timeout 60s }
SAMPLE
}

# For sed: leaves out the tokens of a listing, which are secret.
tokens_in_sets='/^	set \(tokens_[0-9]*\|[^ ]*_user_[^ ]*_[0-9a-f]\{8\}\) {$/,/^	}$/{
/^		elements = {.*}$/d
/^		elements = {/,/}$/d
}'

# Lists the tokens of each set of the loaded table into files: $work/unspent.SET has TOKEN TIME-LEFT. nft fetches all
# sets of a table to list one, so this lists them all at once. Leaves out tokens that end within a second, because a
# timeout of 0 is none. What sed writes is shell that cuts the listing into the files.
nftables_list_tokens() {
	while read -r set _; do
		: >"$work/unspent.$set" || return 1
	done <"$dir/filled"
	nft list table inet "$table" >"$work/listing" 2>/dev/null || return 1
	{
		printf 'cat >/dev/null <<END\n'
		sed '/^	set tokens_[0-9]* {$/,/^	}$/d' "$work/listing" | tr ',' '\n' |
			sed -n -e 's/^	*elements = { //' -e 's/ }$//' -e 's/^[	 ]*\([0-9]\)/\1/' \
				-e 's/ timeout [^ ]* expires / /' -e '/ 0s$/d' -e '/ [0-9]*ms$/d' -e '/^[0-9][0-9a-fx]* [0-9][0-9dhms]*$/p' \
				-e "s,^	set \([^ ]*_user_[^ ]*\) {\$,END\ncat >\"\$work/unspent.\1\" <<END,p" -e 's,^	set .* {$,END\ncat >/dev/null <<END,p'
		printf 'END\n'
	} >"$work/split" || return 1
	# shellcheck source=/dev/null
	. "$work/split"
}

# Takes the effect from the rules that spend tokens, and gives it back.
stop_spending() {
	stopped=yes
	nft -t list table inet "$table" >"$work/chains" 2>/dev/null || return 1
	sed -n -e 's/^	chain \(tokens_udp_[0-9]*\) {$/\1/p' -e 's/^	chain \(tokens_echo\) {$/\1/p' "$work/chains" |
		sed "s/.*/insert rule inet $table & return comment \"stopped\"/" | nft -f -
}

go_on_spending() {
	nft -a -t list table inet "$table" 2>/dev/null |
		sed -n -e '/^	chain \([^ ]*\) {.*/{s//\1/;h;}' \
			-e "/ comment \"stopped\" # handle/{s/.*# handle \([0-9]*\).*/\1/;G;s/\(.*\)\n\(.*\)/delete rule inet $table \2 handle \1/p;}" |
		nft -f -
}

# Prints a text for nft with its tokens: those that the kernel had, and the new ones. Without a text, it is only for the
# sets. nft 0.9 crashes where only a block declares a set, and sets get elements, so each one is declared before it.
nftables_print_filled() {
	if [ -n "$text" ]; then
		nftables_print_declared >"$work/declared" || return 1
		sed "/^table inet $table {\$/,\$d" "$text"
		[ ! -s "$work/declared" ] || { printf 'add table inet %s\n' "$table" && cat "$work/declared"; }
		sed -n "/^table inet $table {\$/,\$p" "$text"
	fi
	[ -z "$all_set" ] || [ "$anew" = no ] || printf 'flush set inet %s %s\n' "$table" "$all_set"
	while read -r set _; do
		[ -z "$text" ] || grep -q "^add set inet $table $set " "$work/declared" || continue
		print_elements >"$work/elements" || return 1
		[ "$anew" = no ] || printf 'flush set inet %s %s\n' "$table" "$set"
		[ -s "$work/elements" ] || continue
		for one in "$set" "$all_set"; do
			printf 'add element inet %s %s {\n' "$table" "$one"
			sed '$s/,$//' "$work/elements"
			printf '}\n'
		done
	done <"$work/holders"
}

# Prints the declarations of a text's counters and sets, without elements.
nftables_print_declared() {
	sed -n -e "s/^	counter \([^ ]*\) {\$/add counter inet $table \1/p" \
		-e "/^	set [^ ]* {\$/{s/^	set \([^ ]*\) {\$/add set inet $table \1 {/" -e ':more' -e N -e '/\n	}$/!b more' \
		-e 's/\n	*elements = {[^}]*}//' -e 's/\n	}$/; }/' -e 's/ {\n	*/ { /' -e 's/\n	*/; /g' -e 'p' -e '}' "$text"
}

print_elements() {
	case $anew$(cat "$work/kept.$set") in
	yeskernel) print_left "$shift_seconds" <"$work/unspent.$set" ;;
	yestaken) print_left $(($(date +%s) - $(cat "$taken/time"))) <"$taken/$set" ;;
	esac
	now=$(date +%s)
	for_lines print_new <"$work/new.$set"
}

print_new() {
	left=$((($1 + 1) * slot_seconds + grace_seconds - now))
	[ "$left" -le 0 ] || printf '0x%s timeout %ss,\n' "$2" "$left"
}

# Prints elements that have so many seconds less left.
print_left() {
	if [ "${1#-}" -le 2 ]; then
		sed -e 's/ / timeout /' -e 's/$/,/'
	else
		later=$1
		for_lines print_later
	fi
}

print_later() {
	count_seconds "$2"
	[ "$seconds" -le "$later" ] || printf '%s timeout %ss,\n' "$1" $((seconds - later))
}

# Sets seconds from how nft writes a time: 6d23h59m58s984ms.
count_seconds() {
	seconds=0 rest=$1
	case $rest in *ms)
		rest=${rest%ms}
		rest=${rest%"${rest##*[!0-9]}"}
		;;
	esac
	case $rest in *d*) seconds=$((seconds + ${rest%%d*} * 86400)) rest=${rest#*d} ;; esac
	case $rest in *h*) seconds=$((seconds + ${rest%%h*} * 3600)) rest=${rest#*h} ;; esac
	case $rest in *m*) seconds=$((seconds + ${rest%%m*} * 60)) rest=${rest#*m} ;; esac
	case $rest in *s*) seconds=$((seconds + ${rest%%s*})) ;; esac
}
