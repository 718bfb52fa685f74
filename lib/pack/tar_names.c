/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/tar_names.h"

#include "base/cancel.h"
#include "base/own.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#define PIECE (64u << 10)

/* libarchive's view of the source. */
struct passing {
	struct source *source;
	struct err err;
	char piece[PIECE];
};

static la_ssize_t give(struct archive *a, void *ctx, const void **out)
{
	struct passing *p = ctx;
	const ssize_t n = cancel_check(&p->err) ? -1 : source_read(p->source, p->piece, sizeof(p->piece), &p->err);

	if (n < 0) {
		archive_set_error(a, EIO, "%s", p->err.text);
		return ARCHIVE_FATAL;
	}
	*out = p->piece;
	return n;
}

static int broken(struct archive *a, const struct passing *p, struct err *e)
{
	const char *why = archive_error_string(a);
	char shown[160];

	if (p->err.kind != ERR_NONE) {
		if (e)
			*e = p->err;
		return -1;
	}
	return err_set(e, ERR_CORRUPT, "is not a whole tar: %s",
		       text_escape_str(shown, sizeof(shown), why ? why : "unreadable"));
}

static int walk(struct archive *a, const struct passing *p, tar_names_fn *fn, void *ctx, struct err *e)
{
	struct archive_entry *entry;

	for (;;) {
		const int rc = archive_read_next_header(a, &entry);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc < ARCHIVE_WARN)
			return broken(a, p, e);
		const char *name = archive_entry_pathname(entry);
		const bool regular = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
		const uint64_t size = (uint64_t)archive_entry_size(entry);
		if (archive_read_data_skip(a) != ARCHIVE_OK)
			return broken(a, p, e);
		if (name && fn(ctx, name, regular, size, e))
			return -1;
	}
}

int tar_names(struct source *tar, tar_names_fn *fn, void *ctx, struct err *e)
{
	AUTO_MEM struct passing *p = calloc(1, sizeof(*p));
	struct archive *a = archive_read_new();
	int rc;

	if (!p || !a) {
		(void)archive_read_free(a);
		return err_memory(e);
	}
	p->source = tar;
	if (archive_read_support_format_tar(a) != ARCHIVE_OK || archive_read_open(a, p, NULL, give, NULL) != ARCHIVE_OK)
		rc = broken(a, p, e);
	else
		rc = walk(a, p, fn, ctx, e);
	(void)archive_read_free(a);
	/* Behind the tar's end nothing but padding may come; the source's own end is its verdict. */
	return rc ? rc : source_drain(tar, e);
}
