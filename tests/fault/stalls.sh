#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a far side that falls silent, in whatever phase, is given up after --stall-timeout and asked anew; if it stays silent,
# the fetch ends with a message. No wait is endless. And a far side that is only slow, within what was allowed, is waited for.
# timeout: 300
# sanitize: no (it waits, mostly)
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl
cd "$T" || exit 1
LIMIT=${LIMIT:-2} # --stall-timeout; LIMIT=30, the default, takes four minutes
GRACE=5    # what a silence may be longer
CONNECT=15 # seconds until a connection stands, TLS included

# rule_of IMAGE PHASE WHICH: an image's requests of this phase meet silence; WHICH is "nth":1, (the first alone), or nothing.
rule_of() {
	case $2 in
	token-*) of_match="\"path\":\"^/_token\",\"query\":\"$1\"" ;;
	store-*) of_match="\"path\":\"^/store/$(layer_of "$bad" "$1")\"" ;;
	blob-*) of_match="\"path\":\"^/v2/test/$1/\",\"kind\":\"layer\"" ;;
	*) of_match="\"path\":\"^/v2/test/$1/\",\"kind\":\"${2%%-*}\"" ;;
	esac
	printf ',{%s,%s"do":{"stall":{"at":"%s"}}}' "$of_match" "$3" "${2#*-}"
	case $2 in store-*) printf ',{"path":"^/v2/test/%s/","kind":"layer","do":{"redirect":"absolute"}}' "$1" ;; esac
}

# fetch NAME IMAGE SECONDS OPTION...: in the background
fetch() {
	fetch_name=$1 fetch_image=$2 fetch_most=$3
	shift 3
	launch "$fetch_name" "$fetch_most" imgpack fetch "$fetch_image" -o "$fetch_name.tar" --platform linux/amd64 "$@"
}

step "a proxy that looks at everything for longer than the default allows"
start_bad scanner --image slow=1M --rules '[{"path":"/blobs/","nth":1,"do":{"pause":32}}]'
fetch slow registry.test/test/slow:1 60 --plain-http registry.test --proxy "http://$scanner" --stall-timeout 45
slow_pid=$launched launched=

phases="manifest-before manifest-head manifest-0 config-before blob-before blob-head blob-0 blob-1% blob-50% blob-99.9%
	store-before store-50%"
# Silence that lets some bytes through each time is progress, and ends well by itself.
ever="manifest-before manifest-head manifest-0 config-before blob-before blob-head blob-0 store-before"
tokens="token-before token-head token-0"

step "silence in every phase, once and for ever"
images= token_images=
for phase in $phases; do
	images="$images --image ${phase%\%}=4M --image ever-${phase%\%}=1M"
done
for phase in $tokens; do
	token_images="$token_images --image $phase=1M --image ever-$phase=1M"
done
# shellcheck disable=SC2086
start_bad bad --seed 1 $images
# shellcheck disable=SC2086
start_bad locked --seed 2 --token-life 60 $token_images
list=
for phase in $phases; do
	list="$list$(rule_of "${phase%\%}" "$phase" '"nth":1,')"
done
for phase in $ever; do
	list="$list$(rule_of "ever-$phase" "$phase" '')"
done
rules "$bad" "[${list#,}]"
list=
for phase in $tokens; do
	list="$list$(rule_of "ever-$phase" "$phase" '')$(rule_of "(/|%2F)$phase" "$phase" '"nth":1,')"
done
rules "$locked" "[${list#,}]"
spawn mute python3 -u "$SERVERS/mute.py"
started mute full
full=$mute
started mute mute

for phase in $phases; do
	fetch "${phase%\%}" "$bad/test/${phase%\%}:1" $((38 + LIMIT)) --stall-timeout "$LIMIT"
done
for phase in $ever; do
	fetch "ever-$phase" "$bad/test/ever-$phase:1" $((56 + 2 * LIMIT)) --stall-timeout "$LIMIT" --retries 1
