#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: runs of `fetch --shard I/N` side by side fetch each image of a list exactly once, in parts alike in bytes, whatever order the
# list is in; a part without images writes nothing and is no error; the example Job's words work as they stand there.
# timeout: 120
# sanitize: no (unit/flow_shard has the arithmetic)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq skopeo
start_registry src
push_images "$src" app app2 multi
cd "$T" || exit 1
for n in 1 2 3; do
	check "more images" skopeo copy --all --src-tls-verify=false --dest-tls-verify=false \
		"docker://$src/test/app:1" "docker://$src/more/app$n:1"
done
for image in test/app test/app2 test/multi more/app1 more/app2 more/app3; do
	echo "$src/$image:1"
done >list.txt
sort list.txt >want
tac list.txt >reversed.txt

# names FILE...: of the images in archives
names() {
	for names_file in "$@"; do
		"$IMGPACK" inspect "$names_file" --json | jq -r '.images[].name'
	done
}

step "the union is exact, the intersection empty"
for count in 1 2 3 5; do
	# Every other run has the list the other way round.
	for i in $(seq "$count"); do
		list=list.txt
		[ $((i % 2)) -eq 1 ] || list=reversed.txt
		"$IMGPACK" fetch --images "$list" --shard "$i/$count" -o "x.$count.$i.tar" --platform linux/amd64 --json \
			>"json.$i" 2>"notes.$i" &
		eval "pid$i=\$!"
	done
	for i in $(seq "$count"); do
		eval "wait \"\$pid$i\"" || fail "a shard failed"
		exits 0 imgpack verify "x.$count.$i.tar"
	done
	names "x.$count".*.tar | sort >have
	check "each image once" cmp have want
	same "they say the same split" "$(sed -n 's/.*(split \([0-9a-f]*\),.*/\1/p' notes.[1-9] | sort -u | wc -l)" 1
	same "what --json says" "$(jq -c .shard json.1)" "{\"index\":1,\"count\":$count}"
	jq -s '[.[].bytes]' json.[1-9] | tr -d '\n '
	echo " bytes in $count shards"
	rm json.[1-9] notes.[1-9]
done

step "a part without images: a note, exit 0, no archive"
exits 0 imgpack fetch --images list.txt --shard 7/7 -o none.tar --platform linux/amd64
prints "shard 7 of 7 is empty: nothing to fetch, no archive is written"
exits 0 imgpack fetch --images list.txt --shard 7/7 -o none.tar --platform linux/amd64 --json
same "what --json says" "$(jq -c '[.archive, .id, .bytes, (.images | length)]' out)" "[null,null,0,0]"
exits 0 imgpack fetch --images list.txt --shard 7/7 -o - --platform linux/amd64
[ ! -s out ] || fail "nothing goes to standard output"
exits 0 imgpack fetch --images list.txt --shard 7/7 --plan --platform linux/amd64
refuse "an archive of an empty shard" sh -c 'ls none.tar*'

step "chunks and --only of a shard"
mkdir chunks kept
exits 0 imgpack fetch --images reversed.txt --shard 2/3 -o chunks/s.tar --split 200K --platform linux/amd64
check "the same archive" sh -c 'cat chunks/s.tar.* | cmp - x.3.2.tar'
cp chunks/s.tar.002 kept/002
rm chunks/s.tar.002
exits 0 imgpack wants chunks -o wants.txt
exits 0 imgpack fetch --only wants.txt --images reversed.txt --shard 2/3 -o s.blocks --platform linux/amd64
exits 0 imgpack repair chunks s.blocks
check "the chunk" cmp chunks/s.tar.002 kept/002
exits 1 imgpack fetch --only wants.txt --images list.txt --shard 7/7 -o none.blocks --platform linux/amd64

step "Kubernetes' index, and what is no shard"
exits 0 env JOB_COMPLETION_INDEX=1 "$IMGPACK" fetch --images reversed.txt --shard auto/3 -o k.tar --platform linux/amd64
check "auto/3 with index 1 is 2/3" cmp k.tar x.3.2.tar
exits 2 env JOB_COMPLETION_INDEX=3 "$IMGPACK" fetch --images list.txt --shard auto/3 -o no.tar
says "counted from 0"
exits 2 imgpack fetch --images list.txt --shard auto/3 -o no.tar
says "JOB_COMPLETION_INDEX is not set"
exits 2 imgpack fetch --images list.txt --shard 4/3 -o no.tar
exits 2 imgpack fetch --images list.txt --shard 0/3 -o no.tar

step "the example Job: its command, its list, its own image"
job=$SOURCE_DIR/fixtures/examples/fetch-job.yaml
exits 0 imgpack scan "$job"
same "the Job's image" "$(cat out)" "registry.example.org/tools/imgpack:1"
words=$(sed -n '/>-/,/env:/p' "$job" | sed '1d;$d' | tr '\n' ' ' | sed "s|/list/|$T/|; s|/archives/|$T/|; s|exec imgpack|exec \"$IMGPACK\"|")
exits 0 env JOB_COMPLETION_INDEX=0 sh -c "$words"
check "the first of four" test -s apps.0.tar
