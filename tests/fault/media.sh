#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a medium that lies is found before it leaves the desk, and what it serves when it is read a second time never becomes
# an image.
#     LIES=200 SWAPS=1000 sh tests/fault/media.sh     as the promise is written; CI takes fewer
# timeout: 1800
# sanitize: no
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry jq cc
LIES=${LIES:-8} SWAPS=${SWAPS:-10}
check "build the preload" cc -O1 -fPIC -shared -Wall -Wextra -Werror -U_FORTIFY_SOURCE -o "$T/media.so" \
	"$SOURCE_DIR/tests/fault/lib/media.c" -ldl
start_registry src
push_images "$src" app
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o good.tar --platform linux/amd64

# on_medium DEED AT SEED FILE COMMAND...: $code is its exit code; "lied" stands there if the medium did.
on_medium() {
	medium_deed=$1 medium_at=$2 medium_seed=$3 medium_file=$4
	shift 4
	rm -f lied
	code=0
	MEDIA_DIR="$T/stick" MEDIA_DEED=$medium_deed MEDIA_AT=$medium_at MEDIA_SEED=$medium_seed MEDIA_FILE=$medium_file \
		MEDIA_LOG="$T/lied" LD_PRELOAD="$T/media.so" "$@" >out 2>err || code=$?
}

# lie TEXT DEED AT SEED OPTION...
found=0
lie() {
	lie_text=$1 lie_deed=$2 lie_at=$3 lie_seed=$4
	shift 4
	rm -rf stick
	mkdir stick
	on_medium "$lie_deed" "$lie_at" "$lie_seed" - "$IMGPACK" fetch "$src/test/app:1" -o stick/x.tar --platform linux/amd64 --reread "$@"
	if [ ! -e lied ]; then
		same "$lie_text: an honest medium" "$code" 0
		return
	fi
	same "$lie_text" "$code" 6
	says "does not keep what is written to it"
	refuse "$lie_text: a final name" sh -c 'ls stick | grep -v "[.]part"'
	found=$((found + 1))
}

step "media that lie while they are written to"
seed=0
while [ "$found" -lt "$LIES" ]; do
	seed=$((seed + 1))
	[ "$seed" -lt $((LIES * 3 + 10)) ] || fail "the medium lied $found times only"
	case $((seed % 4)) in
	0) lie "lost in one file, $seed" lose 1 "$seed" ;;
	1) lie "lost in one of the files, $seed" lose 8 "$seed" --split 400K --parity 2 ;;
	2) lie "a bit of one of the files, $seed" flip 8 "$seed" --split 400K --parity 2 ;;
	3) lie "a medium that is smaller than it says, $seed" fake $((200000 + seed * 5000)) "$seed" --split 400K --parity 1 ;;
	esac
done
echo "$found lies, all found"

step "a lie is not believed by --no-reread either: it says that it did not look"
# tmpfs is no removable medium: --reread asks for it, nothing else does.
on_medium flip 1 0 - "$IMGPACK" fetch "$src/test/app:1" -o stick/y.tar --platform linux/amd64
same "without reading back" "$code" 0
refuse "a lie" test -e lied

step "a medium that is another one when it is read again"
start_registry dst
rm -rf stick
mkdir stick
exits 0 imgpack fetch "$src/test/app:1" -o stick/x.tar --platform linux/amd64 --split 400K
cp good.tar stick/whole.tar
swapped=0 tried=0
while [ "$swapped" -lt "$SWAPS" ]; do
	tried=$((tried + 1))
	[ "$tried" -lt $((SWAPS * 4 + 20)) ] || fail "only $swapped swaps"
	name=$(find stick -type f ! -name '*.sha256' -printf '%f\n' | sort | awk -v n="$tried" '{ line[NR] = $0 } END { print line[n % NR + 1] }')
	place=$(python3 -c "import random; print(random.Random($tried).randrange($(stat -c %s "stick/$name")))")
	case $name in whole.tar) archive=stick/whole.tar ;; *) archive=stick/x.tar.001 ;; esac
	on_medium swap "$place" 0 "$name" "$IMGPACK" load "$archive" --to "registry:$dst/p$tried"
	[ -e lied ] || continue
	swapped=$((swapped + 1))
	if [ "$code" -eq 0 ]; then
		# The other byte was in something that is not sent: what is there is the image.
		exits 0 imgpack fetch "$dst/p$tried/test/app:1" -o back.tar --platform linux/amd64
		check "byte $place of $name" archive holds back.tar image "$(image_digest app)"
	else
		same "byte $place of $name is another one" "$code" 1
		refuse "a tag" curl -sf -o /dev/null "http://$dst/v2/p$tried/test/app/manifests/1" -H 'Accept: */*'
	fi
done
echo "$swapped swaps, 0 loaded"
