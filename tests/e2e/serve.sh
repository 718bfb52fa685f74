#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: imgpack serve is a registry to the programs that people pull with: skopeo, podman, docker, containerd and imgpack
# itself get the digests that the archive has, from one file and from chunks, by the images' own names where its printed
# settings are used. What it refuses and how it ends is said.
# timeout: 600
# sanitize: no (fault/serve and unit/serve show it more)
. "$(dirname "$0")/lib/common.sh"
need jq curl python3 htpasswd openssl
make_images
cd "$T" || exit 1
mkdir -p "$DOCKER_CONFIG"
echo '{}' >"$DOCKER_CONFIG/config.json" # podman wants it where DOCKER_CONFIG is set
layout() {
	python3 "$SOURCE_DIR/fixtures/image/layout.py" image "$@" || fail "layout.py"
}
referrer=$(layout hub.tar app=docker.io/test/app:1 app2=docker.io/test/app:2 multi=docker.io/library/multi:1 --referrer app)
layout other.tar app-docker=quay.io/test/app:1 plain=quay.io/team/plain:1 app2=docker.io/test/app:1
start_serve hub -v --access-log access.log hub.tar other.tar

# get PATH [OPTION...]: the status; the body is in body, the answer's head in head.
get() {
	get_path=$1
	shift
	curl -s -o body -D head -w '%{http_code}' "$@" "http://$hub$get_path"
}
head_of() {
	tr -d '\r' <head | sed -n "s/^$1: //Ip"
}

step "names: with the registry, without, as a mirror"
for path in docker.io/test/app test/app; do
	same "$path" "$(registry_digest "$hub/$path:1")" "$(image_digest app)"
done
same "its own registry" "$(registry_digest "$hub/quay.io/test/app:1")" "$(image_digest app-docker)"
same "library/ is Docker Hub's habit" "$(registry_digest "$hub/multi:1")" "$(image_digest multi)"
same "only quay.io has it" "$(registry_digest "$hub/team/plain:1")" "$(image_digest plain)"
same "as a mirror of quay.io" "$(get '/v2/test/app/manifests/1?ns=quay.io')" 200
same "it is quay.io's" "sha256:$(sha body)" "$(image_digest app-docker)"
same "a mirror of docker.io has no others" "$(get '/v2/team/plain/manifests/1?ns=docker.io')" 404
same "Docker Hub by its other name" "$(get '/v2/library/multi/manifests/1?ns=registry-1.docker.io')" 200
grep -q "other.tar: its docker.io/test/app:1 is another image" hub.log || fail "two archives have one name: it is said"
same "the catalog" "$(curl -s "http://$hub/v2/_catalog" | jq -c .repositories)" \
	'["docker.io/library/multi","docker.io/test/app","quay.io/team/plain","quay.io/test/app"]'

step "ranges and what a client has already"
layer=$(jq -r '.layers[0].digest' "image/blobs/$(image_digest app | cut -d: -f2)")
blob=/v2/test/app/blobs/$layer
size=$(wc -c <"image/blobs/${layer#sha256:}")
same "a blob" "$(get "$blob")" 200
same "is itself" "$(sha body)" "${layer#sha256:}"
same "from the middle" "$(get "$blob" -r 1000-)" 206
tail -c +1001 "image/blobs/${layer#sha256:}" | cmp -s - body || fail "the bytes of a range"
same "which range" "$(head_of Content-Range)" "bytes 1000-$((size - 1))/$size"
same "the last five" "$(get "$blob" -r -5)" 206
tail -c 5 "image/blobs/${layer#sha256:}" | cmp -s - body || fail "the last bytes"
same "behind its end" "$(get "$blob" -r "$size-")" 416
same "how long it is" "$(head_of Content-Range)" "bytes */$size"
same "the same again" "$(get "$blob" -H "If-None-Match: \"$layer\"")" 304
same "a HEAD" "$(get "$blob" -I)" 200
same "its length" "$(head_of Content-Length)" "$size"

step "referrers"
same "what refers to it" "$(curl -s "http://$hub/v2/test/app/referrers/$(image_digest app)" | jq -r '.manifests[].digest')" \
	"$referrer"
same "of another type" "$(curl -s "http://$hub/v2/test/app/referrers/$(image_digest app)?artifactType=a/b" | jq -c .manifests)" '[]'
same "it can be had" "$(get "/v2/test/app/manifests/$referrer")" 200

step "refusals"
for method in POST PUT PATCH DELETE; do
	same "$method" "$(get /v2/test/app/blobs/uploads/ -X "$method" -d x)" 405
	same "what is allowed" "$(head_of Allow)" "GET, HEAD"
