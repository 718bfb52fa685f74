#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: --referrers brings signatures, SBOMs, attestations and OCI referrers along, of an index and of a platform, and those of
# an SBOM too: through an archive and by copy, into registries without the referrers API, where each is found again under its
# digest, its tag and the fallback tag, and nothing that others put there is lost. Without it nothing changes.
# sanitize: no (unit tests go over the same code)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl
start_registry src
start_registry dst
push_images "$src" app multi
cd "$T" || exit 1
app=$(image_digest app)
multi=$(image_digest multi)
arm=$(child_digest multi linux/arm64/v8)

# sign REPOSITORY DIGEST WORD...: adds to the list of what there is.
sign() {
	python3 "$LIB/signed.py" "$src" "$@" >signed || fail "sign"
	cat signed >>"all.$(basename "$1")"
}

# found HOST/REPOSITORY NAME: every referrer of a fixture image stands there, byte for byte, under its digest, with its blobs.
found() {
	while read -r word digest; do
		case $word in gone | alien) continue ;; esac
		registry_manifest "$1@$digest" >have || fail "$word is not there"
		registry_manifest "$src/test/$2@$digest" | cmp - have || fail "$word has other bytes"
		for blob in $(jq -r '.config.digest, .layers[].digest' have); do
			same "a blob of $word" "sha256:$(curl -sf "http://${1%%/*}/v2/${1#*/}/blobs/$blob" | sha256sum | cut -d' ' -f1)" "$blob"
		done
	done <"all.$2"
}

