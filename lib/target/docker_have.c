/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/text.h"
#include "pack/tar_names.h"
#include "target/docker_api.h"
#include "target/have.h"

#include <stdio.h>
#include <string.h>

/* In one export: what they share passes once, and the names stay within what a server takes as a URL. */
#define EXPORT_IMAGES 100

struct looking {
	struct docker *docker;
	struct inventory *inventory;
	const struct events *events;
	struct digest *ids;
	size_t count;
};

/* The IDs of all images, each once; GET /images/json leaves out what a build went through, which is below an image. */
static int read_ids(struct looking *l, struct err *e)
{
	struct jdoc *answer = NULL;
	AUTO(digestmap) seen = digestmap_new(e);

	if (!seen || docker_get(l->docker, "/images/json", false, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	const struct jval *images = jdoc_root(doc);
	l->ids = calloc(jval_count(images) + 1, sizeof(*l->ids));
	if (!l->ids)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(images); i++) {
		struct digest *id = &l->ids[l->count];
		if (jval_get_digest(jval_at(images, i), "Id", true, id, e)) {
			if (e && e->kind == ERR_CORRUPT)
				e->kind = ERR_TARGET;
			return err_at(e, "/images/json");
		}
		if (digestmap_get(seen, id) >= 0)
			continue;
		if (digestmap_put(seen, id, 0, e))
			return -1;
		l->count++;
	}
	return 0;
}

/* An image's diff IDs, base first. One that was removed meanwhile has none. */
static int add_layers(const struct looking *l, const struct digest *id, struct err *e)
{
	char path[DIGEST_TEXT_SIZE + 16];
	char text[DIGEST_TEXT_SIZE];
	struct jdoc *answer = NULL;

	(void)snprintf(path, sizeof(path), "/images/%s/json", digest_text(id, text));
	if (docker_get(l->docker, path, true, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	const struct jval *layers = doc ? jval_get(jval_get(jdoc_root(doc), "RootFS"), "Layers") : NULL;
	const size_t count = jval_count(layers);
	AUTO_MEM struct digest *diff_ids = calloc(count + 1, sizeof(*diff_ids));
	if (!diff_ids)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		const char *layer = jval_text(jval_at(layers, i));
		if (!layer || digest_parse(&diff_ids[i], layer, strlen(layer), NULL))
			return err_set(e, ERR_TARGET, "%s: layer %zu has no diff ID", path, i + 1);
	}
	return inventory_add_chains(l->inventory, diff_ids, count, e);
}

/* "blobs/sha256/<hex>" */
static int add_member(void *ctx, const char *name, bool regular, uint64_t size, struct err *e)
{
	static const char folder[] = "blobs/sha256/";
	struct digest d;

	(void)size;
	if (!regular || !text_starts(name, folder) ||
	    !digest_parse_hex(&d, name + strlen(folder), strlen(name) - strlen(folder)))
		return 0;
	return inventory_add(ctx, HAVE_BLOB, &d, e);
}

static int export_images(const struct looking *l, size_t from, size_t count, struct err *e)
{
	AUTO_BUF path = { 0 };
	char id[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		if (buf_printf(&path, e, "%s%s",
			       i ? "&names=" : "/images/get?names=", digest_text(&l->ids[from + i], id)))
			return -1;
	AUTO(source) tar = docker_open(l->docker, path.data, e);
	return !tar || tar_names(tar, add_member, l->inventory, e) ? err_at(e, "/images/get") : 0;
}

/* All at once; if docker cannot, one by one, to know which one it is. */
static int export_some(const struct looking *l, size_t from, size_t count, struct err *e)
{
	struct err why = { 0 };
	char id[DIGEST_TEXT_SIZE];

	if (!export_images(l, from, count, &why))
		return 0;
	if (why.kind != ERR_TARGET && why.kind != ERR_CORRUPT && why.kind != ERR_NETWORK) {
		if (e)
			*e = why;
		return -1;
	}
	for (size_t i = 0; count > 1 && i < count; i++)
		if (export_some(l, from + i, 1, e))
			return -1;
	if (count == 1)
		event_text(l->events, EVENT_WARNING, "image %s is left out: docker does not export it: %s",
			   digest_text(&l->ids[from], id), why.text);
	return 0;
}

static int look(struct looking *l, const struct docker_kind *kind, struct err *e)
{
	if (read_ids(l, e))
		return -1;
	if (kind->containerd_store && l->count)
		event_text(l->events, EVENT_NOTE,
			   "docker keeps its images in containerd's store: %zu images are read through its socket for "
			   "their digests",
			   l->count);
	for (size_t i = 0; kind->containerd_store && i < l->count; i += EXPORT_IMAGES)
		if (export_some(l, i, l->count - i < EXPORT_IMAGES ? l->count - i : EXPORT_IMAGES, e))
			return -1;
	for (size_t i = 0; !kind->containerd_store && i < l->count; i++)
		if (add_layers(l, &l->ids[i], e))
			return -1;
	return 0;
}

int target_docker_have(const char *host, struct http *http, struct inventory *v, const struct events *events,
		       struct have_found *found, struct err *e)
{
	AUTO(docker) d = docker_new(host, http, e);
	struct looking l = { .docker = d, .inventory = v, .events = events };
	struct docker_kind kind;

	if (!d)
		return -1;
	if (docker_ping(d, e) || docker_learn(d, &kind, e))
		return err_at(e, "docker");
	(void)snprintf(found->where, sizeof(found->where), "%s", docker_where(d));
	if (kind.podman) {
		err_set(e, ERR_TARGET, "%s is podman's service, not docker", found->where);
		return err_hint(e, "use `imgpack inventory podman`");
	}
	const int rc = look(&l, &kind, e);
	free(l.ids);
	found->kind = kind.containerd_store ? "docker with the containerd store" : "docker with a graph driver";
	found->images = l.count;
	return rc ? err_at(e, "docker at %s", found->where) : 0;
}
