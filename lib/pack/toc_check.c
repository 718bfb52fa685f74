/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/text.h"
#include "pack/toc_text.h"

#include <inttypes.h>
#include <string.h>

/* Is a TOC, already read, one that we would have written? What it means first, its bytes last. */

static const char *const papers[] = { OCI_LAYOUT_NAME, INDEX_NAME, DOCKER_MANIFEST_NAME };
#define PAPERS (sizeof(papers) / sizeof(papers[0]))

static int check_name(const struct toc *t, size_t i, struct err *e)
{
	const struct toc_member *m = &t->members[i];
	size_t blobs = t->member_count - PAPERS;
	char want[MEMBER_NAME_SIZE];
	char shown[MEMBER_NAME_SIZE];
	const char *expected = i < blobs ? blob_member_name(&m->promise.digest, want) : papers[i - blobs];

	if (strcmp(m->name, expected) != 0)
		return err_set(e, ERR_CORRUPT, "members[%zu]: is named '%s', expected '%s'", i,
			       text_escape_str(shown, sizeof(shown), m->name), expected);
	return 0;
}

/* All members and the TOC itself, with headers and padding and end blocks, fit a file. */
static int check_sizes(const struct toc *t, size_t toc_len, struct err *e)
{
	uint64_t left = INT64_MAX - 8 * TAR_BLOCK - toc_len;

	for (size_t i = 0; i < t->member_count; i++) {
		uint64_t size = t->members[i].promise.size;
		if (left < 2 * TAR_BLOCK || size > left - 2 * TAR_BLOCK)
			return err_set(e, ERR_CORRUPT,
				       "members[%zu]: its %" PRIu64 " bytes make the archive larger than a file can be",
				       i, size);
		left -= size + 2 * TAR_BLOCK;
	}
	return 0;
}

static int check_members(const struct toc *t, struct digestmap *blobs, struct err *e)
{
	if (t->member_count < PAPERS)
		return err_set(e, ERR_CORRUPT, "members: %s, %s and %s must be the last ones", papers[0], papers[1],
			       papers[2]);
	for (size_t i = 0; i < t->member_count; i++) {
		const struct toc_member *m = &t->members[i];
		if (check_name(t, i, e))
			return -1;
		if (i >= t->member_count - PAPERS)
			continue;
		if (digestmap_get(blobs, &m->promise.digest) >= 0)
			return err_set(e, ERR_CORRUPT, "members[%zu]: %s is there twice", i, m->name);
		if (digestmap_put(blobs, &m->promise.digest, i, e))
			return -1;
	}
	return 0;
}

static int check_image(const struct toc_image *image, const struct digestmap *blobs, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];
	char shown[LIMIT_REFERENCE];

	if (image->name && !toc_name_valid(image->name))
		return err_set(e, ERR_CORRUPT, "'%s' is not a full image name",
			       text_escape_str(shown, sizeof(shown), image->name));
	if (digestmap_get(blobs, &image->root) < 0)
		return err_set(e, ERR_CORRUPT, "root %s is not a member", digest_text(&image->root, text));
	for (size_t i = 0; i < image->platform_count; i++)
		if (digestmap_get(blobs, &image->platforms[i].manifest) < 0)
			return err_set(e, ERR_CORRUPT, "manifest %s is not a member",
				       digest_text(&image->platforms[i].manifest, text));
	for (size_t i = 0; i < image->referrer_count; i++)
		if (digestmap_get(blobs, &image->referrers[i].manifest) < 0)
			return err_set(e, ERR_CORRUPT, "referrer %s is not a member",
				       digest_text(&image->referrers[i].manifest, text));
	return 0;
}

static int check_images(const struct toc *t, const struct digestmap *blobs, struct err *e)
{
	AUTO(digestmap) names = digestmap_new(e);
	struct digest key;

	if (!names)
		return -1;
	for (size_t i = 0; i < t->image_count; i++) {
		const char *name = t->images[i].name;
		if (check_image(&t->images[i], blobs, e))
			return err_at(e, "images[%zu]", i);
		if (!name)
			continue;
		if (digest_of(&key, name, strlen(name), e))
			return -1;
		if (digestmap_get(names, &key) >= 0)
			return err_set(e, ERR_CORRUPT, "images[%zu]: %s is named twice", i, name);
		if (digestmap_put(names, &key, i, e))
			return -1;
	}
	return 0;
}

/* Absent ones are put to the members' map, so that one lookup finds both kinds of a second mention. */
static int check_absent(const struct toc *t, struct digestmap *blobs, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < t->absent_count; i++) {
		const struct digest *d = &t->absent[i].digest;
		if (digestmap_get(blobs, d) >= 0)
			return err_set(e, ERR_CORRUPT, "absent[%zu]: %s is a member, or absent twice", i,
				       digest_text(d, text));
		if (digestmap_put(blobs, d, t->member_count + i, e))
			return -1;
	}
	return 0;
}

/* The canonical text, made in pieces and compared as it grows: a TOC of 64 MB is not held twice. */
struct compare {
	const char *bytes;
	size_t len;
	size_t at;
	struct buf piece;
	struct jout j;
};

static int compare_piece(struct compare *c, struct err *e)
{
	size_t left = c->len - c->at;
	size_t n = c->piece.len < left ? c->piece.len : left;

	if (c->j.failed)
		return err_memory(e);
	for (size_t i = 0; i < n; i++)
		if (c->piece.data[i] != c->bytes[c->at + i])
			return err_set(e, ERR_CORRUPT, "is not written as imgpack writes it: byte %zu", c->at + i);
	if (n < c->piece.len)
		return err_set(e, ERR_CORRUPT, "is not written as imgpack writes it: ends at byte %zu", c->len);
	c->at += n;
	buf_clear(&c->piece);
	return 0;
}

static int compare_all(const struct toc *t, struct compare *c, struct err *e)
{
	c->j = jout_begin(&c->piece);
	toc_put_head(&c->j);
	for (size_t i = 0; i < t->image_count; i++) {
		toc_put_image(&c->j, &t->images[i]);
		if (compare_piece(c, e))
			return -1;
	}
	toc_put_middle(&c->j);
	for (size_t i = 0; i < t->member_count; i++) {
		toc_put_member(&c->j, t->members[i].name, &t->members[i].promise);
		if (compare_piece(c, e))
			return -1;
	}
	for (size_t i = 0; i < t->absent_count; i++) {
		toc_put_absent(&c->j, &t->absent[i], i == 0);
		if (compare_piece(c, e))
			return -1;
	}
	toc_put_tail(&c->j);
	if (jout_finish(&c->j, e) || compare_piece(c, e))
		return -1;
	if (c->at < c->len)
		return err_set(e, ERR_CORRUPT, "is not written as imgpack writes it: goes on behind byte %zu", c->at);
	return 0;
}

int toc_check(const struct toc *t, const char *bytes, size_t len, struct err *e)
{
	AUTO(digestmap) blobs = digestmap_new(e);
	struct compare c = { .bytes = bytes, .len = len };

	if (!blobs || check_members(t, blobs, e) || check_sizes(t, len, e) || check_images(t, blobs, e) ||
	    check_absent(t, blobs, e))
		return -1;
	int rc = compare_all(t, &c, e);
	buf_release(&c.piece);
	return rc;
}