done
for phase in $tokens; do
	fetch "$phase" "$locked/test/$phase:1" $((38 + LIMIT)) --stall-timeout "$LIMIT"
	fetch "ever-$phase" "$locked/test/ever-$phase:1" $((56 + 2 * LIMIT)) --stall-timeout "$LIMIT" --retries 1
done
fetch mute "$mute/test/x:1" $((56 + 2 * LIMIT)) --stall-timeout "$LIMIT" --retries 0
fetch tls "registry.localhost:${mute#*:}/test/x:1" $((56 + 2 * LIMIT)) --stall-timeout "$LIMIT" --retries 0
fetch connect "$full/test/x:1" $((56 + 2 * LIMIT)) --stall-timeout "$LIMIT" --retries 0
await

number=0
for phase in $phases; do
	judge "${phase%\%}" 0
	number=$((number + 1))
done
judged "$bad"
for phase in $tokens; do
	judge "$phase" 0
	number=$((number + 1))
done
judged "$locked"
# Two silences, the wait between them, and the program itself.
for phase in $ever $tokens; do
	judge "ever-$phase" 3
	number=$((number + 1))
	[ "$took" -le $((2 * (LIMIT + GRACE) + 3)) ] || complain "ever-$phase: $took s for two tries"
	[ -s err ] || complain "ever-$phase: no message"
done
for phase in mute tls connect; do
	judge "$phase" 3
	number=$((number + 1))
	[ -s err ] || complain "$phase: no message"
	case $phase in mute) most=$((LIMIT + GRACE)) ;; *) most=$((CONNECT + GRACE)) ;; esac
	[ "$took" -le "$most" ] || complain "$phase: $took s until it was given up"
done

# How long each silence really was, as the silent side saw it.
for host in "$bad" "$locked"; do
	diary "$host" '.rule != null and .status != 307' | jq -c '{path, waited: ((.done // now) - .time)}'
done >silences
[ "$(wc -l <silences)" -ge "$number" ] || complain "only $(wc -l <silences) silences for $number cases"
longest=$(jq -s 'map(.waited) | max' silences)
jq -c "select(.waited > $((LIMIT + GRACE)))" silences | while read -r line; do
	complain "a silence of more than $((LIMIT + GRACE)) s: $line"
done
# Given up before the time that was allowed would be a fault as well. (Not so where another connection may have brought the
# bytes in the meantime, or where the fetch had failed already.)
jq -c "select((.path | test(\"^/v2/test/(manifest|config)-|^/_token\")) and .waited < $LIMIT - 0.5)" silences | while read -r line; do
	complain "given up too soon: $line"
done
echo "$number cases, the longest silence was $longest s"

step "a slow disk is not a silent registry"
if command -v strace >/dev/null 2>&1 && strace -qq -o calls -e inject=getppid:error=EIO true 2>/dev/null; then
	start_bad quick --image disk=1M
	untraced_leaks timeout 100 strace -f -qq -o calls -e trace=pwrite64 -e inject=pwrite64:delay_exit=1500000:when=1..4 \
		"$IMGPACK" fetch "$quick/test/disk:1" -o disk.tar --platform linux/amd64 --stall-timeout 1 >out 2>err
	same "a disk that takes 1.5 s for a write" "$?" 0
	says_not "no byte for"
	check "its archive" holds_layers disk.tar "$quick" disk
	twice=$(diary "$quick" '.path | contains("/blobs/")' | jq -c '[.path, .range]' | sort | uniq -d)
	[ -z "$twice" ] || complain "a slow disk was taken for silence: $twice was asked for twice"
fi

step "the slow proxy was waited for"
launched=$slow_pid
await
judge slow 0
judged "$scanner"
same "what was asked for twice" "$(diary "$scanner" '.path | contains("/blobs/")' | jq -c '[.path, .range]' | sort | uniq -d)" ""
verdict "silences"
