/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/layout.h"
#include "target/ctr.h"
#include "target/node_names.h"
#include "target/result.h"
#include "target/tar.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

/*
 * Loading into containerd:
 *
 *     what it has -> what of each image, under which names -> no name is moved unasked -> one tar streamed into
 *     `ctr images import` -> every name and every blob asked for -> pinned
 */
struct moving {
	const struct load_request *request;
	struct ctr *ctr;
	struct ctr_images *before;
	struct digestmap *content; /* before; NULL while it was not asked for */
	struct takes *takes;
	struct node_names *names;
	bool *wanted; /* one an image: it is not there yet as it shall be */
	struct load_result *result;
};

static void moving_release(struct moving *m)
{
	ctr_images_free(m->before);
	digestmap_free(m->content);
	takes_free(m->takes);
	node_names_free(m->names);
	free(m->wanted);
	load_result_free(m->result);
}

/* Before. */

static bool has_content(void *ctx, const struct digest *d)
{
	return digestmap_get(ctx, d) >= 0;
}

/* The first part of an image that is not in `content`, or -1. */
static ptrdiff_t first_missing(const struct moving *m, const struct take *t, const struct digestmap *content)
{
	const struct pack_blob *blobs = m->request->supply.pack->blobs;

	for (size_t i = 0; i < t->parts->data_count; i++)
		if (digestmap_get(content, &blobs[t->parts->data[i]].promise.digest) < 0)
			return (ptrdiff_t)t->parts->data[i];
	for (size_t i = 0; i < t->parts->paper_count; i++)
		if (digestmap_get(content, &blobs[t->parts->papers[i]].promise.digest) < 0)
			return (ptrdiff_t)t->parts->papers[i];
	return -1;
}

static void find_wanted(struct moving *m)
{
	for (size_t i = 0; i < m->takes->count; i++)
		m->wanted[i] = first_missing(m, &m->takes->items[i], m->content) >= 0;
	for (size_t i = 0; i < m->names->count; i++) {
		const struct node_name *n = &m->names->items[i];
		const struct ctr_image *there = ctr_images_find(m->before, n->name);
		if (!there || !digest_equal(&there->digest, &n->digest))
			m->wanted[n->take] = true;
	}
}

/*
 * A tag that points elsewhere is not moved unasked. A name by digest may: whatever it points at, index or manifest, has
 * been loaded for that digest.
 */
static int check_taken(const struct moving *m, struct err *e)
{
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];
	struct err first = { 0 };
	size_t taken = 0;

	for (size_t i = 0; i < m->names->count && !m->request->replace; i++) {
		const struct node_name *n = &m->names->items[i];
		const struct ctr_image *there = ctr_images_find(m->before, n->name);
		if (n->alias || m->takes->items[n->take].reference.has_digest || !there ||
		    digest_equal(&there->digest, &n->digest) || taken++)
			continue;
		err_set(&first, ERR_TARGET, "%s: is another image there, %s; this one is %s", n->name,
			digest_text(&there->digest, theirs), digest_text(&n->digest, ours));
	}
	if (!taken)
		return 0;
	if (taken > 1)
		err_hint(&first, "so are %zu other names", taken - 1);
	err_hint(&first, "nothing was sent; --replace moves the name");
	if (e)
		*e = first;
	return -1;
}

static void announce(const struct moving *m)
{
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < m->takes->count; i++) {
		const struct take *t = &m->takes->items[i];
		const struct ctr_image *there = ctr_images_find(m->before, t->load->name);
		digest_text(take_digest(m->request, t), ours);
		if (!m->wanted[i])
			event_text(m->request->events, EVENT_NOTE, "%s: is there already, %s", t->load->name, ours);
		else if (there && !digest_equal(&there->digest, take_digest(m->request, t)))
			event_text(m->request->events, EVENT_NOTE, "%s: is %s there, becomes %s", t->load->name,
				   digest_text(&there->digest, theirs), ours);
		else
			event_text(m->request->events, EVENT_NOTE, "%s: becomes %s", t->load->name, ours);
	}
}

static int look_before(struct moving *m, struct err *e)
{
	m->before = ctr_images(m->ctr, e);
	m->content = m->before ? ctr_content(m->ctr, e) : NULL;
	m->takes = m->content ? takes_new(m->request, has_content, m->content, "containerd", e) : NULL;
	m->names = m->takes ? node_names_new(m->request, m->takes, e) : NULL;
	if (!m->names)
		return -1;
	m->wanted = calloc(m->takes->count + 1, sizeof(*m->wanted));
	if (!m->wanted)
		return err_memory(e);
	find_wanted(m);
	if (check_taken(m, e))
		return -1;
	announce(m);
	return 0;
}

/* Sending. */

/* An index without this machine's platform cannot be unpacked here, and ctr fails on it. Nothing needs it unpacked:
 * who runs an image that is not does that first. */
static bool can_unpack(const struct moving *m)
{
	for (size_t i = 0; i < m->takes->count; i++)
		if (m->wanted[i] && m->takes->items[i].here < 0)
			return false;
	return true;
}

static int stream_pack(struct moving *m, const struct pack *pack, struct err *e)
{
	const struct layout_options options = { .no_toc = true };
	const struct load_request *r = m->request;
	AUTO(layout) layout = layout_new(pack, &options, e);
	char where[340];
	struct tar_feed feed;

	if (!layout)
		return -1;
	(void)snprintf(where, sizeof(where), "import to %s", ctr_where(m->ctr));
	AUTO(source) tar = tar_feed(&feed, r, layout, 1, where, e);
	if (!tar)
		return -1;
	int failed = ctr_import(m->ctr, tar, can_unpack(m), tar_silence(r, layout->size), e);
	tar_feed_end(&feed, failed);
	m->result->sent_bytes += feed.done;
	return failed;
}

