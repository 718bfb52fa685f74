/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/split.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

/* Discs keep a few MB for their file system, and every size is whole pages, which is what a disk writes in. */
static const struct {
	const char *name;
	uint64_t bytes;
} media[] = {
	{ "fat32", 4294963200 }, /* a file has 4 GiB - 1 */
	{ "cd", 730001408 },     /* of 737,280,000 */
	{ "dvd", 4689997824 },   /* of 4,700,372,992; UDF, as every burner writes large files */
	{ "bd25", 24999997440 }, /* of 25,025,314,816 */
};

int split_parse(uint64_t *out, const char *text, struct err *e)
{
	static const char units[] = "KkMmGgTt";
	const size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(units, text[len - 1]) : NULL;
	const unsigned shift = unit ? 10 * ((unsigned)(unit - units) / 2 + 1) : 0;
	uint64_t n = 0;
	char shown[128];

	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		if (strcmp(text, media[i].name) == 0) {
			*out = media[i].bytes;
			return 0;
		}
	}
	if (!text_parse_u64(text, len - (unit ? 1 : 0), INT64_MAX >> shift, &n) || n << shift < LIMIT_CHUNK_LEAST)
		return err_set(e, ERR_USAGE,
			       "--split: '%s' is not a size of %d bytes or more (4G, 700M) and not one of fat32, cd, "
			       "dvd, bd25",
			       text_escape_str(shown, sizeof(shown), text), LIMIT_CHUNK_LEAST);
	*out = n << shift;
	return 0;
}
