/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/foreign.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/reference.h"
#include "pack/blob_read.h"

#include <inttypes.h>
#include <string.h>

int foreign_read(struct pack_file *f, const struct tar_member *t, size_t max, struct buf *out, struct err *e)
{
	char shown[160];

	text_escape_str(shown, sizeof(shown), t->name);
	if (t->size > max)
		return err_set(e, ERR_CORRUPT, "%s: %" PRIu64 " bytes, the limit is %zu", shown, t->size, max);
	AUTO(source) s = source_space(f->space, t->offset, t->size, e);
	return s && !source_slurp(s, max, out, e) ? 0 : err_at(e, "%s", shown);
}

static bool name_taken(const struct pack *p, const char *name)
{
	for (size_t i = 0; i < p->image_count; i++)
		if (p->images[i].name && !strcmp(p->images[i].name, name))
			return true;
	return false;
}

int foreign_add_image(struct pack_file *f, const char *text, struct pack_image **out, struct err *e)
{
	struct reference r;
	char name[REFERENCE_TEXT_SIZE] = "";
	char shown[160];

	*out = NULL;
	if (text && !reference_parse(&r, text, NULL))
		reference_local_name(&r, name);
	else if (text && pack_file_doubt(f, e, "\"%s\" is no image name: the image is left without one",
					 text_escape_str(shown, sizeof(shown), text)))
		return -1;
	if (*name && name_taken(f->pack, name))
		return pack_file_doubt(f, e, "%s stands in the archive twice: the first one counts", name);
	*out = pack_add_image(f->pack, *name ? name : NULL, e);
	return *out ? 0 : -1;
}

int foreign_open(struct pack_file *f, struct err *e)
{
	AUTO(members) m = members_scan(f->space, e);

	if (!m)
		return -1;
	if (members_find(m, "index.json") && members_find(m, "oci-layout"))
		return oci_layout_open(f, m, e);
	if (members_find(m, "manifest.json"))
		return docker_archive_open(f, m, e);
	if (members_find(m, "repositories"))
		return err_set(e, ERR_CORRUPT,
			       "was saved by a docker older than 1.10, without image IDs; load it there and save it "
			       "again with a newer docker");
	return err_set(e, ERR_CORRUPT, "is a tar without index.json and manifest.json: not an image archive");
}
