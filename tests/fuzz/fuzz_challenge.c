/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no WWW-Authenticate header makes the challenge parser read outside it, leak, loop or offer something unusable.
 * The input is one or more headers, separated by newlines. Invariants: Bearer has a realm; texts have no control bytes.
 */
#include "registry/challenge.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	for (; s && *s; s++)
		assert((unsigned char)*s >= 0x20 && *s != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CHALLENGE best = { 0 };
	AUTO_CHALLENGE copy = { 0 };
	const char *at = (const char *)data;
	const char *end = at + size;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t len = line ? (size_t)(line - at) : (size_t)(end - at);
		struct err e = { 0 };
		enum challenge_scheme before = best.scheme;
		assert(challenge_add(&best, at, len, &e) == 0);
		assert(best.scheme >= before);
		at += len + 1;
	}
	assert((best.scheme == CHALLENGE_BEARER) == (best.realm != NULL));
	check_text(best.realm);
	check_text(best.service);
	check_text(best.scope);
	check_text(best.other);
	assert(challenge_copy(&copy, &best, NULL) == 0);
	assert(challenge_same(&copy, &best));
	return 0;
}
