/* SPDX-License-Identifier: Apache-2.0 */
#include "target/take.h"

#include "target/result.h"

#include <string.h>

struct taking {
	const struct load_request *request;
	take_has_fn *has;
	void *ctx;
};

const struct digest *take_digest(const struct load_request *r, const struct take *t)
{
	return &r->supply.pack->blobs[t->root].promise.digest;
}

/* The parts that neither the archive nor the target has; the first of them in *first. */
static size_t count_holes(const struct taking *k, const struct pack_parts *parts, ptrdiff_t *first)
{
	const struct pack *p = k->request->supply.pack;
	size_t holes = 0;

	for (size_t i = 0; i < parts->data_count + parts->paper_count; i++) {
		size_t blob = i < parts->data_count ? parts->data[i] : parts->papers[i - parts->data_count];
		if (!p->blobs[blob].absent || (k->has && k->has(k->ctx, &p->blobs[blob].promise.digest)))
			continue;
		if (!holes++)
			*first = (ptrdiff_t)blob;
	}
	return holes;
}

static int refuse_holes(const struct taking *k, size_t holes, ptrdiff_t first, struct err *e)
{
	const struct pack_blob *b = &k->request->supply.pack->blobs[first];
	char text[DIGEST_TEXT_SIZE];

	err_set(e, ERR_TARGET, "%s %s is neither in the archive nor there", blob_role_text(b->role),
		digest_text(&b->promise.digest, text));
	if (holes > 1)
		err_hint(e, "so are %zu other parts", holes - 1);
	return err_hint(e, "load the archive that it builds upon first, or fetch without --have; nothing was sent");
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

static int take_image(const struct taking *k, struct take *t, struct err *e)
{
	const struct pack_image *image = t->load->image;
	const struct platform mine = platform_default();
	ptrdiff_t first = -1;
	size_t holes;

	t->here = pack_image_choose(image, &mine, NULL);
	t->choice = (struct pack_choice){ .image = image, .name = t->load->name, .whole = true };
	t->choice.manifest = t->here >= 0 ? (size_t)t->here : image->preferred;
	t->root = image->root;
	t->parts = pack_parts_of(k->request->supply.pack, &t->choice, e);
	if (!t->parts)
		return -1;
	const bool asked = k->request->platform && image->manifest_count > 1;
	holes = count_holes(k, t->parts, &first);
	if ((asked || holes || t->parts->unknown) && narrow(k, t, asked, e))
		return -1;
	if (k->request->platform && !asked && pack_image_choose(image, k->request->platform, e) < 0)
		return -1;
	holes = count_holes(k, t->parts, &first);
	return holes ? refuse_holes(k, holes, first, e) : 0;
}

struct takes *takes_new(const struct load_request *request, take_has_fn *has, void *ctx, struct err *e)
{
	const struct taking k = { request, has, ctx };
	AUTO(takes) t = calloc(1, sizeof(*t));
	char id[DIGEST_TEXT_SIZE];

	if (t)
		t->items = calloc(request->count + 1, sizeof(*t->items));
	if (!t || !t->items) {
		err_memory(e);
		return NULL;
	}
	t->count = request->count;
	for (size_t i = 0; i < t->count; i++) {
		struct take *take = &t->items[i];
		take->load = &request->images[i];
		if (!take->load->name) {
			const struct pack *p = request->supply.pack;
			err_set(e, ERR_USAGE, "image %zu has no name in the archive; --name %s=NAME gives it one",
				i + 1, digest_text(&p->blobs[take->load->image->root].promise.digest, id));
			return NULL;
		}
		if (reference_parse(&take->reference, take->load->name, e))
			return NULL;
		if (take_image(&k, take, e)) {
			err_at(e, "%s", load_image_noun(take->load));
			return NULL;
		}
	}
	return TAKE(t);
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
