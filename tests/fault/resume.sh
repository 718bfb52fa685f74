#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: what has come over a bad link is not fetched twice: after resets, after a kill, with a journal that does not fit. And
# whatever a journal or a part says, the archive holds the right bytes or is not there.
#     SIZE=2G RESETS=100 sh tests/fault/resume.sh     as the promise is written; CI takes less of both
# timeout: 1800
# sanitize: no (hundreds of megabytes)
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl
cd "$T" || exit 1
SIZE=${SIZE:-128M} RESETS=${RESETS:-20} KILL_SIZE=${KILL_SIZE:-48M}

# twice DIARY... : bytes that were sent more than once, and the largest end of what was sent, from the diaries' lines of a
# layer; with --asked, the second diary counts by what was asked for instead of what was sent.
cat >twice.py <<'END'
import json
import sys


def spans(path, asked):
    for line in open(path):
        entry = json.loads(line)
        if not entry["path"].endswith(sys.argv[2]) or entry["method"] != "GET" or entry["status"] not in (200, 206):
            continue
        first = entry["first"]
        count = entry["said"] if asked and entry["said"] else entry["sent"]
        if count:
            yield first, first + count


events, sent = [], 0
for number, path in enumerate(sys.argv[3:]):
    for start, end in spans(path, sys.argv[1] == "--asked" and number > 0):
        events += [(start, 1), (end, -1)]
        sent += end - start
depth, last, covered = 0, 0, 0
for place, step in sorted(events):
    if depth:
        covered += place - last
    depth, last = depth + step, place
print(sent - covered)
END

# at_most TEXT HAVE PERCENT WHOLE
at_most() {
	echo "$1: $2 of $4 bytes, $(echo "$2 $4" | awk '{ printf "%.2f", $1 * 100 / $2 }') % (at most $3 %)"
	[ $(($2 * 100)) -le $(($3 * $4)) ] || fail "$1"
}

size_of() {
	curl -sf "http://$1/_papers/$2" | jq '.layers[0].size'
}

