/* SPDX-License-Identifier: Apache-2.0 */
/* Which images a machine can run, and which of them it would rather run. The table stands in platform.h. */
#include "base/text.h"
#include "oci/platform.h"

#include <string.h>

#define EXACT 1000 /* the wanted variant; one less for every step down */
#define OTHER 500  /* the 32-bit sister, likewise */

/* "v7" or "v8.2" as two numbers of one digit each. False if the variant is written otherwise. */
static bool level(const char *variant, int *major, int *minor)
{
	size_t len = strlen(variant);

	if ((len != 2 && len != 4) || variant[0] != 'v' || variant[1] < '1' || variant[1] > '9')
		return false;
	if (len == 4 && (variant[2] != '.' || variant[3] < '0' || variant[3] > '9'))
		return false;
	*major = variant[1] - '0';
	*minor = len == 4 ? variant[3] - '0' : 0;
	return true;
}

static int steps(int from, int to, int best)
{
	return to <= from ? best - (from - to) : 0;
}

static int score_amd64(const char *want, const char *have)
{
	int w, h, minor;

	if (!level(*want ? want : "v1", &w, &minor) || minor || !level(*have ? have : "v1", &h, &minor) || minor)
		return 0;
	return steps(w, h, EXACT);
}

/* 32 bits: v8 to v5. */
static int score_arm(const char *want, const char *have, int best)
{
	int w, h, minor;

	if (!level(want, &w, &minor) || minor || !level(have, &h, &minor) || minor || h < 5)
		return 0;
	return steps(w, h, best);
}

/* v9.M has everything that v8.(M+5) has. */
static int score_arm64(const char *want, const char *have)
{
	int w, h, w_minor, h_minor;

	if (!level(*want ? want : "v8", &w, &w_minor) || !level(*have ? have : "v8", &h, &h_minor) || w < 8 || w > 9)
		return 0;
	if (w == h)
		return steps(w_minor, h_minor, EXACT);
	if (w == 9 && h == 8)
		return steps(w_minor + 5, h_minor, EXACT - w_minor - 1);
	return 0;
}

static int score_sister(const struct platform *want, const struct platform *have)
{
	if (strcmp(want->architecture, "amd64") == 0 && strcmp(have->architecture, "386") == 0)
		return have->variant[0] ? 0 : OTHER;
	if (strcmp(want->architecture, "arm64") == 0 && strcmp(have->architecture, "arm") == 0)
		return score_arm("v8", have->variant, OTHER);
	return 0;
}

/* The length of the first three numbers of "10.0.17763.1": the build, which host and image share. */
static size_t build_length(const char *version)
{
	size_t len = 0;

	for (int dots = 0; version[len]; len++)
		if (version[len] == '.' && ++dots == 3)
			break;
	return len;
}

static bool os_fits(const struct platform *want, const struct platform *have)
{
	size_t n = build_length(want->os_version);

	if (!want->os[0] || strcmp(want->os, have->os) != 0)
		return false;
	if (strcmp(want->os, "windows") != 0 || !want->os_version[0] || !have->os_version[0])
		return true;
	return n == build_length(have->os_version) && strncmp(want->os_version, have->os_version, n) == 0;
}

int platform_score(const struct platform *want, const struct platform *have)
{
	int score = 0;

	if (!os_fits(want, have) || !want->architecture[0] || !have->architecture[0])
		return 0;
	if (strcmp(want->architecture, have->architecture) != 0)
		return score_sister(want, have);
	if (strcmp(want->variant, have->variant) == 0)
		return EXACT;
	if (strcmp(want->architecture, "amd64") == 0)
		score = score_amd64(want->variant, have->variant);
	else if (strcmp(want->architecture, "arm") == 0)
		score = score_arm(want->variant, have->variant, EXACT);
	else if (strcmp(want->architecture, "arm64") == 0)
		score = score_arm64(want->variant, have->variant);
	return score;
}
