#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: each exit code that the manual names is reached by a real case, the message says where and what to do, and nothing is
# left behind by a run that failed.
. "$(dirname "$0")/lib/common.sh"
need docker-registry htpasswd jq curl
start_registry src
start_registry closed htpasswd
start_registry frozen readonly
push_images "$src"
check "push behind a password" python3 "$SOURCE_DIR/fixtures/image/image.py" push "$T/image" "tester:s3cret@$closed" app
cd "$T" || exit 1
mkdir out.d

nothing_left() {
	# What was downloaded is kept for the next run, under these two names and no other.
	rm -f out.d/a.tar.part out.d/a.tar.part.journal
	[ -z "$(ls -A out.d)" ] || {
		ls -lA out.d >&2
		fail "a failed fetch left something behind"
	}
}

step "0: done and verified"
exits 0 imgpack fetch "$src/test/app:1" -o app.tar --platform linux/amd64
exits 0 imgpack verify app.tar

step "1: the registry's bytes are not what the manifest promises"
layer=$(jq -r '.layers[1].digest' "image/blobs/$(image_digest app | cut -d: -f2)" | cut -d: -f2)
stored=src/docker/registry/v2/blobs/sha256/$(echo "$layer" | cut -c1-2)/$layer/data
cp "$stored" stored
printf 'x' | dd of="$stored" bs=1 seek=1000 conv=notrunc 2>/dev/null
exits 1 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64
says "$(echo "$layer" | cut -c1-12)"
says "$src/test/app:1"
nothing_left
head -c 5000 stored >"$stored"
exits 1 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64
says "$(echo "$layer" | cut -c1-12)"
nothing_left
cp stored "$stored"
exits 0 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64
rm out.d/a.tar

step "1: an archive that was damaged or cut"
cp app.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=200000 conv=notrunc 2>/dev/null
exits 1 imgpack verify bad.tar
says bad.tar
exits 1 imgpack load bad.tar --to "registry:$src/nowhere"
head -c 300000 app.tar >cut.tar
exits 1 imgpack verify cut.tar
exits 1 imgpack inspect cut.tar
printf 'not a tar at all\n' >text.tar
exits 1 imgpack verify text.tar
: >empty.tar
exits 1 imgpack verify empty.tar

step "2: usage"
exits 2 imgpack fetch
exits 2 imgpack fetch "$src/Test:1" -o out.d/a.tar

step "3: nobody there"
port=$(free_port)
exits 3 imgpack fetch "127.0.0.1:$port/test/app:1" -o out.d/a.tar
says "127.0.0.1:$port"
exits 3 imgpack load app.tar --to "registry:127.0.0.1:$port"
exits 3 env DOCKER_HOST="unix://$T/no-such-socket" "$IMGPACK" load app.tar --to docker
says no-such-socket
nothing_left

step "4: credentials"
exits 4 imgpack fetch "$closed/test/app:1" -o out.d/a.tar --platform linux/amd64
says "$closed"
says "login"
echo wrong-canary >password
"$IMGPACK" fetch "$closed/test/app:1" -o out.d/a.tar --username tester --password-stdin <password >out 2>err
same "a wrong password" "$?" 4
says_not wrong-canary
"$IMGPACK" login "$closed" --username tester --password-stdin <password >out 2>err
same "login with a wrong password" "$?" 4
says_not wrong-canary
[ ! -e home/.docker/config.json ] || fail "a refused password was stored"
nothing_left

step "5: not there"
exits 5 imgpack fetch "$src/test/app:no-such-tag" -o out.d/a.tar
says "no-such-tag"
exits 5 imgpack fetch "$src/test/no-such-image:1" -o out.d/a.tar
exits 5 imgpack fetch "$src/test/app@sha256:$(printf '0%.0s' $(seq 64))" -o out.d/a.tar
exits 5 imgpack fetch "$src/test/multi:1" -o out.d/a.tar --platform linux/s390x
says "s390x"
says "arm64"
exits 5 imgpack fetch "$src/test/app:1" "$src/test/app:gone" -o out.d/a.tar --platform linux/amd64
nothing_left

step "6: local files"
exits 6 imgpack verify no-such-file.tar
exits 6 imgpack fetch "$src/test/app:1" -o no/such/folder/a.tar --platform linux/amd64
says "no/such/folder"
exits 6 imgpack fetch "$src/test/app:1" -o out.d --platform linux/amd64
exits 6 imgpack fetch --images no-such-list -o out.d/a.tar
nothing_left

step "7: the target refuses"
exits 7 imgpack load app.tar --to "registry:$frozen"
says "$frozen"

step "130 and 143: signals (fault/interrupt.sh looks at what is left)"
start_slow slow "$src" 20000
for signal in INT TERM; do
	case $signal in INT) want=130 ;; TERM) want=143 ;; esac
	# A background job of a shell ignores SIGINT; env gives the program its default back.
	env --default-signal=INT "$IMGPACK" fetch "$slow/test/app:1" -o out.d/a.tar --platform linux/amd64 >out 2>err &
	pid=$!
	sleep 2
	kill -s "$signal" "$pid"
	wait "$pid"
	same "exit after SIG$signal" "$?" "$want"
	nothing_left
done
