#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: fetch -o - | load - is fetch -o FILE, then load FILE, without the file: the same bytes, the same digests at the far end, and
# whatever happens to the stream on its way (cut anywhere, a bit changed anywhere), no tag and no exit 0.
#     CUTS=300 FLIPS=300 sh tests/e2e/pipe.sh     by chance, beside every member's ends; CI takes few, unit/pack_pipe takes all
# timeout: 900
# sanitize: no (unit/pack_pipe and fault/stream show it more)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl python3
CUTS=${CUTS:-} FLIPS=${FLIPS:-10}
start_registry src
start_registry dst
push_images "$src"
cd "$T" || exit 1

# tags NAME: every tag that a registry of ours keeps, as REPOSITORY:TAG.
tags() {
	find "$T/$1/docker/registry/v2/repositories" -path '*/_manifests/tags/*/current/link' 2>/dev/null |
		sed 's|.*/repositories/||; s|/_manifests/tags/\([^/]*\)/.*|:\1|' | sort
}

# stream CODE ARGUMENT...: fetch to standard output, s.tar; its standard error is in err.
stream() {
	stream_want=$1
	shift
	"$IMGPACK" fetch "$@" -o - >s.tar 2>err
	stream_code=$?
	: >out
	same "fetch -o - exits $stream_want" "$stream_code" "$stream_want"
}

step "the same bytes as in a file"
for options in "--platform linux/amd64" --all-platforms; do
	# shellcheck disable=SC2086
	exits 0 imgpack fetch "$src/test/multi:1" "$src/test/app:1" "$src/test/zstd:1" -o f.tar $options
	# shellcheck disable=SC2086
	stream 0 "$src/test/multi:1" "$src/test/app:1" "$src/test/zstd:1" $options
	check "the stream is the file" cmp f.tar s.tar
	says "ID sha256:"
done
exits 0 imgpack fetch "$src/test/plain:1" -o f.tar
"$IMGPACK" fetch "$src/test/plain:1" -o - --connections 1 2>err | cmp - f.tar || fail "one connection"
"$IMGPACK" fetch "$src/test/plain:1" -o - -q 2>err >s.tar || fail "quiet"
same "-q says nothing" "$(cat err)" ""

step "what standard output cannot be"
exits 2 imgpack fetch "$src/test/app:1" -o - --json
exits 2 imgpack fetch "$src/test/app:1" -o - --have-archive f.tar
exits 2 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
	"$IMGPACK" fetch "$src/test/app:1" -o -
prints "is a terminal"
{ "$IMGPACK" fetch "$src/test/plain:1" -o - 2>err; echo $? >code; } | head -c 1000 >/dev/null
same "a reader that goes away" "$(cat code)" 6
says "standard output"
exits 2 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$IMGPACK" load - \
	--to "registry:$dst"
prints "is a terminal"

step "to a registry"
exits 0 imgpack fetch "$src/test/multi:1" "$src/test/app:1" "$src/test/app2:1" -o all.tar --all-platforms
"$IMGPACK" fetch "$src/test/multi:1" "$src/test/app:1" "$src/test/app2:1" -o - --all-platforms 2>fetch.err |
	"$IMGPACK" load - --to "registry:$dst" --json >out 2>err || fail "fetch and load"
for name in multi app app2; do
	same "$name at the far end" "$(registry_digest "$dst/test/$name:1")" "$(image_digest "$name")"
	for blob in $(blobs_of "$(image_digest "$name")" 2>/dev/null); do
		check "its blobs" curl -sfo /dev/null "http://$dst/v2/test/$name/blobs/$blob"
	done
done
same "images in the report" "$(jq '.images | length' out)" 3
# shellcheck disable=SC2002
cat all.tar | "$IMGPACK" load - --to "registry:$dst" --json >out 2>err || fail "once more"
same "nothing is sent twice" "$(jq .sent_bytes out)" 0

