#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: every shape of archive that fixtures/foreign makes is verified and shown; every one that fixtures/hostile makes is
# refused with exit 1 and the reason, in little time and memory, and without a file opened for writing.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need python3 zstd jq
cd "$T" || exit 1

step "shapes of other programs"
sh "$SOURCE_DIR/fixtures/foreign/make.sh" good >good.txt || fail "fixtures/foreign/make.sh"
for file in good/*; do
	exits 0 imgpack verify "$file"
	exits 0 imgpack inspect "$file" --json
	[ "$(jq '.images | length' out)" -ge 1 ] || fail "inspect shows no image"
done
same "names of docker-10.tar.zst" \
	"$("$IMGPACK" inspect good/docker-10.tar.zst --json | jq -c '[.images[].name]')" \
	'["docker.io/library/app:1","quay.io/team/app:one"]'
same "platforms of buildkit-oci.tar" \
	"$("$IMGPACK" inspect good/buildkit-oci.tar --json | jq '.images[0].platforms | length')" 2
same "names of ctr-export.tar" "$("$IMGPACK" inspect good/ctr-export.tar --json | jq '.images | length')" 3
echo "$(wc -l <good.txt) shapes"

step "hostile archives"
sh "$SOURCE_DIR/fixtures/hostile/make.sh" bad >bad.txt || fail "fixtures/hostile/make.sh"
tab=$(printf '\t')
mkdir scratch
while IFS="$tab" read -r name words what; do
	# 400 MB of address space: a bomb that is kept in memory does not fit. A sanitizer reserves terabytes for itself.
	start=$(date +%s)
	status=0
	(
		[ -n "${ASAN_OPTIONS:-}" ] || ulimit -v 400000
		TMPDIR="$T/scratch" "$IMGPACK" verify "bad/$name"
	) >out 2>err || status=$?
	took=$(($(date +%s) - start))
	[ "$status" = 1 ] || fail "a hostile archive gave exit $status: $name ($what)"
	[ "$took" -le 10 ] || fail "a hostile archive took $took seconds: $name ($what)"
	cat out >>err
	says "$words"
done <bad.txt
same "files left in the scratch folder" "$(find scratch -type f | wc -l)" 0
echo "$(wc -l <bad.txt) hostile archives"

step "nothing is extracted"
if command -v strace >/dev/null 2>&1 && strace -o trace true 2>/dev/null; then
	for name in name-up name-absolute name-pax link-out link-absolute fifo device; do
		strace -f -e trace=open,openat,creat,mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,link,linkat,rename,renameat,renameat2 \
			-o trace "$IMGPACK" verify "bad/$name.tar" >out 2>err
		! grep -E 'O_WRONLY|O_RDWR|O_CREAT|^[0-9]+ +(creat|mk|sym|link|rename)' trace || fail "a file was made"
	done
else
	echo "strace cannot run here: left out"
fi
