#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that must hold before a change lands, in one go: installs what is missing, builds with gcc and, with the
# sanitizers, with clang (warnings are errors), then one ctest run over both: unit tests, the program against real servers,
# faults, and the house's own rules (rooms, format, lint). ctest's summary stands last; its exit code is the script's.
#
#     sh tests/run.sh              all
#     sh tests/run.sh -R e2e/      more words go to ctest
set -eu
cd "$(dirname "$0")/.."
sh tests/setup.sh

top=$PWD/build-ci
jobs=$(nproc 2>/dev/null || echo 2)
mkdir -p "$top"

CC=gcc cmake -S . -B "$top/gcc" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$top/cmake-gcc.log" || {
	cat "$top/cmake-gcc.log"
	exit 1
}
CC=clang cmake -S . -B "$top/sanitize" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DIMGPACK_SANITIZE=ON \
	-DIMGPACK_TEST_PREFIX=sanitize/ >"$top/cmake-sanitize.log" || {
	cat "$top/cmake-sanitize.log"
	exit 1
}
ninja -C "$top/gcc" -j "$jobs"
ninja -C "$top/sanitize" -j "$jobs"

# Debian's own python3, which setup.sh has installed: the suite starts it thousands of times, and a version manager's shim in
# front of it takes ten times as long to start.
mkdir -p "$top/bin"
[ ! -x /usr/bin/python3 ] || ln -sf /usr/bin/python3 "$top/bin/python3"
PATH=$top/bin:$PATH
export PATH

# Both builds' tests as one suite.
printf 'subdirs(gcc sanitize)\n' >"$top/CTestTestfile.cmake"
# Most tests wait, for clocks and servers, more than they compute.
exec ctest --test-dir "$top" -j $((jobs * 2)) --output-on-failure --no-tests=error "$@"
