# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of tests/bench, which compare imgpack with other tools side by side in one run, alternating, and print
# medians and ratios. Nothing here is part of CI.
#
#     BUILD_DIR=build MB=800 ROUNDS=5 CRANE="chroot /srv/peers crane" PEER_DIR=/srv/peers/out sh tests/bench/fetch.sh
#
# MB: size of the image before compression, in 7 layers, half of it random; ROUNDS: how often each is run.
# CRANE, SKOPEO, CURL, OPENSSL: command lines of the peers; one that is not there is left out with a line. PEER_DIR: the folder
# in which CRANE sees files when it lives in a chroot, seen from here; inside, PEER_SEES (/out) is the same folder.
# BENCH_CACHE: keeps the image between runs (it takes a minute to make).
. "$(dirname "$0")/../e2e/lib/common.sh"

MB=${MB:-800}
ROUNDS=${ROUNDS:-5}
CURL=${CURL:-curl}
SKOPEO=${SKOPEO:-skopeo}
OPENSSL=${OPENSSL:-openssl}
CRANE=${CRANE:-crane}
PEER_DIR=${PEER_DIR:-$T}
PEER_SEES=${PEER_SEES:-$([ "$PEER_DIR" = "$T" ] && echo "$T" || echo /out)}

# have COMMAND LINE: is there such a peer?
have() {
	# shellcheck disable=SC2086
	$1 version >/dev/null 2>&1 || $1 --version >/dev/null 2>&1 || {
		echo "left out: $1 is not here"
		return 1
	}
}

# big_image: $T/image with `big` in it, from BENCH_CACHE where that names a folder.
big_image() {
	if [ -n "${BENCH_CACHE:-}" ]; then
		[ -d "$BENCH_CACHE/image-$MB" ] ||
			check "make the image" sh "$SOURCE_DIR/fixtures/image/make.sh" "$BENCH_CACHE/image-$MB" --big "$MB"
		ln -s "$BENCH_CACHE/image-$MB" "$T/image"
	else
		check "make the image" sh "$SOURCE_DIR/fixtures/image/make.sh" "$T/image" --big "$MB"
	fi
	digest=$(image_digest big)
	bytes=$(jq '[.layers[].size] | add' "$T/image/blobs/${digest#sha256:}")
}

# add NAME COMMAND...: one of the things to be compared. The words are kept as they are.
add() {
	python3 - "$T/runs" "$@" <<'END'
import json, sys
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(sys.argv[2:]) + "\n")
END
}

# compare: runs all that was added ROUNDS times, alternating, and prints the table. The first is what the others are held against.
compare() {
	python3 "$SOURCE_DIR/tests/bench/compare.py" "$T/runs" "$ROUNDS" "${bytes:-0}" || fail "a run failed"
	rm -f "$T/runs"
}
