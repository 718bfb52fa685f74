/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: no file crashes scan, whatever it is taken for; an image is a full reference, and each sight names a line of
 * the file. */
#include "base/limits.h"
#include "oci/reference.h"
#include "oci/scan.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'A' ? "a${B}/b" : name[0] == 'E' ? "" : NULL;
}

static void check(const struct sight *s, size_t lines)
{
	char full[REFERENCE_TEXT_SIZE];
	struct reference r;

	assert(s->line >= 1 && s->line <= lines && s->text);
	if (s->kind == SIGHT_IMAGE) {
		assert(reference_parse(&r, s->text, NULL) == 0 && !s->why);
		assert(strcmp(reference_text(&r, full), s->text) == 0);
		return;
	}
	assert(s->why && *s->why);
	for (const char *p = s->why; *p; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t lines = 2; /* a file may be broken behind its last line */

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xA8 || data[i] == 0xA9;
	for (enum scan_kind kind = SCAN_GUESS; kind <= SCAN_LIST; kind++) {
		AUTO_SIGHTS sights = { 0 };
		const struct scan_input in = {
			.bytes = (const char *)data, .len = size, .kind = kind, .variable = variable
		};
		assert(scan_read(&sights, &in, NULL) == 0);
		assert(sights.count <= LIMIT_SIGHTS);
		for (size_t i = 0; i < sights.count; i++)
			check(&sights.items[i], lines);
	}
	return 0;
}
