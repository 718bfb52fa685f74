#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: behind a token service (as at Docker Hub, GitHub, Quay) a fetch takes one token a repository and no more, the password
# goes to the token service alone, and a redirect to an object store sees no credentials at all.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq
start_registry store
push_images "$store" app app2 multi
cd "$T" || exit 1
printf 's3cret' >password

# told FRONT FILTER: how many lines of the diary the filter picks.
told() {
	jq -c "select($2)" "$1.diary" | wc -l
}

step "anonymous: one token a scope"
start_tokens open "$store"
exits 0 imgpack fetch "$open/test/app:1" -o a.tar --platform linux/amd64
check "the blobs" archive holds a.tar image "$(image_digest app)"
same "one token for one repository" "$(told open '.on == "tokens"')" 1
: >open.diary
exits 0 imgpack fetch "$open/test/app:1" "$open/test/app2:1" "$open/test/multi:1" -o b.tar --platform linux/amd64
same "one token each for three" "$(told open '.on == "tokens"')" 3
same "no scope twice" "$(jq -r 'select(.on == "tokens") | .scope' open.diary | sort | uniq -d)" ""
same "one GET a blob" "$(jq -r 'select(.on == "front" and .status == 200 and (.path | contains("/blobs/"))) | .path' open.diary |
	sort | uniq -d)" ""

step "with a password"
start_tokens named "$store" --user tester:s3cret
exits 4 imgpack fetch "$named/test/app:1" -o c.tar --platform linux/amd64
"$IMGPACK" fetch "$named/test/app:1" -o c.tar --platform linux/amd64 --username tester --password-stdin <password >out 2>err ||
	fail "fetch with a password behind a token service"
same "the password went to the token service alone" "$(told named '.on == "front" and .authorization == "Basic"')" 0
same "the same bytes" "$(archive check c.tar | wc -l)" 1
says_not s3cret
"$IMGPACK" login "$named" --username tester --password-stdin <password >out 2>err || fail "login behind a token service"
exits 0 imgpack fetch "$named/test/app:1" -o c.tar --platform linux/amd64
exits 0 imgpack load c.tar --to "registry:$named/copy"
same "pushed through the tokens" "$(registry_digest "$store/copy/test/app:1")" "$(image_digest app)"

step "redirected to an object store"
start_tokens away "$store" --redirect
exits 0 imgpack fetch "$away/test/app:1" -o d.tar --platform linux/amd64
check "the blobs from the store" archive holds d.tar image "$(image_digest app)"
same "no credentials at the store" "$(told away '.on == "store" and .authorization != null')" 0
start_tokens relative "$store" --redirect-relative
exits 0 imgpack fetch "$relative/test/app:1" -o e.tar --platform linux/amd64

step "odd services"
for option in "--answer access_token" "--answer both" "--no-post" "--no-scope" "--challenge several" "--challenge headers" \
	"--challenge lower" "--say-life -1" "--refuse-first 1" "--digest-header none" "--open-v2"; do
	rm -f odd.diary
	# shellcheck disable=SC2086
	start_tokens odd "$store" $option
	exits 0 imgpack fetch "$odd/test/app:1" -o odd.tar --platform linux/amd64
	stop_pid "$odd_pid"
done
