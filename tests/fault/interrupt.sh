#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a fetch that is stopped or killed, at whatever moment, leaves no archive under the final name, and the next run goes on
# with what it had; and an archive that stood there before is untouched until the new one is complete.
# sanitize: no (the same moments, slower)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry jq
start_registry src
push_images "$src" app multi
start_slow slow "$src" 150000
cd "$T" || exit 1
mkdir out.d

# begin: a slow fetch into out.d/a.tar in the background. A shell's background job ignores SIGINT: env undoes that.
begin() {
	env --default-signal=INT "$IMGPACK" fetch "$slow/test/app:1" -o out.d/a.tar --platform linux/amd64 >out 2>err &
	pid=$!
}

step "signals at several moments"
for signal in INT TERM HUP; do
	case $signal in INT) want=130 ;; TERM) want=143 ;; HUP) want=129 ;; esac
	for moment in 0.3 1 2.5; do
		rm -f out.d/*
		begin
		sleep "$moment"
		kill -s "$signal" "$pid"
		started=$(date +%s)
		wait "$pid"
		same "exit after SIG$signal" "$?" "$want"
		[ $(($(date +%s) - started)) -lt 5 ] || fail "it took long to stop"
		refuse "an archive after SIG$signal" test -e out.d/a.tar
		same "what is left" "$(ls -A out.d | grep -v -e '^a.tar.part$' -e '^a.tar.part.journal$')" ""
	done
done

step "the next run goes on"
exits 0 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64 --json
[ "$(jq .reused_bytes "$T/out")" -gt 100000 ] || fail "nothing of the stopped runs was used"
same "only the archive" "$(ls -A out.d)" a.tar
exits 0 imgpack verify out.d/a.tar

step "an archive that stood there before stays as it is until the end"
echo "the old archive" >out.d/a.tar
old=$(sha out.d/a.tar)
begin
tries=0
while [ -z "$(ls out.d | grep part)" ] && [ "$tries" -lt 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
[ -n "$(ls out.d | grep part)" ] || fail "no temporary file beside the output"
same "mode while it is not complete" "$(stat -c %a out.d/*.part)" 600
same "the old archive while the new one is made" "$(sha out.d/a.tar)" "$old"
kill -s INT "$pid"
wait "$pid"
same "exit with an old archive in place" "$?" 130
same "the old archive after ^C" "$(sha out.d/a.tar)" "$old"
rm -f out.d/a.tar.part out.d/a.tar.part.journal
same "only the old archive" "$(ls -A out.d)" a.tar

step "kill -9"
for moment in 0.5 1.5 3; do
	begin
	sleep "$moment"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	same "the old archive after kill -9" "$(sha out.d/a.tar)" "$old"
done

step "left alone, the new one takes its place"
exits 0 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64
check "the new archive" archive holds out.d/a.tar image "$(image_digest app)"
same "its mode is the old file's" "$(stat -c %a out.d/a.tar)" 644
exits 0 imgpack verify out.d/a.tar

step "a stopped load sends no tag"
start_registry dst
start_slow slowly "$dst" 2000
env --default-signal=INT "$IMGPACK" load out.d/a.tar --to "registry:$slowly" >out 2>err &
pid=$!
sleep 0.4
kill -s INT "$pid"
wait "$pid"
code=$?
# It may have been quick enough to end; then all of it stands there.
[ "$code" -eq 130 ] || [ "$code" -eq 0 ] || fail "exit of a stopped load"
if [ "$code" -eq 130 ]; then
	refuse "a tag after ^C" registry_digest "$dst/test/app:1"
fi
