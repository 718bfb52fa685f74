#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: rules. 200 references through each shipped set come out as its documentation says, which is said here once more with
# sed and awk; all of them are fetched from the mirror's names and keep their own, and load gives those back. Then people's own
# rules against real registries: names, digests, the same image under two names, resuming, what cannot be.
# timeout: 300
# sanitize: no (unit/oci/rules and the fuzz target have the sanitizers)
#
#     FETCHES="aliyun daocloud gcr-mirror lank8s ustc" LOADS="$FETCHES" sh tests/e2e/rules.sh
#                              fetches and loads the 200 of every set, not of one
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq python3
start_registry src
start_registry mirror
start_registry dst
push_images "$src" app app2 plain multi
push_images "$mirror" plain
cd "$T" || exit 1
FETCHES=${FETCHES:-gcr-mirror}
LOADS=${LOADS:-gcr-mirror}

# with_registries NAME...: the 200, each behind one of the registries, by turns.
with_registries() {
	grep -v '^#' "$SOURCE_DIR/fixtures/rules/paths.txt" | awk -v names="$*" 'BEGIN { n = split(names, r, " ") }
		{ print r[(NR - 1) % n + 1] "/" $0 }'
}

# What the mirrors' own pages say (lib/oci/rules/*.map names them): asked on standard input, there on standard output.
documented() {
	case $1 in
	aliyun)
		# kubeadm's list with --image-repository: the last part; coredns up to 1.8.0 without its v.
		sed -E -e 's#^.*/ingress-nginx/controller:#/nginx-ingress-controller:#' \
			-e 's#^.*/coredns/coredns:v(1\.(6|7)\.[0-9]+|1\.8\.0)$#/coredns:\1#' \
			-e 's#^.*/#registry.aliyuncs.com/google_containers/#'
		;;
	lank8s) sed -e 's#^registry\.k8s\.io/#registry.lank8s.cn/#' -e 's#^k8s\.gcr\.io/#lank8s.cn/#' -e 's#^gcr\.io/#gcr.lank8s.cn/#' ;;
	ustc) sed -e 's#quay\.io#quay.mirrors.ustc.edu.cn#' ;;
	daocloud) sed -e 's#^#m.daocloud.io/#' ;;
	gcr-mirror)
		# rules.yaml of gcr.io_mirror, in its order: the registry's word, then every slash a dot, then the account.
		sed -E -e 's#^gcr\.io/##' -e 's#^(k8s\.gcr|registry\.k8s)\.io#google-containers#' -e 's#^quay\.io#quay#' \
			-e 's#^ghcr\.io#ghcr#' -e 's#/#.#g' -e 's#^#docker.io/someone/#'
		;;
	esac
}

registries_of() {
	case $1 in
	aliyun) echo registry.k8s.io k8s.gcr.io ;;
	lank8s) echo registry.k8s.io k8s.gcr.io gcr.io ;;
	ustc) echo quay.io ;;
	daocloud) echo docker.io registry.k8s.io k8s.gcr.io gcr.io ghcr.io quay.io mcr.microsoft.com nvcr.io docker.elastic.co ;;
	gcr-mirror) echo gcr.io k8s.gcr.io registry.k8s.io quay.io ghcr.io ;;
	esac
}

# The names of one image, put into a registry's storage: NAME:TAG on standard input, and nothing else is there.
stock() {
	check "names in the mirror" python3 "$LIB/stock.py" "$T/mirror" test/plain 1 <"$1"
}

for set in aliyun daocloud gcr-mirror lank8s ustc; do
	step "$set: 200 references"
	# shellcheck disable=SC2046
	with_registries $(registries_of "$set") | sed -e 's#^docker.io/\([^/]*\)$#docker.io/library/\1#' >asked.txt
	documented "$set" <asked.txt >there.txt
	variable=
	[ "$set" != gcr-mirror ] || variable="--map USER=someone"
	# shellcheck disable=SC2086,SC2046
	exits 0 imgpack rules explain $(cat asked.txt) --map "$set" $variable --json
	jq -r '.references[].result' out >made.txt
	same "results of $set" "$(wc -l <made.txt)" 200
	check "$set: 200 of 200" diff there.txt made.txt
	case " $FETCHES " in *" $set "*) ;; *) continue ;; esac

	step "$set: fetched from there, under the names asked for"
	cut -d/ -f2- there.txt | sort -u >stock.txt
	stock stock.txt
	mirrors=
	for host in $(cut -d/ -f1 there.txt | sort -u); do
		mirrors="$mirrors --mirror $host=http://$mirror"
	done
	# shellcheck disable=SC2086
	exits 0 imgpack fetch --images asked.txt --map "$set" $variable $mirrors -o "$set.tar" --platform linux/amd64 --json
	jq -r '.images[].name' out | sort >names.txt
	sort asked.txt >sorted.txt
	check "$set: 200 names" diff sorted.txt names.txt
	case " $LOADS " in *" $set "*) ;; *) continue ;; esac

	step "$set: loaded under the names asked for"
	printf '{host}/{path**} = %s/%s/{host}/{path}\n' "$dst" "$set" >in.map
	exits 0 imgpack load "$set.tar" --to "registry:$dst" --map in.map --json
	find "$T/dst/docker/registry/v2/repositories/$set" -path '*/_manifests/tags/*/current' -type d |
		sed -e "s#.*/repositories/$set/##" -e 's#/_manifests/tags/#:#' -e 's#/current$##' | sort >loaded.txt
	check "$set: 200 of 200 restored" diff sorted.txt loaded.txt
done

