/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_CONSUMERS_H
#define FLOW_CONSUMERS_H

/*
 * What programs on the other side cannot do: facts, which flow/fits.c applies. Tried with the real programs, but for
 * more layers than docker stacks, lz4 outside and k3s, which are as their documentation has them.
 */

#include <stddef.h>

enum consumer {
	DOCKER_20, /* 20.10 to 22 */
	DOCKER_23, /* 23 to 28, graph driver */
	DOCKER_28, /* 26 and later, containerd's image store: what 29 begins with */
	CONTAINERD_16,
	CONTAINERD_21,
	K3S,
	PODMAN_4,
	PODMAN_5,
	SKOPEO_19,
	REGISTRY,
	CONSUMER_COUNT
};

struct consumer_name {
	const char *name;  /* as --target takes it */
	const char *about; /* for a person */
};
extern const struct consumer_name consumer_names[CONSUMER_COUNT];

/* What an image, or the archive, has or lacks. */
enum trait {
	TRAIT_ZSTD_LAYERS,
	TRAIT_MANY_LAYERS, /* more than docker's graph drivers stack */
	TRAIT_THIN,        /* layers that the archive relies on */
	TRAIT_LEFT_OUT,    /* foreign layers (urls) that are not in it */
	TRAIT_SPARSE,      /* its index names platforms that are not there */
	TRAIT_NO_PLATFORM, /* the platform that was asked about */
	TRAIT_NAMELESS,
	TRAIT_DIGEST_NAME, /* by digest alone */
	TRAIT_MADE_UP,     /* no manifest of a registry */
	TRAIT_DOCKER_TYPE, /* schema 2 manifest */
	TRAIT_LARGE_PAPER, /* a manifest larger than registries take */
	TRAIT_PINNED,      /* any named image: pods may ask for it by digest */
	/* Of the archive: */
	TRAIT_SEVERAL, /* images or names */
	TRAIT_OCI_ONLY,
	TRAIT_DOCKER_ONLY,
	TRAIT_CHUNKS,
	TRAIT_GZIP,
	TRAIT_BZIP2,
	TRAIT_XZ,
	TRAIT_ZSTD,
	TRAIT_LZ4,
	TRAIT_COUNT
};

/* REFUSES: it does not load. LOSES: it loads, and something is not as it was. */
enum weight { REFUSES, LOSES };
/* ANY_WAY: `imgpack load` cannot help it either, or there is none for it (skopeo). OWN_TOOL: only the program's own
 * load; imgpack writes papers anew. */
enum way { ANY_WAY, OWN_TOOL };

struct consumer_fact {
	unsigned consumers; /* 1u << consumer, of all that it is true of */
	enum trait trait;
	enum weight weight;
	enum way way;
	const char *why; /* what happens, and what to do */
};
extern const struct consumer_fact consumer_facts[];
extern const size_t consumer_fact_count;

#define DOCKER_LAYERS_MOST 125         /* moby: layers on each other that a graph driver is given */
#define REGISTRY_PAPER_MOST (4u << 20) /* distribution: a manifest's bytes */

#endif
