/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

/* Platforms, as in the OCI image index specification ("platform"), normalised and matched as containerd does. */

#include "base/err.h"
#include "oci/json.h"

#include <stdbool.h>
#include <stddef.h>

struct platform {
	char os[32];           /* "linux"; "" if unknown */
	char architecture[32]; /* "amd64" */
	char variant[32];      /* "v7"; "" if none. arm64's v8 is normalised away, arm without a variant is v7 */
	char os_version[64];   /* windows: "10.0.17763.1"; else "" */
};

/*
 * "OS/ARCH[/VARIANT]", with the aliases x86_64, aarch64, armhf (arm/v7), armel (arm/v6), i686, ..., as `uname -m` and
 * Debian say; normalised. ERR_USAGE.
 */
int platform_parse(struct platform *out, const char *text, struct err *e);

/*
 * A JSON object with os, architecture, variant, os.version; normalised. NULL or null: an empty platform. Wrong types,
 * overlong, or characters that no platform has: ERR_CORRUPT.
 */
int platform_from_json(struct platform *out, const struct jval *v, struct err *e);

/* The member "platform":{...} as in an OCI index; nothing if it is empty. */
void platform_put(struct jout *j, const struct platform *p);

/* linux and this machine's architecture. */
struct platform platform_default(void);

/* "linux/arm/v7"; "unknown/unknown" if empty. */
#define PLATFORM_TEXT_SIZE 112
const char *platform_text(const struct platform *p, char out[PLATFORM_TEXT_SIZE]);

bool platform_equal(const struct platform *a, const struct platform *b);

/*
 * How well an image of platform `have` serves one who wants `want`: 0 = not at all, higher = better. The order of
 * containerd's platforms.Only:
 *
 *     amd64/vN   vN, vN-1, ... v1 (= no variant), then 386
 *     arm/vN     vN, vN-1, ... v5
 *     arm64/v8.M v8.M, ... v8 (= no variant), then arm/v8 ... arm/v5
 *     arm64/v9.M v9.M, ... v9, v8.(M+5), ... v8, then arm/v8 ... arm/v5
 *     others     the same variant
 *
 * os.version counts on Windows only, where a wanted one must agree in its first three numbers with one that is there.
 */
int platform_score(const struct platform *want, const struct platform *have);

/* True for BuildKit's "unknown/unknown" entries. */
bool platform_is_unknown(const struct platform *p);

#endif
