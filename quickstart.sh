#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds imgpack and shows it at work, on this machine alone: an archive with images that imgpack itself serves as a
# registry, what fetch makes of it, a second registry that never saw the first one. Debian 12; installs what is missing (as root or with sudo). Cleans up behind itself; run it again
# as often as you like. What stays is build/imgpack.
set -eu
cd "$(dirname "$0")"
sh tests/setup.sh quick
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build imgpack

SOURCE_DIR=$PWD IMGPACK=$PWD/build/imgpack
. tests/e2e/lib/common.sh

make_images
python3 fixtures/image/layout.py "$T/image" "$T/outside.tar" app=example.org/test/app:1 multi=example.org/test/multi:1
start_serve outside "$T/outside.tar"
start_registry inside

run() {
	printf '\n$ imgpack %s\n' "$*"
	"$IMGPACK" "$@"
}
cd "$T"
run fetch "$outside/test/app:1" "$outside/test/multi:1" --all-platforms -o images.tar
run verify images.tar
run inspect images.tar
run load images.tar --to "registry:$inside/mirror"

for name in app multi; do
	same "the digest of $name after the journey" "$(registry_digest "$inside/mirror/test/$name:1")" "$(image_digest "$name")"
done
size=$(du -h images.tar | cut -f1)
cat <<END

    imgpack serve              images.tar ($size)          registry
    $outside                                     $inside
    +----------------+  fetch  +------------------+  load  +-----------------------+
    | test/app:1     | ------> | blobs, manifests | -----> | mirror/test/app:1     |
    | test/multi:1   |         | sha256 each      |        | mirror/test/multi:1   |
    +----------------+         +------------------+        +-----------------------+
    $(image_digest app | cut -c1-19)...          the same digest on both sides: $(registry_digest "$inside/mirror/test/app:1" | cut -c1-19)...
    docker takes it as well: docker load -i images.tar

The program is build/imgpack. Try: build/imgpack fetch --help
END
