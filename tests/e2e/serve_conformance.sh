#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: serve answers what the OCI distribution specification asks of a registry that is pulled from: base, blobs, manifests by
# tag and digest, tags in pages, referrers, error bodies. These are the questions of the pull and discovery workflows of the
# specification's conformance suite, put in our own words; it is not the suite, which is a Go program that Debian has not.
#     URL=http://HOST:PORT NAME=repo TAG=1 sh tests/e2e/serve_conformance.sh     asks another registry the same
# sanitize: no (unit/serve and fault/serve show it more)
. "$(dirname "$0")/lib/common.sh"
need jq curl python3
cd "$T" || exit 1
if [ -n "${URL:-}" ]; then
	url=$URL name=$NAME tag=$TAG several=
else
	make_images
	python3 "$SOURCE_DIR/fixtures/image/layout.py" image x.tar app=docker.io/test/app:1 app2=docker.io/test/app:2 \
		plain=docker.io/test/app:3 --referrer app >referrer || fail "layout.py"
	start_serve server x.tar
	url=http://$server name=test/app tag=1 several=yes
fi
asked=0
OCI=application/vnd.oci.image

# ask METHOD PATH STATUS...: the answer's status is one of these. Body in body, head in head.
ask() {
	ask_method=$1 ask_path=$2
	shift 2
	asked=$((asked + 1))
	case $ask_method in
	HEAD) ask_have=$(curl -s -o body -D head -w '%{http_code}' -I -H "Accept: $ACCEPT" "$url/v2/$ask_path") ;;
	GET) ask_have=$(curl -s -o body -D head -w '%{http_code}' -H "Accept: $ACCEPT" "$url/v2/$ask_path") ;;
	*) ask_have=$(curl -s -o body -D head -w '%{http_code}' -X "$ask_method" --data blablabla "$url/v2/$ask_path") ;;
	esac
	case " $* " in *" $ask_have "*) ;; *) fail "$ask_method /v2/$ask_path: $ask_have, want $*" ;; esac
}
header() {
	tr -d '\r' <head | sed -n "s/^$1: //Ip"
}
# If it names a digest, it is the right one.
digest_is() {
	case $(header Docker-Content-Digest) in "" | "$1") ;; *) fail "Docker-Content-Digest is not $1" ;; esac
}
# An error says why as the specification has it.
error_body() {
	jq -e '.errors | length > 0 and all(.[]; (.code | test("^[A-Z_]+$")) and (.message | type == "string"))' body >/dev/null ||
		fail "the error's body"
}

step "base"
ask GET "" 200
same "Docker-Distribution-Api-Version" "$(header Docker-Distribution-Api-Version)" registry/2.0

step "manifests"
ask GET "$name/manifests/$tag" 200
cp body manifest
manifest=sha256:$(sha manifest)
digest_is "$manifest"
type=$(header Content-Type)
same "the type is the body's own" "$type" "$(jq -r '.mediaType // empty' manifest)"
ask HEAD "$name/manifests/$tag" 200
digest_is "$manifest"
same "Content-Length of a HEAD" "$(header Content-Length)" "$(wc -c <manifest)"
same "Content-Type of a HEAD" "$(header Content-Type)" "$type"
ask GET "$name/manifests/$manifest" 200
cmp -s body manifest || fail "the manifest by its digest"
ask HEAD "$name/manifests/$manifest" 200
digest_is "$manifest"
nothing=sha256:$(printf 'nothing' | sha256sum | cut -d' ' -f1)
for selector in .INVALID_MANIFEST_NAME no-such-tag "$nothing"; do
	ask HEAD "$name/manifests/$selector" 404
	ask GET "$name/manifests/$selector" 404
	error_body
done

step "blobs"
for blob in $(jq -r '.config.digest, .layers[].digest' manifest); do
	ask HEAD "$name/blobs/$blob" 200
	digest_is "$blob"
	length=$(header Content-Length)
	ask GET "$name/blobs/$blob" 200
	digest_is "$blob"
	same "its bytes" "sha256:$(sha body)" "$blob"
	same "its length" "$length" "$(wc -c <body)"
done
ask HEAD "$name/blobs/$nothing" 404
ask GET "$name/blobs/$nothing" 404
error_body

step "tags"
ask GET "$name/tags/list" 200
same "the name" "$(jq -r .name body)" "$name"
jq -e --arg t "$tag" '.tags | index($t) != null' body >/dev/null || fail "the tag is in the list"
jq -r '.tags[]' body >tags
LC_ALL=C sort -c tags || fail "tags are in order"
if [ -n "$several" ]; then
	ask GET "$name/tags/list?n=2" 200
	same "as many as were wanted" "$(jq '.tags | length' body)" 2
	last=$(jq -r '.tags[1]' body)
	next=$(header Link | sed -n 's|^<\(.*\)>; *rel="next"$|\1|p')
	[ -n "$next" ] || fail "where the next page is"
	ask GET "${next#/v2/}" 200
	same "the rest" "$(jq -r '.tags | join(" ")' body)" 3
	ask GET "$name/tags/list?n=2&last=$last" 200
	same "what comes behind the last one" "$(jq -r '.tags | join(" ")' body)" 3
	same "there is no more" "$(header Link)" ""
	ask GET "$name/tags/list?n=0" 200
	same "none were wanted" "$(jq '.tags | length' body)" 0
	ask GET "no/such/repository/tags/list" 404
	error_body
fi

step "referrers"
ask GET "$name/referrers/$nothing" 200
same "an index" "$(header Content-Type)" $OCI.index.v1+json
jq -e '.schemaVersion == 2 and .manifests == []' body >/dev/null || fail "an empty index"
if [ -n "$several" ]; then
	ask GET "$name/referrers/$manifest" 200
	same "the one there is" "$(jq -r '.manifests[].digest' body)" "$(cat referrer)"
	same "its type" "$(jq -r '.manifests[].artifactType' body)" application/vnd.test.note
	same "its annotations" "$(jq -r '.manifests[].annotations["test.note"]' body)" 'a "note"'
	ask GET "$name/referrers/$manifest?artifactType=application/vnd.test.note" 200
	same "of that type" "$(jq '.manifests | length' body)" 1
	same "it was sifted" "$(header OCI-Filters-Applied)" artifactType
	ask GET "$name/referrers/$manifest?artifactType=application/vnd.other" 200
	same "of another" "$(jq '.manifests | length' body)" 0
	ask GET "$name/manifests/$(cat referrer)" 200
fi

step "errors"
ask PUT "$name/manifests/sha256:totallywrong" 400 404 405
error_body
ask POST "$name/blobs/uploads/" 404 405
ask DELETE "$name/manifests/$manifest" 404 405
ask DELETE "$name/blobs/$blob" 404 405
ask GET "$name/blobs/sha256:totallywrong" 400 404
error_body
echo "$asked questions, all answered as the specification says"
