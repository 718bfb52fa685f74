/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/consumers.h"

#define BIT(c) (1u << (c))
#define GRAPH (BIT(DOCKER_20) | BIT(DOCKER_23))
#define DOCKER (GRAPH | BIT(DOCKER_28))
#define CONTAINERD (BIT(CONTAINERD_16) | BIT(CONTAINERD_21))
#define NODES (CONTAINERD | BIT(K3S))
#define PODMAN (BIT(PODMAN_4) | BIT(PODMAN_5))
#define EVERYONE (BIT(CONSUMER_COUNT) - 1)

const struct consumer_name consumer_names[CONSUMER_COUNT] = {
	[DOCKER_20] = { "docker20", "docker 20.10 to 22" },
	[DOCKER_23] = { "docker23", "docker 23 to 28" },
	[DOCKER_28] = { "docker28", "docker 26 and later with the containerd image store (29's default)" },
	[CONTAINERD_16] = { "containerd1.6", "containerd 1.6 and 1.7, Kubernetes nodes" },
	[CONTAINERD_21] = { "containerd2.1", "containerd 2, Kubernetes nodes" },
	[K3S] = { "k3s", "k3s and RKE2, the agent's images folder" },
	[PODMAN_4] = { "podman4", "podman 4" },
	[PODMAN_5] = { "podman5", "podman 5" },
	[SKOPEO_19] = { "skopeo1.9", "skopeo 1.9 (Debian 12)" },
	[REGISTRY] = { "registry", "a registry: distribution, Harbor" },
};

/* clang-format off */
const struct consumer_fact consumer_facts[] = {
	{ BIT(DOCKER_20), TRAIT_ZSTD_LAYERS, REFUSES, ANY_WAY,
	  "has zstd layers, which docker before 23 cannot unpack (\"invalid tar header\")" },
	{ GRAPH, TRAIT_MANY_LAYERS, REFUSES, ANY_WAY, "has more than 125 layers: docker's graph drivers stack no more (\"max depth exceeded\")" },
	{ EVERYONE, TRAIT_LEFT_OUT, REFUSES, ANY_WAY,
	  "has foreign layers that are not in the archive: the other side has to fetch them from their own site" },
	{ EVERYONE & ~BIT(REGISTRY), TRAIT_NO_PLATFORM, REFUSES, ANY_WAY, "has no image for this platform" },
	{ EVERYONE & ~(BIT(SKOPEO_19) | BIT(K3S)), TRAIT_THIN, LOSES, ANY_WAY,
	  "relies on layers that are not in the archive: it loads only where they are already" },
	{ BIT(SKOPEO_19) | BIT(K3S), TRAIT_THIN, REFUSES, ANY_WAY,
	  "relies on layers that are not in the archive, and nobody looks there whether they are on the other side" },
	{ PODMAN, TRAIT_THIN, REFUSES, OWN_TOOL, "podman load refuses an archive without all its layers (\"no such file\")" },
	{ BIT(REGISTRY), TRAIT_SPARSE, REFUSES, ANY_WAY,
	  "its index names platforms that are not in the archive, and a registry takes no such index: convert the archive, or load with --platform" },
	{ NODES, TRAIT_SPARSE, REFUSES, OWN_TOOL,
	  "its index names platforms that are not in the archive: ctr images import --all-platforms (kind, older k3s) fails (\"not found\")" },
	{ BIT(DOCKER_28), TRAIT_SPARSE, LOSES, OWN_TOOL,
	  "its index names platforms that are not in the archive: docker push of it fails, or hangs" },
	{ BIT(REGISTRY), TRAIT_LARGE_PAPER, REFUSES, ANY_WAY, "has a manifest larger than the 4 MiB that registries take" },
	{ BIT(REGISTRY), TRAIT_NAMELESS, REFUSES, ANY_WAY, "has no name: load it with --name DIGEST=NAME" },
	{ NODES, TRAIT_NAMELESS, REFUSES, ANY_WAY, "has no name: containerd imports nothing; load it with --name DIGEST=NAME" },
	{ DOCKER | PODMAN, TRAIT_NAMELESS, LOSES, ANY_WAY, "has no name: it is listed as <none>, by its ID alone" },
	{ GRAPH, TRAIT_DIGEST_NAME, LOSES, ANY_WAY,
	  "was fetched by digest alone: docker's graph drivers keep no manifest digests, so it is listed as <none>" },
	{ EVERYONE, TRAIT_MADE_UP, LOSES, ANY_WAY,
	  "has no manifest of a registry in this archive: the digest that it had there does not find it" },
	{ BIT(SKOPEO_19), TRAIT_DOCKER_TYPE, LOSES, ANY_WAY,
	  "has a docker-type manifest, which skopeo 1.9 does not find by name: leave the name out (oci-archive:FILE)" },
	{ NODES, TRAIT_PINNED, LOSES, OWN_TOOL,
	  "ctr images import makes the tag alone: pods that name it by digest pull in vain" },
	{ PODMAN, TRAIT_SEVERAL, LOSES, OWN_TOOL, "podman load of several images at once drops the registries' digests" },
	{ BIT(SKOPEO_19), TRAIT_SEVERAL, LOSES, ANY_WAY, "skopeo wants one image named: oci-archive:FILE:NAME" },
	{ GRAPH, TRAIT_OCI_ONLY, REFUSES, OWN_TOOL, "has no manifest.json, which is all that docker load reads there" },
	{ BIT(SKOPEO_19), TRAIT_DOCKER_ONLY, LOSES, ANY_WAY, "skopeo's docker-archive: compresses the layers anew, under new digests" },
	{ EVERYONE & ~(BIT(REGISTRY) | BIT(SKOPEO_19)), TRAIT_CHUNKS, REFUSES, OWN_TOOL,
	  "is in chunks: the program's own load wants them joined (cat FILE.*)" },
	{ BIT(SKOPEO_19), TRAIT_CHUNKS, REFUSES, ANY_WAY, "is in chunks: join them first (cat FILE.*)" },
	{ BIT(CONTAINERD_16) | BIT(PODMAN_4), TRAIT_GZIP, REFUSES, OWN_TOOL, "is compressed with gzip outside: unpack it first" },
	{ BIT(SKOPEO_19), TRAIT_GZIP, REFUSES, ANY_WAY, "is compressed with gzip outside: unpack it first" },
	{ BIT(CONTAINERD_16) | BIT(DOCKER_20), TRAIT_ZSTD, REFUSES, OWN_TOOL, "is compressed with zstd outside: unpack it first" },
	{ BIT(K3S), TRAIT_ZSTD, LOSES, OWN_TOOL,
	  "is compressed with zstd outside: k3s reads windows of 32 MiB at most (zstd --long=25)" },
	{ NODES | BIT(DOCKER_28) | BIT(DOCKER_23), TRAIT_XZ, REFUSES, OWN_TOOL, "is compressed with xz outside: unpack it first" },
	{ CONTAINERD, TRAIT_BZIP2, REFUSES, OWN_TOOL, "is compressed with bzip2 outside: unpack it first" },
	{ BIT(SKOPEO_19), TRAIT_LZ4, REFUSES, ANY_WAY, "is compressed with lz4 outside: unpack it first" },
	{ DOCKER | CONTAINERD | PODMAN, TRAIT_LZ4, REFUSES, OWN_TOOL, "is compressed with lz4 outside: unpack it first" },
};
/* clang-format on */

const size_t consumer_fact_count = sizeof(consumer_facts) / sizeof(consumer_facts[0]);
