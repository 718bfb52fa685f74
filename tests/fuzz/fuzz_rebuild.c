/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no recipe, over whatever bytes, makes the rebuild crash, leak or run away. The first two bytes say how long the
 * recipe is, the raw bytes follow it. What a recipe gives does not depend on how the raw bytes are cut.
 */
#include "codec/regzip/rebuild.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUT (1u << 20) /* padding may be any number of zeros */

static int rebuild(const uint8_t *data, size_t recipe, size_t size, size_t room, struct buf *out, struct err *e)
{
	AUTO(source) s = source_rebuild(source_memory(data + recipe, size - recipe, e), data, recipe, e);
	AUTO_MEM char *to = malloc(room);
	ssize_t n = -1;

	if (!to)
		abort();
	while (s && (n = source_read(s, to, room, e)) > 0) {
		if ((size_t)n > room || buf_add(out, to, (size_t)n, e))
			abort();
		if (out->len > MAX_OUTPUT)
			return 1;
	}
	return (int)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF one = { 0 };
	AUTO_BUF two = { 0 };
	struct err a = { 0 };
	struct err b = { 0 };

	if (size < 2)
		return 0;
	size_t recipe = (size_t)data[0] | (size_t)data[1] << 8;
	data += 2;
	size -= 2;
	if (recipe > size)
		recipe = size;
	int first = rebuild(data, recipe, size, 65536, &one, &a);
	int second = rebuild(data, recipe, size, 13, &two, &b);
	if (first != second || (first < 0 && (a.kind == ERR_NONE || !*a.text)))
		abort();
	if (first == 0 && (one.len != two.len || (one.len && memcmp(one.data, two.data, one.len) != 0)))
		abort();
	return 0;
}