step "a tag moves with --replace only, and the answer does not wait for the layers"
forget_log dst
exits 0 imgpack fetch "$src/test/plain:1" -o plain.tar
# Four bytes short: whoever read on would say that it was cut.
head -c -4 plain.tar | "$IMGPACK" load - --to "registry:$dst" --name "$src/test/plain:1=test/app:1" >out 2>err
same "the exit code" "$?" 7
says "--replace"
same "uploads" "$(access_log dst | grep -c '^POST')" 0
same "the tag stayed" "$(registry_digest "$dst/test/app:1")" "$(image_digest app)"
"$IMGPACK" load - --to "registry:$dst" --name "$src/test/plain:1=test/app:1" --replace <plain.tar >out 2>err || fail "replace"

step "verify and inspect"
# shellcheck disable=SC2002
cat all.tar | "$IMGPACK" verify - >out 2>err || fail "verify -"
# shellcheck disable=SC2002
cat all.tar | "$IMGPACK" inspect - --json >piped.json 2>err || fail "inspect -"
exits 0 imgpack inspect all.tar --json
same "inspect - shows what inspect shows" "$(jq -S 'del(.archive)' piped.json)" "$(jq -S 'del(.archive)' out)"
head -c 100000 all.tar | "$IMGPACK" inspect - >out 2>err || fail "inspect reads the papers alone"
{ cat all.tar; printf x; } | "$IMGPACK" verify - >out 2>err
same "a byte behind the end" "$?" 1
{ cat all.tar; printf x; } | "$IMGPACK" load - --to "registry:$dst/behind" >out 2>err
same "a byte behind the end" "$?" 1
id=$(jq -r .id piped.json)
# shellcheck disable=SC2002
cat all.tar | "$IMGPACK" load - --to "registry:$dst/other" --expect "sha256:$(printf 0 | sha256sum | cut -d' ' -f1)" >out 2>err
same "another ID" "$?" 1
# shellcheck disable=SC2002
cat all.tar | "$IMGPACK" load - --to "registry:$dst/expected" --expect "$id" >out 2>err || fail "the right ID"

