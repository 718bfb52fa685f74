/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACK_CHUNKS_H
#define TESTS_PACK_CHUNKS_H

/* A small archive cut into chunks with its table, in a folder of its own. */

#include "sample.h"

#include "pack/chunkset.h"
#include "pack/open.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct cut {
	struct buf tar;
	struct digest id;
	struct sums sums;
};

UNUSED static void cut_release(struct cut *c)
{
	buf_release(&c->tar);
	sums_release(&c->sums);
}
#define AUTO_CUT __attribute__((cleanup(cut_release))) struct cut

/* Archive number `seed` of one image with a layer of about `bytes` bytes that no other archive has, in `chunks`. */
UNUSED static void cut_make(struct cut *c, unsigned seed, size_t bytes, size_t chunks, const char *name)
{
	struct store store = { 0 };
	AUTO_BUF big = { 0 };
	struct err e = { 0 };
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	char image[64];

	OK(buf_reserve(&big, bytes + 8, &e));
	while (big.len < bytes) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		OK(buf_add(&big, &x, sizeof(x), &e));
	}
	struct promise layers[] = { sample_layer(&store, seed + 3), store_add(&store, big.data, big.len) };
	AUTO(pack) p = pack_new(&e);
	(void)snprintf(image, sizeof(image), "q.io/x:%u", seed);
	sample_image(p, image, AMD64, layers, 2);
	AUTO(layout) l = layout_new(p, NULL, &e);
	assert_non_null(l);
	sample_tar(l, &store, &c->tar);
	c->id = l->id;
	store_release(&store);
	OK(sums_make(&c->sums, name, &c->id, c->tar.len, (c->tar.len + chunks - 1) / chunks, 0, &e));
	assert_int_equal(c->sums.count, chunks);
	for (size_t i = 0; i < chunks; i++) {
		struct sums_file *f = &c->sums.chunks[i];
		const char *from = c->tar.data + i * c->sums.chunk;
		OK(digest_of(&f->digest, from, f->size, &e));
		f->has_digest = true;
		for (size_t b = 0; b < sums_blocks(f); b++)
			OK(digest_of(&f->blocks[b], from + b * SUMS_BLOCK, sums_block_size(f, b), &e));
	}
}

UNUSED static void put_file(const char *dir, const char *name, const char *bytes, size_t len)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

UNUSED static void put_chunk(const struct cut *c, size_t i, const char *dir, const char *name)
{
	put_file(dir, name, c->tar.data + i * c->sums.chunk, c->sums.chunks[i].size);
}

UNUSED static void put_table(const struct cut *c, const char *dir, const char *name)
{
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	OK(sums_write(&c->sums, false, &text, &e));
	put_file(dir, name, text.data, text.len);
}

UNUSED static void empty_folder(const char *dir)
{
	char path[1024];
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d));) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	closedir(d);
}

/* Every byte of the archive comes out of the space. */
UNUSED static bool gives_archive(const struct chunkset *c, const struct cut *cut)
{
	struct err e = { 0 };
	AUTO(space) s = chunkset_space(c, &e);
	AUTO_MEM char *have = malloc(cut->tar.len);

	return s && have && space_size(s) == cut->tar.len && !space_pread(s, have, cut->tar.len, 0, &e) &&
	       !memcmp(have, cut->tar.data, cut->tar.len);
}

static char dir[64] UNUSED;

UNUSED static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/chunkset.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

UNUSED static int remove_dir(void **state)
{
	(void)state;
	empty_folder(dir);
	return rmdir(dir);
}

UNUSED static struct chunkset *find_in(const char *const *paths, size_t count, int want)
{
	struct chunkset *c = NULL;
	AUTO_MEM char *single = NULL;
	struct err e = { 0 };
	int rc = chunkset_find(paths, count, NULL, NULL, &c, &single, &e);

	if (rc != want)
		fail_msg("chunkset_find: %d, want %d: %s", rc, want, e.text);
	return c;
}

UNUSED static struct chunkset *find_one(const char *path)
{
	return find_in(&path, 1, 1);
}

UNUSED static const char *path_of(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

UNUSED static void put_all(const struct cut *c)
{
	for (size_t i = 0; i < c->sums.count; i++)
		put_chunk(c, i, dir, c->sums.chunks[i].name);
	put_table(c, dir, "x.sha256");
}

/* What a check told. */
struct told {
	size_t count;
	size_t file;
	uint64_t from, len;
	char what[256];
};

UNUSED static void see(void *ctx, const struct chunk_problem *p)
{
	struct told *t = ctx;

	t->count++;
	t->file = p->file;
	t->from = p->offset;
	t->len = p->length;
	(void)snprintf(t->what, sizeof(t->what), "%s", p->what);
}

#endif