done
same "in the specification's words" "$(jq -r '.errors[0].code' body)" UNSUPPORTED
for path in /v2/no/such/manifests/1 /v2/test/app/manifests/no "/v2/test/app/blobs/sha256:$(printf '%064d' 0)" /v2/a//b/tags/list \
	/../../etc/passwd /v2/%2e%2e/%2e%2e/etc/passwd; do
	same "$path" "$(get "$path" --path-as-is)" 404
done
same "no digest" "$(get /v2/test/app/blobs/sha256:zz)" 400

step "the page"
same "the page" "$(get /)" 200
for words in "docker.io/test/app:1" "$(image_digest multi)" "linux/arm/v7" "docker pull $hub/docker.io/test/app:1" 'name="viewport"'; do
	grep -qF -- "$words" body || fail "the page shows $words"
done
! grep -qiE '<script|<img|<link|src=|url\(|href="[^/]' body || fail "the page needs nothing from elsewhere"
same "a host that is none" "$(get / -H 'Host: <b>"x')" 200
! grep -qF '<b>' body || fail "a header's bytes do not become HTML"
same "it is well" "$(get /healthz)" 200
curl -s "http://$hub/metrics" | grep -q '^imgpack_serve_requests_total{kind="blob",status="2xx"} [1-9]' || fail "metrics"
get '/v2/x/%22%0a%1b[31m' -g -A 'a"b' >/dev/null
tail -n 1 access.log | grep -qF '404' || fail "the access log"
! LC_ALL=C grep -q "$(printf '\033')" access.log || fail "foreign bytes are escaped in the log"

# pulled PROGRAM HAVE IMAGE
pulled() {
	same "$1 has the digest" "$2" "$(image_digest "$3")"
}

step "skopeo"
if command -v skopeo >/dev/null 2>&1; then
	pulled skopeo "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$hub/docker.io/test/app:1")" app
	check "skopeo copies all of an index" skopeo --insecure-policy copy -q --all --preserve-digests --src-tls-verify=false \
		"docker://$hub/library/multi:1" dir:skopeo
	same "the index as it was" "sha256:$(sha skopeo/manifest.json)" "$(image_digest multi)"
fi

step "imgpack, and its archive in chunks"
# docker.io itself is not to be reached from here: a proxy that nobody listens at stands in for the missing way out.
HTTPS_PROXY=http://127.0.0.1:1 "$IMGPACK" fetch test/app:1 multi:1 --mirror "docker.io=http://$hub" --all-platforms -o own.tar \
	--split 500k >out 2>err || fail "fetch through the server as a mirror"
mkdir one two
mv own.tar.002 two
mv own.tar.* own.sha256 one
start_serve own one two
same "from chunks in two folders" "$(registry_digest "$own/docker.io/library/multi:1")" "$(image_digest multi)"
curl -sf "http://$own$blob" | sha256sum | grep -q "^${layer#sha256:}" || fail "a blob that lies in several chunks"
exits 0 imgpack fetch "$own/docker.io/test/app:1" -o again.tar --platform linux/amd64
check "imgpack" archive holds again.tar image "$(image_digest app)"

step "podman, by its own name"
if command -v podman >/dev/null 2>&1; then
	exits 0 imgpack serve --print-config podman --url "http://$hub" hub.tar
	cp out registries.conf
	podman_here() {
		CONTAINERS_REGISTRIES_CONF=$T/registries.conf podman --root "$T/podman/root" --runroot "$T/podman/run" \
			--storage-driver vfs --cgroup-manager cgroupfs --events-backend file "$@"
	}
	if podman_here info >out 2>err; then
		podman_here pull -q docker.io/test/app:1 >out 2>err || fail "podman pull"
		pulled podman "$(podman_here image inspect --format '{{.Digest}}' docker.io/test/app:1)" app
		podman_here pull -q --tls-verify=false "$hub/quay.io/team/plain:1" >out 2>err || fail "podman pull from the server"
	else
		echo "podman cannot run here: left out"
	fi
fi

