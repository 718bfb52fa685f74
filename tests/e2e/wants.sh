#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: chunks that arrived with more lost than their parity brings back become whole by a small list that is carried out and a
# file that is carried back: the registry sends the wanted blocks and little else, whatever it knows of ranges; a wrong byte, a
# moved tag and a list that was changed on its way are found out.
# timeout: 300
# sanitize: no (the unit tests of pack and flow go the same ways)
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq skopeo
cd "$T" || exit 1
MIB=1048576

# fetch_only LIST OUTPUT OPTION...: over there.
fetch_only() {
	only_list=$1 only_output=$2
	shift 2
	"$IMGPACK" fetch --only "$only_list" "$bad/test/big:1" -o "$only_output" --platform linux/amd64 "$@"
}

# flip FILE OFFSET: one byte is another one.
flip() {
	python3 - "$1" "$2" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 0x55]))
END
}

# layer_bytes: what the registry sent of layers since forget_diary; what a client left in the line's buffers is counted, too.
layer_bytes() {
	sum "$bad" '.path | contains("/blobs/")' .sent
}

start_bad bad --seed 5 --image big=40M,3M,7M,100k
mkdir good
exits 0 imgpack fetch "$bad/test/big:1" -o good/x.tar --split 9M --parity 1 --platform linux/amd64
check "joined" sh -c 'cat good/x.tar.* >whole.tar'
id=$(sed -n 's/^# set //p' good/x.sha256)

step "nothing is missing: an empty list"
exits 0 imgpack wants good
says "nothing is missing"
prints "blocks 0 0"
prints "set $id"
cp out empty.txt
exits 2 fetch_only empty.txt none.blocks
says "asks for no blocks"

step "what parity brings back is not asked for, unless that is wanted"
cp -r good one
rm one/x.tar.003
exits 0 imgpack wants one
says "come back from the parity files"
prints "blocks 0 0"
exits 0 imgpack wants one --no-parity --json
same "blocks" "$(jq -c '[.blocks[] | [.chunk, .offset, .bytes]]' out)" \
	"[[3,0,$((4 * MIB))],[3,$((4 * MIB)),$((4 * MIB))],[3,$((8 * MIB)),$MIB]]"
same "their digests" "$(jq -r '.blocks[0].sha256' out)" "sha256:$(head -c $((4 * MIB)) good/x.tar.003 | sha256sum | cut -d' ' -f1)"

