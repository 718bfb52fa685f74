/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/load_receipt.h"

#include "flow/report.h"
#include "pack/select.h"

/* Of an image loaded by --platform its receipt names that platform alone. */
static void fill_receipt(struct receipt_image *to, const struct load_options *o, const struct flow_image *from,
			 const struct pack_image *image, const struct pack *p, const struct loaded *loaded)
{
	*to = (struct receipt_image){
		.name = from->name,
		.digest = loaded->digest,
		.loaded_as = loaded->loaded_as,
		.had_it = loaded->had_it,
		.platforms = from->platforms,
		.platform_count = from->platform_count,
	};
	ptrdiff_t chosen = o->platform ? pack_image_choose(image, o->platform, NULL) : -1;
	if (chosen < 0)
		return;
	const struct digest *manifest = &p->blobs[image->manifests[chosen].blob].promise.digest;
	for (size_t i = 0; i < from->platform_count; i++) {
		if (!digest_equal(&from->platforms[i].manifest, manifest))
			continue;
		to->platforms = &from->platforms[i];
		to->platform_count = 1;
		return;
	}
}

int load_receipt(struct receipt_file *file, const struct load_options *o, const struct archive *a, const char *target,
		 const struct load_result *result, struct err *e)
{
	const struct pack *pack = a->file->pack;
	struct flow_images images = { 0 };
	AUTO_MEM struct receipt_image *items = calloc(result->count + 1, sizeof(*items));
	const struct receipt r = {
		.command = "load",
		.archive = a->name,
		.id = a->file->layout ? &a->file->layout->id : NULL,
		.target = target,
		.images = items,
		.count = result->count,
		.sent_bytes = result->sent_bytes,
		.skipped_bytes = result->skipped_bytes,
	};

	if (!items)
		return err_memory(e);
	if (report_images(&images, pack, e))
		return -1;
	for (size_t i = 0; i < result->count; i++)
		fill_receipt(&items[i], o, &images.items[i], &pack->images[i], pack, &result->images[i]);
	int rc = receipt_write(file, &r, e);
	report_images_release(&images);
	return rc;
}
