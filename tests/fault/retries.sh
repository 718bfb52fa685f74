#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a registry that is busy is asked again, no sooner than it said and not for ever; an error's body changes nothing;
# tokens and signed URLs that run out are renewed, and a secret never goes where it does not belong.
# timeout: 300
# sanitize: no (it waits, mostly)
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl
cd "$T" || exit 1

# fetch NAME HOST SECONDS OPTION...: HOST's test/NAME:1, in the background.
fetch() {
	fetch_name=$1 fetch_host=$2 fetch_most=$3
	shift 3
	launch "$fetch_name" "$fetch_most" imgpack fetch "$fetch_host/test/$fetch_name:1" -o "$fetch_name.tar" \
		--platform linux/amd64 "$@"
}

step "forms of Retry-After"
# NAME=VALUE, for 429 on the layer; the wait that each asks for, in seconds, stands in wait_of.
start_bad busy --seed 9 --image seconds=100k --image date=100k --image past=100k --image negative=100k --image huge=100k \
	--image fraction=100k --image micro=100k --image text=100k --image empty=100k --image none=100k --image far=100k \
	--image two-minutes=100k --image head=100k
wait_of() {
	case $1 in seconds | head) echo 3 ;; date) echo 2 ;; fraction) echo 1 ;; *) echo 0 ;; esac
}
after() {
	printf '{"path":"/test/%s/","kind":"%s","nth":1,"do":{"status":%s,"headers":{"Retry-After":%s},"body":"slow down\\n"}},' \
		"$1" "$2" "$3" "$4"
}
list=$(
	after seconds layer 429 '"3"'
	after date layer 503 '"{date+3}"' # whole seconds: it may be 2 from now
	after past layer 429 '"{date-60}"'
	after negative layer 429 '"-5"'
	after huge layer 429 '"1000000000000"'
	after fraction layer 429 '"1.5"'
	after micro layer 429 '"880.092µs"'
	after text layer 429 '"soon"'
	after empty layer 429 '""'
	after none layer 429 null
	after far layer 503 '"{date+9000}"'
	after two-minutes layer 429 '"119"'
	after head manifest 429 '"3"'
)
rules "$busy" "[${list%,}]"
forms="seconds date past negative fraction micro text empty none head"
for form in $forms; do
	fetch "$form" "$busy" 40
done
for form in huge far; do
	fetch "$form" "$busy" 20
done
# It may not stop at once, and it may not go on sooner: after some seconds it must still be there.
fetch two-minutes "$busy" 6

step "20 bodies of errors (in the background)"
# NUMBER=HEX of a body; every one comes with a status that trying again does not help.
bodies='empty= text=546f6f204d616e79205265717565737473 nul=00 html=3c68746d6c3e3c626f64793e6e6f3c2f626f64793e3c2f68746d6c3e
	xml=3c4572726f723e3c436f64653e41636365737344656e6965643c2f436f64653e3c2f4572726f723e brace=7b bracket=5b
	number=3432 string=22783122 null=6e756c6c errors-null=7b226572726f7273223a6e756c6c7d errors-text=7b226572726f7273223a2278227d
	errors-empty=7b226572726f7273223a5b5d7d errors-numbers=7b226572726f7273223a5b312c322c335d7d
	message-list=7b226572726f7273223a5b7b226d657373616765223a5b5d7d5d7d
	escape=7b226572726f7273223a5b7b226d657373616765223a221b5b32304a227d5d7d escapes=1b5d303b6f776e6564071b5b324a
	latin=e9e8ff80 newlines=0a0a0d0a6c696e650a76616c7565 fine=7b226572726f7273223a5b7b22636f6465223a2244454e494544222c226d657373616765223a22717561727a227d5d7d'
images= list=
for body in $bodies; do
	images="$images --image body-${body%%=*}=10k"
	list="$list,{\"path\":\"/test/body-${body%%=*}/\",\"kind\":\"layer\",\"do\":{\"status\":418,\"body_hex\":\"${body#*=}\"}}"
done
# shellcheck disable=SC2086
start_bad odd $images --image body-long=10k
rules "$odd" "[${list#,},{\"path\":\"/test/body-long/\",\"kind\":\"layer\",\"do\":{\"status\":418,\"body_size\":5000000}}]"
for body in $bodies long=; do
	fetch "body-${body%%=*}" "$odd" 30 --retries 1
done

step "30 % of the answers are 5xx, at most 5 of a blob (in the background)"
start_bad stormy --seed 11 --image storm=2k*125,2k*125,2k*125,2k*125 --rules '[
	{"kind":"layer","each":true,"times":1,"probability":0.1,"do":{"status":500,"headers":{"Retry-After":"0"}}},
	{"kind":"layer","each":true,"times":2,"probability":0.12,"do":{"status":502,"headers":{"Retry-After":"0"},"body":"<html>bad gateway</html>"}},
	{"kind":"layer","each":true,"times":2,"probability":0.12,"do":{"status":503,"headers":{"Retry-After":"0"}}}]'
fetch storm "$stormy" 90

step "tokens that live 5 seconds, over a line that is reset (in the background)"
start_bad brief --seed 12 --image token=12M --token-life 5 --rate 1000000 --rules '[
	{"kind":"layer","each":true,"nth":[2,4,6],"do":{"cut":{"at":["20%","70%"],"reset":true}}}]'
fetch token "$brief" 80