step "two lost chunks, two damaged blocks, one parity file"
cp -r good there
rm there/x.tar.003 there/x.tar.004
flip there/x.tar.001 50
flip there/x.tar.005 $((5 * MIB))
before=$(cd there && sha256sum ./*)
exits 1 imgpack repair there
exits 0 imgpack wants there -o list.txt
says "x.tar.004: 9.44 MB missing"
says "x.tar.001: 4.19 MB damaged"
# At the first block of a chunk three are bad, at the second three, at the third two; one each comes back by itself.
same "blocks asked for" "$(grep -c '^block ' list.txt)" 5
wanted=$(sed -n 's/^blocks [0-9]* //p' list.txt)
[ "$(wc -c <list.txt)" -lt 1000 ] || fail "the list is small"

forget_diary "$bad"
exits 0 fetch_only list.txt x.blocks
prints "wrote x.blocks: 5 blocks"
prints "imgpack repair DIR x.blocks"
sent=$(layer_bytes)
echo "wanted $wanted bytes, the registry sent $sent of blobs"
[ "$sent" -le $((wanted + 65536)) ] || fail "only the wanted bytes are sent"
[ "$(wc -c <x.blocks)" -le $((wanted + 4096)) ] || fail "the file is hardly larger than the blocks"
exits 0 fetch_only list.txt again.blocks --connections 1
check "the same file whatever the connections" cmp x.blocks again.blocks

step "repair takes it"
exits 0 imgpack repair there x.blocks -o "$T" --json
same "repaired" "$(jq -r '.repaired[].file | sub(".*/"; "")' out | sort | tr '\n' ' ')" \
	"x.tar.001 x.tar.003 x.tar.004 x.tar.005 "
for n in 1 3 4 5; do
	check "chunk $n" cmp "x.tar.00$n" "good/x.tar.00$n"
done
same "what was there" "$(cd there && sha256sum ./*)" "$before"
mkdir whole
cp good/x.tar.002 good/x.tar.006 x.tar.00? whole/
exits 0 imgpack verify whole
rm x.tar.00?

step "repair finds it beside the chunks; wants asks no more for what is there"
cp x.blocks list.txt there/
exits 0 imgpack wants there
prints "blocks 0 0"
exits 0 imgpack repair there -o whole
exits 0 imgpack verify whole
rm -r whole

step "without the blocks file one block more is lost: not enough"
cp -r there less
flip less/x.tar.002 1
exits 1 imgpack repair less
exits 0 imgpack wants less
same "blocks asked for" "$(grep -c '^block ' out)" 1

step "a damaged blocks file helps as far as it is right"
cp x.blocks there/x.blocks
flip there/x.blocks $(($(wc -c <x.blocks) - 10))
exits 1 imgpack repair there -o "$T"
says "is damaged: carry the file over again"
head -c 1000000 x.blocks >there/x.blocks
exits 1 imgpack repair there -o "$T"
says "copy it again"
refuse "a chunk that was written" sh -c 'ls x.tar.*'

step "a list that went by mail, and one that was changed"
sed 's/$/ \r/' list.txt >mailed.txt
exits 0 fetch_only mailed.txt mailed.blocks
check "the same blocks" cmp mailed.blocks x.blocks
sed '5s/[0-9a-f]$/x/' list.txt >changed.txt
exits 1 fetch_only changed.txt no.blocks
says "the list is damaged or not complete"
sed 6d list.txt >cut.txt
exits 1 fetch_only cut.txt no.blocks
exits 1 fetch_only whole.tar no.blocks
says "it is no list of"
exits 6 fetch_only nowhere.txt no.blocks
exits 2 imgpack fetch --only list.txt "$bad/test/big:1"
exits 2 fetch_only list.txt no.blocks --split 9M
exits 2 fetch_only list.txt -
refuse "a file of a fetch that failed" sh -c 'ls no.blocks*'

step "chunks without any table: nobody knows what they must be"
mkdir bare
cp good/x.tar.001 good/x.tar.002 bare/
exits 2 imgpack wants bare
says "bring the sums file"
cp good/x.parity.01 bare/
exits 0 imgpack wants bare
grep -q '^block 3 0 ' out || fail "the parity file's table says what is missing"
exits 2 imgpack wants whole.tar
says "imgpack verify"

step "a server that ignores ranges, refuses them, sends less than was asked"
for range in ignore ignore-chunked 416 shorter wrong-start no-header; do
	rules "$bad" "[{\"kind\":\"layer\",\"do\":{\"range\":\"$range\"}}]"
	exits 0 fetch_only list.txt "$range.blocks" --json
	check "the same blocks, $range" cmp "$range.blocks" x.blocks
done
rules "$bad" '[{"kind":"layer","do":{"range":"ignore"}}]'
exits 0 fetch_only list.txt one.blocks --connections 1
# By the answer that was open when it was found out, and then for all that was left at once: not once a block.
[ "$(diary "$bad" '.sent > 16000000' | wc -l)" -le 2 ] || fail "the large layer is not read through for each block"

step "a layer that comes encoded"
rules "$bad" '[{"kind":"layer","do":{"encode":"gzip"}}]'
exits 0 fetch_only list.txt encoded.blocks --connections 2
check "the same blocks" cmp encoded.blocks x.blocks

step "wrong bytes are asked for again, and never written"
rules "$bad" '[{"kind":"layer","range":true,"times":2,"do":{"range":"wrong-bytes"}}]'
exits 0 fetch_only list.txt w.blocks
says "it is fetched again"
check "the same blocks" cmp w.blocks x.blocks
rules "$bad" '[{"kind":"layer","range":true,"do":{"range":"wrong-bytes"}}]'
exits 1 fetch_only list.txt no.blocks
says "has digest"
rules "$bad" '[{"kind":"layer","do":{"cut":{"at":["20%","70%"],"reset":true}},"times":6}]'
exits 0 fetch_only list.txt r.blocks
check "the same blocks after resets" cmp r.blocks x.blocks
refuse "a file of a fetch that failed" sh -c 'ls no.blocks*'

step "a mirror that lies is left for the registry"
start_bad mirror --seed 5 --image big=40M,3M,7M,100k
rules "$bad" '[]'
rules "$mirror" '[{"kind":"layer","range":true,"do":{"range":"wrong-bytes"}}]'
exits 0 fetch_only list.txt m.blocks --mirror "$bad=http://$mirror"
check "the same blocks" cmp m.blocks x.blocks
[ "$(count "$mirror" '.path | contains("/blobs/")')" -gt 0 ] || fail "the mirror was asked"
stop_pid "$mirror_pid"

step "a real registry: a tag that has moved is refused, its digest is not"
start_registry src
push_images "$src" multi app2
exits 0 imgpack fetch "$src/test/multi:1" -o real.tar --split 100K --platform linux/amd64
mkdir real
mv real.tar.* real.sha256 real/
cp -r real kept
was=$(registry_digest "$src/test/multi:1")
rm real/real.tar.001 real/real.tar.003
exits 0 imgpack wants real -o real.txt
lines=$(wc -l <src.log)
exits 0 imgpack fetch --only real.txt "$src/test/multi:1" -o real.blocks --platform linux/amd64 --json
wanted=$(jq .block_bytes out)
sent=$(tail -n "+$((lines + 1))" src.log | awk '/GET .*\/blobs\// { n += $10 } END { print n + 0 }')
echo "wanted $wanted bytes, the registry sent $sent of blobs"
[ "$sent" -gt 50000 ] && [ "$sent" -le $((wanted + 8192)) ] || fail "a real registry sends the wanted bytes and a config"
cp x.blocks real/
exits 0 imgpack repair real real.blocks
says "x.blocks: its blocks are of another archive"
rm real/x.blocks
check "all chunks" diff -r real kept
exits 1 imgpack fetch --only real.txt "$src/test/multi:1" -o no.blocks --platform linux/arm64
says "--platform"
check "the tag moves" skopeo copy --all --src-tls-verify=false --dest-tls-verify=false \
	"docker://$src/test/app2:1" "docker://$src/test/multi:1"
exits 1 imgpack fetch --only real.txt "$src/test/multi:1" -o no.blocks --platform linux/amd64
says "name:tag@sha256:"
exits 0 imgpack fetch --only real.txt "$src/test/multi:1@$was" -o moved.blocks --platform linux/amd64
check "the same blocks" cmp moved.blocks real.blocks
refuse "a file of a fetch that failed" sh -c 'ls no.blocks*'
