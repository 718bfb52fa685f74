#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a disk without room is said before a layer is downloaded ("needs X, has Y", exit 6), and nothing is left on it; a disk
# that fills up in the middle is not hidden either.
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq mount curl
start_registry src
push_images "$src" app
cd "$T" || exit 1
mkdir disk
mount -t tmpfs -o size=512k tmpfs disk 2>mount.log || skip "no tmpfs can be mounted here"

step "a small disk"
forget_log src
exits 6 imgpack fetch "$src/test/app:1" -o disk/a.tar --platform linux/amd64
says needs
says has
same "nothing on the disk" "$(ls -A disk)" ""
large=$(jq -r '.layers | max_by(.size).digest' "image/blobs/$(image_digest app | cut -d: -f2)")
same "no layer was asked for" "$(access_log src | grep -c "$large")" 0

step "an old archive on it survives"
echo old >disk/a.tar
exits 6 imgpack fetch "$src/test/app:1" -o disk/a.tar --platform linux/amd64
same "the old archive" "$(cat disk/a.tar)" old
same "nothing else on the disk" "$(ls -A disk)" a.tar

step "just enough, and one page too little"
exits 0 imgpack fetch "$src/test/app:1" -o a.tar --platform linux/amd64
pages=$((($(wc -c <a.tar) + 4095) / 4096))
umount disk
mount -t tmpfs -o size=$(((pages - 1) * 4))k tmpfs disk
exits 6 imgpack fetch "$src/test/app:1" -o disk/a.tar --platform linux/amd64
same "nothing on the full disk" "$(ls -A disk)" ""
umount disk
mount -t tmpfs -o size=$(((pages + 4) * 4))k tmpfs disk
exits 0 imgpack fetch "$src/test/app:1" -o disk/a.tar --platform linux/amd64
same "the same bytes on a disk that is just large enough" "$(sha disk/a.tar)" "$(sha a.tar)"

step "a file size limit"
sh -c 'ulimit -f 1024; trap "" XFSZ; exec "$@"' sh "$IMGPACK" fetch "$src/test/app:1" -o limit.tar --platform linux/amd64 \
	>out 2>err
same "exit at the limit" "$?" 6
same "nothing is left" "$(ls | grep -c '^limit')" 0

step "disks of 1, 8 and 64 MiB, which another program fills when the archive has its room: none is left for the journal"
start_bad made --seed 3 --image one=700k --image eight=6M,500k --image sixty=40M,16M,1k --image over=70M
umount disk
for pair in 1:one 8:eight 64:sixty; do
	image=${pair#*:}
	set -- fetch "$made/test/$image:1" -o disk/a.tar --platform linux/amd64
	exits 0 imgpack fetch "$made/test/$image:1" -o whole.tar --platform linux/amd64
	pages=$((($(wc -c <whole.tar) + 4095) / 4096))
	# 0: the journal cannot be begun; 1: a few lines of it, and all of a short one.
	for left in 0 1; do
		mount -t tmpfs -o "size=${pair%:*}M" tmpfs disk
		echo old >disk/a.tar
		free=$(df --output=avail -B 4096 disk | tail -n 1)
		head -c $(((free - pages - left) * 4096)) /dev/zero >disk/filler
		"$IMGPACK" "$@" >out 2>err
		code=$?
		if [ "$code" -eq 0 ]; then
			same "$image, $left pages left: the archive" "$(sha disk/a.tar)" "$(sha whole.tar)"
			# Its last line counts as well: what a journal of one page holds is a matter of lines.
			[ "$left" -eq 1 ] && [ "$image" != sixty ] || fail "no word of a journal that has no room"
		else
			same "$image, $left pages left: exit" "$code" 6
			says "journal"
			says "No space left on device"
			same "$image, $left pages left: the old archive" "$(cat disk/a.tar)" old
			same "what else is left" "$(ls disk | grep -v -e '^a.tar$' -e '^filler$' -e '^a.tar.part$' -e '^a.tar.part.journal$')" ""
			[ "$left" -eq 1 ] || same "a journal that was not begun" "$(ls disk | tr '\n' ' ')" "a.tar filler "
		fi
		echo "$image, $left pages left: exit $code"
		rm disk/filler
		[ "$code" -ne 0 ] || rm disk/a.tar # the disk has no room for two
		exits 0 imgpack "$@"
		same "with room again: the archive" "$(sha disk/a.tar)" "$(sha whole.tar)"
		same "with room again: nothing beside it" "$(ls -A disk)" a.tar
		umount disk
	done
	mount -t tmpfs -o "size=${pair%:*}M" tmpfs disk
	exits 6 imgpack fetch "$made/test/over:1" -o disk/a.tar --platform linux/amd64
	says needs
	same "nothing on a disk that is too small" "$(ls -A disk)" ""
	umount disk
done
mount -t tmpfs -o size=512k tmpfs disk

step "no room for the scratch copy of a compressed archive"
gzip -c a.tar >a.tar.gz
umount disk
mount -t tmpfs -o size=512k tmpfs disk
exits 6 env TMPDIR="$T/disk" "$IMGPACK" verify a.tar.gz
same "nothing is left of the scratch copy" "$(ls -A disk)" ""

step "a load reports a full disk at the target"
umount disk
mount -t tmpfs -o size=600k tmpfs disk
mkdir -p dst
mount --bind disk dst
start_registry dst
"$IMGPACK" load a.tar --to "registry:$dst" >out 2>err
code=$?
[ "$code" -eq 7 ] || [ "$code" -eq 3 ] || fail "a registry with a full disk: exit $code"
refuse "a tag at a registry with a full disk" registry_digest "$dst/test/app:1"
