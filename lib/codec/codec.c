/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec.h"

#include "base/own.h"
#include "codec/decoder.h"
#include "stream/sink.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool starts(const void *bytes, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && !memcmp(bytes, magic, magic_len);
}

/* "BZh", the level, and the first bytes of a block or of the end of an empty stream. */
static bool is_bzip2(const uint8_t *b, size_t len)
{
	static const char block[] = "1AY&";
	static const char end[] = "\x17\x72\x45\x38";

	return starts(b, len, "BZh", 3) && len >= 8 && b[3] >= '1' && b[3] <= '9' &&
	       (!memcmp(b + 4, block, 4) || !memcmp(b + 4, end, 4));
}

enum coding coding_detect(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	if (starts(b, len, "\x1f\x8b", 2))
		return CODING_GZIP;
	if (starts(b, len, "\x28\xb5\x2f\xfd", 4))
		return CODING_ZSTD;
	/* A skippable frame (RFC 8878, 3.1.2) may stand in front of the first real one. */
	if (len >= 4 && (b[0] & 0xf0) == 0x50 && !memcmp(b + 1, "\x2a\x4d\x18", 3))
		return CODING_ZSTD;
	if (starts(b, len,
		   "\xfd"
		   "7zXZ\0",
		   6))
		return CODING_XZ;
	if (is_bzip2(b, len))
		return CODING_BZIP2;
	if (starts(b, len, "\x04\x22\x4d\x18", 4))
		return CODING_LZ4;
	return CODING_NONE;
}

const char *coding_name(enum coding c)
{
	switch (c) {
	case CODING_NONE:
		return "none";
	case CODING_GZIP:
		return "gzip";
	case CODING_ZSTD:
		return "zstd";
	case CODING_XZ:
		return "xz";
	case CODING_BZIP2:
		return "bzip2";
	case CODING_LZ4:
		return "lz4";
	case CODING_DEFLATE:
		return "deflate";
	}
	return "unknown";
}

enum coding coding_of_http(const char *name)
{
	if (!strcasecmp(name, "gzip") || !strcasecmp(name, "x-gzip"))
		return CODING_GZIP;
	if (!strcasecmp(name, "zstd"))
		return CODING_ZSTD;
	if (!strcasecmp(name, "deflate"))
		return CODING_DEFLATE;
	return CODING_NONE;
}

struct decode {
	struct source base;
	struct source *inner;
	const struct decoder_kind *kind;
	const char *name;
	void *state;
	uint8_t *in; /* PUMP_PIECE bytes */
	size_t at;
	size_t len;
	bool ended; /* inner gave its verdict, and it was good */
	uint64_t max;
	uint64_t given;
	bool done;
	struct err why; /* kind not ERR_NONE: failed, and stays so */
};

static int refill(struct decode *d, struct err *e)
{
	if (d->at < d->len || d->ended)
		return 0;
	ssize_t n = source_read(d->inner, d->in, PUMP_PIECE, e);
	if (n < 0)
		return -1;
	d->ended = n == 0;
	d->at = 0;
	d->len = (size_t)n;
	return 0;
}

/* One step; *out bytes were produced. *stuck: the input is at its end and nothing moved. */
static int step(struct decode *d, uint8_t *buf, size_t cap, size_t *out, bool *stuck, struct err *e)
{
	if (refill(d, e))
		return -1;
	struct piece p = { d->in + d->at, d->len - d->at, buf, cap, d->ended };
	size_t before = p.in_len;
	if (d->kind->step(d->state, &p, e))
		return err_at(e, "%s data", d->name);
	d->at = d->len - p.in_len;
	*out = cap - p.out_len;
	*stuck = *out == 0 && before == p.in_len;
	if (*stuck && !d->ended)
		return err_set(e, ERR_CORRUPT, "%s data: the decoder stands still", d->name);
	return 0;
}

static ssize_t produce(struct decode *d, uint8_t *buf, size_t cap, struct err *e)
{
	size_t out = 0;
	bool stuck = false;

	/* One byte over the limit is enough to know. */
	if (cap > d->max - d->given && d->max - d->given < SIZE_MAX)
		cap = (size_t)(d->max - d->given) + 1;
	while (!out) {
		if (step(d, buf, cap, &out, &stuck, e))
			return -1;
		if (!stuck)
			continue;
		if (d->kind->finish(d->state, e))
			return err_at(e, "%s data", d->name);
		d->done = true;
		return 0;
	}
	if (out > d->max - d->given)
		return err_set(e, ERR_CORRUPT, "%s data: unpacks to more than the expected %" PRIu64 " bytes", d->name,
			       d->max);
	d->given += out;
	return (ssize_t)out;
}

static ssize_t decode_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct decode *d = (struct decode *)s;

	if (d->done)
		return 0;
	if (d->why.kind == ERR_NONE) {
		ssize_t n = produce(d, buf, cap, &d->why);
		if (n >= 0)
			return n;
	}
	if (e)
		*e = d->why;
	return -1;
}

static void decode_free(struct source *s)
{
	struct decode *d = (struct decode *)s;

	source_free(d->inner);
	d->kind->close(d->state);
	free(d->in);
	free(d);
}

static const struct decoder_kind *kind_of(enum coding c)
{
	switch (c) {
	case CODING_GZIP:
		return &decoder_gzip;
	case CODING_ZSTD:
		return &decoder_zstd;
	case CODING_XZ:
		return &decoder_xz;
	case CODING_BZIP2:
		return &decoder_bzip2;
	case CODING_LZ4:
		return &decoder_lz4;
	case CODING_DEFLATE:
		return &decoder_inflate;
	case CODING_NONE:
		break;
	}
	return NULL;
}

struct source *source_decode(struct source *inner, enum coding c, uint64_t max_output, struct err *e)
{
	static const struct source_ops ops = { decode_read, decode_free };
	const struct decoder_kind *kind = kind_of(c);

	if (!inner || c == CODING_NONE)
		return inner;
	if (!kind) {
		source_free(inner);
		err_set(e, ERR_CORRUPT, "compressed with %s, which is not supported; unpack it first", coding_name(c));
		return NULL;
	}
	struct decode *d = calloc(1, sizeof(*d));
	if (!d) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	*d = (struct decode){
		.base = { &ops }, .inner = inner, .kind = kind, .name = coding_name(c), .max = max_output
	};
	d->in = malloc(PUMP_PIECE);
	if (!d->in) {
		err_memory(e);
		decode_free(&d->base);
		return NULL;
	}
	d->state = kind->open(e);
	if (!d->state) {
		decode_free(&d->base);
		return NULL;
	}
	return &d->base;
}
