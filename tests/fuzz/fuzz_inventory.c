/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make inventory_parse() crash, leak or take much memory, and a list that it takes says the same when it
 * is written and read again. The end line is set right as well, since no fuzzer finds a SHA-256.
 */
#include "base/own.h"
#include "pack/inventory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text, size_t len)
{
	AUTO(inventory) v = inventory_new(NULL);
	AUTO(inventory) again = inventory_new(NULL);
	AUTO_BUF first = { 0 };
	AUTO_BUF second = { 0 };
	struct err e = { 0 };

	if (!v || !again)
		return;
	(void)inventory_detect(text, len);
	if (inventory_parse(v, text, len, &e)) {
		if (e.kind != ERR_CORRUPT || !*e.text)
			abort();
		return;
	}
	if (!inventory_detect(text, len) || inventory_write(v, &first, &e) ||
	    inventory_parse(again, first.data, first.len, &e) || inventory_write(again, &second, &e) ||
	    first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		abort();
}

/* Behind a version line, each 33 bytes a digest: chains if the first is even. */
static void parse_made(const uint8_t *data, size_t size)
{
	AUTO(inventory) v = inventory_new(NULL);
	AUTO_BUF text = { 0 };
	struct digest d;

	for (; v && size > DIGEST_RAW; data += DIGEST_RAW + 1, size -= DIGEST_RAW + 1) {
		memcpy(d.raw, data + 1, DIGEST_RAW);
		if (inventory_add(v, data[0] % 2 ? HAVE_BLOB : HAVE_CHAIN, &d, NULL))
			return;
	}
	if (v && !inventory_comment(v, "x", NULL) && !inventory_write(v, &text, NULL))
		parse(text.data, text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse((const char *)data, size);
	parse_made(data, size);
	return 0;
}
