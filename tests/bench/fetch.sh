#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is fetch? Against curl downloading the same blobs at once and openssl hashing them (nothing can do with less), crane
# and skopeo, from a registry on this machine.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
big_image
push_images "$src" big
manifest=$T/image/blobs/${digest#sha256:}
echo "big: $(jq '.layers | length' "$manifest") layers, $bytes bytes; $(nproc) cores"

add "imgpack fetch" "$IMGPACK" fetch "$src/test/big:1" -o "$T/i.tar" --platform linux/amd64
add "imgpack fetch --connections 1" "$IMGPACK" fetch "$src/test/big:1" -o "$T/i.tar" --platform linux/amd64 --connections 1
if have "$CURL"; then
	# One curl, all blobs at once, then a hash of each.
	jq -r '.layers[].digest' "$manifest" | while read -r blob; do
		printf 'url = "http://%s/v2/test/big/blobs/%s"\noutput = "%s"\n' "$src" "$blob" "$T/curl-${blob#sha256:}"
	done >"$T/curl.config"
	add "curl -Z" sh -c "$CURL -sf -Z --parallel-max 8 -K '$T/curl.config'"
	add "curl -Z, then openssl dgst" sh -c "$CURL -sf -Z --parallel-max 8 -K '$T/curl.config' && openssl dgst -sha256 '$T'/curl-*"
fi
have "$CRANE" && add "crane pull" sh -c "$CRANE pull --insecure --platform linux/amd64 $src/test/big:1 '$PEER_SEES/c.tar'"
have "$SKOPEO" && add "skopeo copy to docker-archive" sh -c "rm -f '$T/s.tar'; $SKOPEO --insecure-policy copy -q \
	--src-tls-verify=false docker://$src/test/big:1 docker-archive:$T/s.tar:big:1"
have "$SKOPEO" && add "skopeo copy to oci-archive" sh -c "rm -f '$T/o.tar'; $SKOPEO --insecure-policy copy -q \
	--src-tls-verify=false docker://$src/test/big:1 oci-archive:$T/o.tar:1"
compare
rm -f "$PEER_DIR/c.tar"
