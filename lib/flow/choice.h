/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_CHOICE_H
#define FLOW_CHOICE_H

/*
 * Which platforms of one image travel. A reference points at a manifest or at an index; of an index the wanted
 * platforms are taken (or everything it names), and the papers of each are read by the plan and handed in with
 * choice_take().
 */

#include "flow/flow.h"
#include "flow/library.h"
#include "pack/pack.h"

struct choice_options {
	const struct platform *platforms; /* none: platform_default() */
	size_t platform_count;
	bool whole; /* everything the index names, attestations included: its digest needs them */
};

struct chosen {
	struct descriptor descriptor;
	const struct paper *paper;  /* an index (nested) or a manifest; NULL: not read yet */
	struct manifest *manifest;  /* owned; NULL until read, or for a nested index */
	const struct paper *config; /* of an image; NULL until read */
	unsigned depth;             /* 1: in the source index; 2: in an index inside it */
};

struct choice {
	const struct paper *source;
	bool whole;
	bool narrowed; /* some of the source index's platforms were left out */
	struct chosen *items;
	size_t count;
	size_t capacity;
};

/* ERR_ABSENT if the platform is not there or the image is of a kind nobody loads any more (docker schema 1). */
struct choice *choice_new(const struct paper *source, const struct choice_options *options, struct err *e);
void choice_free(struct choice *c);
OWNED(choice)

/* Hands in the paper of items[i] that is asked for next: first its manifest (or nested index, whose entries are
 * appended). */
int choice_take(struct choice *c, size_t i, const struct paper *paper, struct err *e);

/*
 * A single manifest, and an index entry without a platform, say theirs only in the configuration: with --platform
 * another one is ERR_ABSENT, without it a warning.
 */
int choice_check_platform(const struct choice *c, const struct fetch_options *o, const char *noun, struct err *e);

/*
 * Adds the papers alone: indexes, manifests, configurations. Of several platforms that are not the whole index, a new
 * index names just these (written by us, shelved in `library`); the original index stands beside it as a blob.
 */
int choice_add_papers(const struct choice *c, struct pack *pack, struct library *library, struct err *e);

/* What a person should know before it travels. `image` is what became of the choice in the pack. */
void choice_say(const struct choice *c, const struct pack *pack, const struct pack_image *image, bool by_digest,
		const char *noun, const struct events *events);

/* Fills root and manifests of `image` and adds what is not a paper, after choice_add_papers(). */
int choice_add_to_pack(const struct choice *c, struct pack *pack, struct pack_image *image, struct library *library,
		       struct err *e);

#endif
