#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: the list of a large registry costs one request a tag and one a page, little memory, and holds exactly what the
# registry's manifests name; it is the same list each time.
# REPOS and TAGS: how many repositories, and tags of each. MEMORY: MiB that it may take.
# sanitize: no (what counts is requests and memory)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq
cd "$T" || exit 1
repos=${REPOS:-50} tags=${TAGS:-5} memory=${MEMORY:-64}
python3 "$LIB/fill.py" "$T/src" "$repos" "$tags" >want || fail "fill the registry"
start_registry src

step "$repos repositories, $tags tags each"
forget_log src
python3 - "$IMGPACK" inventory "registry:$src" --json -o site.list >out 2>err <<'END' || fail "inventory"
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("memory", "w"))
sys.exit(code)
END
same "the list is what the manifests name" "$(grep '^sha256:' site.list)" "$(cat want)"
same "repositories" "$(jq .repositories out)" "$repos"
same "tags" "$(jq .tags out)" "$((repos * tags))"
access_log src >log
same "a request a tag" "$(grep -c '^GET /v2/team/app-.*/manifests/' log)" "$((repos * tags))"
pages=$(((repos + 999) / 1000))
same "a request a page of repositories" "$(grep -c '^GET /v2/_catalog' log)" "$pages"
same "a request a page of tags" "$(grep -c '/tags/list' log)" "$repos"
same "and no other" "$(wc -l <log)" "$((repos * tags + pages + repos))"
[ "$(cat memory)" -lt "$((memory * 1024))" ] || fail "it took $(cat memory) KiB of memory"
echo "$(wc -l <log) requests, $(cat memory) KiB"

step "once more, and over one connection: the same list"
exits 0 imgpack inventory "registry:$src" --connections 1 -o again.list
check "the same list" cmp site.list again.list
exits 0 imgpack inventory site.list again.list
same "of lists, a union" "$(grep '^sha256:' out)" "$(cat want)"

step "a prefix, and repositories by name"
exits 0 imgpack inventory "registry:$src/team/app-0001" --json
same "one repository" "$(jq .tags out)" "$tags"
exits 0 imgpack inventory "registry:$src/team/app-0001" "registry:$src/team/app-0002" --json
same "two repositories" "$(jq .tags out)" "$((2 * tags))"
exits 5 imgpack inventory "registry:$src/team/app-00"
exits 5 imgpack inventory "registry:$src/nobody"
exits 2 imgpack inventory "registry:$src" docker
says "two places"
exits 3 imgpack inventory "registry:127.0.0.1:1" --retries 0
