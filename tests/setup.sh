#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing imgpack need, on Debian 12.
#
#     sh tests/setup.sh           all
#     sh tests/setup.sh build     what a build needs, and nothing else
#     sh tests/setup.sh quick     a build, and the few things that quickstart.sh shows it with
#
# Names the missing packages before it installs them; does nothing, and needs no root, where all are there.
set -eu

build="cmake ninja-build gcc libc6-dev pkg-config libcurl4-openssl-dev libarchive-dev libjansson-dev libzstd-dev libssl-dev
	libisal-dev liblzma-dev libbz2-dev liblz4-dev libyaml-dev libmicrohttpd-dev libcrypt-dev libcmocka-dev"
quick="docker-registry busybox-static python3 zstd curl jq"
# Lint and the sanitizer build; servers to fetch from and load to; the other tools whose archives are read, and that read ours.
tests="clang libclang-rt-14-dev llvm clang-format clang-tidy cppcheck
	apache2-utils openssl strace time util-linux exfat-fuse exfatprogs procps iproute2 xz-utils gzip bzip2 lz4 zsh fish squid microsocks nginx-light ca-certificates
	python3-yaml faketime docker.io skopeo podman buildah umoci uidmap"
case ${1:-all} in
build) wanted=$build ;;
quick) wanted="$build $quick" ;;
all) wanted="$build $quick $tests" ;;
*) echo "usage: sh tests/setup.sh [build|quick]" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null 2>&1 || {
	echo "tests/setup.sh knows Debian's packages only. Install what they are called here:" $wanted >&2
	exit 1
}
missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
	ii*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Lists that are there may do; only where they do not, or are none, are they read anew.
# shellcheck disable=SC2086
if ! $as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1; then
	$as_root apt-get update -qq
	$as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi
