/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/members.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "pack/layout.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SCAN_PIECE (64u << 10)

/* libarchive's view of the space. */
struct feed {
	struct space *space;
	uint64_t at;
	char piece[SCAN_PIECE];
	struct err err;
};

static la_ssize_t feed_read(struct archive *a, void *ctx, const void **out)
{
	struct feed *f = ctx;
	uint64_t left = space_size(f->space) - f->at;
	size_t n = left < SCAN_PIECE ? (size_t)left : SCAN_PIECE;

	if (n && space_pread(f->space, f->piece, n, f->at, &f->err)) {
		archive_set_error(a, EIO, "%s", f->err.text);
		return ARCHIVE_FATAL;
	}
	f->at += n;
	*out = f->piece;
	return (la_ssize_t)n;
}

static la_int64_t feed_skip(struct archive *a, void *ctx, la_int64_t request)
{
	struct feed *f = ctx;
	uint64_t left = space_size(f->space) - f->at;
	uint64_t n = request < 0 ? 0 : (uint64_t)request < left ? (uint64_t)request : left;

	(void)a;
	f->at += n;
	return (la_int64_t)n;
}

struct reader {
	struct archive *handle;
};
static void reader_release(struct reader *r)
{
	if (r->handle)
		(void)archive_read_free(r->handle);
}
#define AUTO_READER __attribute__((cleanup(reader_release))) struct reader

/* "a/./b/../c" as a name inside the tar, relative to the folder of `from` if that is given. NULL: it leaves the tar. */
static char *normalise(const char *from, const char *path)
{
	const char *slash = from ? strrchr(from, '/') : NULL;
	size_t folder = slash ? (size_t)(slash - from) + 1 : 0;
	size_t len = folder + strlen(path);
	char *out = malloc(len + 2);
	size_t n = 0;
	AUTO_MEM char *joined = malloc(len + 1);

	if (!out || !joined || path[0] == '/') {
		free(out);
		return NULL;
	}
	if (folder)
		memcpy(joined, from, folder);
	memcpy(joined + folder, path, len - folder + 1);
	for (const char *at = joined; *at;) {
		size_t part = strcspn(at, "/");
		if (part == 2 && !memcmp(at, "..", 2)) {
			if (!n) {
				free(out);
				return NULL;
			}
			while (n && out[n - 1] != '/')
				n--;
			n = n ? n - 1 : 0;
		} else if (part && !(part == 1 && *at == '.')) {
			if (n)
				out[n++] = '/';
			memcpy(out + n, at, part);
			n += part;
		}
		at += part + (at[part] == '/');
	}
	out[n] = '\0';
	return out;
}

