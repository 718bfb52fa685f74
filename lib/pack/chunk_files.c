/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/codec.h"
#include "pack/ours.h"
#include "pack/parity.h"
#include "pack/tar_block.h"
#include "pack/wants.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void finder_release(struct finder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].path);
	for (size_t i = 0; i < f->set_count && !f->borrowed; i++)
		chunkset_free(f->sets[i]);
	for (size_t i = 0; i < f->folder_count; i++)
		free(f->folders[i]);
	free(f->files);
	free(f->sets);
	free(f->folders);
	free(f->blocks);
	*f = (struct finder){ 0 };
}

static bool same_blocks(const struct sums *a, const struct sums *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (memcmp(a->chunks[i].blocks, b->chunks[i].blocks,
			   sums_blocks(&a->chunks[i]) * sizeof(struct digest)) != 0)
			return false;
	return true;
}

/* Two tables of the same chunks: whoever knows of parity files, and the sums of whole files, knows more. */
static bool knows_more(const struct sums *a, const struct sums *b)
{
	if (a->parity_count != b->parity_count)
		return a->parity_count > b->parity_count;
	return a->count && a->chunks[0].has_digest && !b->chunks[0].has_digest;
}

static int set_rooms(struct chunkset *c, struct err *e)
{
	c->chunks = calloc(c->sums.count + 1, sizeof(*c->chunks));
	c->parity = calloc(c->sums.parity_count + 1, sizeof(*c->parity));
	return c->chunks && c->parity ? 0 : err_memory(e);
}

/* A better table for a set in which nothing was placed yet. */
static int set_learn(struct chunkset *c, struct sums *sums, struct err *e)
{
	if (!knows_more(sums, &c->sums))
		return 0;
	sums_release(&c->sums);
	c->sums = *sums;
	*sums = (struct sums){ 0 };
	free(c->chunks);
	free(c->parity);
	return set_rooms(c, e);
}

ptrdiff_t find_add_set(struct finder *f, struct sums *sums, bool has_blocks, struct err *e)
{
	for (size_t i = 0; i < f->set_count; i++) {
		const struct sums *s = &f->sets[i]->sums;
		if (f->sets[i]->has_blocks == has_blocks && digest_equal(&s->set, &sums->set) &&
		    s->size == sums->size && s->chunk == sums->chunk && s->count == sums->count &&
		    (!has_blocks || same_blocks(s, sums)))
			return f->borrowed || set_learn(f->sets[i], sums, e) == 0 ? (ptrdiff_t)i : -1;
	}
	AUTO(chunkset) c = calloc(1, sizeof(*c));
	if (!c)
		return err_memory(e);
	c->sums = *sums;
	*sums = (struct sums){ 0 };
	c->has_blocks = has_blocks;
	if (set_rooms(c, e) || GROW(f->sets, f->set_capacity, f->set_count, e))
		return -1;
	f->sets[f->set_count++] = TAKE(c);
	return (ptrdiff_t)f->set_count - 1;
}

/* Tables take memory; a folder full of them must not take it all. */
static bool afford(struct finder *f, const struct candidate *c, uint64_t bytes)
{
	char shown[160];

	if (bytes <= LIMIT_SUMS && f->table_bytes + bytes <= 2 * (size_t)LIMIT_SUMS) {
		f->table_bytes += (size_t)bytes;
		return true;
	}
	event_text(f->events, EVENT_WARNING, "%s: too many or too large tables of chunks; it is not looked at",
		   text_escape_str(shown, sizeof(shown), c->path));
	return false;
}

static int read_table(struct finder *f, struct candidate *c, struct space *space, struct err *e)
{
	AUTO_MEM char *text = NULL;
	AUTO_SUMS sums = { 0 };
	struct err bad = { 0 };
	char shown[160];

	c->kind = FILE_TABLE;
	if (f->borrowed || !afford(f, c, c->size))
		return 0;
	text = malloc((size_t)c->size + 1);
	if (!text)
		return err_memory(e);
	if (space_pread(space, text, (size_t)c->size, 0, &bad) || sums_parse(&sums, text, (size_t)c->size, &bad)) {
		event_text(f->events, EVENT_WARNING, "%s: %s", text_escape_str(shown, sizeof(shown), c->path),
			   bad.text);
		return 0;
	}
	ptrdiff_t set = find_add_set(f, &sums, true, e);
	c->set = (size_t)set;
	return set < 0 ? -1 : 0;
}

/* A parity file whose header is damaged is found by its blocks, like a chunk. */
static int read_parity(struct finder *f, struct candidate *c, struct space *space, struct err *e)
{
	AUTO_SUMS sums = { 0 };
	struct err bad = { 0 };
	size_t number = 0;
	char shown[160];
	int rc = parity_read_header(space, &sums, &number, &bad);

	if (rc < 0)
		event_text(f->events, EVENT_WARNING, "%s: %s", text_escape_str(shown, sizeof(shown), c->path),
			   bad.text);
	if (rc <= 0 || f->borrowed || !afford(f, c, sums.parity_count ? sums.parity[0].header : 0))
		return 0;
	ptrdiff_t set = find_add_set(f, &sums, true, e);
	if (set < 0)
		return -1;
	c->kind = FILE_PARITY;
	c->set = (size_t)set;
	c->number = number - 1;
	return 0;
}

