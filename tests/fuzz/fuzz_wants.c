/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make wants_parse() crash, leak or take much memory, and a list that it takes says the same when it is
 * written and read again. The end line is set right as well, since no fuzzer finds a SHA-256.
 */
#include "base/own.h"
#include "pack/wants.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text, size_t len)
{
	AUTO_WANTS w = { 0 };
	AUTO_WANTS again = { 0 };
	AUTO_BUF first = { 0 };
	AUTO_BUF second = { 0 };
	struct err e = { 0 };

	if (wants_parse(&w, text, len, &e)) {
		if (e.kind != ERR_CORRUPT || !*e.text)
			abort();
		return;
	}
	if (wants_write(&w, &first, &e) || wants_parse(&again, first.data, first.len, &e) ||
	    wants_write(&again, &second, &e) || first.len != second.len ||
	    memcmp(first.data, second.data, first.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF text = { 0 };
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	parse((const char *)data, size);
	if (buf_add(&text, data, size, NULL) || digest_of(&d, data, size, NULL) ||
	    buf_printf(&text, NULL, "end %s\n", digest_hex(&d, hex)))
		return 0;
	parse(text.data, text.len);
	return 0;
}