/* Where the data of the entry that starts at `header` begins: behind its pax and GNU long-name records. */
static int data_offset(struct space *space, uint64_t header, uint64_t *out, struct err *e)
{
	char block[TAR_BLOCK];

	for (int records = 0; records < 16; records++) {
		uint64_t size = 0;
		if (space_pread(space, block, sizeof(block), header, e))
			return -1;
		header += TAR_BLOCK;
		if (!strchr("xgXLK", block[156]) || !block[156]) {
			*out = header;
			return 0;
		}
		for (size_t i = 124; i < 136 && block[i] >= '0' && block[i] <= '7'; i++)
			size = size << 3 | (uint64_t)(block[i] - '0');
		if (size > space_size(space))
			break;
		header += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return err_set(e, ERR_CORRUPT, "its extended header records make no sense");
}

static int add_name(struct members *m, struct err *e)
{
	const struct tar_member *t = &m->items[m->count];
	struct digest key;

	if (digest_of(&key, t->name, strlen(t->name), e))
		return -1;
	if (digestmap_get(m->by_name, &key) >= 0)
		return err_set(e, ERR_CORRUPT, "stands in the tar twice");
	return digestmap_put(m->by_name, &key, m->count, e);
}

static int read_link(struct tar_member *t, struct archive_entry *entry, struct err *e)
{
	const char *hard = archive_entry_hardlink(entry);
	const char *soft = archive_entry_symlink(entry);

	if (!hard && !soft)
		return 0;
	t->target = hard ? normalise(NULL, hard) : normalise(t->name, soft);
	return t->target ? 0 : err_set(e, ERR_CORRUPT, "is a link that leaves the archive");
}

/* One entry; the caller names it in an error. Folders are passed over. */
static int add_entry(struct members *m, struct space *space, struct archive *a, struct archive_entry *entry,
		     struct err *e)
{
	const char *path = archive_entry_pathname(entry);
	const bool link = archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK;

	if (archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	if (!link && archive_entry_filetype(entry) != AE_IFREG)
		return err_set(e, ERR_CORRUPT, "is neither a file nor a link");
	if (archive_entry_sparse_count(entry) > 0)
		return err_set(e, ERR_CORRUPT, "is a sparse file");
	if (m->count >= LIMIT_MEMBERS)
		return err_set(e, ERR_CORRUPT, "the tar has more than %d members", LIMIT_MEMBERS);
	if (GROW(m->items, m->capacity, m->count, e))
		return -1;
	struct tar_member *t = &m->items[m->count];
	*t = (struct tar_member){ .name = path ? normalise(NULL, path) : NULL };
	if (!t->name || !*t->name) {
		free(t->name);
		return err_set(e, ERR_CORRUPT, "has a name that leaves the archive");
	}
	t->size = link ? 0 : (uint64_t)archive_entry_size(entry);
	if (read_link(t, entry, e) || data_offset(space, (uint64_t)archive_read_header_position(a), &t->offset, e) ||
	    add_name(m, e)) {
		free(t->name);
		free(t->target);
		return -1;
	}
	m->count++;
	if (t->size > space_size(space) || t->offset > space_size(space) - t->size)
		return err_set(e, ERR_CORRUPT, "the file ends inside it: the copy was cut, copy it again");
	return 0;
}

/* Behind the last member: two zero blocks, then zeros only. */
static int check_end(struct space *space, uint64_t at, struct err *e)
{
	AUTO_MEM char *piece = malloc(SCAN_PIECE);
	const uint64_t size = space_size(space);

	if (!piece)
		return err_memory(e);
	if (size < at || size - at < (uint64_t)2 * TAR_BLOCK)
		return err_set(e, ERR_CORRUPT,
			       "ends without the end-of-archive blocks: the copy was cut, copy it again");
	for (uint64_t pos = at; pos < size;) {
		size_t n = size - pos < SCAN_PIECE ? (size_t)(size - pos) : SCAN_PIECE;
		if (space_pread(space, piece, n, pos, e))
			return -1;
		for (size_t i = 0; i < n; i++)
			if (piece[i])
				return err_set(e, ERR_CORRUPT,
					       "byte %" PRIu64 ": something stands behind the end of the tar", pos + i);
		pos += n;
	}
	return 0;
}

static int scan(struct members *m, struct space *space, struct archive *a, struct err *e)
{
	struct archive_entry *entry;
	uint64_t end = 0;
	char shown[160];
	int rc;

	while ((rc = archive_read_next_header(a, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		uint64_t header = (uint64_t)archive_read_header_position(a);
		uint64_t size = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry)
					? (uint64_t)archive_entry_size(entry)
					: 0;
		const char *path = archive_entry_pathname(entry);
		text_escape_str(shown, sizeof(shown), path ? path : "?");
		/* A reader that skipped blocks has seen another tar than docker would (library-facts, E4). */
		if (header != end)
			return err_set(e, ERR_CORRUPT, "byte %" PRIu64 ": the tar has a hole before %s", end, shown);
		if (add_entry(m, space, a, entry, e) || data_offset(space, header, &end, e))
			return err_at(e, "%s", shown);
		end += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	if (rc != ARCHIVE_EOF) {
		const char *why = archive_error_string(a);
		return err_set(e, ERR_CORRUPT, "byte %" PRIu64 ": is not a tar from there on: %s", end,
			       text_escape_str(shown, sizeof(shown), why ? why : "unreadable"));
	}
	return check_end(space, end, e);
}

struct members *members_scan(struct space *space, struct err *e)
{
	AUTO(members) m = calloc(1, sizeof(*m));
	AUTO_MEM struct feed *feed = calloc(1, sizeof(*feed));
	AUTO_READER r = { archive_read_new() };

	if (!m || !feed || !r.handle) {
		err_memory(e);
		return NULL;
	}
	m->by_name = digestmap_new(e);
	feed->space = space;
	if (!m->by_name)
		return NULL;
	if (archive_read_support_format_tar(r.handle) != ARCHIVE_OK ||
	    archive_read_set_skip_callback(r.handle, feed_skip) != ARCHIVE_OK ||
	    archive_read_open(r.handle, feed, NULL, feed_read, NULL) != ARCHIVE_OK) {
		err_set(e, ERR_CORRUPT, "is not a tar");
		return NULL;
	}
	return scan(m, space, r.handle, e) ? NULL : TAKE(m);
}

void members_free(struct members *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].name);
		free(m->items[i].target);
	}
	free(m->items);
	digestmap_free(m->by_name);
	free(m);
}

static const struct tar_member *lookup(const struct members *m, const char *name)
{
	struct digest key;

	if (digest_of(&key, name, strlen(name), NULL))
		return NULL;
	ptrdiff_t i = digestmap_get(m->by_name, &key);
	return i < 0 ? NULL : &m->items[i];
}

const struct tar_member *members_find(const struct members *m, const char *name)
{
	AUTO_MEM char *clean = normalise(NULL, name);
	const struct tar_member *t = clean ? lookup(m, clean) : NULL;

	if (t && t->target) {
		t = lookup(m, t->target);
		return t && !t->target ? t : NULL;
	}
	return t;
}
