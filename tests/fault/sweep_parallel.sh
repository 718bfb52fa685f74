#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: sixteen fetches into one output at once, one of them killed: whoever has not the lock says "another imgpack", nobody waits
# for ever, and what stands there is right. Five rounds; tests/sweep.sh takes 200.
# timeout: 600
# sanitize: no
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$SOURCE_DIR/tests/fault/lib/sweeps.sh"
build_preloads
sweep parallel together --count 5