step "a mirror with other names: the name asked for, and the digest"
cat >own.map <<END
# The mirror keeps everything in one folder.
MIRROR = $mirror/kept
example.org/**/{name}:v{tag} = {MIRROR}/{name}:{tag}
example.org/**/{name} = {MIRROR}/{name}
END
for name in app app2 multi; do
	exits 0 imgpack fetch "$src/test/$name:1" --all-platforms -o one.tar
	exits 0 imgpack load one.tar --to "registry:$mirror" --name "$src/test/$name:1=$mirror/kept/$name:1"
done
exits 0 imgpack fetch example.org/a/b/app:v1 example.org/app:1 "example.org/x/app2@$(image_digest app2)" example.org/multi:v1 \
	--map own.map -o own.tar --platform linux/amd64 -v
says "example.org/a/b/app:v1 is fetched from $mirror/kept/app:1 (own.map:3)"
exits 0 imgpack inspect own.tar --json
same "names" "$(jq -r '.images[].name' out | tr '\n' ' ')" \
	"example.org/a/b/app:v1 example.org/app:1 example.org/x/app2@$(image_digest app2) example.org/multi:v1 "
same "digests" "$(jq -r '.images[].digest' out | tr '\n' ' ')" \
	"$(image_digest app) $(image_digest app) $(image_digest app2) $(image_digest multi) "
exits 0 imgpack load own.tar --to "registry:$dst/own"
same "app" "$(registry_digest "$dst/own/a/b/app:v1")" "$(image_digest app)"
same "app again" "$(registry_digest "$dst/own/app:1")" "$(image_digest app)"
same "by digest" "$(registry_digest "$dst/own/x/app2@$(image_digest app2)")" "$(image_digest app2)"

step "the same bytes as without rules, also in a plan and after an end in the middle"
exits 0 imgpack fetch "$mirror/kept/app:1" -o plain.tar --platform linux/amd64
printf '%s = %s\n' "example.org/app" "$mirror/kept/app" >to.map
exits 0 imgpack fetch example.org/app:1 --map to.map --plan --platform linux/amd64 --json
same "planned bytes" "$(jq '[.images[].bytes]' out)" "$("$IMGPACK" inspect plain.tar --json | jq '[.images[].bytes]')"
start_slow slow "$mirror" 400000
printf 'example.org/app = %s/kept/app\n' "$slow" >slow.map
spawn half "$IMGPACK" fetch example.org/app:1 --map slow.map -o resumed.tar --platform linux/amd64
wait_for 60 grep -q ': done' half.log || fail "no layer came"
stop_pid "$spawned"
check "a run in the middle" test ! -e resumed.tar
exits 0 imgpack fetch example.org/app:1 --map to.map -o resumed.tar --platform linux/amd64 --json
[ "$(jq .reused_bytes out)" -gt 0 ] || fail "nothing was kept of the first run"
exits 0 imgpack fetch example.org/app:1 --map to.map -o whole.tar --platform linux/amd64
same "resumed" "$(sha resumed.tar)" "$(sha whole.tar)"

step "the same from a configuration file; the command line wins"
printf 'map: [to.map]\nfetch:\n  all-platforms: true\n' >config.yaml
exits 0 imgpack fetch example.org/app:1 --config config.yaml --platform linux/amd64 -o configured.tar
same "configured" "$(sha configured.tar)" "$(sha whole.tar)"
exits 0 env IMGPACK_CONFIG=config.yaml "$IMGPACK" rules explain example.org/app:1
prints "by to.map:1"
exits 2 env IMGPACK_CONFIG=config.yaml "$IMGPACK" fetch example.org/app:1 --map nothing -o no.tar
printf 'maps: [to.map]\n' >config.yaml
exits 2 imgpack fetch example.org/app:1 --config config.yaml -o no.tar
says "config.yaml:1:1: maps is no option and no command; did you mean map?"

step "what is not there is called by both names"
exits 5 imgpack fetch example.org/nothing:v7 --map own.map -o no.tar
says "example.org/nothing:v7 (at $mirror/kept/nothing:7)"
check "nothing is left" test ! -e no.tar

step "rules that cannot be"
printf 'example.org/{a} = %s/{b}\n' "$mirror" >bad.map
exits 2 imgpack fetch example.org/app:1 --map bad.map -o no.tar
says "bad.map:1:$((20 + ${#mirror} + 1)): the pattern captures no {b}"
printf 'example.org/{a} = %s/kept/{a}@%s\n' "$mirror" "$(image_digest app2)" >pin.map
exits 2 imgpack fetch "example.org/app@$(image_digest app)" --map pin.map -o no.tar
says "pin.map:1: this rule takes another digest"
exits 0 imgpack fetch example.org/app2:5 --map pin.map -o pinned.tar --platform linux/amd64
same "pinned" "$("$IMGPACK" inspect pinned.tar --json | jq -r '.images[0].digest')" "$(image_digest app2)"
exits 2 imgpack fetch example.org/app:1 --map nothing -o no.tar
says "no shipped set either: those are aliyun, daocloud"
exits 6 imgpack fetch example.org/app:1 --map ./nothing.map -o no.tar

step "load: --name goes before --map, a rule's result stands as it is, two that become one are refused"
printf 'variables: {TO: %s}\nrules:\n  - {from: "{any}/**/{name}", to: "{TO}/flat/{name}"}\n' "$dst" >flat.yaml
exits 0 imgpack load own.tar --to "registry:$dst/prefix" --map flat.yaml --name example.org/app:1=web:blue
same "flat" "$(registry_digest "$dst/flat/app:v1")" "$(image_digest app)"
same "named" "$(registry_digest "$dst/prefix/library/web:blue")" "$(image_digest app)"
printf '{any}/**/{name}:{tag} = %s/flat/x:1\n' "$dst" >one.map
exits 2 imgpack load own.tar --to "registry:$dst" --map one.map
says "two images would both be named"
