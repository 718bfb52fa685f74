#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: an archive in chunks is the archive: the same bytes, cut; with sums that sha256sum takes, resumed as one file is, and
# refused or warned of where a medium cannot hold it.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq
start_registry src
push_images "$src" app app2
cd "$T" || exit 1

# fetch OUTPUT OPTION...: both images.
fetch() {
	fetch_output=$1
	shift
	"$IMGPACK" fetch "$src/test/app:1" "$src/test/app2:1" -o "$fetch_output" --platform linux/amd64 "$@"
}

exits 0 fetch whole.tar
size=$(wc -c <whole.tar)

step "chunks are the archive's bytes"
for chunk in 4096 65537 256K 1M 1G; do
	mkdir "d$chunk"
	exits 0 fetch "d$chunk/x.tar" --split "$chunk" --json
	check "joined, --split $chunk" sh -c "cat d$chunk/x.tar.* | cmp - whole.tar"
	check "sha256sum -c, --split $chunk" sh -c "cd d$chunk && sha256sum -c --quiet x.sha256"
	same "the report's chunks, --split $chunk" "$(jq -r '.chunks[].file' out)" "$(ls d"$chunk"/x.tar.*)"
	same "their bytes" "$(jq '[.chunks[].bytes] | add' out)" "$size"
	jq -r '.chunks[] | (.sha256 | ltrimstr("sha256:")) + "  " + .file' out | sha256sum -c --quiet || fail "the report's digests"
	same "none is larger than the first" "$(stat -c %s d"$chunk"/x.tar.* | sort -n | tail -1)" "$(stat -c %s "$(jq -r '.chunks[0].file' out)")"
	same "the ID" "$(sed -n 's/^# set //p' "d$chunk/x.sha256")" "$(jq -r .id out)"
done
same "one chunk where all fits into one" "$(ls d1G)" "x.sha256
x.tar.001"

step "the sums say each block of 4 MiB"
same "blocks" "$(grep -c '^# block ' d256K/x.sha256)" "$(find d256K -name 'x.tar.*' | wc -l)"
for file in d256K/x.tar.*; do
	grep -qx "# block $(sha "$file")" d256K/x.sha256 || fail "the block of $file"
done

step "the same command gives the same bytes"
mkdir again
exits 0 fetch again/x.tar --split 256K --parity 2
exits 0 fetch again/x.tar --split 256K --parity 2
mkdir once
exits 0 fetch once/x.tar --split 256K --parity 2
check "both folders" diff -r again once
check "sha256sum -c takes parity files too" sh -c "cd once && sha256sum -c --quiet x.sha256"
same "parity files" "$(ls once | grep -c parity)" 2

step "a plan says how it is cut, and writes nothing"
exits 0 fetch plan.tar --split 256K --parity 1 --plan --json
same "chunks of the plan" "$(jq '.chunks | length' out)" "$(find d256K -name 'x.tar.*' | wc -l)"
same "no digests yet" "$(jq '[.chunks[] | has("sha256")] | any' out)" false
refuse "a file of a plan" sh -c 'ls plan.* x.* 2>/dev/null | grep .'

step "chunks of an older archive behind the new one are said"
exits 0 fetch d256K/x.tar --split 1M
says "remove the chunks of the older one"

step "a fetch that is killed goes on, whatever chunk it was in"
start_bad slow --seed 5 --image "big=6M,6M" --rules '[{"kind":"layer","do":{"drip":2000000}}]'
mkdir k
"$IMGPACK" fetch "$slow/test/big:1" -o k/x.tar --split 1M --parity 1 --platform linux/amd64 >out 2>err &
killed=$!
while [ "$(curl -sf "http://$slow/_stats" | jq .sent)" -lt 7000000 ]; do
	kill -0 "$killed" 2>/dev/null || fail "a fetch that was to be killed ended first"
	sleep 0.05
done
kill -9 "$killed"
wait "$killed" 2>/dev/null
refuse "a final name" sh -c 'ls k | grep -v "[.]part"'
rules "$slow" '[]'
exits 0 imgpack fetch "$slow/test/big:1" -o k/x.tar --split 1M --parity 1 --platform linux/amd64 --json
[ "$(jq .reused_bytes out)" -gt 5000000 ] || fail "only $(jq .reused_bytes out) bytes were used again"
check "the layers" sh -c 'cat k/x.tar.* >joined.tar'
check "its bytes" holds_layers joined.tar "$slow" big
check "sha256sum -c" sh -c "cd k && sha256sum -c --quiet x.sha256"
refuse "something left beside it" sh -c 'ls k | grep part'

step "other chunks than before: what is there is used"
"$IMGPACK" fetch "$slow/test/big:1" -o k/y.tar --split 1M --platform linux/amd64 --limit-rate 3M >out 2>err &
killed=$!
sleep 3
kill -9 "$killed"
wait "$killed" 2>/dev/null
exits 0 imgpack fetch "$slow/test/big:1" -o k/y.tar --split 2M --platform linux/amd64 --json
[ "$(jq .reused_bytes out)" -gt 3000000 ] || fail "only $(jq .reused_bytes out) bytes were used again"
check "joined" sh -c 'cat k/y.tar.* | cmp - joined.tar'
refuse "something left beside it" sh -c 'ls k | grep part'

step "no room for all of it: said before a byte is downloaded"
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=14m none small 2>/dev/null; then
	forget_diary "$slow"
	exits 6 imgpack fetch "$slow/test/big:1" -o small/x.tar --split 4M --parity 1 --platform linux/amd64
	says "small/x.parity.01: needs"
	same "layers that were asked for" "$(diary "$slow" '.path | contains("/blobs/")' | jq -c 'select(.said > 100000)' | wc -l)" 0
	same "what stays" "$(ls small)" ""
	umount small
fi

step "a stick with exFAT: it is read back, without being asked"
if [ "$(id -u)" -eq 0 ] && [ -e /dev/fuse ] && command -v mkfs.exfat mount.exfat-fuse >/dev/null && mkdir stick &&
	truncate -s 64M stick.img && mkfs.exfat stick.img >/dev/null && loop=$(losetup -f --show stick.img 2>/dev/null); then
	if mount.exfat-fuse "$loop" stick >/dev/null 2>&1; then
		losetup -d "$loop" # when it is unmounted
		exits 0 fetch stick/x.tar --split 256K --parity 1
		says "reading back"
		check "its sums" sh -c 'cd stick && sha256sum -c --quiet x.sha256'
		check "joined" sh -c 'cat stick/x.tar.* | cmp - whole.tar'
		exits 0 fetch stick/y.tar --no-reread
		says "not read back (--no-reread)"
		check "one file" cmp stick/y.tar whole.tar
		umount stick
	else
		losetup -d "$loop"
	fi
fi

step "names that other systems refuse"
exits 0 fetch 'a:b.tar'
says "refuse this file name"
exits 0 fetch aux.tar
says "the name of a device"
exits 0 fetch plain-1.tar
! grep -q "refuse this file name" err || fail "a warning about a good name"
