/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/follow.h"

#include "base/own.h"

/* What one worker reads back between two pieces of his own: enough to catch up with several connections. */
#define CATCH_UP (1u << 20)
#define READ_PIECE (128u << 10)

int follow_init(struct follow *f, struct err *e)
{
	f->hasher = hasher_new(e);
	if (!f->hasher)
		return -1;
	pthread_mutex_init(&f->lock, NULL);
	f->at = 0;
	return 0;
}

void follow_release(struct follow *f)
{
	if (!f->hasher)
		return;
	hasher_free(f->hasher);
	f->hasher = NULL;
	pthread_mutex_destroy(&f->lock);
}

/* Under the lock. */
static int read_back(struct follow *f, const struct follow_place *p, uint64_t to, struct err *e)
{
	AUTO_MEM char *piece = to > f->at ? malloc(READ_PIECE) : NULL;

	if (to > f->at && !piece)
		return err_memory(e);
	while (f->at < to) {
		size_t n = to - f->at < READ_PIECE ? (size_t)(to - f->at) : READ_PIECE;
		if (space_pread(p->space, piece, n, p->place + f->at, e) || hasher_update(f->hasher, piece, n, e))
			return -1;
		f->at += n;
	}
	return 0;
}

int follow_wrote(struct follow *f, const struct follow_place *p, const void *bytes, uint64_t from, uint64_t len,
		 struct err *e)
{
	int rc = 0;

	if (pthread_mutex_trylock(&f->lock))
		return 0;
	if (f->at == from) {
		rc = hasher_update(f->hasher, bytes, (size_t)len, e);
		if (!rc)
			f->at += len;
	} else {
		uint64_t reach = p->reach(p->ctx, f->at);
		rc = read_back(f, p, reach - f->at < CATCH_UP ? reach : f->at + CATCH_UP, e);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int follow_finish(struct follow *f, const struct follow_place *p, uint64_t size, bool *all, struct err *e)
{
	pthread_mutex_lock(&f->lock);
	int rc = read_back(f, p, p->reach(p->ctx, f->at), e);
	*all = !rc && f->at == size;
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int follow_digest(struct follow *f, struct digest *out, struct err *e)
{
	pthread_mutex_lock(&f->lock);
	int rc = hasher_finish(f->hasher, out, e);
	f->at = 0;
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int follow_restart(struct follow *f, struct err *e)
{
	struct digest unused;

	return follow_digest(f, &unused, e);
}
