/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

/*
 * WWW-Authenticate (RFC 9110, 11.6.1), as registries really send it: several challenges in one header, several headers,
 * quoted strings with commas and escapes, schemes nobody here speaks, parameters without quotes. Of all of them the
 * best one is kept: Bearer with a realm, else Basic.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

/* `{0}` is "no challenge". The texts are foreign: escape them before they are shown. */
struct challenge {
	enum challenge_scheme scheme;
	char *realm;    /* Bearer: never NULL; Basic: NULL */
	char *service;  /* Bearer, or NULL */
	char *scope;    /* Bearer, or NULL */
	char other[32]; /* a scheme we do not speak, printable, for the message; "" if none was met */
};

/*
 * Reads one header's value and keeps in *best whichever is better: what stands there or what the header offers.
 * Nonsense is skipped, never an error: the only failure is memory.
 */
int challenge_add(struct challenge *best, const char *header, size_t len, struct err *e);

/* A copy of `from` into *out, which is released by the caller. */
int challenge_copy(struct challenge *out, const struct challenge *from, struct err *e);

/* True if both send us to the same token service: scheme, realm and service. */
bool challenge_same(const struct challenge *a, const struct challenge *b);

void challenge_release(struct challenge *c);
#define AUTO_CHALLENGE __attribute__((cleanup(challenge_release))) struct challenge

#endif
