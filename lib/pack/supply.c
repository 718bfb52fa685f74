/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/supply.h"

bool supply_passes(const struct supply *s)
{
	return s->ops->passes && s->ops->passes(s);
}

struct source *supply_open(const struct supply *s, const struct pack_blob *blob, size_t worker, struct err *e)
{
	return s->ops->open(s, blob, worker, e);
}

struct source *supply_open_blob(void *ctx, const struct pack_blob *blob, struct err *e)
{
	return supply_open(ctx, blob, 0, e);
}

int supply_finish(const struct supply *s, struct err *e)
{
	return s->ops->finish ? s->ops->finish(s, e) : 0;
}

int supply_keep(const struct supply *s, const struct events *events, struct err *e)
{
	return s->ops->keep ? s->ops->keep(s, events, e) : 0;
}

bool supply_other(const struct supply *s, const struct pack_blob *blob, struct err *why)
{
	return s->ops->other && s->ops->other(s, blob, why);
}

const char *supply_stands_in(const struct supply *s, const struct pack_blob *blob, const char *registry)
{
	return s->ops->stands_in ? s->ops->stands_in(s, blob, registry) : NULL;
}

/* An archive. */

static struct source *file_open(const struct supply *s, const struct pack_blob *blob, size_t worker, struct err *e)
{
	(void)worker;
	return pack_file_blob(s->ctx, blob, e);
}

static bool file_passes(const struct supply *s)
{
	return ((const struct pack_file *)s->ctx)->pipe != NULL;
}

static int file_finish(const struct supply *s, struct err *e)
{
	return pack_file_finish(s->ctx, e);
}

static int file_keep(const struct supply *s, const struct events *events, struct err *e)
{
	const struct verify_options all = { .diff_ids = true };

	if (!file_passes(s))
		return 0;
	return pack_file_spool(s->ctx, events, e) || pack_file_verify(s->ctx, &all, events, e) ? -1 : 0;
}

struct supply supply_of_file(struct pack_file *f)
{
	static const struct supply_ops ops = {
		.open = file_open, .passes = file_passes, .finish = file_finish, .keep = file_keep
	};

	return (struct supply){
		.ops = &ops, .ctx = f, .pack = f->pack, .noun = "the archive", .id = f->layout ? &f->layout->id : NULL
	};
}
