#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: fetch -o - over a bad link is right all the same: what broke in the middle of a blob is gone on from the byte; where ranges
# are not to be had the blob comes whole; and a blob whose bytes are wrong ends the run and leaves a stream that nothing loads.
# timeout: 300
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl
cd "$T" || exit 1
SIZE=${SIZE:-48M}

# stream CODE ARGUMENT...: fetch to standard output, s.tar.
stream() {
	stream_want=$1
	shift
	timeout 100 "$IMGPACK" fetch "$@" -o - --platform linux/amd64 >s.tar 2>err
	stream_code=$?
	: >out
	same "fetch -o - exits $stream_want" "$stream_code" "$stream_want"
}

step "connections that are reset in the middle of a blob"
start_bad bad --seed 5 --image "big=$SIZE,300k" --image plain=100k
exits 0 imgpack fetch "$bad/test/big:1" -o f.tar --platform linux/amd64
whole=$(curl -sf "http://$bad/_papers/big" | jq '[.layers[].size] | add')
rules "$bad" '[{"kind":"layer","times":12,"probability":0.6,"do":{"cut":{"at":["5%","95%"],"reset":true}}},
	{"kind":"layer","times":6,"do":{"cut":{"at":[1000,"99%"]}}}]'
stream 0 "$bad/test/big:1" --retries 20
check "the stream is the file" cmp f.tar s.tar
broken=$(count "$bad" '.rule != null and .status < 300 and .sent < .said')
sent=$(sum "$bad" '.status < 300 and (.path | test("/blobs/"))' .sent)
echo "$broken answers broken, $sent bytes sent of $whole"
[ "$broken" -ge 10 ] || fail "too few were broken to prove anything"
# What lay in the sockets when a connection was reset is lost: that is less than a tenth here.
[ "$sent" -le $((whole + whole / 10)) ] || fail "only the rest is asked for"

step "one connection"
forget_diary "$bad"
rules "$bad" '[{"kind":"layer","times":5,"do":{"cut":{"at":["10%","90%"],"reset":true}}}]'
stream 0 "$bad/test/big:1" --retries 20 --connections 1
check "the stream is the file" cmp f.tar s.tar

step "servers that know no ranges"
for form in ignore ignore-chunked 416 416-bare wrong-start close-delimited 200-part; do
	rules "$bad" "[{\"kind\":\"layer\",\"do\":{\"range\":\"$form\"}}]"
	stream 0 "$bad/test/big:1" --retries 3
	check "the stream is the file, ranges: $form" cmp f.tar s.tar
	sent=$(sum "$bad" '.status < 300 and (.path | test("/blobs/"))' .sent)
	echo "$form: $sent bytes sent of $whole"
done
rules "$bad" '[{"kind":"layer","times":2,"do":{"range":"ignore","cut":{"at":["40%","60%"],"reset":true}}},
	{"kind":"layer","do":{"range":"ignore"}}]'
stream 0 "$bad/test/big:1" --retries 5
check "the stream is the file, no ranges and broken" cmp f.tar s.tar

step "wrong bytes"
rules "$bad" '[{"kind":"layer","path":"/big/","do":{"lie":"flip","place":30000000}}]'
stream 1 "$bad/test/big:1"
says "sha256:"
check "it ends early" test "$(stat -c %s s.tar)" -lt "$(stat -c %s f.tar)"
# shellcheck disable=SC2002
cat s.tar | "$IMGPACK" verify - >out 2>err
same "the stream is refused" "$?" 1
# A blob that is one piece is proved before it goes out, so the next answer may put it right.
rules "$bad" '[{"kind":"layer","path":"/plain/","times":1,"do":{"lie":"flip"}}]'
exits 0 imgpack fetch "$bad/test/plain:1" -o p.tar --platform linux/amd64
rules "$bad" '[{"kind":"layer","path":"/plain/","times":1,"do":{"lie":"flip"}}]'
stream 0 "$bad/test/plain:1"
check "the stream is the file" cmp p.tar s.tar

step "a mirror that breaks"
start_bad near --seed 5 --image "big=$SIZE,300k" --rules '[{"kind":"layer","do":{"cut":{"at":["20%","80%"],"reset":true}}}]'
rules "$bad" '[]'
stream 0 "$bad/test/big:1" --mirror "$bad=http://$near" --retries 3
check "the stream is the file" cmp f.tar s.tar

step "a signal while the reader sleeps"
mkfifo pipe
timeout 60 "$IMGPACK" fetch "$bad/test/big:1" -o - --platform linux/amd64 >pipe 2>err &
writer=$!
exec 3<pipe
head -c 100000 <&3 >/dev/null
sleep 1
child=$(ps -o pid= --ppid "$writer" | tr -d ' ')
kill -TERM "${child:-$writer}"
wait "$writer"
code=$?
exec 3<&-
same "stopped by the signal" "$code" 143
exit 0
