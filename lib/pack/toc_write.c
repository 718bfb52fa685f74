/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/text.h"
#include "oci/reference.h"
#include "pack/toc_text.h"

#include <string.h>

void toc_put_head(struct jout *j)
{
	jout_object(j);
	jout_key(j, "imgpack");
	jout_u64(j, TOC_VERSION);
	jout_key(j, "images");
	jout_array(j);
}

static void put_source(struct jout *j, const struct toc_image *image)
{
	jout_key(j, "source");
	jout_object(j);
	jout_key(j, "digest");
	jout_digest(j, &image->source.digest);
	jout_key(j, "size");
	jout_u64(j, image->source.size);
	jout_key(j, "mediaType");
	jout_text(j, image->source_media_type);
	jout_end(j);
}

/* An archive without any is what it was before there were any. */
static void put_referrers(struct jout *j, const struct toc_image *image)
{
	if (!image->referrer_count)
		return;
	jout_key(j, "referrers");
	jout_array(j);
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct toc_referrer *r = &image->referrers[i];
		jout_object(j);
		jout_key(j, "manifest");
		jout_digest(j, &r->manifest);
		if (*r->tag) {
			jout_key(j, "tag");
			jout_text(j, r->tag);
		}
		jout_key(j, "subject");
		jout_digest(j, &r->subject);
		jout_end(j);
	}
	jout_end(j);
}

void toc_put_image(struct jout *j, const struct toc_image *image)
{
	jout_object(j);
	jout_key(j, "name");
	jout_text(j, image->name);
	jout_key(j, "root");
	jout_digest(j, &image->root);
	jout_key(j, "mediaType");
	jout_text(j, image->root_media_type);
	if (image->has_source)
		put_source(j, image);
	jout_key(j, "platforms");
	jout_array(j);
	for (size_t i = 0; i < image->platform_count; i++) {
		jout_object(j);
		platform_put(j, &image->platforms[i].platform);
		jout_key(j, "manifest");
		jout_digest(j, &image->platforms[i].manifest);
		jout_end(j);
	}
	jout_end(j);
	put_referrers(j, image);
	jout_end(j);
}

void toc_put_middle(struct jout *j)
{
	jout_end(j);
	jout_key(j, "members");
	jout_array(j);
}

void toc_put_member(struct jout *j, const char *name, const struct promise *promise)
{
	char hex[DIGEST_HEX_SIZE];

	jout_object(j);
	jout_key(j, "name");
	jout_text(j, name);
	jout_key(j, "size");
	jout_u64(j, promise->size);
	jout_key(j, "sha256");
	jout_text(j, digest_hex(&promise->digest, hex));
	jout_end(j);
}

void toc_put_absent(struct jout *j, const struct promise *promise, bool first)
{
	if (first) {
		jout_end(j);
		jout_key(j, "absent");
		jout_array(j);
	}
	jout_object(j);
	jout_key(j, "digest");
	jout_digest(j, &promise->digest);
	jout_key(j, "size");
	jout_u64(j, promise->size);
	jout_end(j);
}

void toc_put_tail(struct jout *j)
{
	jout_end(j);
	jout_end(j);
}

bool toc_name_valid(const char *name)
{
	char local[REFERENCE_TEXT_SIZE];
	struct reference r;

	return !reference_parse(&r, name, NULL) && strcmp(reference_local_name(&r, local), name) == 0;
}

/* One image of the pack in the TOC's shape; `platforms` and `referrers` have room for its own. */
static int put_pack_image(struct jout *j, const struct pack *p, const struct pack_image *image,
			  struct toc_platform *platforms, struct toc_referrer *referrers, struct err *e)
{
	const struct pack_blob *root = &p->blobs[image->root];
	char shown[LIMIT_REFERENCE];
	struct toc_image view = {
		.name = image->name,
		.root = root->promise.digest,
		.has_source = image->has_source,
		.source = image->source,
		.platforms = platforms,
		.platform_count = image->manifest_count,
		.referrers = referrers,
		.referrer_count = image->referrer_count,
	};

	if (image->name && !toc_name_valid(image->name))
		return err_set(e, ERR_USAGE, "'%s' is not a full image name, so an archive cannot hold it",
			       text_escape_str(shown, sizeof(shown), image->name));
	memcpy(view.root_media_type, root->media_type, sizeof(view.root_media_type));
	memcpy(view.source_media_type, image->source_media_type, sizeof(view.source_media_type));
	for (size_t i = 0; i < image->manifest_count; i++) {
		const struct pack_manifest *m = &image->manifests[i];
		platforms[i] = (struct toc_platform){ m->platform, p->blobs[m->blob].promise.digest };
	}
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct pack_referrer *r = &image->referrers[i];
		referrers[i] = (struct toc_referrer){ p->blobs[r->blob].promise.digest, r->subject, { 0 } };
		memcpy(referrers[i].tag, r->tag, sizeof(r->tag));
	}
	toc_put_image(j, &view);
	return 0;
}

static int put_images(struct jout *j, const struct pack *p, struct err *e)
{
	size_t most = 0;
	size_t most_referrers = 0;

	for (size_t i = 0; i < p->image_count; i++) {
		if (p->images[i].manifest_count > most)
			most = p->images[i].manifest_count;
		if (p->images[i].referrer_count > most_referrers)
			most_referrers = p->images[i].referrer_count;
	}
	AUTO_MEM struct toc_platform *platforms = calloc(most + 1, sizeof(*platforms));
	AUTO_MEM struct toc_referrer *referrers = calloc(most_referrers + 1, sizeof(*referrers));
	if (!platforms || !referrers)
		return err_memory(e);
	for (size_t i = 0; i < p->image_count; i++)
		if (put_pack_image(j, p, &p->images[i], platforms, referrers, e))
			return -1;
	return 0;
}

int papers_toc(const struct pack *p, const struct member *members, size_t count, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);
	bool any_absent = false;

	toc_put_head(&j);
	if (put_images(&j, p, e))
		return -1;
	toc_put_middle(&j);
	for (size_t i = 0; i < count; i++)
		toc_put_member(&j, members[i].name, &members[i].promise);
	for (size_t i = 0; i < p->blob_count; i++) {
		if (!p->blobs[i].absent)
			continue;
		toc_put_absent(&j, &p->blobs[i].promise, !any_absent);
		any_absent = true;
	}
	toc_put_tail(&j);
	return jout_finish(&j, e);
}