/* What it is, from its first bytes. What cannot be read is said, and is nothing. */
static int look_at(struct finder *f, struct candidate *c, struct err *e)
{
	char head[TAR_BLOCK] = { 0 };
	size_t len = c->size < TAR_BLOCK ? (size_t)c->size : TAR_BLOCK;
	struct err bad = { 0 };
	char shown[160];
	AUTO(space) space = space_open(c->path, &bad);

	if (!space || space_pread(space, head, len, 0, &bad)) {
		if (c->named) {
			*e = bad;
			return err_at(e, "%s", text_escape_str(shown, sizeof(shown), c->path));
		}
		event_text(f->events, EVENT_WARNING, "%s: %s", text_escape_str(shown, sizeof(shown), c->path),
			   bad.text);
		return 0;
	}
	c->size = space_size(space);
	if (sums_detect(head, len))
		return read_table(f, c, space, e);
	if (wants_detect(head, len)) {
		c->kind = FILE_BLOCKS;
		return 0;
	}
	if (len == TAR_BLOCK && ours_detect(head)) {
		int rc = find_toc(space, &c->id, &c->whole, e);
		if (rc > 0)
			c->kind = c->size < c->whole ? FILE_CUT : FILE_ARCHIVE;
		return rc < 0 ? -1 : 0;
	}
	if (coding_detect(head, len) != CODING_NONE || (len == TAR_BLOCK && tar_block_is_header(head)))
		c->kind = FILE_FOREIGN;
	return read_parity(f, c, space, e);
}

static struct candidate *find_path(struct finder *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->files[i].path, path))
			return &f->files[i];
	return NULL;
}

static int add_file(struct finder *f, const char *folder, const char *name, struct err *e)
{
	struct candidate c = { .set = NOWHERE };
	struct stat st;

	if (asprintf(&c.path, "%s%s", folder, name) < 0)
		return err_memory(e);
	if (lstat(c.path, &st) || !S_ISREG(st.st_mode)) {
		free(c.path);
		return 0;
	}
	c.name = c.path + strlen(folder);
	c.size = (uint64_t)st.st_size;
	if (GROW(f->files, f->capacity, f->count, e)) {
		free(c.path);
		return -1;
	}
	f->files[f->count++] = c;
	return 0;
}

/* True if the folder was looked through before, under this name or another. */
static int know_folder(struct finder *f, const char *folder, bool *known, struct err *e)
{
	AUTO_MEM char *real = realpath(*folder ? folder : ".", NULL);

	*known = false;
	if (!real)
		return 0;
	for (size_t i = 0; i < f->folder_count; i++)
		*known = *known || !strcmp(f->folders[i], real);
	if (*known)
		return 0;
	if (GROW(f->folders, f->folder_capacity, f->folder_count, e))
		return -1;
	f->folders[f->folder_count++] = TAKE(real);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct candidate *)a)->name, ((const struct candidate *)b)->name);
}

/* `folder` ends in a slash, or is empty: the working folder. */
static int add_folder(struct finder *f, const char *folder, struct err *e)
{
	const size_t first = f->count;
	char shown[160];
	bool known;

	if (know_folder(f, folder, &known, e))
		return -1;
	if (known)
		return 0;
	DIR *d = opendir(*folder ? folder : ".");
	if (!d)
		return err_sys(e, ERR_LOCAL, errno, "%s: cannot be looked through",
			       text_escape_str(shown, sizeof(shown), folder));
	int rc = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
		if (f->count - first >= LIMIT_FOLDER_FILES)
			rc = err_set(e, ERR_USAGE, "%s: more than %d files; put the chunks into a folder of their own",
				     text_escape_str(shown, sizeof(shown), folder), LIMIT_FOLDER_FILES);
		else
			rc = add_file(f, folder, entry->d_name, e);
	}
	(void)closedir(d);
	/* readdir()'s order is chance: the same folder gives the same answer. */
	if (f->count > first)
		qsort(f->files + first, f->count - first, sizeof(*f->files), by_name);
	return rc;
}

/* A file and its folder. A folder that cannot be read does not take the file away; a link that is named is followed. */
static int add_named(struct finder *f, const char *path, uint64_t size, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO_MEM char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	struct err none = { 0 };

	if (!folder)
		return err_memory(e);
	if (add_folder(f, folder, &none) && none.kind != ERR_LOCAL) {
		*e = none;
		return -1;
	}
	struct candidate *c = find_path(f, path);
	if (!c) {
		char *copy = strdup(path);
		if (!copy)
			return err_memory(e);
		if (GROW(f->files, f->capacity, f->count, e)) {
			free(copy);
			return -1;
		}
		c = &f->files[f->count++];
		*c = (struct candidate){ .path = copy, .name = copy + strlen(folder), .size = size, .set = NOWHERE };
	}
	c->named = true;
	return 0;
}

static int add_path(struct finder *f, const char *path, struct err *e)
{
	char shown[160];
	struct stat st;

	if (stat(path, &st))
		return err_sys(e, ERR_LOCAL, errno, "%s: cannot open", text_escape_str(shown, sizeof(shown), path));
	if (!S_ISDIR(st.st_mode))
		return S_ISREG(st.st_mode) ? add_named(f, path, (uint64_t)st.st_size, e)
					   : err_set(e, ERR_LOCAL, "%s: is not a regular file",
						     text_escape_str(shown, sizeof(shown), path));
	size_t len = strlen(path);
	AUTO_MEM char *folder = NULL;
	if (asprintf(&folder, "%s%s", path, len && path[len - 1] == '/' ? "" : "/") < 0) {
		folder = NULL;
		return err_memory(e);
	}
	return add_folder(f, folder, e);
}

int find_collect(struct finder *f, const char *const *paths, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (add_path(f, paths[i], e))
			return -1;
	for (size_t i = 0; i < f->count; i++)
		if (cancel_check(e) || look_at(f, &f->files[i], e))
			return -1;
	return 0;
}
