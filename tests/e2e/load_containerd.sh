#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: load --to containerd, into a real one: every name that a kubelet asks for (the tag, and by digest the index and the
# manifest) is there and complete, whatever platforms and attestations the index has; tags move with --replace only; a ctr
# that fails, lies or is not there leaves nothing behind.
# timeout: 300
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq ctr containerd
start_containerd node || skip "no containerd can run here"
start_registry src
push_images "$src"
cd "$T" || exit 1

to=containerd:$node
node_ctr() {
	ctr --address "$node" --namespace k8s.io "$@"
}

# target NAME: the digest that a name points at there, "" if there is none.
target() {
	node_ctr images ls | awk -v n="$1" '$1 == n { print $3 }'
}

# resolves NAME DIGEST: it is there, points at DIGEST, and all its content of this machine's platform is there.
resolves() {
	same "$1" "$(node_ctr images check "name==$1" | awk -v n="$1" '$1 == n { print $3, $4 }')" "$2 complete"
}

names() {
	node_ctr images ls -q | wc -l
}

exits 0 imgpack fetch "$src/test/app:1" "$src/test/app-docker:1" "$src/test/zstd:1" -o three.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o one.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms
exits 0 imgpack fetch "$src/test/multi:1" -o arm.tar --platform linux/arm64
exits 0 imgpack fetch "$src/test/app2:1" -o app2.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/app@$(image_digest app)" -o digest.tar --platform linux/amd64
index=$(image_digest multi)
manifest=$(child_digest multi linux/amd64)

step "a damaged archive loads nothing"
cp three.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=500000 conv=notrunc 2>/dev/null
exits 1 imgpack load bad.tar --to "$to"
exits 1 sh -c "cat bad.tar | $IMGPACK load - --to $to"
says "nothing was changed there"
same "no name" "$(names)" 0

step "three images; by tag and by digest"
exits 0 imgpack load three.tar --to "$to" --json
for name in app app-docker zstd; do
	resolves "$src/test/$name:1" "$(image_digest "$name")"
	resolves "$src/test/$name@$(image_digest "$name")" "$(image_digest "$name")"
done
same "reported" "$(jq -r '.images[0].digest' out)" "$(image_digest app)"
exits 0 imgpack load three.tar --to "$to" --json
same "nothing is sent again" "$(jq .sent_bytes out)" 0

step "one platform of an index is found by the index's digest, too"
exits 0 imgpack load one.tar --to "$to"
resolves "$src/test/multi:1" "$manifest"
resolves "$src/test/multi@$manifest" "$manifest"
resolves "$src/test/multi@$index" "$manifest"

step "all platforms with attestations; the tag moves with --replace only"
exits 7 imgpack load all.tar --to "$to"
says "--replace"
same "the tag stayed" "$(target "$src/test/multi:1")" "$manifest"
exits 0 imgpack load all.tar --to "$to" --replace
resolves "$src/test/multi:1" "$index"
resolves "$src/test/multi@$index" "$index"
resolves "$src/test/multi@$manifest" "$manifest"

step "another platform than this machine's"
exits 0 imgpack load arm.tar --to "$to,arm"
ctr --address "$node" --namespace arm images ls -q | grep -qF "$src/test/multi:1" || fail "not there"
exits 0 imgpack load all.tar --to "$to,arm" --replace --platform linux/arm64
exits 5 imgpack load all.tar --to "$to,arm" --platform linux/s390x

step "by digest only"
node_ctr images rm "$src/test/app:1" "$src/test/app@$(image_digest app)" >/dev/null
exits 0 imgpack load digest.tar --to "$to"
resolves "$src/test/app@$(image_digest app)" "$(image_digest app)"

step "through a pipe, pinned"
exits 0 sh -c "cat app2.tar | $IMGPACK load - --to $to --pin"
resolves "$src/test/app2:1" "$(image_digest app2)"
node_ctr images ls "name==$src/test/app2:1" | grep -q io.cri-containerd.pinned=pinned || fail "not pinned"
exits 2 imgpack load app2.tar --to registry:127.0.0.1:1 --pin

step "CONTAINERD_ADDRESS, and without --to"
exits 0 env DOCKER_HOST="unix://$T/none" CONTAINER_HOST="unix://$T/none" CONTAINERD_ADDRESS="$node" "$IMGPACK" load app2.tar
says "loading into containerd at $node"
exits 3 imgpack load app2.tar --to "containerd:$T/none"
says "is containerd installed and running?"

# A program that stands in for ctr: in PATH in front of the real one.
real=$(command -v ctr)
mkdir bin
export REAL="$real" WITHOUT="$src/test/app2"
stand_in() {
	cat >bin/ctr
	chmod 755 bin/ctr
}
clean() {
	node_ctr images ls -q | xargs -r "$real" --address "$node" --namespace k8s.io images rm --sync >/dev/null
}

step "a ctr that fails in the middle: its words, and nothing stays"
clean
stand_in <<'END'
#!/bin/sh
case " $* " in *" import "*)
	"$REAL" "$@" >/dev/null
	printf 'ctr: the disk\033[31m is on fire\n' >&2
	exit 3 ;;
esac
exec "$REAL" "$@"
END
exits 7 env PATH="$T/bin:$PATH" "$IMGPACK" load three.tar --to "$to"
says 'code 3: ctr: the disk\x1b[31m is on fire'
says "what it made was removed again"
same "nothing stays" "$(names)" 0

step "a ctr that says yes and does nothing"
stand_in <<'END'
#!/bin/sh
case " $* " in *" import "*) exit 0 ;; esac
exec "$REAL" "$@"
END
exits 7 env PATH="$T/bin:$PATH" "$IMGPACK" load three.tar --to "$to"
says "is not there, expected"
same "nothing stays" "$(names)" 0

step "k3s, where that is the client"
mkdir k3s
printf '#!/bin/sh\n[ "$1" = ctr ] || exit 9\nshift\nexec %s "$@"\n' "$real" >k3s/k3s
chmod 755 k3s/k3s
exits 0 env PATH="$T/k3s:/nowhere" "$IMGPACK" load app2.tar --to "$to"
resolves "$src/test/app2:1" "$(image_digest app2)"
exits 6 env PATH=/nowhere "$IMGPACK" load app2.tar --to "$to"
says "neither is in PATH"

step "k3s' folder holds what its importer takes"
exits 0 imgpack load all.tar --to "k3s:$T/agent/images"
exits 0 imgpack load all.tar --to "k3s:$T/agent/images"
same "one file" "$(ls agent/images)" "imgpack-$("$IMGPACK" inspect all.tar --json | jq -r .id | cut -c8-23).tar"
clean
node_ctr images import --all-platforms agent/images/*.tar >/dev/null || fail "ctr does not take it"
resolves "$src/test/multi:1" "$index"
resolves "$src/test/multi@$manifest" "$manifest"
