/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/have.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "pack/inventory.h"
#include "pack/open.h"

#include <errno.h>
#include <fcntl.h>

struct have {
	struct inventory *there;
};

static int read_archive(struct have *h, const char *path, const struct events *events, struct err *e)
{
	AUTO(pack_file) f = pack_file_open(path, events, e);

	return f ? inventory_add_pack(h->there, f->pack, e) : -1;
}

/* A list is known by its first bytes; what begins otherwise is an archive, or opening it says what it is. */
static int read_file(struct have *h, const char *path, const struct events *events, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF text = { 0 };
	char head[512];

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot open it");
	const ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n <= 0 || !inventory_detect(head, (size_t)n))
		return read_archive(h, path, events, e);
	return buf_read(&text, fd, LIMIT_INVENTORY, e) || inventory_parse(h->there, text.data, text.len, e) ? -1 : 0;
}

struct have *have_new(const char *const *files, const struct events *events, struct err *e)
{
	AUTO(have) h = calloc(1, sizeof(*h));
	char shown[160];

	if (!h) {
		err_memory(e);
		return NULL;
	}
	h->there = inventory_new(e);
	if (!h->there)
		return NULL;
	for (; files && *files; files++) {
		if (!read_file(h, *files, events, e))
			continue;
		err_at(e, "--have %s", text_escape_str(shown, sizeof(shown), *files));
		return NULL;
	}
	return TAKE(h);
}

void have_free(struct have *h)
{
	if (!h)
		return;
	inventory_free(h->there);
	free(h);
}

/* Of a layer: is it there for each of its uses? On another base it is another layer for docker's graph driver. */
enum use_state { USE_NONE, USE_THERE, USE_NEW };

static int note_uses(const struct have *h, const struct pack *p, const struct pack_manifest *m, enum use_state *states,
		     struct err *e)
{
	struct digest chain;

	for (size_t i = 0; i < m->layer_count; i++) {
		enum use_state *s = &states[m->layers[i]];
		/* Without diff IDs it is nothing that docker would unpack. */
		if (m->diff_ids && inventory_chain(&chain, i == 0, &m->diff_ids[i], e))
			return -1;
		if (!inventory_covers(h->there, &p->blobs[m->layers[i]].promise.digest, m->diff_ids ? &chain : NULL))
			*s = USE_NEW;
		else if (*s == USE_NONE)
			*s = USE_THERE;
	}
	return 0;
}

int have_leave_out(const struct have *h, struct pack *p, struct left_out *out, struct err *e)
{
	AUTO_MEM enum use_state *states = calloc(p->blob_count + 1, sizeof(*states));

	if (!states)
		return err_memory(e);
	for (size_t i = 0; i < p->image_count; i++)
		for (size_t k = 0; k < p->images[i].manifest_count; k++)
			if (note_uses(h, p, &p->images[i].manifests[k], states, e))
				return -1;
	for (size_t i = 0; i < p->blob_count; i++) {
		struct pack_blob *b = &p->blobs[i];
		if (b->role != BLOB_LAYER || b->bytes || b->absent || states[i] != USE_THERE)
			continue;
		b->absent = true;
		out->count++;
		out->bytes += b->promise.size;
	}
	return 0;
}
