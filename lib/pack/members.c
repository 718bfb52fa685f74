/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/members.h"

#include "base/cancel.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "pack/layout.h"
#include "pack/tar_block.h"

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

/* True if a part of the path is "..": no program writes such a member name, and readers differ in what they make of it.
 */
static bool climbs(const char *path)
{
	for (const char *at = path; *at; at += strspn(at, "/")) {
		size_t part = strcspn(at, "/");
		if (part == 2 && at[0] == '.' && at[1] == '.')
			return true;
		at += part;
	}
	return false;
}

static int read_name(struct tar_member *t, const char *path, struct err *e)
{
	if (!path)
		return err_set(e, ERR_CORRUPT, "has a name that cannot be read");
	if (strlen(path) > LIMIT_MEMBER_NAME)
		return err_set(e, ERR_CORRUPT, "has a name of %zu bytes, the limit is %d", strlen(path),
			       LIMIT_MEMBER_NAME);
	t->name = climbs(path) ? NULL : normalise(NULL, path);
	if (!t->name || !*t->name)
		return err_set(e, ERR_CORRUPT, "has a name that leaves the archive");
	return 0;
}

/* What the header says it is, and libarchive's opinion: only where both see a plain file or link is it one for every
 * reader. */
static int check_type(char type, struct archive_entry *entry, struct err *e)
{
	const bool hard = archive_entry_hardlink(entry);
	const unsigned kind = archive_entry_filetype(entry);

	if (type == 'S' || archive_entry_sparse_count(entry) > 0)
		return err_set(e, ERR_CORRUPT, "is a sparse file");
	if ((type == '0' && kind == AE_IFREG && !hard) || (type == '1' && hard) || (type == '2' && kind == AE_IFLNK))
		return 0;
	return err_set(e, ERR_CORRUPT, "is neither a file nor a link (type '%c')",
		       type > ' ' && type < 0x7f ? type : '?');
}

static int fill_member(struct members *m, struct tar_member *t, const struct tar_head *head,
		       struct archive_entry *entry, struct err *e)
{
	if (check_type(head->type, entry, e) || read_name(t, archive_entry_pathname(entry), e) ||
	    read_link(t, entry, e))
		return -1;
	t->size = t->target ? 0 : (uint64_t)archive_entry_size(entry);
	t->offset = head->data;
	return add_name(m, e);
}

/* One entry; the caller names it in an error. Folders are passed over. */
static int add_entry(struct members *m, struct space *space, const struct tar_head *head, struct archive_entry *entry,
		     struct err *e)
{
	if (archive_entry_filetype(entry) == AE_IFDIR && (head->type == '5' || head->type == '0'))
		return 0;
	if (m->count >= LIMIT_MEMBERS)
		return err_set(e, ERR_CORRUPT, "the tar has more than %d members", LIMIT_MEMBERS);
	if (GROW(m->items, m->capacity, m->count, e))
		return -1;
	struct tar_member *t = &m->items[m->count];
	*t = (struct tar_member){ 0 };
	if (fill_member(m, t, head, entry, e)) {
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

/*
 * The entry's records and header, before libarchive sees them: it would take a gigabyte of them into memory. *there is
 * false where no header can be: at the end, whose form check_end() judges.
 */
static int peek(struct space *space, uint64_t at, bool *there, struct tar_head *head, struct err *e)
{
	char block[TAR_BLOCK];

	*there = false;
	if (at > space_size(space) || space_size(space) - at < TAR_BLOCK)
		return 0;
	if (space_pread(space, block, sizeof(block), at, e))
		return -1;
	if (tar_block_is_zero(block))
		return 0;
	*there = true;
	return tar_head_read(space, at, head, e) ? err_at(e, "byte %" PRIu64 ": the member there", at) : 0;
}

/* libarchive's warnings: a name in another character set (EILSEQ) is harmless, a header that it had to guess at is not.
 */
static bool readable(struct archive *a, int rc)
{
	return rc == ARCHIVE_OK || (rc == ARCHIVE_WARN && archive_errno(a) == EILSEQ);
}

static int scan_entry(struct members *m, struct space *space, struct archive *a, struct archive_entry *entry,
		      const struct tar_head *head, uint64_t *end, struct err *e)
{
	const char *path = archive_entry_pathname(entry);
	const bool file = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
	const la_int64_t size = file ? archive_entry_size(entry) : 0;
	char shown[160];

	text_escape_str(shown, sizeof(shown), path ? path : "?");
	/* A reader that skipped blocks has seen another tar than docker would (library-facts, E4). */
	if ((uint64_t)archive_read_header_position(a) != *end)
		return err_set(e, ERR_CORRUPT, "byte %" PRIu64 ": the tar has a hole before %s", *end, shown);
	if (size < 0 || add_entry(m, space, head, entry, e))
		return err_at(e, "%s", shown);
	*end = head->data + tar_padded((uint64_t)size);
	return 0;
}

static int scan(struct members *m, struct space *space, struct archive *a, struct err *e)
{
	struct archive_entry *entry;
	struct tar_head head = { 0 };
	uint64_t end = 0;
	char shown[160];
	bool there;

	for (;;) {
		if (cancel_check(e) || peek(space, end, &there, &head, e))
			return -1;
		int rc = archive_read_next_header(a, &entry);
		if (rc == ARCHIVE_EOF)
			return check_end(space, end, e);
		if (!readable(a, rc) || !there) {
			const char *why = archive_error_string(a);
			return err_set(e, ERR_CORRUPT, "byte %" PRIu64 ": is not a tar from there on: %s", end,
				       text_escape_str(shown, sizeof(shown), why ? why : "unreadable"));
		}
		if (scan_entry(m, space, a, entry, &head, &end, e))
			return -1;
	}
}

static const struct tar_member *lookup(const struct members *m, const char *name)
{
	struct digest key;

	if (digest_of(&key, name, strlen(name), NULL))
		return NULL;
	ptrdiff_t i = digestmap_get(m->by_name, &key);
	return i < 0 ? NULL : &m->items[i];
}

/* One step and no more: a chain or a cycle of links names no content (promises, S16). */
static int check_links(const struct members *m, struct err *e)
{
	char shown[160];
	char target[160];

	for (size_t i = 0; i < m->count; i++) {
		const struct tar_member *t = &m->items[i];
		const struct tar_member *to = t->target ? lookup(m, t->target) : NULL;
		if (!t->target || (to && !to->target))
			continue;
		return err_set(e, ERR_CORRUPT, "%s: is a link to %s, which is %s",
			       text_escape_str(shown, sizeof(shown), t->name),
			       text_escape_str(target, sizeof(target), t->target),
			       to ? "itself a link" : "not a file of this archive");
	}
	return 0;
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
	if (scan(m, space, r.handle, e) || check_links(m, e)) {
		if (feed->err.kind != ERR_NONE && e)
			*e = feed->err;
		return NULL;
	}
	return TAKE(m);
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
