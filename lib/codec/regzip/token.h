/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_TOKEN_H
#define CODEC_REGZIP_TOKEN_H

/*
 * What a deflate stream says (RFC 1951), one number a symbol: a literal is its byte, a match carries a length (3 to
 * 258) and a distance (1 to 32768). And the window of raw bytes that parser, match finders and rebuild work in.
 * Positions are bytes of the whole raw stream, members counted through.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TOKEN_MATCH 0x80000000u
#define TOKEN_MIN_LENGTH 3
#define TOKEN_MAX_LENGTH 258
#define TOKEN_MAX_DISTANCE 32768

#define CODES_LITERAL 286 /* literals, the end of a block, lengths */
#define CODES_DISTANCE 30
#define CODE_END 256

static inline uint32_t token_match(uint32_t length, uint32_t distance)
{
	return TOKEN_MATCH | (length - TOKEN_MIN_LENGTH) << 16 | (distance - 1);
}

static inline uint32_t token_length(uint32_t token) /* of raw bytes; 1 for a literal */
{
	return token & TOKEN_MATCH ? (token >> 16 & 0xff) + TOKEN_MIN_LENGTH : 1;
}

static inline uint32_t token_distance(uint32_t token)
{
	return (token & 0x7fff) + 1;
}

/* RFC 1951, 3.2.5: how a length code (0 to 28, 257 taken off) and a distance code spread. */
extern const uint16_t length_base[29];
extern const uint8_t length_extra[29];
extern const uint16_t distance_base[30];
extern const uint8_t distance_extra[30];
extern const uint8_t code_length_order[19];

unsigned token_length_code(uint32_t token);
unsigned token_distance_code(uint32_t token);

/* How often each code stands in a block. */
struct frequencies {
	uint32_t literal[CODES_LITERAL];
	uint32_t distance[CODES_DISTANCE];
};
void frequencies_add(struct frequencies *f, uint32_t token);

/* A queue of tokens; what was taken stands before `first`. */
struct tokens {
	uint32_t *at;
	size_t first;
	size_t len;
	size_t cap;
};

/* Room for `count` more, so that the match finders can write without asking. */
int tokens_reserve(struct tokens *t, size_t count, struct err *e);
void tokens_release(struct tokens *t);

static inline void tokens_put(struct tokens *t, uint32_t token)
{
	t->at[t->len++] = token;
}

/* The newest raw bytes: those from `start` on. */
struct raw_window {
	uint8_t *bytes;
	uint64_t start;
	size_t len;
};

#define RAW_WINDOW ((size_t)2 << 20)  /* bytes */
#define RAW_HISTORY ((size_t)1 << 17) /* bytes that a match finder may look back from where it stands */

int raw_open(struct raw_window *w, struct err *e);
/* Forgets what stands before `from`, and makes the room behind the end as large as it goes. Returns that room. */
size_t raw_forget(struct raw_window *w, uint64_t from);
void raw_release(struct raw_window *w);

static inline uint64_t raw_end(const struct raw_window *w)
{
	return w->start + w->len;
}

static inline const uint8_t *raw_at(const struct raw_window *w, uint64_t position)
{
	return w->bytes + (position - w->start);
}

/* Little endian, from any address. */
static inline uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t load64(const uint8_t *p)
{
	return load32(p) | (uint64_t)load32(p + 4) << 32;
}

/* How many bytes, at most `max`, are the same in a and b. */
static inline uint32_t common_length(const uint8_t *a, const uint8_t *b, uint32_t max)
{
	uint32_t n = 0;

	while (n + 8 <= max) {
		uint64_t differ = load64(a + n) ^ load64(b + n);
		if (differ)
			return n + (uint32_t)(__builtin_ctzll(differ) >> 3);
		n += 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

#endif
