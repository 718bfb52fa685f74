/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_ATTACHED_H
#define FLOW_ATTACHED_H

/*
 * What is attached to the images of a plan: signatures, SBOMs, attestations (oci/referrers.h). Looked for at what the
 * reference points at and at each image manifest that is taken, then once more at what was found (a signature of an
 * SBOM): LIMIT_REFERRER_DEPTH.
 */

#include "flow/choice.h"
#include "flow/library.h"
#include "oci/referrers.h"
#include "pack/pack.h"

struct attachment {
	const struct paper *paper; /* borrowed from the library */
	struct digest subject;
	char tag[REFERRERS_TAG_SIZE]; /* that it came by; "": it names its subject itself */
};

/* Of one image. The first four are the caller's. */
struct attached {
	size_t registry;
	const char *repository;      /* borrowed */
	const char *noun;            /* for messages; borrowed */
	const struct choice *choice; /* borrowed */
	struct attachment *items;
	size_t count;
	size_t capacity;
	uint64_t bytes; /* of them all, papers included; what is shared is counted each time */
};

/*
 * Downloads their manifests into the library and fills the items, in an order that does not depend on the registry.
 * A registry that says nothing of referrers has none. What a list names and is not there, or is none, is left out with
 * a warning. ERR_USAGE: more than LIMIT_REFERRERS or LIMIT_REFERRER_BYTES of one image.
 */
int attached_find(struct attached *images, size_t count, struct registries *registries, struct library *library,
		  struct err *e);
void attached_release(struct attached *a);

/* Their manifests, which stand with the other papers in front of the first layer. */
int attached_add_papers(const struct attached *a, struct pack *pack, struct err *e);
/* The rest, after the image's own parts. */
int attached_add_to_pack(const struct attached *a, struct pack *pack, struct pack_image *image, struct err *e);

#endif
