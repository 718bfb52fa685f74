/* SPDX-License-Identifier: Apache-2.0 */
#include "target/lacking.h"

#include "base/buf.h"
#include "base/text.h"
#include "target/result.h"

static const struct pack *pack_of(const struct lacking *l)
{
	return l->request->supply.pack;
}

int lacking_note(struct lacking *l, size_t image, size_t blob, struct err *e)
{
	pthread_mutex_lock(&l->lock);
	int failed = GROW(l->items, l->capacity, l->count, e);
	if (!failed)
		l->items[l->count++] = (struct lacking_item){ image, blob };
	pthread_mutex_unlock(&l->lock);
	return failed ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
	const struct lacking_item *x = a;
	const struct lacking_item *y = b;

	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	return x->blob < y->blob ? -1 : x->blob > y->blob;
}

/* Names each, image by image; *bytes and *images of them, each blob counted once. */
static int list(const struct lacking *l, const char *where, uint64_t *bytes, size_t *blobs, size_t *images,
		struct err *e)
{
	const struct load_request *r = l->request;
	AUTO_MEM bool *seen = calloc(pack_of(l)->blob_count + 1, sizeof(*seen));
	char digest[DIGEST_TEXT_SIZE], size[TEXT_SIZE_CAP];

	if (!seen)
		return err_memory(e);
	for (size_t i = 0; i < l->count; i++) {
		const struct lacking_item *item = &l->items[i];
		const struct pack_blob *b = &pack_of(l)->blobs[item->blob];
		event_text(r->events, EVENT_WARNING,
			   "%s needs the %s %s (%s), which is neither in the archive nor in %s",
			   load_image_noun(&r->images[item->image]), blob_role_text(b->role),
			   digest_text(&b->promise.digest, digest), text_size(size, b->promise.size), where);
		*images += !i || l->items[i - 1].image != item->image;
		if (seen[item->blob])
			continue;
		seen[item->blob] = true;
		*blobs += 1;
		*bytes += b->promise.size;
	}
	return 0;
}

int lacking_refuse(struct lacking *l, const char *where, const char *why, struct err *e)
{
	uint64_t bytes = 0;
	size_t blobs = 0;
	size_t images = 0;
	char size[TEXT_SIZE_CAP];

	if (!l->count)
		return 0;
	qsort(l->items, l->count, sizeof(*l->items), compare);
	if (list(l, where, &bytes, &blobs, &images, e))
		return -1;
	err_set(e, ERR_TARGET, "%zu blob%s (%s) of %zu image%s, listed above, %s neither in the archive nor in %s",
		blobs, blobs == 1 ? "" : "s", text_size(size, bytes), images, images == 1 ? "" : "s",
		blobs == 1 ? "is" : "are", where);
	if (why)
		err_hint(e, "%s", why);
	return err_hint(
		e, "nothing was sent; fetch again with what is really there (--have), or the whole images without it");
}

void lacking_release(struct lacking *l)
{
	free(l->items);
	pthread_mutex_destroy(&l->lock);
}
