#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: load --to oci:DIR makes and adds to a layout that other programs read by tag; blobs once, damaged ones made good;
# what others wrote stays; several writers at a time lose nothing; killed anywhere, the layout is valid.
# timeout: 300
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq python3
start_registry src
push_images "$src"
cd "$T" || exit 1
for name in app app2 plain zstd; do
	exits 0 imgpack fetch "$src/test/$name:1" -o "$name.tar" --platform linux/amd64
done
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms

# valid DIR: every blob is what its name says, everything that the index names is there, down to the layers.
cat >valid.py <<'END'
import hashlib, json, os, sys
d = sys.argv[1]
assert json.load(open(f"{d}/oci-layout")) == {"imageLayoutVersion": "1.0.0"}
for name in os.listdir(f"{d}/blobs/sha256"):
    assert hashlib.sha256(open(f"{d}/blobs/sha256/{name}", "rb").read()).hexdigest() == name, name
def follow(desc, seen):
    path = f"{d}/blobs/sha256/" + desc["digest"].split(":")[1]
    assert os.path.getsize(path) == desc["size"], path
    if desc["digest"] in seen or not ("manifest" in desc["mediaType"] or "index" in desc["mediaType"]):
        return
    seen.add(desc["digest"])
    paper = json.load(open(path))
    for child in paper.get("manifests", []) + paper.get("layers", []) + [c for c in [paper.get("config")] if c]:
        follow(child, seen)
for desc in json.load(open(f"{d}/index.json"))["manifests"]:
    follow(desc, set())
END
valid() {
	check "a valid layout" python3 valid.py "$1"
}
entries() {
	jq '.manifests | length' "$1/index.json"
}

step "a new layout; other programs read it by tag"
exits 0 imgpack load app.tar --to oci:one
valid one
prints "as oci:one:1"
if command -v skopeo >/dev/null 2>&1; then
	skopeo inspect --raw oci:one:1 >raw || fail "skopeo"
	same "skopeo reads it" "sha256:$(sha raw)" "$(image_digest app)"
fi
if command -v umoci >/dev/null 2>&1; then
	check "umoci reads it" umoci stat --image one:1
fi

step "again, and more: shared blobs once, tags that are taken are asked for by the full name"
exits 0 imgpack load app.tar --to oci:one --json
same "nothing is written again" "$(jq .sent_bytes out)" 0
same "one entry" "$(entries one)" 1
exits 0 imgpack load app2.tar --to oci:one
prints "as oci:one:$src/test/app2:1"
exits 0 imgpack load all.tar --to oci:one
valid one
same "three entries" "$(entries one)" 3
if command -v skopeo >/dev/null 2>&1; then
	skopeo inspect --raw "oci:one:$src/test/app2:1" >raw || fail "skopeo by full name"
	same "skopeo finds it by its full name" "sha256:$(sha raw)" "$(image_digest app2)"
fi

step "what others wrote stays"
jq -c '.annotations = {"a":"b"} | .manifests += [{"mediaType":"application/vnd.oci.image.manifest.v1+json",
	"digest": .manifests[0].digest, "size": .manifests[0].size, "annotations":{"org.opencontainers.image.ref.name":"theirs"},
	"x":[1,true,null,{"y":-5}]}]' one/index.json >index && cp index one/index.json
exits 0 imgpack load plain.tar --to oci:one
same "the others' entries" "$(jq -c '.manifests[:4]' one/index.json)" "$(jq -c .manifests index)"
same "the others' annotation" "$(jq -r .annotations.a one/index.json)" b
jq -c '.manifests[0].x = 1.5' index >one/index.json
exits 7 imgpack load zstd.tar --to oci:one
says "cannot be kept"
cp index one/index.json

step "a name moves with --replace only"
exits 7 imgpack load app2.tar --to oci:one --name "$src/test/app2:1=$src/test/app:1"
says "--replace"
exits 0 imgpack load app2.tar --to oci:one --name "$src/test/app2:1=$src/test/app:1" --replace
same "it moved, under its tag" "$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "1")
	| .digest' one/index.json)" "$(image_digest app2)"
valid one

step "a damaged blob is made good"
blob=one/blobs/sha256/$(image_digest app2 | cut -d: -f2)
printf x >>"$blob"
exits 0 imgpack load app2.tar --to oci:one
valid one

step "folders that are something else"
mkdir other && echo x >other/file
exits 2 imgpack load app.tar --to oci:other
same "it was left alone" "$(ls -A other)" file
mkdir newer && echo '{"imageLayoutVersion":"2.0.0"}' >newer/oci-layout
exits 7 imgpack load app.tar --to oci:newer
exits 6 imgpack load app.tar --to oci:none/none

step "through a pipe; a bad one names nothing"
exits 0 sh -c "cat app.tar | $IMGPACK load - --to oci:pipe"
valid pipe
cp app.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=500000 conv=notrunc 2>/dev/null
exits 1 sh -c "cat bad.tar | $IMGPACK load - --to oci:bad"
same "no entry" "$(entries bad)" 0
valid bad

step "writers at the same time"
for round in 1 2 3; do
	pids=
	for name in app app2 plain zstd all; do
		"$IMGPACK" load "$name.tar" --to "oci:many$round" -q 2>>many.err &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "a writer failed"
	done
	valid "many$round"
	same "all are there" "$(entries "many$round")" 5
done

step "killed at ${KILLS:-12} moments"
i=0
while [ "$i" -lt "${KILLS:-12}" ]; do
	i=$((i + 1))
	[ $((i % 4)) -ne 1 ] || rm -rf killed
	"$IMGPACK" load app.tar --to oci:killed -q 2>/dev/null &
	pid=$!
	sleep "$(awk -v i="$i" 'BEGIN { printf "%.4f", 0.004 * i }')"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ ! -e killed/oci-layout ] || valid killed
done
exits 0 imgpack load app.tar --to oci:killed
valid killed
same "nothing is left over" "$(find killed -name '.imgpack-*')" ""
