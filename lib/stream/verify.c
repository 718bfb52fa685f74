/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/source.h"

#include <inttypes.h>

/* Filters that look at what passes: verify against a promise, tap. */

struct verify {
	struct source base;
	struct source *inner;
	struct hasher *hasher;
	struct promise promise;
	uint64_t seen;
	bool proved;
};

static int judge(struct verify *v, struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	if (v->seen < v->promise.size)
		return err_set(e, ERR_CORRUPT, "body ended at %" PRIu64 " of %" PRIu64 " bytes", v->seen,
			       v->promise.size);
	if (hasher_finish(v->hasher, &d, e))
		return -1;
	if (!digest_equal(&d, &v->promise.digest))
		return err_set(e, ERR_CORRUPT, "has digest %s, expected %s", digest_text(&d, have),
			       digest_text(&v->promise.digest, want));
	v->proved = true;
	return 0;
}

static ssize_t verify_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct verify *v = (struct verify *)s;

	if (v->proved)
		return 0;
	ssize_t n = source_read(v->inner, buf, cap, e);
	if (n < 0)
		return -1;
	if (n == 0)
		return judge(v, e);
	v->seen += (uint64_t)n;
	if (v->seen > v->promise.size)
		return err_set(e, ERR_CORRUPT, "longer than the promised %" PRIu64 " bytes", v->promise.size);
	if (hasher_update(v->hasher, buf, (size_t)n, e))
		return -1;
	return n;
}

static void verify_free(struct source *s)
{
	struct verify *v = (struct verify *)s;

	source_free(v->inner);
	hasher_free(v->hasher);
	free(v);
}

struct source *source_verify(struct source *inner, const struct promise *promise, struct err *e)
{
	static const struct source_ops ops = { verify_read, verify_free };
	struct verify *v;

	if (!inner)
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	v->base.ops = &ops;
	v->inner = inner;
	v->promise = *promise;
	v->hasher = hasher_new(e);
	if (!v->hasher) {
		source_free(&v->base);
		return NULL;
	}
	return &v->base;
}

struct tap {
	struct source base;
	struct source *inner;
	source_tap_fn *seen;
	void *ctx;
};

static ssize_t tap_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct tap *t = (struct tap *)s;
	ssize_t n = source_read(t->inner, buf, cap, e);

	if (n > 0 && t->seen(t->ctx, buf, (size_t)n, e))
		return -1;
	return n;
}

static void tap_free(struct source *s)
{
	struct tap *t = (struct tap *)s;

	source_free(t->inner);
	free(t);
}

struct source *source_tap(struct source *inner, source_tap_fn *seen, void *ctx, struct err *e)
{
	static const struct source_ops ops = { tap_read, tap_free };
	struct tap *t;

	if (!inner)
		return NULL;
	t = malloc(sizeof(*t));
	if (!t) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	*t = (struct tap){ { &ops }, inner, seen, ctx };
	return &t->base;
}
