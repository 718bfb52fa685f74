/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make sums_parse() crash, leak or take much memory, and a table that it takes is written as the text
 * that was read. The end line is set right first, since no fuzzer finds a SHA-256.
 */
#include "base/own.h"
#include "pack/sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text, size_t len)
{
	AUTO_SUMS s = { 0 };
	AUTO_BUF again = { 0 };
	struct err e = { 0 };

	if (sums_parse(&s, text, len, &e)) {
		if (e.kind != ERR_CORRUPT || !*e.text)
			abort();
		return;
	}
	if (sums_write(&s, s.parity_count && !s.parity[0].has_digest, &again, &e) || again.len != len ||
	    memcmp(again.data, text, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF text = { 0 };
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	parse((const char *)data, size);
	if (buf_add(&text, data, size, NULL) || digest_of(&d, data, size, NULL) ||
	    buf_printf(&text, NULL, "# end %s\n", digest_hex(&d, hex)))
		return 0;
	parse(text.data, text.len);
	return 0;
}
