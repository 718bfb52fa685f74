/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack.h"

#include "base/buf.h"
#include "base/limits.h"
#include "oci/referrers.h"

#include <stdio.h>
#include <string.h>

/* What belongs to an image without being part of it. */

/* A part of the image, or a referrer that came before: a signature may sign an SBOM. */
static bool knows(const struct pack *p, const struct pack_image *image, const struct digest *d)
{
	if (digest_equal(&p->blobs[image->root].promise.digest, d) ||
	    (image->has_source && digest_equal(&image->source.digest, d)))
		return true;
	for (size_t i = 0; i < image->manifest_count; i++)
		if (digest_equal(&p->blobs[image->manifests[i].blob].promise.digest, d))
			return true;
	for (size_t i = 0; i < image->referrer_count; i++)
		if (digest_equal(&p->blobs[image->referrers[i].blob].promise.digest, d))
			return true;
	return false;
}

/* Only the tag, or the manifest itself, proves whose it is. */
static int check(const struct pack *p, const struct pack_image *image, const struct pack_referrer *r,
		 const struct manifest *m, struct err *e)
{
	char subject[DIGEST_TEXT_SIZE];

	digest_text(&r->subject, subject);
	if (!knows(p, image, &r->subject))
		return err_set(e, ERR_CORRUPT, "its subject %s is no part of the image", subject);
	if (*r->tag && !referrers_tag_valid(r->tag, &r->subject))
		return err_set(e, ERR_CORRUPT, "its tag does not name the subject %s", subject);
	if (!*r->tag && !(m->has_subject && digest_equal(&m->subject, &r->subject)))
		return err_set(e, ERR_CORRUPT, "it does not name %s as its subject", subject);
	for (size_t i = 0; i < image->referrer_count; i++)
		if (image->referrers[i].blob == r->blob && !strcmp(image->referrers[i].tag, r->tag))
			return err_set(e, ERR_CORRUPT, "it is there twice");
	return 0;
}

/* BLOB_OTHER: no list of layers that a site has (`fetch --have`) leaves one of these out. */
static int add_blobs(struct pack *p, struct pack_referrer *r, const struct manifest *m, struct err *e)
{
	ptrdiff_t at = pack_add_blob(p, &m->config.promise, BLOB_OTHER, m->config.media_type, NULL, e);

	r->parts = calloc(m->count + 1, sizeof(*r->parts));
	if (!r->parts)
		return err_memory(e);
	for (size_t i = 0; at >= 0 && i <= m->count; i++) {
		r->parts[r->part_count++] = (size_t)at;
		if (i < m->count)
			at = pack_add_blob(p, &m->layers[i].promise, BLOB_OTHER, m->layers[i].media_type, NULL, e);
	}
	return at < 0 ? -1 : 0;
}

static int fill(struct pack *p, const struct pack_image *image, struct pack_referrer *r, struct err *e)
{
	const struct pack_blob *b = &p->blobs[r->blob];
	const struct promise promise = b->promise;
	char media_type[MEDIA_TYPE_SIZE];
	enum paper_kind kind;

	if (!b->bytes)
		return err_set(e, ERR_USAGE, "its bytes are not there");
	AUTO(manifest) m = manifest_parse(b->bytes, (size_t)b->promise.size, e);
	if (!m || check(p, image, r, m, e) || paper_kind(b->bytes, (size_t)promise.size, NULL, &kind, media_type, e) ||
	    pack_add_blob(p, &promise, BLOB_MANIFEST, media_type, NULL, e) < 0)
		return -1;
	memcpy(r->type, m->artifact_type, sizeof(r->type));
	return add_blobs(p, r, m, e);
}

int pack_image_add_referrer(struct pack *p, struct pack_image *image, size_t manifest_blob, const char *tag,
			    const struct digest *subject, struct err *e)
{
	struct pack_referrer r = { .blob = manifest_blob, .subject = *subject };
	char text[DIGEST_TEXT_SIZE];

	if (image->referrer_count >= LIMIT_REFERRERS)
		return err_set(e, ERR_CORRUPT, "has more than %d referrers", LIMIT_REFERRERS);
	if (GROW(image->referrers, image->referrer_capacity, image->referrer_count, e))
		return -1;
	(void)snprintf(r.tag, sizeof(r.tag), "%s", tag ? tag : "");
	if (fill(p, image, &r, e)) {
		free(r.parts);
		return err_at(e, "referrer %s", digest_text(&p->blobs[manifest_blob].promise.digest, text));
	}
	image->referrers[image->referrer_count++] = r;
	return 0;
}

size_t pack_referrers(const struct pack *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->image_count; i++)
		n += p->images[i].referrer_count;
	return n;
}
