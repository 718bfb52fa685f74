/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a reference that is accepted has only parts that fit the grammar, and each way to print it means the same. */
#include "oci/reference.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct reference *r, const char *text)
{
	struct reference again;
	struct err e = { 0 };

	if (reference_parse(&again, text, &e)) {
		(void)fprintf(stderr, "%s: %s\n", text, e.text);
		abort();
	}
	assert(memcmp(r, &again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char out[REFERENCE_TEXT_SIZE];
	struct reference r;
	struct err e = { 0 };

	assert(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)reference_registry_is_local(text);
	(void)reference_registry_valid(text);
	(void)reference_repository_valid(text);
	(void)reference_tag_valid(text);
	if (reference_parse(&r, text, &e)) {
		assert(e.kind == ERR_USAGE);
		for (const char *p = e.text; *p; p++)
			assert((unsigned char)*p >= 0x20 && *p != 0x7F);
	} else {
		assert(reference_registry_valid(r.registry));
		assert(reference_repository_valid(r.repository));
		assert(r.has_digest ? !r.tag[0] || reference_tag_valid(r.tag) : reference_tag_valid(r.tag));
		assert(strlen(reference_name(&r, out)) <= LIMIT_REPOSITORY);
		same_again(&r, reference_text(&r, out));
		same_again(&r, reference_familiar(&r, out));
		assert(!strpbrk(reference_local_name(&r, out), " \r\n%"));
		assert(reference_selector(&r, out)[0]);
	}
	free(text);
	return 0;
}
