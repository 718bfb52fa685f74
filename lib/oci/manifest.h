/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

/*
 * The papers of an image: index (docker: manifest list), manifest, configuration. Bytes in, structs out; the bytes stay
 * the truth and are never written again from the structs. OCI image specification 1.1; docker image manifest v2
 * schema 2. All errors are ERR_CORRUPT unless said.
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"
#include "oci/platform.h"

#include <stdbool.h>
#include <stddef.h>

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_SCHEMA1 "application/vnd.docker.distribution.manifest.v1+json"
#define MEDIA_DOCKER_SCHEMA1_SIGNED "application/vnd.docker.distribution.manifest.v1+prettyjws"

/* The value of an Accept header that asks for every manifest type we know, schema 1 last so that it can be named. */
#define MEDIA_ACCEPT_MANIFESTS                                                                                         \
	MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_LIST ", " MEDIA_DOCKER_MANIFEST                      \
			", " MEDIA_DOCKER_SCHEMA1_SIGNED ", " MEDIA_DOCKER_SCHEMA1

#define MEDIA_TYPE_SIZE 128

/* A descriptor as it stands in an index or manifest. */
struct descriptor {
	struct promise promise;
	char media_type[MEDIA_TYPE_SIZE]; /* "" only where a docker-archive names none */
	struct platform platform;         /* empty unless the descriptor has one */
	bool attestation;                 /* annotation vnd.docker.reference.type is there: not an image */
	bool foreign;                     /* layer with urls[] (nondistributable) */
};

/* Begins a descriptor's object: mediaType, digest, size. The caller may add members, and closes it with jout_end(). */
void descriptor_begin(struct jout *j, const char *media_type, const struct promise *p);

/* An OCI image index as far as its list of descriptors, and the end of both. */
void index_begin(struct jout *j);
void index_end(struct jout *j);

enum paper_kind {
	PAPER_INDEX,    /* OCI index, docker manifest list */
	PAPER_MANIFEST, /* OCI manifest, docker schema 2 */
	PAPER_SCHEMA1   /* docker schema 1, signed or not: named in an error, never loaded */
};

/*
 * What these bytes are. The body's mediaType decides; where it has none, the registry's Content-Type (parameters
 * stripped; NULL or generic ones are ignored), else its keys. Refused: `manifests` together with `layers` or `config`,
 * a mediaType that contradicts its keys, a known Content-Type that contradicts the body (CVE-2021-41190). The media
 * type to be used for a descriptor of these bytes goes to media_type.
 */
int paper_kind(const char *bytes, size_t len, const char *content_type, enum paper_kind *kind,
	       char media_type[MEDIA_TYPE_SIZE], struct err *e);

struct index {
	struct descriptor *entries;
	size_t count;
};
struct index *index_parse(const char *bytes, size_t len, struct err *e);
void index_free(struct index *x);
OWNED(index)

/*
 * Which entry to take for the wanted platform: the best image entry (attestations, unknown platforms and what is
 * neither manifest nor index are skipped; on equal score the first). An entry that names no platform is taken if no
 * other fits, as containerd does: its configuration must be asked. The position, or -1 with ERR_ABSENT and a text that
 * lists what there is.
 */
ptrdiff_t index_choose(const struct index *x, const struct platform *want, struct err *e);

struct manifest {
	struct descriptor config;
	struct descriptor *layers; /* base first; the same one may stand twice */
	size_t count;
	/*
	 * Config and every layer have an image's media types: loadable. False: an artifact (Helm chart, signature,
	 * attestation; some of these carry an image's config and layers of their own).
	 */
	bool image;
	bool has_subject; /* it is a referrer of this one (OCI image specification 1.1); false if it is no descriptor */
	struct digest subject;
	char artifact_type[MEDIA_TYPE_SIZE]; /* the manifest's own, else the config's media type */
};
struct manifest *manifest_parse(const char *bytes, size_t len, struct err *e);
void manifest_free(struct manifest *m);
OWNED(manifest)

/* An image configuration. */
struct config {
	struct platform platform;
	struct digest *diff_ids; /* rootfs.diff_ids: digests of the uncompressed layers, base first */
	size_t count;
	char *created; /* as it stands there, or NULL */
};
struct config *config_parse(const char *bytes, size_t len, struct err *e);
void config_free(struct config *c);
OWNED(config)

enum layer_coding { LAYER_TAR, LAYER_GZIP, LAYER_ZSTD, LAYER_UNKNOWN };
/* From the media type alone; parameters and docker's, OCI's and nondistributable forms are known. */
enum layer_coding layer_coding(const char *media_type);

#endif