step "containerd, by its own name"
if command -v containerd >/dev/null 2>&1 && command -v ctr >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	exits 0 imgpack serve --print-config containerd --url "http://$hub"
	mkdir -p certs.d/_default
	cp out certs.d/_default/hosts.toml
	printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >containerd.toml
	spawn containerd containerd -c containerd.toml --root "$T/ctr/root" --state "$T/ctr/state" --address "$T/ctr.sock"
	ctr_here() {
		ctr -a "$T/ctr.sock" -n k8s.io "$@"
	}
	if wait_for 20 ctr_here version; then
		for name in docker.io/test/app:1 quay.io/team/plain:1 "docker.io/test/app@$(image_digest app2)"; do
			ctr_here images pull --hosts-dir "$T/certs.d" --snapshotter native "$name" >out 2>err || fail "ctr images pull"
		done
		pulled containerd "$(ctr_here images ls name==docker.io/test/app:1 | awk 'NR == 2 { print $3 }')" app
		ctr_here images pull --plain-http --snapshotter native "$hub/docker.io/test/app:2" >out 2>err ||
			fail "ctr images pull from the server"
	else
		echo "containerd cannot run here: left out"
	fi
	stop_pid "$spawned"
fi

step "docker, by its own name"
if command -v dockerd >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	exits 0 imgpack serve --print-config docker --url "http://$hub"
	jq '. + {"storage-driver": "vfs"}' out >daemon.json || fail "docker's settings are JSON"
	spawn dockerd dockerd --config-file "$T/daemon.json" --data-root "$T/d/data" --exec-root "$T/d/exec" -H "unix://$T/d.sock" \
		-p "$T/d.pid" --iptables=false --ip6tables=false --bridge=none
	if wait_for 60 curl -sf --unix-socket "$T/d.sock" http://d/_ping; then
		for name in test/app:1 "$hub/quay.io/test/app:1"; do
			docker -H "unix://$T/d.sock" pull -q "$name" >out 2>err || fail "docker pull"
		done
		pulled docker "$(docker -H "unix://$T/d.sock" image inspect test/app:1 |
			jq -r '.[0].RepoDigests[] | select(startswith("test/app@")) | split("@")[1]')" app
	else
		echo "dockerd cannot run here: left out"
	fi
	stop_pid "$spawned"
fi

step "who may ask"
make_certificates
htpasswd -nbBC 5 tester s3cret >users 2>/dev/null
start_serve locked --auth users --cert server.pem --key server.key hub.tar
https() {
	curl -s -o body -D head -w '%{http_code}' --cacert ca.pem "$@"
}
same "nobody" "$(https "https://$locked/v2/")" 401
case $(head_of WWW-Authenticate) in "Basic realm="*) ;; *) fail "how to log in" ;; esac
same "a wrong password" "$(https -u tester:x "https://$locked/v2/")" 401
same "somebody else" "$(https -u nobody:s3cret "https://$locked/v2/")" 401
same "the user" "$(https -u tester:s3cret "https://$locked/v2/")" 200
same "again, remembered" "$(https -u tester:s3cret "https://$locked$blob")" 200
same "through TLS" "$(sha body)" "${layer#sha256:}"
same "the page is not for everybody" "$(https "https://$locked/")" 401
same "whether it is well, is" "$(https "https://$locked/healthz")" 200
printf s3cret >password
# By an address of this machine imgpack would ask without TLS.
"$IMGPACK" fetch "registry.localhost:${locked##*:}/test/app:1" -o locked.tar --platform linux/amd64 --cacert ca.pem --username tester --password-stdin \
	<password >out 2>err || fail "imgpack logs in"
if command -v skopeo >/dev/null 2>&1; then
	mkdir -p skopeo-ca
	cp ca.pem skopeo-ca/ca.crt
	check "skopeo logs in" skopeo inspect --cert-dir skopeo-ca --creds tester:s3cret "docker://$locked/test/app:1"
fi

step "mistakes"
exits 2 imgpack serve
exits 2 imgpack serve hub.tar --listen 1:2:3
exits 2 imgpack serve --print-config crio
exits 6 imgpack serve none.tar
exits 6 imgpack serve hub.tar --listen "$hub"
says "--listen"
printf 'tester:plain\n' >bad-users
exits 2 imgpack serve hub.tar --listen 127.0.0.1:0 --auth bad-users
says "line 1"
exits 2 imgpack serve hub.tar --listen 127.0.0.1:0 --cert server.pem --key ca.key
says "belong together"
cp hub.tar bad.tar
printf x | dd of=bad.tar bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
exits 1 imgpack serve bad.tar --listen 127.0.0.1:0
says "nothing is served"

step "the end"
curl -s --limit-rate 100k -o slow "http://$hub$blob" &
slow=$!
sleep 1
kill "$hub_pid"
wait "$hub_pid"
same "SIGTERM is its end, not a failure" "$?" 0
wait "$slow" || fail "what was running may end"
same "all of it" "$(sha slow)" "${layer#sha256:}"
