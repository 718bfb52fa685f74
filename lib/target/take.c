/* SPDX-License-Identifier: Apache-2.0 */
#include "target/take.h"

#include "target/lacking.h"
#include "target/result.h"

#include <string.h>

struct taking {
	const struct load_request *request;
	take_has_fn *has;
	void *ctx;
	struct lacking lacking;
};

const struct digest *take_digest(const struct load_request *r, const struct take *t)
{
	return &r->supply.pack->blobs[t->root].promise.digest;
}

/* How many parts of image number `image` neither the archive nor the target has; `note`: they are noted. -1. */
static ptrdiff_t count_holes(struct taking *k, size_t image, const struct pack_parts *parts, bool note, struct err *e)
{
	const struct pack *p = k->request->supply.pack;
	ptrdiff_t holes = 0;

	for (size_t i = 0; i < parts->data_count + parts->paper_count; i++) {
		size_t blob = i < parts->data_count ? parts->data[i] : parts->papers[i - parts->data_count];
		if (!p->blobs[blob].absent || (k->has && k->has(k->ctx, &p->blobs[blob].promise.digest)))
			continue;
		if (note && lacking_note(&k->lacking, image, blob, e))
			return -1;
		holes++;
	}
	return holes;
}

/* The platform to narrow it to: the one that was asked for, this machine's, or the only one. */
static ptrdiff_t choose_manifest(const struct taking *k, const struct take *t, struct err *e)
{
	const struct pack_image *image = t->load->image;
	size_t only = 0;

	if (k->request->platform)
		return pack_image_choose(image, k->request->platform, e);
	if (t->here >= 0)
		return t->here;
	if (pack_image_platforms(image) != 1) {
		const struct platform mine = platform_default();
		return pack_image_choose(image, &mine, e);
	}
	while (!image->manifests[only].image)
		only++;
	return (ptrdiff_t)only;
}

static int narrow(const struct taking *k, struct take *t, bool asked, struct err *e)
{
	const struct pack_image *image = t->load->image;
	ptrdiff_t manifest = choose_manifest(k, t, e);
	char text[PLATFORM_TEXT_SIZE];

	if (manifest < 0)
		return -1;
	t->choice.manifest = (size_t)manifest;
	t->choice.whole = false;
	t->root = image->manifests[manifest].blob;
	if (!asked)
		event_text(k->request->events, EVENT_NOTE,
			   "%s: its index names more than the archive has; %s alone is loaded, and not its index",
			   load_image_noun(t->load), platform_text(&image->manifests[manifest].platform, text));
	pack_parts_free(t->parts);
	t->parts = pack_parts_of(k->request->supply.pack, &t->choice, e);
	return t->parts ? 0 : -1;
}

static int take_image(struct taking *k, size_t number, struct take *t, struct err *e)
{
	const struct pack_image *image = t->load->image;
	const struct platform mine = platform_default();

	t->here = pack_image_choose(image, &mine, NULL);
	t->choice = (struct pack_choice){ .image = image, .name = t->load->name, .whole = true };
	t->choice.manifest = t->here >= 0 ? (size_t)t->here : image->preferred;
	t->root = image->root;
	t->parts = pack_parts_of(k->request->supply.pack, &t->choice, e);
	if (!t->parts)
		return -1;
	const bool asked = k->request->platform && image->manifest_count > 1;
	const bool holes = count_holes(k, number, t->parts, false, e) > 0;
	if ((asked || holes || t->parts->unknown) && narrow(k, t, asked, e))
		return -1;
	if (k->request->platform && !asked && pack_image_choose(image, k->request->platform, e) < 0)
		return -1;
	return count_holes(k, number, t->parts, true, e) < 0 ? -1 : 0;
}

static int take_all(struct taking *k, struct takes *t, struct err *e)
{
	const struct pack *p = k->request->supply.pack;
	char id[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < t->count; i++) {
		struct take *take = &t->items[i];
		take->load = &k->request->images[i];
		if (!take->load->name)
			return err_set(e, ERR_USAGE,
				       "image %zu has no name in the archive; --name %s=NAME gives it one", i + 1,
				       digest_text(&p->blobs[take->load->image->root].promise.digest, id));
		if (reference_parse(&take->reference, take->load->name, e))
			return -1;
		if (take_image(k, i, take, e))
			return err_at(e, "%s", load_image_noun(take->load));
	}
	return 0;
}

struct takes *takes_new(const struct load_request *request, take_has_fn *has, void *ctx, const char *where,
			struct err *e)
{
	struct taking k = { request, has, ctx, { .request = request, .lock = PTHREAD_MUTEX_INITIALIZER } };
	AUTO(takes) t = calloc(1, sizeof(*t));

	if (t)
		t->items = calloc(request->count + 1, sizeof(*t->items));
	if (!t || !t->items) {
		err_memory(e);
		return NULL;
	}
	t->count = request->count;
	int failed = take_all(&k, t, e) || lacking_refuse(&k.lacking, where, NULL, e);
	lacking_release(&k.lacking);
	return failed ? NULL : TAKE(t);
}

void takes_free(struct takes *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		pack_parts_free(t->items[i].parts);
	free(t->items);
	free(t);
}
