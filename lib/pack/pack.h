/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PACK_H
#define PACK_PACK_H

/*
 * What an archive holds, as plain data: images, their manifests, and the blobs they are made of, each once. `fetch`
 * builds one from a registry's papers, open.h builds one from a file; layout.h turns one into the bytes of a tar,
 * without touching a disk. Indexes into pack->blobs are used instead of pointers, so the array may grow.
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"
#include "oci/manifest.h"
#include "oci/referrers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a blob is to the images; the first use decides. */
enum blob_role { BLOB_INDEX, BLOB_MANIFEST, BLOB_CONFIG, BLOB_LAYER, BLOB_OTHER };

/* "index", "manifest", "config", "layer", "blob" */
const char *blob_role_text(enum blob_role role);

struct pack_blob {
	struct promise promise;
	enum blob_role role;
	char media_type[MEDIA_TYPE_SIZE]; /* of its descriptor; "" if none names it */
	bool absent; /* named, but not in the archive (shipped earlier, or a foreign layer left out) */
	/* Where its bytes are, for whoever built the pack: */
	char *bytes;     /* owned, in memory (papers); or NULL */
	uint64_t offset; /* in the archive's space, if bytes is NULL (open.h); unused by fetch */
};

/* One platform of an image: a manifest with its config and layers. */
struct pack_manifest {
	size_t blob; /* the manifest itself */
	struct platform platform;
	bool image;     /* false: attestation or other artifact: travels along, is never listed or loaded alone */
	size_t config;  /* blob */
	size_t *layers; /* blobs, base first */
	size_t layer_count;
	struct digest *diff_ids; /* of the layers, from the config; count is layer_count if image (checked), else 0 */
};

/* What belongs to an image without being part of it (oci/referrers.h): it travels along, and is never loaded as one. */
struct pack_referrer {
	size_t blob;   /* its manifest */
	size_t *parts; /* blobs: its config and layers */
	size_t part_count;
	struct digest subject;
	char tag[REFERRERS_TAG_SIZE]; /* that it came by; "": the manifest itself names its subject */
	char type[MEDIA_TYPE_SIZE];   /* its artifact type */
};

/* One name. */
struct pack_image {
	char *name;  /* reference_local_name() of what was asked for; NULL: an archive without names */
	size_t root; /* blob: what the name points at, an index or a manifest */
	bool has_source;
	struct promise source; /* what the registry's tag pointed at: the original index, or the same as root */
	char source_media_type[MEDIA_TYPE_SIZE];
	struct pack_manifest *manifests; /* in the root's order */
	size_t manifest_count;
	size_t manifest_capacity; /* private to pack.c */
	size_t preferred; /* manifests[]: the one docker's manifest.json names: linux/amd64, else the first image */
	struct pack_referrer *referrers;
	size_t referrer_count;
	size_t referrer_capacity; /* private to referrer.c */
};

struct pack {
	struct pack_image *images;
	size_t image_count;
	struct pack_blob *blobs; /* in the order in which they stand in the archive */
	size_t blob_count;
	/* Private to pack.c. */
	size_t image_capacity;
	size_t blob_capacity;
	struct digestmap *by_digest;
	struct digestmap *by_name; /* sha256 of the name -> images[] */
};

struct pack *pack_new(struct err *e);
void pack_free(struct pack *p);
OWNED(pack)

/*
 * Adds a blob, or finds it: its index. The same digest with another size is ERR_CORRUPT. `bytes` (NULL, or promise.size
 * bytes) are copied; a blob that is there without bytes gets them, one without a media type gets it, and one that is
 * BLOB_OTHER so far gets the role. `media_type` may be NULL. More than LIMIT_MEMBERS blobs: ERR_USAGE. -1 on error.
 */
ptrdiff_t pack_add_blob(struct pack *p, const struct promise *promise, enum blob_role role, const char *media_type,
			const char *bytes, struct err *e);

/* The blob with this digest, or -1. */
ptrdiff_t pack_find_blob(const struct pack *p, const struct digest *d);

/*
 * Adds an image: `name` copied (NULL allowed). The caller fills root, source and manifests afterwards through the
 * returned pointer, which the next pack_add_image() may move. A name that is there already: ERR_USAGE. NULL on error.
 */
struct pack_image *pack_add_image(struct pack *p, const char *name, struct err *e);

/*
 * Adds the manifest at blob `manifest_blob` (its bytes must be in memory or given here) to an image: parses it and its
 * config, adds config and layers as blobs, checks that diff IDs and layers are equally many. `config_bytes` may be NULL
 * for an artifact, or if the config is a blob with bytes already; they are proved against the manifest's descriptor.
 * `platform` (from the index entry, or from the TOC) may be NULL or empty: the config's is taken. After an error the
 * pack may hold some of the blobs; the image is as it was.
 */
int pack_image_add_manifest(struct pack *p, struct pack_image *image, size_t manifest_blob,
			    const struct platform *platform, bool attestation, const char *config_bytes,
			    size_t config_len, struct err *e);

/*
 * Adds what refers to an image, whose root, source and manifests are complete, by the manifest at `manifest_blob` (its
 * bytes must be in memory): its config and layers become blobs. `tag` NULL or "": none. ERR_CORRUPT: the subject is
 * neither of the image nor a referrer that was added before; neither the tag nor the manifest names it; it is there
 * twice; more than LIMIT_REFERRERS.
 */
int pack_image_add_referrer(struct pack *p, struct pack_image *image, size_t manifest_blob, const char *tag,
			    const struct digest *subject, struct err *e);

/* How many all images have. */
size_t pack_referrers(const struct pack *p);

/* Sets image->preferred; ERR_ABSENT if no manifest is an image. */
int pack_image_choose_preferred(struct pack_image *image, struct err *e);

/* Bytes of an image as stored: each of its blobs once, without its referrers. */
uint64_t pack_image_bytes(const struct pack *p, const struct pack_image *image);

#endif
