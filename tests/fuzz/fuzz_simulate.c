/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make the deflate parser or the simulation crash or leak; it takes what the decoder takes, and gives
 * the same raw bytes; and a recipe that is called good rebuilds exactly the input.
 */
#include "codec/codec.h"
#include "codec/regzip/rebuild.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUT (4u << 20)

/* Reads at most MAX_OUTPUT bytes: 0, -1, or 1: there are more. */
static int drain(struct source *s, struct buf *out, struct err *e)
{
	static char piece[65536];
	ssize_t n;

	while ((n = source_read(s, piece, sizeof(piece), e)) > 0) {
		if (buf_add(out, piece, (size_t)n, e))
			abort();
		if (out->len > MAX_OUTPUT)
			return 1;
	}
	return (int)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF raw = { 0 };
	AUTO_BUF plain = { 0 };
	AUTO_BUF again = { 0 };
	struct simulated how = { 0 };
	struct err e = { 0 };
	struct err d = { 0 };
	AUTO(source) s = source_simulate(source_memory(data, size, &e), &how, &e);
	AUTO(source) decoder = source_decode(source_memory(data, size, &d), CODING_GZIP, UINT64_MAX, &d);

	if (!s || !decoder)
		abort();
	int rc = drain(s, &raw, &e);
	int other = drain(decoder, &plain, &d);
	if ((rc < 0) != (other < 0) || (rc < 0 && (e.kind == ERR_NONE || !*e.text)))
		abort();
	if (rc == 0 && (raw.len != plain.len || (raw.len && memcmp(raw.data, plain.data, raw.len) != 0)))
		abort();
	if (rc == 0 && how.good) {
		AUTO(source)
		back = source_rebuild(source_memory(raw.data, raw.len, &e), how.recipe.data, how.recipe.len, &e);
		if (!back || drain(back, &again, &e) < 0)
			abort();
		if (size <= MAX_OUTPUT && (again.len != size || memcmp(again.data, data, size) != 0))
			abort();
	}
	simulated_release(&how);
	return 0;
}