# tagged HOST/REPOSITORY NAME DIGEST WORD: cosign's tag is what it was.
tagged() {
	same "the tag of $4" "$(registry_digest "$1:sha256-${3#sha256:}.$4")" "$(registry_digest "$src/test/$2:sha256-${3#sha256:}.$4")"
}

# listed HOST/REPOSITORY DIGEST: the fallback index, its entries sorted.
listed() {
	registry_manifest "$1:sha256-${2#sha256:}" | jq -S '.manifests | sort_by(.digest)[]'
}

step "without --referrers there are none"
exits 0 imgpack fetch "$src/test/app:1" -o before.tar
sign test/app "$app" sig att sbom oci:sbom oci:scan
sbom=$(sed -n 's/^sbom //p' signed)
sign test/app "$sbom" sig
exits 0 imgpack fetch "$src/test/app:1" -o plain.tar
cmp before.tar plain.tar || fail "an archive without referrers changed"
exits 0 imgpack load plain.tar --to "registry:$dst/plain" --json
same "no referrers in the report" "$(jq -r 'has("referrers")' out)" false
same "no tags" "$(curl -sf "http://$dst/v2/plain/test/app/tags/list" | jq -c .tags)" '["1"]'

step "fetch says what there is"
exits 0 imgpack fetch "$src/test/app:1" --referrers --plan
prints "6 referrers"
exits 0 imgpack fetch "$src/test/app:1" --referrers -o app.tar --json
same "in the report" "$(jq -r '.images[0].referrers[] | .digest' out | sort)" "$(cut -d' ' -f2 all.app | sort)"
exits 0 imgpack fetch "$src/test/app:1" --referrers -o again.tar
cmp app.tar again.tar || fail "two fetches, two archives"
exits 0 imgpack verify app.tar
exits 0 imgpack inspect app.tar
prints "6 referrers"
exits 0 imgpack inspect app.tar --json
same "a signature of an SBOM" "$(jq -r --arg s "$sbom" '.images[0].referrers[] | select(.subject == $s) | .tag' out)" \
	"sha256-${sbom#sha256:}.sig"
same "index.json names images alone" "$(tar -xOf app.tar index.json | jq -r '.manifests[].digest')" "$app"

step "load brings them to a registry"
exits 0 imgpack load app.tar --to "registry:$dst/a" --json
same "in the report" "$(jq .referrers out)" 6
found "$dst/a/test/app" app
for word in sig att sbom; do
	tagged "$dst/a/test/app" app "$app" "$word"
done
tagged "$dst/a/test/app" app "$sbom" sig
listed "$src/test/app" "$app" >want
listed "$dst/a/test/app" "$app" | cmp - want || fail "the fallback index"
forget_log dst
exits 0 imgpack load app.tar --to "registry:$dst/a" --json
same "a second load sends nothing" "$(jq .sent_bytes out) $(access_log dst | grep -cE '^(PUT|POST|PATCH) ')" "0 0"
exits 0 imgpack load - --to "registry:$dst/piped" <app.tar
found "$dst/piped/test/app" app

step "an image that is there gets its signatures, and others keep theirs"
exits 0 imgpack load plain.tar --to "registry:$dst/later"
python3 "$LIB/signed.py" "$dst" later/test/app "$app" oci:theirs >theirs || fail "their referrer"
exits 0 imgpack load app.tar --to "registry:$dst/later"
found "$dst/later/test/app" app
{ listed "$src/test/app" "$app"; listed "$dst/later/test/app" "$app" | jq 'select(.artifactType == "application/vnd.test.theirs")'; } |
	jq -rS .digest | sort >want
listed "$dst/later/test/app" "$app" | jq -rS .digest | sort | cmp - want || fail "the fallback index of all"
same "of ours and theirs" "$(wc -l <want)" 3
python3 "$LIB/signed.py" "$dst" later/test/app "$app" att >theirs || fail "their attestation"
docker_tag=$(registry_digest "$dst/later/test/app:sha256-${app#sha256:}.att")
curl -sf -X PUT -H "Content-Type: application/vnd.oci.image.manifest.v1+json" --data-binary "@have" \
	"http://$dst/v2/later/test/app/manifests/sha256-${app#sha256:}.att" || fail "move the tag"
exits 0 imgpack load app.tar --to "registry:$dst/later"
says "stays"
same "their tag stayed" "$(registry_digest "$dst/later/test/app:sha256-${app#sha256:}.att")" "sha256:$(sha have)"
exits 0 imgpack load app.tar --to "registry:$dst/later" --replace
same "--replace" "$(registry_digest "$dst/later/test/app:sha256-${app#sha256:}.att")" "$docker_tag"

step "of an index, of a platform, and what a list names wrongly"
sign test/multi "$multi" sig oci:one gone alien
sign test/multi "$arm" sig att oci:arm
exits 0 imgpack copy "$src/test/multi:1" "$dst/c/multi:1" --referrers --plan --json
same "a plan sends nothing" "$(curl -s -o /dev/null -w '%{http_code}' "http://$dst/v2/c/multi/tags/list")" 404
exits 0 imgpack copy "$src/test/multi:1" "$dst/c/multi:1" --referrers
says "names another subject"
says "is not there"
found "$dst/c/multi" multi
tagged "$dst/c/multi" multi "$multi" sig
tagged "$dst/c/multi" multi "$arm" att
same "the index's list" "$(listed "$dst/c/multi" "$multi" | jq -r .artifactType)" application/vnd.test.one
same "a platform's list" "$(listed "$dst/c/multi" "$arm" | jq -r .artifactType)" application/vnd.test.arm
exits 0 imgpack fetch "$src/test/multi:1" --platform linux/arm64 --referrers --split 1M -o multi.tar
exits 0 imgpack verify multi.tar.001
exits 0 imgpack load multi.tar.001 --to "registry:$dst/chunks"
found "$dst/chunks/test/multi" multi

step "from a registry that lists them itself"
start_serve listing app.tar
exits 0 imgpack copy "$listing/test/app:1" "$dst/listed/app:1" --referrers
same "the list" "$(listed "$dst/listed/app" "$app" | jq -r .artifactType | sort | tr '\n' ' ')" \
	"application/vnd.test.sbom application/vnd.test.scan "
exits 0 imgpack fetch "$listing/test/app:1" --referrers -o listed.tar --json
same "as many" "$(jq '.images[0].referrers | length' out)" 2

step "to a registry that lists them itself, a page after the other"
modern=127.0.0.1:$(free_port)
spawn modern python3 "$SERVERS/fakeregistry.py" --port "${modern#*:}" --script lists
wait_for 20 answers "http://$modern/v2/" || fail "fakeregistry.py"
exits 0 imgpack load app.tar --to "registry:$modern"
found "$modern/test/app" app
tagged "$modern/test/app" app "$sbom" sig
refuse "a fallback tag that nobody needs" registry_manifest "$modern/test/app:sha256-${app#sha256:}"
exits 0 imgpack load app.tar --to "registry:$modern" --json
same "a second load sends nothing" "$(jq .sent_bytes out)" 0
exits 0 imgpack fetch "$modern/test/app:1" --referrers -o paged.tar --json
same "all of them" "$(jq -r '.images[0].referrers[].digest' out | sort)" "$(cut -d' ' -f2 all.app | sort)"

step "what loads images alone says so"
exits 0 imgpack load app.tar --to "oci:$T/folder"
says "stay in the archive"

step "a signature that is broken is found"
python3 - app.tar <<'END' || fail "break it"
import sys
data = open(sys.argv[1], "rb").read()
at = data.rindex(b"cosign container image signature")
open("bad.tar", "wb").write(data[:at] + b"C" + data[at + 1:])
END
exits 1 imgpack verify bad.tar
prints "test/app:1"
exits 1 imgpack load bad.tar --to "registry:$dst/bad"