step "cut and changed on the way: no tag, no exit 0"
before=$(tags dst)
exits 0 imgpack fetch "$src/test/app:1" "$src/test/multi:1" -o small.tar --platform linux/amd64
for how in "${CUTS:+cut $CUTS}" "few 12" "flip $FLIPS"; do
	[ -n "$how" ] || continue
	# shellcheck disable=SC2086
	python3 "$LIB/passing.py" ${how% *} small.tar ${how#* } 1 "$IMGPACK" load - --to "registry:$dst/bad{}" >passing.log 2>&1 ||
		fail "all refused by load"
	tail -n 1 passing.log
	# shellcheck disable=SC2086
	python3 "$LIB/passing.py" ${how% *} small.tar ${how#* } 2 "$IMGPACK" verify - >passing.log 2>&1 || fail "all refused by verify"
done
same "no tag was set" "$(tags dst)" "$before"

step "archives that do not fit into one pass"
gzip -c small.tar | "$IMGPACK" load - --to "registry:$dst/packed" >out 2>err || fail "gzip"
says "temporary file"
same "out of gzip" "$(registry_digest "$dst/packed/test/app:1")" "$(image_digest app)"
if command -v skopeo >/dev/null; then
	skopeo copy -q --src-tls-verify=false "docker://$src/test/app:1" docker-archive:theirs.tar:x/app:1 2>err || fail "skopeo"
	# shellcheck disable=SC2002
	cat theirs.tar | "$IMGPACK" load - --to "registry:$dst/theirs" >out 2>err || fail "another program's"
	says "temporary file"
fi
python3 "$LIB/passing.py" reorder small.tar >behind.tar || fail "reorder"
exits 0 imgpack verify behind.tar
# shellcheck disable=SC2002
cat behind.tar | "$IMGPACK" load - --to "registry:$dst/order" >out 2>err || fail "papers behind layers"
same "papers behind layers" "$(registry_digest "$dst/order/test/app:1")" "$(image_digest app)"
printf 'no archive' | "$IMGPACK" load - --to "registry:$dst/none" >out 2>err
same "no archive" "$?" 1
"$IMGPACK" load - --to "registry:$dst/none" <small.tar >out 2>err || fail "a file behind standard input"
same "a file behind standard input" "$(registry_digest "$dst/none/test/app:1")" "$(image_digest app)"
TMPDIR=/nowhere "$IMGPACK" load - --to "registry:$dst/nodisk" <small.tar >out 2>err || fail "no folder for temporary files"
# shellcheck disable=SC2002
cat small.tar | TMPDIR=/nowhere "$IMGPACK" load - --to "registry:$dst/nodisk2" >out 2>err || fail "one pass needs no disk"

# start_sshd: a server of our own, for the user who runs this; $sshd is its port. 1 if it cannot run here.
start_sshd() {
	sshd_program=$(command -v sshd || echo /usr/sbin/sshd)
	[ -x "$sshd_program" ] && command -v ssh >/dev/null && command -v ssh-keygen >/dev/null || return 1
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd 2>/dev/null || return 1
	ssh-keygen -q -t ed25519 -N '' -f host.key && ssh-keygen -q -t ed25519 -N '' -f user.key || return 1
	sshd=$(free_port)
	cat >sshd.conf <<-END
		Port $sshd
		ListenAddress 127.0.0.1
		HostKey $T/host.key
		AuthorizedKeysFile $T/user.key.pub
		PidFile none
		StrictModes no
		PasswordAuthentication no
		UsePAM no
		PermitRootLogin yes
	END
	spawn sshd "$sshd_program" -D -e -f "$T/sshd.conf"
	wait_for 10 ssh_there true
}

ssh_there() {
	ssh -q -i "$T/user.key" -p "$sshd" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
		-F /dev/null 127.0.0.1 "$@"
}

step "through ssh"
if start_sshd; then
	"$IMGPACK" fetch "$src/test/multi:1" "$src/test/plain:1" -o - --all-platforms 2>fetch.err |
		ssh_there "HOME=$HOME $IMGPACK load - --to registry:$dst/far" >out 2>err || fail "fetch, ssh, load"
	for name in multi plain; do
		same "$name behind ssh" "$(registry_digest "$dst/far/test/$name:1")" "$(image_digest "$name")"
	done
else
	echo "no sshd can run here: through a pipe alone"
fi

step "to docker"
daemons=
start_dockerd classic && daemons="$daemons $classic"
start_dockerd modern containerd && daemons="$daemons $modern"
[ -n "$daemons" ] || echo "no docker daemon can run here"
exits 0 imgpack fetch "$src/test/app2:1" -o app2.tar
for daemon in $daemons; do
	export DOCKER_HOST="$daemon"
	# Behind the last layer: the daemon has every blob, and must not have what names them.
	head -c -1000 small.tar | "$IMGPACK" load - --to docker >out 2>err
	same "cut in the papers" "$?" 1
	same "no image" "$(docker images -q)" ""
	for how in few flip; do
		python3 "$LIB/passing.py" $how small.tar 15 3 "$IMGPACK" load - --to docker >passing.log 2>&1 || fail "all refused by load to docker"
		tail -n 1 passing.log
		same "no image" "$(docker images -q)" ""
	done
	"$IMGPACK" fetch "$src/test/app:1" "$src/test/multi:1" "$src/test/zstd:1" -o - --platform linux/amd64 2>fetch.err |
		"$IMGPACK" load - --to docker --json >out 2>err || fail "fetch and load to docker"
	for name in app multi zstd; do
		container=$(docker create "$src/test/$name:1" /bin/sh 2>err) || fail "docker create"
		docker export "$container" -o export.tar 2>err || fail "docker export"
		check "the files in a container" python3 "$SOURCE_DIR/fixtures/image/image.py" compare image "$name" export.tar
		docker rm "$container" >/dev/null
	done
	old=$(docker image inspect -f '{{.Id}}' "$src/test/app:1")
	# shellcheck disable=SC2002
	cat app2.tar | "$IMGPACK" load - --to docker --name "$src/test/app2:1=$src/test/app:1" >out 2>err
	same "a name that is taken" "$?" 7
	same "the name stayed" "$(docker image inspect -f '{{.Id}}' "$src/test/app:1")" "$old"
	# shellcheck disable=SC2002
	cat small.tar | "$IMGPACK" load - --to docker >out 2>err || fail "what is there already"
	head -c -600 small.tar | "$IMGPACK" load - --to docker >out 2>err
	same "what is there already, and the stream is cut" "$?" 1
done
exit 0
