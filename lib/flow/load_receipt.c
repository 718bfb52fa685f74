/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/load_receipt.h"

#include "flow/report.h"
#include "pack/select.h"

/* Of an image loaded by --platform its receipt names that platform alone. */
static void fill_receipt(struct receipt_image *to, const struct receipt_of *of, const struct flow_image *from,
			 const struct pack_image *image, const struct loaded *loaded)
{
	*to = (struct receipt_image){
		.name = from->name,
		.digest = loaded->digest,
		.loaded_as = loaded->loaded_as,
		.had_it = loaded->had_it,
		.platforms = from->platforms,
		.platform_count = from->platform_count,
	};
	ptrdiff_t chosen = of->platform ? pack_image_choose(image, of->platform, NULL) : -1;
	if (chosen < 0)
		return;
	const struct digest *manifest = &of->pack->blobs[image->manifests[chosen].blob].promise.digest;
	for (size_t i = 0; i < from->platform_count; i++) {
		if (!digest_equal(&from->platforms[i].manifest, manifest))
			continue;
		to->platforms = &from->platforms[i];
		to->platform_count = 1;
		return;
	}
}

int load_receipt(struct receipt_file *file, const struct receipt_of *of, struct err *e)
{
	struct flow_images images = { 0 };
	AUTO_MEM struct receipt_image *items = calloc(of->result->count + 1, sizeof(*items));
	const struct receipt r = {
		.command = of->command,
		.archive = of->archive,
		.id = of->id,
		.target = of->target,
		.images = items,
		.count = of->result->count,
		.sent_bytes = of->result->sent_bytes,
		.skipped_bytes = of->result->skipped_bytes,
	};

	if (!items)
		return err_memory(e);
	if (report_images(&images, of->pack, e))
		return -1;
	for (size_t i = 0; i < of->result->count; i++)
		fill_receipt(&items[i], of, &images.items[i], &of->pack->images[i], &of->result->images[i]);
	int rc = receipt_write(file, &r, e);
	report_images_release(&images);
	return rc;
}