step "a 401 without end (in the background)"
start_bad shut --image shut=10k --token-life 60 \
	--rules '[{"path":"^/v2/.+/","do":{"status":401,"challenge":true}}]'
fetch shut "$shut" 20

step "signed URLs that live 2 seconds, each resume asks anew (in the background)"
start_bad signer --seed 14 --image signed=6M --rate-each 400000 --token-life 60 --rules '[
	{"path":"^/v2/","kind":"layer","do":{"redirect":"signed","life":2}},
	{"path":"^/store/","times":6,"do":{"cut":{"at":[1000,"60%"],"reset":true}}}]'
fetch signed "$signer" 80

step "servers that refuse HEAD (in the background)"
start_bad headless --image no-head-403=1M --image no-head-405=1M --image no-head-signed=1M --image no-head-404=1M --rules '[
	{"method":"HEAD","path":"/no-head-403/","do":{"status":403}},{"method":"HEAD","path":"/no-head-405/","do":{"status":405}},
	{"method":"HEAD","path":"/no-head-404/","kind":"layer","do":{"status":404}},
	{"path":"/no-head-signed/","kind":"layer","do":{"redirect":"signed"}}]'
for form in no-head-403 no-head-405 no-head-signed no-head-404; do
	fetch "$form" "$headless" 30
done
await

step "Retry-After was kept"
for form in $forms; do
	judge "$form" 0
done
judged "$busy"
diary "$busy" >asked
# soon NAME SECONDS: the requests of an image that came sooner after its refusal than that.
soon() {
	jq -s "map(select(.path | contains(\"/test/$1/\"))) | (map(select(.rule != null))[0]) as \$no
		| map(select(.path == \$no.path and .time > \$no.time and .time < \$no.done + $2)) | length" asked
}
early=0
for form in $forms; do
	early=$((early + $(soon "$form" "$(wait_of "$form")")))
done
echo "early requests: $early of 10 forms"
[ "$early" -eq 0 ] || complain "$early requests came sooner than Retry-After allowed"
for form in huge far; do
	judge "$form" 3
	[ "$took" -le 4 ] || complain "$form: it did not stop at once but after $took s"
	[ "$(soon "$form" 100000)" -eq 0 ] || complain "$form: asked again"
done
# far says when: the local or the universal time, with its minutes.
later=$(($(date +%s) + 9000))
ended far 3 && { grep -qE "$(date -d "@$later" +%H):|$(date -u -d "@$later" +%H):|$(date -d "@$((later - 60))" +%H):" err ||
	complain "far: the time is not said: $(tail -n 1 err)"; }
[ "$(cat run/two-minutes.code)" = 124 ] || complain "two-minutes: 119 s are waited, but it ended: $(tail -n 1 run/two-minutes.err)"
[ "$(soon two-minutes 100)" -eq 0 ] || complain "two-minutes: asked again too soon"

step "the status is shown, and nothing of the body that could hurt"
shown=0
for body in $bodies long=; do
	judge "body-${body%%=*}" 1 3 4 5
	if grep -q 418 err; then shown=$((shown + 1)); else complain "body-${body%%=*}: status not shown: $(tail -n 1 err)"; fi
	! LC_ALL=C grep -q "$(printf '[\033\007\200-\377]')" err || complain "body-${body%%=*}: raw bytes of a stranger"
	[ "$(wc -c <err)" -lt 3000 ] || complain "body-${body%%=*}: the whole body is shown"
done
grep -q quarz run/body-fine.err || complain "fine: the registry's own words are not shown"
echo "status shown: $shown of 21"
again=$(diary "$odd" '.status == 418' | jq -r .path | sort | uniq -d)
[ -z "$again" ] || complain "what was refused for good was asked again: $again"

step "the storm"
judge storm 0
judged "$stormy"
echo "$(count "$stormy" '.status >= 500') of $(count "$stormy" true) answers were 5xx"
[ "$(count "$stormy" '.status >= 500')" -gt 100 ] || complain "storm: there was none"

step "tokens"
judge token 0
judged "$brief"
given=$(count "$brief" '.path == "/_token"')
echo "$given tokens for $(sum "$brief" true .sent) bytes"
# 12 s at 1 MB/s and three waits: a token for each 4 s of a short life, and one for each reset at most.
[ "$given" -ge 2 ] && [ "$given" -le 15 ] || complain "token: $given tokens"
judge shut 4
same "requests with a token until an endless 401 is believed" \
	"$(count "$shut" '(.path | contains("/manifests/")) and .headers.authorization != null')" 2

step "signed URLs"
judge signed 0
judged "$signer"
same "requests with a URL that had run out" "$(count "$signer" '.on == "store" and .status == 403')" 0
same "Authorization at the store" "$(count "$signer" '.on == "store" and .headers.authorization != null')" 0
# A token is a secret too: no byte of one may reach the store in whatever form.
diary "$signer" '.on == "registry" and .headers.authorization != null' | jq -r '.headers.authorization | split(" ")[1]' |
	sort -u >canaries
[ -s canaries ] || complain "signed: no token was used"
diary "$signer" '.on == "store"' | jq -r .raw >store.raw
! grep -qFf canaries store.raw || complain "signed: a token reached the store"
[ "$(count "$signer" '.on == "store"')" -ge 7 ] || complain "signed: no resets"

step "HEAD"
for form in no-head-403 no-head-405 no-head-signed no-head-404; do
	judge "$form" 0
done
judged "$headless"
verdict "retries"
