#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: bytes come from wherever they are: mirrors that docker's, containerd's and podman's own files name are asked first,
# blobs of an older archive are not downloaded again, and the pull limit that a registry tells is shown and waited for.
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
[ "$(id -u)" -eq 0 ] || skip "root is needed to show the program files under /etc"
command -v unshare >/dev/null && unshare -m true 2>/dev/null || skip "no mount namespace here"
need docker-registry jq
start_registry origin
start_registry near
push_images "$origin" app app2
push_images "$near" app app2
cd "$T" || exit 1

# beside FOLDER COMMAND...: the command sees FOLDER's files in /etc.
beside() {
	beside_etc=$1
	shift
	unshare -m sh -c 'for name in docker containerd containers; do
		if [ -d "$0/$name" ]; then mkdir -p "/etc/$name" && mount --bind "$0/$name" "/etc/$name" || exit 90; fi
	done; exec "$@"' "$beside_etc" "$@"
}

# Files that this machine does not have leave no trace: what was made for the mount goes away.
made=
for name in docker containerd containers; do
	[ -d "/etc/$name" ] || made="$made /etc/$name"
done

# blobs_from NAME: blobs that a registry was asked for.
blobs_from() {
	access_log "$1" | grep -c '^GET .*/blobs/'
}

host=${origin%:*} port=${origin#*:}
mkdir -p docker_etc/docker containerd_etc/containerd/certs.d/"${host}_${port}_" podman_etc/containers/registries.conf.d
printf '[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' "$near" \
	>containerd_etc/containerd/certs.d/"${host}_${port}_/hosts.toml"
printf '[[registry]]\nlocation = "%s"\n[[registry.mirror]]\nlocation = "%s"\n' "$origin" "$near" \
	>podman_etc/containers/registries.conf.d/near.conf

for owner in containerd podman; do
	step "the mirror that $owner's file names"
	forget_log origin
	forget_log near
	exits 0 beside "$T/${owner}_etc" "$IMGPACK" fetch "$origin/test/app:1" -o "$owner.tar" --platform linux/amd64
	[ "$(blobs_from near)" -gt 2 ] || fail "the mirror gave nothing"
	same "blobs from the registry itself" "$(blobs_from origin)" 0
	check "the image" archive holds "$owner.tar" image "$(image_digest app)"
	says "mirror $near gave"
done

step "a broken file is told, and does not stop anybody"
echo '[[registry' >podman_etc/containers/registries.conf.d/near.conf
exits 0 beside "$T/podman_etc" "$IMGPACK" fetch "$origin/test/app:1" -o broken.tar --platform linux/amd64
says near.conf

step "docker's mirrors are Docker Hub's"
printf '{"registry-mirrors": ["http://%s"]}\n' "$near" >docker_etc/docker/daemon.json
forget_log near
# docker.io itself is not to be reached from here: a proxy that nobody listens at stands in for the missing way out.
HTTPS_PROXY=http://127.0.0.1:1 beside "$T/docker_etc" "$IMGPACK" fetch test/app:1 -o hub.tar --platform linux/amd64 \
	>"$T/out" 2>"$T/err" || fail "a fetch from Docker Hub's mirror"
says "docker.io itself cannot be asked"
[ "$(blobs_from near)" -gt 2 ] || fail "docker's mirror gave nothing"
same "its name" "$("$IMGPACK" inspect hub.tar --json | jq -r '.images[0].name')" docker.io/test/app:1

step "an older archive's blobs"
exits 0 imgpack fetch "$origin/test/app:1" -o old.tar --platform linux/amd64
forget_log origin
exits 0 imgpack fetch "$origin/test/app:1" "$origin/test/app2:1" -o new.tar --platform linux/amd64 --have-archive old.tar --json
[ "$(jq .reused_bytes "$T/out")" -gt 1000000 ] || fail "nothing was taken from the older archive"
for digest in $(jq -r '.layers[].digest' "image/blobs/$(image_digest app | cut -d: -f2)"); do
	same "a layer of the older archive" "$(access_log origin | grep -c "$digest")" 0
done
cp new.tar with.tar
exits 0 imgpack fetch "$origin/test/app:1" "$origin/test/app2:1" -o new.tar --platform linux/amd64
same "the same bytes as without" "$(sha with.tar)" "$(sha new.tar)"

step "an older archive that is damaged, and one that is none"
cp old.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=700000 conv=notrunc 2>/dev/null
exits 0 imgpack fetch "$origin/test/app:1" -o mended.tar --platform linux/amd64 --have-archive bad.tar
says damaged
same "the right bytes all the same" "$(sha mended.tar)" "$(sha old.tar)"
echo nothing >none.tar
exits 1 imgpack fetch "$origin/test/app:1" -o x.tar --platform linux/amd64 --have-archive none.tar
says "--have-archive none.tar"
refuse "an archive" test -e x.tar

step "the pull limit"
start_bad hub --image small=100k --rules '[
	{"kind":"manifest","do":{"headers":{"RateLimit-Remaining":"76;w=21600"}}}]'
exits 0 imgpack fetch "$hub/test/small:1" -o limit.tar --platform linux/amd64
says "76 more pulls"
says "6 h"
start_bad spent --image small=100k --rules '[
	{"kind":"manifest","nth":1,"do":{"status":429,"headers":{"Retry-After":"2"},"body":"toomanyrequests"}}]'
exits 0 imgpack fetch "$spent/test/small:1" -o waited.tar --platform linux/amd64 --retries 0 --wait-for-quota
for folder in $made; do
	rmdir "$folder" 2>/dev/null
done
exit 0
