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

struct pack_image *foreign_find_image(const struct pack *p, const char *name)
{
	for (size_t i = 0; i < p->image_count; i++)
		if (p->images[i].name && !strcmp(p->images[i].name, name))
			return &p->images[i];
	return NULL;
}

int foreign_add_image(struct pack_file *f, const char *text, size_t root, struct pack_image **out, struct err *e)
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
	/* Two tags that are no names are one image without a name. */
	for (size_t i = 0; !*name && i < f->pack->image_count; i++)
		if (!f->pack->images[i].name && f->pack->images[i].root == root)
			return 0;
	const struct pack_image *other = *name ? foreign_find_image(f->pack, name) : NULL;
	if (other && other->root == root)
		return 0;
	if (other)
		return pack_file_doubt(f, e, "%s stands in the archive for two images: the first one counts", name);
	*out = pack_add_image(f->pack, *name ? name : NULL, e);
	if (!*out)
		return -1;
	(*out)->root = root;
	return 0;
}

/* What a tar without papers may be instead. */
static int refuse_tar(const struct members *m, struct err *e)
{
	static const char *const rootfs[] = { "etc/passwd", "bin/sh", "usr/bin/env", "etc/os-release", ".dockerenv" };
	char shown[160];

	if (members_find(m, "repositories"))
		return err_set(e, ERR_CORRUPT,
			       "was saved by a docker older than 1.10, without image IDs; load it there and save it "
			       "again with a newer docker");
	for (size_t i = 0; i < sizeof(rootfs) / sizeof(rootfs[0]); i++)
		if (members_find(m, rootfs[i]))
			return err_set(e, ERR_CORRUPT,
				       "is a file system (docker export), not an image: docker import takes it");
	for (size_t i = 0; i < m->count; i++) {
		const char *slash = strchr(m->items[i].name, '/');
		if (!slash || (strcmp(slash + 1, "index.json") != 0 && strcmp(slash + 1, "manifest.json") != 0))
			continue;
		text_escape(shown, sizeof(shown), m->items[i].name, (size_t)(slash - m->items[i].name));
		return err_set(e, ERR_CORRUPT,
			       "holds an image in its folder %s; make the tar inside of it: tar -C %s -cf x.tar .",
			       shown, shown);
	}
	for (size_t i = 0; i < m->count; i++) {
		const char *slash = strchr(m->items[i].name, '/');
		if (slash && !strcmp(slash + 1, "Chart.yaml"))
			return err_set(e, ERR_CORRUPT, "is a Helm chart, not an image");
	}
	return err_set(e, ERR_CORRUPT, "is a tar without index.json and manifest.json: not an image archive");
}

int foreign_open(struct pack_file *f, struct err *e)
{
	AUTO(members) m = members_scan(f->space, e);

	if (!m)
		return -1;
	if (members_find(m, INDEX_NAME) && members_find(m, OCI_LAYOUT_NAME))
		return oci_layout_open(f, m, e);
	if (members_find(m, DOCKER_MANIFEST_NAME))
		return docker_archive_open(f, m, e);
	if (members_find(m, INDEX_NAME))
		return err_set(e, ERR_CORRUPT, "has index.json but no oci-layout: a part of an OCI archive is missing");
	return refuse_tar(m, e);
}
