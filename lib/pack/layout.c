/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/layout.h"

#include "base/limits.h"
#include "pack/papers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *blob_member_name(const struct digest *d, char out[MEMBER_NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	(void)snprintf(out, MEMBER_NAME_SIZE, BLOB_FOLDER "%s", digest_hex(d, hex));
	return out;
}

static void add_blobs(struct layout *l, const struct pack *p)
{
	for (size_t i = 0; i < p->blob_count; i++) {
		const struct pack_blob *b = &p->blobs[i];
		if (b->absent)
			continue;
		struct member *m = &l->members[l->count++];
		*m = (struct member){ .promise = b->promise, .blob = (ptrdiff_t)i, .bytes = b->bytes };
		(void)blob_member_name(&b->promise.digest, m->name);
	}
}

/* The paper's member, at `m`. */
static int put_paper(struct member *m, const char *name, const struct buf *paper, size_t limit, struct err *e)
{
	if (paper->len > limit)
		return err_set(e, ERR_USAGE, "%s would have %zu bytes, at most %zu are allowed; make several archives",
			       name, paper->len, limit);
	*m = (struct member){ .promise.size = paper->len, .blob = -1, .bytes = paper->data };
	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	return digest_of(&m->promise.digest, paper->data, paper->len, e);
}

static int add_papers(struct layout *l, const struct pack *p, bool index, struct err *e)
{
	if (index) {
		if (papers_oci_layout(&l->oci_layout, e) ||
		    put_paper(&l->members[l->count], OCI_LAYOUT_NAME, &l->oci_layout, LIMIT_PAPER, e))
			return -1;
		l->count++;
		if (papers_index(p, &l->index_json, e) ||
		    put_paper(&l->members[l->count], INDEX_NAME, &l->index_json, LIMIT_PAPER, e))
			return -1;
		l->count++;
	}
	if (papers_docker_manifest(p, &l->manifest_json, e) ||
	    put_paper(&l->members[l->count], DOCKER_MANIFEST_NAME, &l->manifest_json, LIMIT_PAPER, e))
		return -1;
	l->count++;
	return 0;
}

/* A size in whole blocks, or an overflow: UINT64_MAX. */
static uint64_t padded(uint64_t size)
{
	uint64_t rest = size % TAR_BLOCK;

	if (size > INT64_MAX)
		return UINT64_MAX;
	return rest ? size + TAR_BLOCK - rest : size;
}

/* Offsets, one behind the other. No file is longer than INT64_MAX, so neither is a layout. */
static int place(struct layout *l, struct err *e)
{
	const uint64_t end = INT64_MAX - 4 * TAR_BLOCK;
	uint64_t at = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct member *m = &l->members[i];
		uint64_t room = padded(m->promise.size);
		if (at > end || room > end - at)
			return err_set(e, ERR_CORRUPT,
				       "%s: its promised %" PRIu64 " bytes make the archive larger than a file can be",
				       m->name, m->promise.size);
		m->header = at;
		m->data = at + TAR_BLOCK;
		at = m->data + room;
	}
	l->size = at + 2 * TAR_BLOCK;
	return 0;
}

/* The first member's place is kept free for the TOC, which names all the others. */
static int fill(struct layout *l, const struct pack *p, const struct layout_options *options, struct err *e)
{
	bool index = !options || !options->no_index;
	bool toc = index && (!options || !options->no_toc);

	l->members = calloc(p->blob_count + 4, sizeof(*l->members));
	if (!l->members)
		return err_memory(e);
	l->pack = p;
	l->count = toc ? 1 : 0;
	add_blobs(l, p);
	if (add_papers(l, p, index, e))
		return -1;
	if (l->count > LIMIT_MEMBERS)
		return err_set(e, ERR_USAGE, "more than %d files in one archive; make several archives", LIMIT_MEMBERS);
	if (toc) {
		if (papers_toc(p, l->members + 1, l->count - 1, &l->toc, e) ||
		    put_paper(&l->members[0], TOC_NAME, &l->toc, LIMIT_TOC, e))
			return -1;
		l->id = l->members[0].promise.digest;
	}
	return place(l, e);
}

struct layout *layout_new(const struct pack *p, const struct layout_options *options, struct err *e)
{
	AUTO(layout) l = calloc(1, sizeof(*l));

	if (!l) {
		err_memory(e);
		return NULL;
	}
	if (fill(l, p, options, e))
		return NULL;
	return TAKE(l);
}

void layout_free(struct layout *l)
{
	if (!l)
		return;
	free(l->members);
	buf_release(&l->toc);
	buf_release(&l->oci_layout);
	buf_release(&l->index_json);
	buf_release(&l->manifest_json);
	free(l);
}
