# SPDX-License-Identifier: Apache-2.0
# Sourced by a script before common.sh: starts it anew in a mount and a network namespace of its own, where ports, addresses,
# names and the machine's settings are the script's. Without root a user namespace gives root's rights inside.
if [ -z "${APART:-}" ]; then
	apart_spaces=-mn
	[ "$(id -u)" -eq 0 ] || apart_spaces=-rmn
	unshare "$apart_spaces" true 2>/dev/null || { echo "SKIP $(basename "$0"): no namespaces here" >&2; exit 77; }
	exec unshare "$apart_spaces" env APART=1 sh "$0"
fi
