/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_LAYOUT_H
#define PACK_LAYOUT_H

/*
 * The archive's layout: pure arithmetic from a pack to the offset of every byte. design.md "The archive" is the
 * contract:
 *
 *     imgpack.json  blobs/sha256/<hex>...  oci-layout  index.json  manifest.json  two zero blocks
 *
 * The same pack gives the same bytes always. `fetch` fills it, `verify` recomputes it from the TOC and compares, `load`
 * streams one with papers written anew for its target.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "pack/pack.h"
#include "stream/source.h"
#include "stream/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK 512u
#define TOC_NAME "imgpack.json"
#define OCI_LAYOUT_NAME "oci-layout"
#define INDEX_NAME "index.json"
#define DOCKER_MANIFEST_NAME "manifest.json"
#define BLOB_FOLDER "blobs/sha256/"
#define MEMBER_NAME_SIZE 80 /* longest: blobs/sha256/<64> */

/* "blobs/sha256/<hex>" into out, returned. */
const char *blob_member_name(const struct digest *d, char out[MEMBER_NAME_SIZE]);

struct member {
	char name[MEMBER_NAME_SIZE];
	struct promise promise;
	uint64_t header; /* offset of its 512-byte header */
	uint64_t data;   /* offset of its first byte; padded with zeros to a whole block */
	ptrdiff_t blob;  /* pack->blobs[], or -1 for a paper */
	/* In memory (papers, and blobs with bytes), borrowed from layout or pack; NULL: somewhere else. */
	const char *bytes;
};

struct layout {
	struct member *members;
	size_t count;
	uint64_t size;           /* of the whole tar, end blocks included */
	struct digest id;        /* archive ID: sha256 of the TOC; all zero if there is none */
	const struct pack *pack; /* borrowed */
	/* Owned papers. */
	struct buf toc, oci_layout, index_json, manifest_json;
};

struct layout_options {
	bool no_toc;   /* for a stream to a daemon: blobs and papers alone */
	bool no_index; /* blobs and docker's manifest.json alone (a docker-archive): no TOC either */
};

/*
 * The pack is borrowed for the layout's life, and must not change. Absent blobs have no member. `options` may be NULL.
 * ERR_USAGE if a paper grows over its limit; ERR_CORRUPT if the promised sizes add up to more than a file can have.
 */
struct layout *layout_new(const struct pack *p, const struct layout_options *options, struct err *e);
void layout_free(struct layout *l);
OWNED(layout)

/*
 * Between two members' data lies a gap: the padding of the one before and the header of the one behind; the last gap
 * ends with the two zero blocks.
 */
#define LAYOUT_GAP_MOST (3 * TAR_BLOCK)
struct layout_gap {
	uint64_t off;
	size_t len;
	size_t padding; /* of it, the first bytes, that still belong to the member before */
	char bytes[LAYOUT_GAP_MOST];
};

/* The gap in front of members[i]; i is count: the one behind the last. */
void layout_gap(const struct layout *l, size_t i, struct layout_gap *g);

/* Are these its bytes? And are these the bytes done.. of a member that is in memory? ERR_CORRUPT with offset and
 * member. */
int layout_check_gap(const struct layout *l, size_t i, const char *have, struct err *e);
int layout_check_bytes(const struct member *m, uint64_t done, const char *have, size_t len, struct err *e);

/* Writes everything that is in memory: headers, padding, papers, blobs with bytes, end blocks. */
int layout_write_frame(const struct layout *l, struct space *space, struct err *e);

/*
 * Compares everything between the blobs with what the layout says it must be: the space's size first, then headers,
 * padding, papers and end blocks, front to back. The first difference: ERR_CORRUPT with the byte offset and the member.
 * The blobs' own bytes are not looked at: their digests prove them.
 */
int layout_check_frame(const struct layout *l, struct space *space, struct err *e);

/*
 * Every byte of the space: the frame, and each member against its digest, several at once. ERR_CORRUPT with the first
 * member that is not what it must be.
 */
int layout_prove(const struct layout *l, struct space *space, const struct events *events, struct err *e);

/*
 * What stands at byte `off` and behind it, of at most `len` bytes (off + len <= size): how many of them are of one
 * kind. Of the frame, or in memory: they are copied to buf, and *blob is NULL. Of a blob that is somewhere else: *blob
 * is its member, and *from the offset inside it.
 */
size_t layout_part(const struct layout *l, uint64_t off, size_t len, char *buf, const struct member **blob,
		   uint64_t *from);

/*
 * The whole tar as a stream, front to back. open_blob() gives the bytes of a blob that is not in memory, as a verified
 * source (NULL: every blob is in memory). The source ends only after each blob's source gave exactly the member's size
 * and its own verdict. The layout is borrowed until the source is freed.
 */
typedef struct source *layout_open_blob(void *ctx, const struct pack_blob *blob, struct err *e);
struct source *layout_source(const struct layout *l, layout_open_blob *open_blob, void *ctx, struct err *e);

/*
 * A ustar header of a regular file: mtime 0, uid/gid 0, mode 0644, no user names; sizes of 8 GiB and more in base 256.
 */
void tar_header(char out[TAR_BLOCK], const char *name, uint64_t size);

#endif