step "$SIZE with $RESETS resets"
# What was sent is counted by the server, which lets a queue drain before it resets: so it is what the client has got.
start_bad far --seed 21 --image "big=$SIZE" --rules "[
	{\"kind\":\"layer\",\"times\":$((RESETS / 2)),\"probability\":0.5,\"do\":{\"cut\":{\"at\":[\"1%\",\"99%\"],\"reset\":true}}},
	{\"kind\":\"layer\",\"times\":$((RESETS - RESETS / 2)),\"probability\":0.8,\"do\":{\"cut\":{\"at\":[1000,\"99%\"]}}}]"
whole=$(size_of "$far" big)
within "a blob with $RESETS resets" 1500 "$IMGPACK" fetch "$far/test/big:1" -o big.tar --platform linux/amd64 --json
same "a blob with $RESETS resets" "$code" 0
check "its bytes" holds_layers big.tar "$far" big
diary "$far" '.path | contains("/blobs/")' >first
resets=$(jq -c 'select(.rule != null)' first | wc -l)
[ "$resets" -ge $((RESETS * 3 / 4)) ] || fail "only $resets resets"
at_most "sent more than once, over $resets resets" "$(python3 twice.py --sent "$(layer_of "$far" big)" first)" 2 "$whole"
[ "$(jq .downloaded_bytes out)" -ge "$whole" ] || fail "--json: downloaded_bytes"
same "nothing stays beside the archive" "$(echo big.tar*)" big.tar
rm -f big.tar
stop_pid "$far_pid"

# ---- killed

start_bad steady --seed 23 --image "a=$KILL_SIZE" --image "moved=4M,4M,1M" --image "moved:2=4M,5M"
layer=$(layer_of "$steady" a)
whole=$(size_of "$steady" a)

# killed PERCENT: a fetch of a.tar is killed when so much has been sent. Its diary: "before".
killed() {
	rm -f a.tar a.tar.*
	rules "$steady" '[{"kind":"layer","do":{"drip":2500000}}]'
	"$IMGPACK" fetch "$steady/test/a:1" -o a.tar --platform linux/amd64 >out 2>err &
	killed_pid=$!
	killed_tries=0
	while [ "$(curl -sf "http://$steady/_stats" | jq .sent)" -lt $((whole / 100 * $1)) ]; do
		killed_tries=$((killed_tries + 1))
		kill -0 "$killed_pid" 2>/dev/null && [ "$killed_tries" -lt 600 ] || fail "a fetch that was to be killed ended first"
		sleep 0.03
	done
	kill -9 "$killed_pid"
	wait "$killed_pid" 2>/dev/null
	[ ! -e a.tar ] || fail "an archive after kill -9"
	sleep 0.2
	diary "$steady" >before
	rules "$steady" '[]'
}

# again TEXT: the same command once more must give the right archive. Its diary: "after".
again() {
	within "$1" 120 "$IMGPACK" fetch "$steady/test/a:1" -o a.tar --platform linux/amd64 --json
	same "$1" "$code" 0
	[ -z "${good:-}" ] || same "$1: the same archive" "$(sha a.tar)" "$good"
	diary "$steady" >after
	same "$1: nothing stays beside the archive" "$(echo a.tar*)" a.tar
}

# saved: what the killed run left. restored: it stands there again.
saved() {
	rm -rf left
	mkdir left
	cp --sparse=always a.tar.* left/
}
restored() {
	rm -f a.tar a.tar.*
	cp --sparse=always left/* .
	forget_diary "$steady"
}
# sent_again: bytes of the layer in the second run's diary.
sent_again() {
	jq -s --arg l "$layer" 'map(select(.path | endswith($l)) | .sent) | add // 0' after
}

step "kill -9 at 60 %, and the same command again"
killed 60
check "a part and a journal beside the output" test -f a.tar.part -a -f a.tar.part.journal
saved
again "after kill -9"
check "its bytes" holds_layers a.tar "$steady" a
at_most "asked for twice after kill -9" "$(python3 twice.py --asked "$layer" before after)" 3 "$whole"
[ "$(jq .reused_bytes out)" -ge $((whole / 2)) ] || fail "--json: reused_bytes"
good=$(sha a.tar)

step "ten bytes of the part altered: a little is fetched again, and only that"
restored
for place in 10 11 12 20 21 22 23 24 25 26; do
	printf '\252' | dd of=a.tar.part bs=1 seek=$((whole / 100 * place / 2)) conv=notrunc 2>/dev/null
done
again "with a part that was altered"
# All that was altered lies within 8 %.
missing=$((whole - $(jq -s --arg l "$layer" 'map(select(.path | endswith($l)) | .sent) | add' before)))
at_most "fetched again for an altered part, beside what was missing" $(($(sent_again) - missing)) 9 "$whole"
[ "$(sent_again)" -gt "$missing" ] || fail "nothing was fetched again, so nothing was altered"

step "a part cut short, emptied, or gone"
for cut in $((whole / 4)) 0; do
	restored
	truncate -s "$cut" a.tar.part
	again "with a part of $cut bytes"
done
restored
rm a.tar.part
again "without the part"

step "a journal that is not what it was"
length=$(wc -c <left/a.tar.part.journal)
for damage in 0 1 half minus1 noise zeros foreign gone doubled; do
	restored
	case $damage in
	0 | 1) truncate -s "$damage" a.tar.part.journal ;;
	half) truncate -s $((length / 2)) a.tar.part.journal ;;
	minus1) truncate -s $((length - 1)) a.tar.part.journal ;;
	noise) python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(3).randbytes(9000))' >a.tar.part.journal ;;
	zeros) head -c "$length" /dev/zero >a.tar.part.journal ;;
	foreign) sed 's/[0-9a-f]\{20,\}/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/g' left/a.tar.part.journal >a.tar.part.journal ;;
	gone) rm a.tar.part.journal ;;
	doubled) cat left/a.tar.part.journal left/a.tar.part.journal >a.tar.part.journal ;;
	esac
	again "with a journal: $damage"
done
# Bytes changed here and there, one a run.
for place in 0 3 20 50 80 97; do
	restored
	printf '\377' | dd of=a.tar.part.journal bs=1 seek=$((length * place / 100)) conv=notrunc 2>/dev/null
	again "with a byte of the journal changed at $place %"
done

step "the journal of one output beside the part of another"
restored
mv a.tar.part.journal other.journal
within "another image" 60 "$IMGPACK" fetch "$steady/test/moved:1" -o b.tar --platform linux/amd64
same "another image" "$code" 0
cp other.journal b.tar.part.journal
cp --sparse=always left/a.tar.part b.tar.part
rm -f b.tar
within "a foreign part and journal" 60 "$IMGPACK" fetch "$steady/test/moved:1" -o b.tar --platform linux/amd64
same "a foreign part and journal" "$code" 0
check "its bytes" holds_layers b.tar "$steady" moved

step "a tag that moved in between"
rm -f a.tar a.tar.* b.tar*
# The same name stands for another image from the second run on; the first is killed in its middle.
start_bad moving --seed 24 --image "tag=8M,8M" --image "tag:2=8M,9M" --rate 8000000
"$IMGPACK" fetch "$moving/test/tag:1" -o m.tar --platform linux/amd64 >out 2>err &
moving_pid_of_fetch=$!
sleep 1
kill -9 "$moving_pid_of_fetch"
wait "$moving_pid_of_fetch" 2>/dev/null
rules "$moving" '[{"path":"/manifests/1$","do":{"redirect":"to","location":"/v2/test/tag/manifests/2"}}]'
within "a tag that moved" 60 "$IMGPACK" fetch "$moving/test/tag:1" -o m.tar --platform linux/amd64
same "a tag that moved" "$code" 0
check "the new image's bytes" holds_layers m.tar "$moving" tag:2
same "nothing stays beside the archive" "$(echo m.tar*)" m.tar

step "two at once with one output: one refuses, the other ends well"
launch one 60 imgpack fetch "$moving/test/tag:2" -o two.tar --platform linux/amd64
sleep 0.7
launch two 60 imgpack fetch "$moving/test/tag:2" -o two.tar --platform linux/amd64
await
same "how the two ended" "$(cat run/one.code run/two.code | sort | tr '\n' ' ')" "0 6 "
check "the archive of the one" holds_layers two.tar "$moving" tag:2
same "nothing stays beside the archive" "$(echo two.tar*)" two.tar
