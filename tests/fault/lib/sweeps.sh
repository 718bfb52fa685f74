# SPDX-License-Identifier: Apache-2.0
# Sourced behind common.sh by ../sweep_*.sh and ../../sweep.sh: the sweeps of failing calls, as functions. Each prints the number
# of its points and what was wrong; a wrong one ends the script.

need python3 cc docker-registry htpasswd
FAULTS=$SOURCE_DIR/tests/fault/lib
export PYTHONDONTWRITEBYTECODE=1

# The preloads, into $T/preloads.
build_preloads() {
	mkdir "$T/preloads"
	for preload in calls memory; do
		check "build the preload: $preload" cc -O1 -fPIC -shared -Wall -Wextra -Werror -U_FORTIFY_SOURCE \
			-o "$T/preloads/$preload.so" "$FAULTS/$preload.c" -ldl -pthread
	done
}

# sweep SCRIPT PART OPTION...: in a folder of its own. Points that went wrong leave theirs there, for KEEP=1.
sweep() {
	sweep_script=$1 sweep_part=$2
	shift 2
	sweep_folder=$(mktemp -d "$T/sweep-XXXXXX")
	(cd "$sweep_folder" && python3 -u "$FAULTS/$sweep_script.py" "$IMGPACK" "$T/preloads" "$sweep_part" "$@") ||
		fail "a sweep found something"
}

# memory SCOPE OPTION...: with two registries of its own.
memory() {
	[ -n "${open_registry:-}" ] || start_registry open_registry
	[ -n "${closed_registry:-}" ] || start_registry closed_registry htpasswd
	sweep memory "$@" --registry "$open_registry" --closed "$closed_registry"
}
