#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a command line that makes no sense ends with exit 2 before any connection and before any file is made.
# sanitize: no (unit/oci_reference is there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry strace jq
start_registry src
push_images "$src" app
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o good.tar --platform linux/amd64
forget_log src
mkdir empty
cd empty || exit 1

# refused WORD...: exit 2, something is said, no connection, no file.
refused() {
	untraced_leaks strace -f -qq -e trace=connect,sendto,socket -o ../trace "$IMGPACK" "$@" >../out 2>../err </dev/null
	code=$?
	[ "$code" -eq 2 ] || {
		printf 'command: imgpack %s\nexit: %s\n' "$*" "$code" >&2
		fail "a command line without sense must exit 2"
	}
	[ -s ../err ] || fail "nothing was said about a command line without sense"
	! grep -qE 'AF_INET|AF_UNIX.*docker' ../trace || fail "a connection was opened for a command line without sense"
	[ -z "$(ls -A)" ] || fail "a command line without sense left a file"
	# Nothing of what was typed may drive the terminal.
	! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" ../err || fail "raw control bytes were printed"
}

digest=sha256:$(printf 'a%.0s' $(seq 64))
long=$(printf 'x%.0s' $(seq 300))
step "references"
for reference in "" " " "case/UPPER:1" "$src/Upper:1" "$src/test/app:" "$src/test/app:-1" "$src/test/app:.1" "$src/a//b:1" \
	"$src//a:1" "/a:1" "$src/" "$src/a:1:2" "$src/a@" "$src/a@sha256:" "$src/a@sha256:abc" "$src/a@md5:$digest" \
	"$src/a@$(echo "$digest" | tr a A)" "$src/a@${digest}0" "$src/a@$digest@$digest" "$src/a b:1" "$src/a%20b:1" \
	"$src/../a:1" "$src/a/..:1" "$src/.a:1" "$src/a-:1" "$src/a___b:1" "http://$src/a:1" "https://$src/a:1" \
	"docker://$src/a:1" "user:pw@$src/a:1" "$src/a:1?x=1" "$src/a#1" "$src/$long/a:1" "$src/a:$long" \
	"$src:99999/a:1" "host:0x50/a:1" "127.0.0.1:99999/a:1" "[::1/a:1" "$src/a:1$(printf '\033[31m')" "$src/a:1$(printf '\r\nX: y')" \
	"$src/ä:1" "-x"; do
	refused fetch "$reference" -o x.tar
done
refused fetch "$src/test/app:1" "BAD" -o x.tar
printf '%s/test/app:1\nNO GOOD\n' "$src" >../list
refused fetch --images ../list -o x.tar

step "options"
refused
refused fetchh
refused fetch
refused fetch "$src/test/app:1"
refused fetch -o x.tar
refused fetch "$src/test/app:1" -o x.tar --no-such-option
refused fetch "$src/test/app:1" -o x.tar --connections 0
refused fetch "$src/test/app:1" -o x.tar --connections 65
refused fetch "$src/test/app:1" -o x.tar --connections many
refused fetch "$src/test/app:1" -o x.tar --connections -1
refused fetch "$src/test/app:1" -o x.tar --platform linux
refused fetch "$src/test/app:1" -o x.tar --platform linux/
refused fetch "$src/test/app:1" -o x.tar --platform linux/a/b/c/d
refused fetch "$src/test/app:1" -o x.tar --platform linux/amd64 --all-platforms
refused fetch "$src/test/app:1" -o x.tar --password-stdin
refused fetch "$src/test/app:1" -o x.tar --username me
refused fetch "$src/test/app:1" -o x.tar --password secret
refused fetch "$src/test/app:1" -o x.tar --output
refused load
refused load - b.tar
refused logout a b
refused load a.tar --to nowhere
refused load a.tar --to registry:
refused load a.tar --to "registry:$src/UPPER"
refused load a.tar --to "registry:http://$src"
refused load ../good.tar --to "registry:$src" --name onlyone
refused load ../good.tar --to "registry:$src" --name "$src/test/app:1=UPPER:1"
refused load ../good.tar --to "registry:$src" --name "not/there:1=a:1"
refused load ../good.tar --to "registry:$src" --expect nonsense
refused verify
refused inspect
refused completion tcsh

step "a registry that was never asked has an empty log"
same "requests" "$(access_log src | grep -vc '^GET /v2/ ')" 0

step "help and version are no mistakes"
exits 0 imgpack --help
prints fetch
exits 0 imgpack fetch --help
prints "--all-platforms"
exits 0 imgpack version
for shell in bash zsh fish; do
	exits 0 imgpack completion "$shell"
	prints fetch
done
