/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/where.h"

#include "base/text.h"
#include "oci/platform.h"

#include <stdio.h>
#include <string.h>

/* The role of a blob in an image: "layer 2", "config"; with the platform, where there are several. */
static bool use_in(const struct pack *p, const struct pack_image *image, size_t blob, char out[WHERE_SIZE])
{
	char platform[PLATFORM_TEXT_SIZE];

	if (image->root == blob) {
		(void)snprintf(out, WHERE_SIZE, "%s", blob_role_text(p->blobs[blob].role));
		return true;
	}
	for (size_t m = 0; m < image->manifest_count; m++) {
		const struct pack_manifest *pm = &image->manifests[m];
		size_t layer = 0;
		while (layer < pm->layer_count && pm->layers[layer] != blob)
			layer++;
		if (layer == pm->layer_count && pm->config != blob && pm->blob != blob)
			continue;
		bool several = image->manifest_count > 1;
		platform_text(&pm->platform, platform);
		if (layer < pm->layer_count)
			(void)snprintf(out, WHERE_SIZE, "layer %zu%s%s", layer + 1, several ? " for " : "",
				       several ? platform : "");
		else
			(void)snprintf(out, WHERE_SIZE, "%s%s%s", blob_role_text(p->blobs[blob].role),
				       several ? " for " : "", several ? platform : "");
		return true;
	}
	return false;
}

static void name_blob(const struct pack *p, size_t blob, struct where *out)
{
	char use[WHERE_SIZE];
	char name[200];

	for (size_t i = 0; i < p->image_count; i++) {
		if (!use_in(p, &p->images[i], blob, use))
			continue;
		out->image = p->images[i].name;
		(void)snprintf(out->text, sizeof(out->text), "%.100s of %s", use,
			       out->image ? text_escape_str(name, sizeof(name), out->image)
					  : "an image without a name");
		return;
	}
}

/* The member whose header, data or padding this is; behind the last one stand the end blocks. */
static size_t member_at(const struct layout *l, uint64_t offset)
{
	size_t low = 0, high = l->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (l->members[middle].header <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool where_find(const struct pack_file *f, uint64_t offset, uint64_t length, struct where *out)
{
	if (!f || !f->layout || !f->layout->count || offset >= f->layout->size)
		return false;
	const struct layout *l = f->layout;
	const size_t first = member_at(l, offset);
	const size_t last = member_at(l, length ? offset + length - 1 : offset);
	const struct member *m = &l->members[first];

	*out = (struct where){ .member = m->name };
	(void)snprintf(out->text, sizeof(out->text), "%s", m->name);
	if (m->blob >= 0)
		name_blob(f->pack, (size_t)m->blob, out);
	const size_t len = strlen(out->text);
	if (last > first)
		(void)snprintf(out->text + len, sizeof(out->text) - len, " and %zu member%s behind it", last - first,
			       last - first == 1 ? "" : "s");
	return true;
}
