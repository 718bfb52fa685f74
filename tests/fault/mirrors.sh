#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a mirror may be stale, lie, stall, or refuse: it is left for the next one and named, the archive holds the right bytes
# under the name that was asked for; and where mirror and origin disagree about a tag, that is said.
# timeout: 300
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl
cd "$T" || exit 1

# Mirrors and origin are one server, told apart by the path in front of the repository; the origin is a second server with the
# same images, from the same seed. --stall-timeout is short, for the mirrors that say nothing.
kinds="good lie lie-all stall-head stall-body 401 403 404 429 500 503 html cut redirect-loop short-blob"
images=
for kind in $kinds two none down; do
	images="$images --image $kind=1M,300k"
done
# shellcheck disable=SC2086
start_bad mirror --seed 31 $images --image stale=1M,300k
# shellcheck disable=SC2086
start_bad origin --seed 31 $images --image stale=1M,200k

# rule KIND DO [MATCH]
list=
rule() {
	list="$list,{\"path\":\"/$1/(blobs|manifests)/\",${3:-}\"do\":{$2}}"
}
rule lie '"lie":"flip"' '"kind":"layer",'
rule lie-all '"lie":"other"' '"kind":"layer",'
rule short-blob '"lie":"short"' '"kind":"layer",'
rule stall-head '"stall":{"at":"before"}'
rule stall-body '"stall":{"at":"50%"}' '"kind":"layer",'
rule 401 '"status":401,"headers":{"WWW-Authenticate":"Basic realm=\"mirror\""}'
rule 403 '"status":403,"body":"not for you"'
rule 404 '"status":404'
rule 429 '"status":429,"headers":{"Retry-After":"600"}'
rule 500 '"status":500'
rule 503 '"status":503,"headers":{"Retry-After":"1"}'
rule html '"status":200,"body":"<html>Sign in</html>","headers":{"Content-Type":"text/html"}'
rule cut '"cut":{"at":1000,"reset":true}' '"kind":"layer",'
rule redirect-loop '"redirect":"loop"' '"kind":"layer",'
rules "$mirror" "[${list#,}]"

# fetch KIND MIRROR...: $origin/test/KIND:1 by way of these mirrors.
fetch() {
	fetch_kind=$1
	shift
	fetch_mirrors=
	for fetch_mirror in "$@"; do
		fetch_mirrors="$fetch_mirrors --mirror $origin=http://$fetch_mirror"
	done
	# shellcheck disable=SC2086
	launch "$fetch_kind" 60 imgpack fetch "$origin/test/$fetch_kind:1" -o "$fetch_kind.tar" --platform linux/amd64 \
		--stall-timeout 2 --retries 1 $fetch_mirrors
}

# said_of NAME HOST: it is named, and not only in the lines at the end that count who gave how much.
said_of() {
	grep -v ' gave ' "run/$1.err" | grep -qF "$2"
}

step "a mirror of every kind, then the origin"
for kind in $kinds stale; do
	fetch "$kind" "$mirror/some/path"
done
await
for kind in $kinds stale; do
	judge "$kind" 0
	case $kind in
	good) said_of good "$mirror" && complain "good: a mirror that does well is complained of" ;;
	stale) ;;
	lie*) said_of "$kind" "$mirror" || complain "$kind: nobody says that the mirror lied" ;;
	*) grep -qF "$mirror" "run/$kind.err" || complain "$kind: the mirror that was left is not named" ;;
	esac
done
stale=$(echo "$to_judge" | tr ' ' '\n' | grep -c stale)
to_judge=$(echo "$to_judge" | tr ' ' '\n' | grep -v stale | tr '\n' ' ')
judged "$origin"
[ "$stale" -eq 0 ] || check "a stale mirror gives an image that once was, whole" \
	sh -c "python3 '$LIB/held.py' $mirror stale.tar=stale || python3 '$LIB/held.py' $origin stale.tar=stale"
# The tag is another image at the origin, and that is said, with both digests' first figures or the word.
grep -qiE 'differ|stale|another|not the same' run/stale.err || complain "stale: nobody says that mirror and origin differ"

step "a good mirror carries the load"
diary "$origin" '.path | contains("/good/blobs/")' >asked
[ ! -s asked ] || complain "good: the origin was asked for blobs as well"
[ "$(count "$mirror" '.path | startswith("/v2/some/path/test/good/")')" -gt 0 ] || complain "good: the mirror's path was not used"
tar -xOf good.tar index.json >index.json 2>/dev/null
grep -qF "$origin/test/good" index.json || complain "good: the archive does not carry the name that was asked for"
grep -qF "$mirror" index.json && complain "good: the mirror's name is in the archive"

step "two mirrors in order"
gone=127.0.0.1:$(free_port)
rules "$mirror" '[{"path":"^/v2/first/","do":{"status":503}}]'
forget_diary "$origin"
fetch two "$gone" "$mirror/first" "$mirror/second"
await
judge two 0
judged "$origin"
[ "$(count "$mirror" '.path | startswith("/v2/second/")')" -gt 0 ] || complain "two: the third mirror was not asked"
[ "$(count "$origin" '.path | contains("/blobs/")')" -eq 0 ] || complain "two: the origin was asked for blobs"
grep -qF "$gone" run/two.err || complain "two: the mirror that is gone is not named"
grep -qF "$mirror" run/two.err || complain "two: the mirror that answered 503 is not named"

step "the origin cannot be reached"
rules "$mirror" '[]'
origin_was=$origin
stop_pid "$origin_pid"
fetch down "$mirror"
launch none 30 imgpack fetch "$origin/test/none:1" -o none.tar --platform linux/amd64 --retries 0 \
	--mirror "$origin=http://$gone"
await
judge down 0
judged "$mirror"
said_of down "$origin_was" || complain "down: nobody says that the origin could not be asked"
judge none 3
grep -q "$gone" run/none.err || complain "none: the mirror is not named"
grep -q "$origin" run/none.err || complain "none: the origin is not named"

step "a secret of the origin does not go to a mirror"
[ -z "$(diary "$mirror" '.headers.authorization != null')" ] || complain "a mirror saw credentials"
start_bad locked --seed 33 --image key=1M --token-life 60
printf canary-4711 >password
"$IMGPACK" fetch "$locked/test/key:1" -o key.tar --platform linux/amd64 --username u --password-stdin \
	--mirror "$locked=http://$mirror" --retries 1 <password >out 2>err
same "behind a mirror without the image, with a password" "$?" 0
[ "$(count "$mirror" '.raw | contains("canary")')" -eq 0 ] || complain "the password went to the mirror"
[ "$(count "$mirror" '.headers.authorization != null')" -eq 0 ] || complain "a token or password went to the mirror"
[ "$(count "$locked" '.headers.authorization != null')" -gt 0 ] || complain "no credentials were used, so nothing was tried"
verdict "mirrors"