static int send_wanted(struct moving *m, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < m->takes->count; i++)
		any = any || m->wanted[i];
	if (!any)
		return supply_finish(&m->request->supply, e);
	AUTO(pack) pack = node_names_pack(m->request, m->names, m->wanted, e);
	if (!pack)
		return -1;
	if (tar_has_untyped_root(pack))
		return err_set(
			e, ERR_TARGET,
			"the archive has layers in a compression that containerd does not read; nothing was sent");
	return stream_pack(m, pack, e) ? -1 : supply_finish(&m->request->supply, e);
}

/* After. */

static int check_name(const struct moving *m, const struct ctr_images *now, const struct node_name *n, struct err *e)
{
	const struct ctr_image *there = ctr_images_find(now, n->name);
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];

	(void)m;
	if (!there)
		return err_set(e, ERR_TARGET, "%s: is not there, expected %s", n->name, digest_text(&n->digest, ours));
	if (!digest_equal(&there->digest, &n->digest))
		return err_set(e, ERR_TARGET, "%s: is %s there, expected %s", n->name,
			       digest_text(&there->digest, theirs), digest_text(&n->digest, ours));
	return 0;
}

static int look_after(struct moving *m, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];
	AUTO(ctr_images) now = ctr_images(m->ctr, e);
	AUTO(digestmap) content = now ? ctr_content(m->ctr, e) : NULL;

	if (!content)
		return err_at(e, "reading back");
	for (size_t i = 0; i < m->names->count; i++)
		if (check_name(m, now, &m->names->items[i], e))
			return err_at(e, "reading back");
	for (size_t i = 0; i < m->takes->count; i++) {
		const struct take *t = &m->takes->items[i];
		ptrdiff_t missing = first_missing(m, t, content);
		if (missing < 0)
			continue;
		const struct pack_blob *b = &m->request->supply.pack->blobs[missing];
		err_set(e, ERR_TARGET, "%s: its %s %s is not there", t->load->name, blob_role_text(b->role),
			digest_text(&b->promise.digest, text));
		return err_at(e, "reading back");
	}
	return 0;
}

static int pin_all(struct moving *m, struct err *e)
{
	for (size_t i = 0; m->request->pin && i < m->names->count; i++) {
		const struct ctr_image *there = ctr_images_find(m->before, m->names->items[i].name);
		if (there && there->pinned && !m->wanted[m->names->items[i].take])
			continue;
		if (ctr_pin(m->ctr, m->names->items[i].name, e))
			return err_at(e, "%s: is there, but not pinned", m->names->items[i].name);
	}
	return 0;
}

/* A load failed. Names that were not there before are removed; of those that were and moved the number is told. */
static void clear_away(struct moving *m, struct err *e)
{
	struct err ignored = { 0 };
	AUTO(ctr_images) now = ctr_images(m->ctr, &ignored);
	AUTO_MEM const char **names = calloc(m->names->count + 1, sizeof(*names));
	size_t count = 0;
	size_t moved = 0;

	if (!now || !names) {
		err_hint(e, "what stands there now could not be asked");
		return;
	}
	for (size_t i = 0; i < m->names->count; i++) {
		const struct node_name *n = &m->names->items[i];
		const struct ctr_image *old = ctr_images_find(m->before, n->name);
		const struct ctr_image *there = ctr_images_find(now, n->name);
		if (there && !old)
			names[count++] = n->name;
		else if (there && !digest_equal(&there->digest, &old->digest))
			moved++;
	}
	if (count && ctr_remove(m->ctr, names, count, &ignored))
		err_hint(e, "%zu names that it made could not be removed, %s is one", count, names[0]);
	else if (count)
		err_hint(e, "what it made was removed again");
	if (moved)
		err_hint(e, "%zu names were moved and stay so", moved);
	if (!count && !moved)
		err_hint(e, "nothing was changed there");
}

static int fill_result(struct moving *m, struct err *e)
{
	for (size_t i = 0; i < m->takes->count; i++) {
		const struct take *t = &m->takes->items[i];
		const bool had = !m->wanted[i];
		if (load_result_set(m->result, i, t->load->name, take_digest(m->request, t), had, e))
			return -1;
		if (had)
			m->result->skipped_bytes += pack_image_bytes(m->request->supply.pack, t->load->image);
	}
	for (size_t i = 0; i < m->names->count; i++)
		if (m->names->items[i].alias)
			event_text(m->request->events, EVENT_DETAIL, "is there as %s, too", m->names->items[i].name);
	return 0;
}

static int move_all(struct moving *m, struct err *e)
{
	if (look_before(m, e))
		return -1;
	if (send_wanted(m, e) || look_after(m, e)) {
		clear_away(m, e);
		return -1;
	}
	return pin_all(m, e) ? -1 : fill_result(m, e);
}

struct load_result *target_containerd_load(const char *socket, const char *space, const struct load_request *request,
					   struct err *e)
{
	__attribute__((cleanup(moving_release))) struct moving m = { .request = request };
	AUTO(ctr) ctr = ctr_new(socket, space, e);

	m.ctr = ctr;
	m.result = ctr ? load_result_new(request->count, e) : NULL;
	if (!m.result)
		return NULL;
	if (move_all(&m, e)) {
		err_at(e, "%s", ctr_where(ctr));
		return NULL;
	}
	return TAKE(m.result);
}
