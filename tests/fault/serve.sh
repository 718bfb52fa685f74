#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: clients that are slow, break off, talk nonsense or never ask do not bring serve down, and it keeps nothing of them: no
# memory, no descriptors, no connection; and it still answers.
#     CLIENTS=10000 sh tests/fault/serve.sh       one after another; the suite takes a few hundred, and a sixth of them over TLS
# timeout: 900
. "$(dirname "$0")/../e2e/lib/common.sh"
need python3 curl jq
CLIENTS=${CLIENTS:-300}
make_images
cd "$T" || exit 1
python3 "$SOURCE_DIR/fixtures/image/layout.py" image x.tar app=docker.io/test/app:1 plain=docker.io/test/plain:1 ||
	fail "layout.py"
make_certificates
start_serve plain x.tar
start_serve tls --cert server.pem --key server.key x.tar
blob=$(jq -r '.layers[0].digest' "image/blobs/$(image_digest plain | cut -d: -f2)")

# held PID: descriptors and kilobytes of memory.
held() {
	echo "$(ls "/proc/$1/fd" | wc -l) $(awk '/^VmRSS/ { print $2 }' "/proc/$1/status")"
}
clients() {
	python3 "$SOURCE_DIR/tests/fault/lib/clients.py" "$@" || fail "the clients"
}

for name in plain tls; do
	eval "host=\$$name pid=\$${name}_pid"
	# A handshake costs a client more than all the rest.
	count=$CLIENTS
	[ "$name" = plain ] || count=$((CLIENTS / 6))
	step "$name: $count clients, one after another"
	clients "$host" "$name" "/v2/test/plain/blobs/$blob" 30
	before=$(held "$pid")
	clients "$host" "$name" "/v2/test/plain/blobs/$blob" "$count"
	kill -0 "$pid" 2>/dev/null || fail "it is still there"
	# What clients left open is closed in its turn.
	tries=0
	while [ "$(held "$pid" | cut -d' ' -f1)" -gt "${before% *}" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || fail "descriptors are left: $before before, $(held "$pid") now"
		sleep 0.1
	done
	after=$(held "$pid")
	echo "descriptors and kB before and after: $before, $after"
	# A sanitizer keeps what was freed for a while; it counts leaks itself, at the end.
	case $BUILD_DIR in *bs | *sanitize*) ;; *)
		[ "${after#* }" -lt $((${before#* } + 4096)) ] || fail "memory has grown: $before before, $after now"
		;;
	esac
	scheme=http
	[ "$name" = plain ] || scheme=https
	same "it still answers" "$(curl -sk "$scheme://$host/v2/test/plain/blobs/$blob" | sha256sum | cut -d' ' -f1)" "${blob#sha256:}"
	kill "$pid"
	wait "$pid"
	same "it ends as it should, without a leak" "$?" 0
done
