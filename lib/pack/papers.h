/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PAPERS_H
#define PACK_PAPERS_H

/*
 * The papers that we write: oci-layout, index.json (OCI image layout 1.0), docker's manifest.json, and the TOC,
 * imgpack.json. design.md says what stands in them and why; formats.md which consumer forced it. One line, no spaces,
 * keys in a fixed order. All append to *out.
 */

#include "base/buf.h"
#include "pack/layout.h"
#include "pack/pack.h"

int papers_oci_layout(struct buf *out, struct err *e);

/*
 * One descriptor for each image that has a manifest of kind image (artifacts are named in the TOC alone), with
 * io.containerd.image.name (the full name) and org.opencontainers.image.ref.name: the tag where this is the only
 * descriptor (nothing if the name is by digest), else the full name. A nameless image has no annotations.
 */
int papers_index(const struct pack *p, struct buf *out, struct err *e);

/*
 * One entry for each manifest that is some image's preferred one; several names of it are its RepoTags, in the pack's
 * order. RepoTags null where every name is by digest or absent. Absent layers are listed too.
 */
int papers_docker_manifest(const struct pack *p, struct buf *out, struct err *e);

/*
 * The TOC. `members` are those behind it, in order. Line breaks are for the reader of this comment:
 *
 *     {"imgpack":1,
 *      "images":[{"name":"docker.io/library/nginx:1",            reference_local_name(), or null
 *                 "root":"sha256:...","mediaType":"...",         what index.json points at
 *                 "source":{"digest":"sha256:...","size":1,"mediaType":"..."},        left out if unknown
 *                 "platforms":[{"platform":{"architecture":"arm","os":"linux","variant":"v7"},  left out if empty
 *                               "manifest":"sha256:..."}],       all manifests, in pack_image's order
 *                 "referrers":[{"manifest":"sha256:...",         left out if none
 *                               "tag":"sha256-<hex>.sig",        left out if it came by none
 *                               "subject":"sha256:..."}]}],
 *      "members":[{"name":"blobs/sha256/<hex>","size":1,"sha256":"<hex>"}],
 *      "absent":[{"digest":"sha256:...","size":1}]}              blobs that the archive relies on; left out if none
 *
 * A platform has os.version and variant only where they are not empty.
 */
int papers_toc(const struct pack *p, const struct member *members, size_t count, struct buf *out, struct err *e);

/*
 * What a TOC says, read back. To make the pack from it again: add the blobs of `members` in order, then those of
 * `absent` (marked so), then the images; each manifest with the platform from here (an index entry's, which the config
 * need not repeat), the root's blob with root_media_type (the registry's, which the bytes need not repeat).
 */
struct toc_member {
	char name[MEMBER_NAME_SIZE];
	struct promise promise;
};
struct toc_platform {
	struct platform platform; /* empty if it has none */
	struct digest manifest;
};
struct toc_referrer {
	struct digest manifest;
	struct digest subject;
	char tag[REFERRERS_TAG_SIZE]; /* "": none */
};
struct toc_image {
	char *name; /* NULL: none */
	struct digest root;
	char root_media_type[MEDIA_TYPE_SIZE];
	bool has_source;
	struct promise source;
	char source_media_type[MEDIA_TYPE_SIZE];
	struct toc_platform *platforms; /* one each manifest */
	size_t platform_count;
	struct toc_referrer *referrers;
	size_t referrer_count;
};
struct toc {
	struct toc_image *images;
	size_t image_count;
	struct toc_member *members; /* blobs, then oci-layout, index.json, manifest.json */
	size_t member_count;
	struct promise *absent;
	size_t absent_count;
};

/*
 * ERR_CORRUPT for anything that we would not have written: the bytes must be exactly what papers_toc() makes of the
 * content. Beyond that: members are blobs/sha256/<hex> with <hex> their sha256, each once, then the three papers;
 * roots, manifests and referrers are members; absent blobs are not; names are unique and as reference_local_name()
 * writes them; the sizes fit a file; the counts are within limits.h.
 */
struct toc *toc_parse(const char *bytes, size_t len, struct err *e);
void toc_free(struct toc *t);
OWNED(toc)

#endif
