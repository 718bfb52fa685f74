/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/uses.h"

static void note_use(struct blob_use *u, const char *image, const struct digest *diff_id)
{
	if (!u->image)
		u->image = image;
	if (!diff_id)
		return;
	if (u->diff_id && !digest_equal(u->diff_id, diff_id))
		u->disagree = true;
	u->diff_id = diff_id;
}

void blob_uses_note(const struct pack *p, struct blob_use *uses)
{
	for (size_t i = 0; i < p->image_count; i++) {
		const struct pack_image *image = &p->images[i];
		note_use(&uses[image->root], image->name, NULL);
		for (size_t m = 0; m < image->manifest_count; m++) {
			const struct pack_manifest *pm = &image->manifests[m];
			note_use(&uses[pm->blob], image->name, NULL);
			note_use(&uses[pm->config], image->name, NULL);
			for (size_t k = 0; k < pm->layer_count; k++)
				note_use(&uses[pm->layers[k]], image->name, pm->diff_ids ? &pm->diff_ids[k] : NULL);
		}
		for (size_t r = 0; r < image->referrer_count; r++) {
			note_use(&uses[image->referrers[r].blob], image->name, NULL);
			for (size_t k = 0; k < image->referrers[r].part_count; k++)
				note_use(&uses[image->referrers[r].parts[k]], image->name, NULL);
		}
	}
}

int blob_use_check(const struct blob_use *u, const struct digest *have, struct err *e)
{
	char a[DIGEST_TEXT_SIZE];
	char b[DIGEST_TEXT_SIZE];

	if (u->disagree)
		return err_set(e, ERR_CORRUPT, "two images promise different content of this layer");
	if (digest_equal(u->diff_id, have))
		return 0;
	return err_set(e, ERR_CORRUPT, "its content has diff ID %s, the image's config promises %s",
		       digest_text(have, a), digest_text(u->diff_id, b));
}
