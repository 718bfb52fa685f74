#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: each allocation of the program's own code fails once, in each of some twenty stories (fetches, loads, logins, archives and
# registries that are not as they should be): no crash, no hang, no false success, no leak, and "out of memory" is said. One point
# in 25; tests/sweep.sh takes them all, and a part of the libraries' own.
# timeout: 900
# sanitize: no
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$SOURCE_DIR/tests/fault/lib/sweeps.sh"
build_preloads
memory own --every 60
