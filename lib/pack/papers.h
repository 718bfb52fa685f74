/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PAPERS_H
#define PACK_PAPERS_H

/*
 * The papers that we write: oci-layout, index.json (OCI image layout 1.0), docker's manifest.json, and the TOC,
 * imgpack.json. design.md says what stands in them and why; formats.md which consumer forced it. One line, no spaces, keys
 * in a fixed order. All append to *out.
 */

#include "base/buf.h"
#include "pack/layout.h"
#include "pack/pack.h"

int papers_oci_layout(struct buf *out, struct err *e);

/* One descriptor an image name, with io.containerd.image.name and org.opencontainers.image.ref.name. */
int papers_index(const struct pack *p, struct buf *out, struct err *e);

/* One entry an image: its preferred manifest. RepoTags null where the name is by digest or absent. */
int papers_docker_manifest(const struct pack *p, struct buf *out, struct err *e);

/*
 * The TOC: {"imgpack":1,"images":[{"name","root","source":{"digest","size","mediaType"},"platforms":[{"platform","manifest"}]}],
 * "members":[{"name","size","sha256"}]}. `members` are those behind the TOC, in order.
 */
int papers_toc(const struct pack *p, const struct member *members, size_t count, struct buf *out, struct err *e);

/* What a TOC says, read back. ERR_CORRUPT for anything we would not have written. */
struct toc_member {
	char name[80];
	struct promise promise;
};
struct toc_image {
	char *name;
	struct digest root;
	bool has_source;
	struct promise source;
	char source_media_type[MEDIA_TYPE_SIZE];
};
struct toc {
	struct toc_image *images;
	size_t image_count;
	struct toc_member *members;
	size_t member_count;
};
struct toc *toc_parse(const char *bytes, size_t len, struct err *e);
void toc_free(struct toc *t);
OWNED(toc)

#endif
