#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: credentials from every place that docker knows work, stored ones are stored as docker does, and no secret is printed,
# logged, or visible in the process list.
. "$(dirname "$0")/lib/common.sh"
need docker-registry htpasswd jq curl openssl
start_registry closed htpasswd
push_images "tester:s3cret@$closed" app
cd "$T" || exit 1
printf 's3cret' >password
config=$DOCKER_CONFIG/config.json

step "for one run"
"$IMGPACK" fetch "$closed/test/app:1" -o a.tar --platform linux/amd64 --username tester --password-stdin <password >out 2>err ||
	fail "fetch with --username and --password-stdin"
check "the blobs" archive holds a.tar image "$(image_digest app)"
says_not s3cret
[ ! -e "$config" ] || fail "credentials for one run were stored"
want=$(sha a.tar)

step "login stores as docker does"
"$IMGPACK" login "$closed" --username tester --password-stdin <password >out 2>err || fail "login"
says_not s3cret
same "mode of the file" "$(stat -c %a "$config")" 600
same "what docker would read" "$(jq -r --arg h "$closed" '.auths[$h].auth' "$config" | base64 -d)" "tester:s3cret"
exits 0 imgpack fetch "$closed/test/app:1" -o b.tar --platform linux/amd64
same "the same archive" "$(sha b.tar)" "$want"

step "other content of the file is kept"
jq '. + {"HttpHeaders": {"X-Meta": "kept"}, "auths": (.auths + {"other.example": {"auth": "eDp5"}})}' "$config" >changed
cp changed "$config"
"$IMGPACK" login "$closed" --username tester --password-stdin <password >out 2>err || fail "login a second time"
same "a foreign key" "$(jq -r '.HttpHeaders["X-Meta"]' "$config")" kept
same "another registry" "$(jq -r '.auths["other.example"].auth' "$config")" eDp5

step "logout forgets"
exits 0 imgpack logout "$closed"
same "gone from the file" "$(jq --arg h "$closed" '.auths | has($h)' "$config")" false
same "another registry stays" "$(jq -r '.auths["other.example"].auth' "$config")" eDp5
exits 4 imgpack fetch "$closed/test/app:1" -o c.tar --platform linux/amd64

step "what docker login wrote is read"
if command -v docker >/dev/null 2>&1; then
	# docker login asks a daemon where there is one, and does the same by itself where there is none.
	printf '{"auths": {"http://%s/v1/": {"auth": "%s"}}}' "$closed" "$(printf 'tester:s3cret' | base64)" >"$config"
	exits 0 imgpack fetch "$closed/test/app:1" -o d.tar --platform linux/amd64
fi
# A name that only looks like it must not get them.
printf '{"auths": {"x%s": {"auth": "%s"}}}' "$closed" "$(printf 'tester:s3cret' | base64)" >"$config"
exits 4 imgpack fetch "$closed/test/app:1" -o d2.tar --platform linux/amd64

step "a credential helper"
mkdir -p bin store
cp "$SERVERS/docker-credential-imgpacktest" bin/ && chmod +x bin/docker-credential-imgpacktest
PATH=$T/bin:$PATH IMGPACKTEST_STORE=$T/store
export PATH IMGPACKTEST_STORE
for setting in '{"credsStore": "imgpacktest"}' "{\"credHelpers\": {\"$closed\": \"imgpacktest\"}}"; do
	printf '%s' "$setting" >"$config"
	"$IMGPACK" login "$closed" --username tester --password-stdin <password >out 2>err || fail "login through a helper"
	! grep -q "$(printf 'tester:s3cret' | base64)" "$config" || fail "the secret went into the file beside the helper"
	exits 0 imgpack fetch "$closed/test/app:1" -o e.tar --platform linux/amd64
	same "the same archive through a helper" "$(sha e.tar)" "$want"
	exits 0 imgpack logout "$closed"
	exits 4 imgpack fetch "$closed/test/app:1" -o f.tar --platform linux/amd64
done
"$IMGPACK" login "$closed" --username tester --password-stdin <password >out 2>err || fail "login through a helper again"
for trouble in fail garbage leak; do
	IMGPACKTEST_DO=$trouble "$IMGPACK" fetch "$closed/test/app:1" -o g.tar --platform linux/amd64 >out 2>err
	same "a helper that says $trouble" "$?" 4
	says_not canary-helper-secret
done
printf '{"credsStore": "no-such-helper"}' >"$config"
exits 4 imgpack fetch "$closed/test/app:1" -o g.tar --platform linux/amd64
says no-such-helper
rm "$config"

step "TLS: a certificate that nobody knows, and one that --cacert names"
# libcurl knows that *.localhost is this machine; imgpack takes plain HTTP for "localhost" alone.
start_registry secure tls htpasswd
mkdir -p secure/docker
cp -r closed/docker/registry secure/docker/
exits 3 imgpack fetch "$secure/test/app:1" -o h.tar --platform linux/amd64
says certificate
[ ! -e h.tar ] || fail "an archive from a registry without a known certificate"
"$IMGPACK" login "$secure" --cacert ca.pem --username tester --password-stdin <password >out 2>err || fail "login over TLS"
exits 0 imgpack fetch "$secure/test/app:1" -o h.tar --platform linux/amd64 --cacert ca.pem
check "the blobs over TLS" archive holds h.tar image "$(image_digest app)"
exits 0 imgpack load h.tar --to "registry:$secure/copy" --cacert ca.pem
exits 3 imgpack fetch "$secure/test/app:1" -o i.tar --platform linux/amd64 --plain-http "$secure"
says_not s3cret
# https is never tried as http: a registry that speaks http alone is an error, and sees no request.
start_registry plainly
push_images "$plainly" app
forget_log plainly
exits 3 imgpack fetch "registry.localhost:${plainly##*:}/test/app:1" -o j.tar --platform linux/amd64
same "no request reached it" "$(access_log plainly | wc -l)" 0
exits 0 imgpack fetch "registry.localhost:${plainly##*:}/test/app:1" -o j.tar --platform linux/amd64 \
	--plain-http "registry.localhost:${plainly##*:}"
