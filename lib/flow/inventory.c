/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "flow/having.h"
#include "flow/report.h"
#include "flow/write_file.h"
#include "target/have.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * inventory: what a site already has.
 *
 *     operands -> which are targets -> each looked through -> one list
 */

int having_say(struct having *h, struct err *e, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return inventory_comment(h->inventory, text, e);
}

/*
 * One list is about one place: fetch leaves out what is in it, and load needs all of that where it loads. Several
 * repositories of one registry are one place; archives are what was brought there.
 */
static int check_one_place(const struct place *first, const struct place *other, struct err *e)
{
	if (first->kind == TARGET_REGISTRY && other->kind == TARGET_REGISTRY &&
	    !strcmp(first->registry, other->registry))
		return 0;
	err_set(e, ERR_USAGE, "%s and %s are two places, and a list is about one", first->text, other->text);
	return err_hint(e, "make one list for each");
}

static int check_operands(const struct inventory_options *o, struct err *e)
{
	struct place first = { 0 };
	struct place p;
	bool any = false;

	for (size_t i = 0; i < o->count; i++) {
		if (!strcmp(o->places[i], "-"))
			return err_set(e, ERR_USAGE, "-: an archive on standard input is not taken here; name a file");
		if (!place_is_target(o->places[i]))
			continue;
		if (place_parse(&p, o->places[i], e) || (any && check_one_place(&first, &p, e)))
			return -1;
		if (!any)
			first = p;
		any = true;
	}
	return 0;
}

static int refuse_k3s(struct err *e)
{
	err_set(e, ERR_USAGE, "k3s: its folder is read by k3s when it starts, and says nothing of what it has");
	return err_hint(e, "use containerd:/run/k3s/containerd/containerd.sock");
}

static const char *or_null(const char *path)
{
	return *path ? path : NULL;
}

static int have_of(struct having *h, const struct place *p, struct have_found *found, struct err *e)
{
	struct http *http = registries_http(h->registries);
	const struct events *events = h->options->events;

	switch (p->kind) {
	case TARGET_DOCKER:
		return target_docker_have(NULL, http, h->inventory, events, found, e);
	case TARGET_PODMAN:
		return target_podman_have(http, h->inventory, events, found, e);
	case TARGET_CONTAINERD:
		return target_containerd_have(or_null(p->path), p->space, h->inventory, found, e);
	case TARGET_OCI:
		return target_oci_have(p->path, h->inventory, found, e);
	case TARGET_K3S:
	case TARGET_REGISTRY:
		break;
	}
	return refuse_k3s(e);
}

static int take_target(struct having *h, const char *text, struct err *e)
{
	struct have_found found = { 0 };
	struct place p;

	if (place_parse(&p, text, e))
		return -1;
	if (p.kind == TARGET_REGISTRY)
		return having_registry(h, &p, e);
	if (have_of(h, &p, &found, e))
		return -1;
	h->report->images += found.images;
	if (!found.images)
		return having_say(h, e, "from %s at %s", found.kind, found.where);
	return having_say(h, e, "from %s at %s: %zu image%s", found.kind, found.where, found.images,
			  found.images == 1 ? "" : "s");
}

/* For who reads the list. It says as much as its reader needs, and nothing that changes from run to run. */
static int explain(struct inventory *v, struct err *e)
{
	const size_t chains = inventory_count(v, HAVE_CHAIN);
	const size_t blobs = inventory_count(v, HAVE_BLOB);
	char counts[96];

	if (!chains)
		(void)snprintf(counts, sizeof(counts), "%zu blobs and manifests", blobs);
	else if (!blobs)
		(void)snprintf(counts, sizeof(counts), "%zu unpacked layers", chains);
	else
		(void)snprintf(counts, sizeof(counts), "%zu blobs and manifests, %zu unpacked layers", blobs, chains);
	if (inventory_comment(v, counts, e))
		return -1;
	if (chains && inventory_comment(v,
					"chain: a layer that docker with a graph driver unpacked on all layers below "
					"it (its chain ID)",
					e))
		return -1;
	if (blobs && inventory_comment(v, "sha256: a blob or manifest that stands there under this digest", e))
		return -1;
	return inventory_comment(v, "Carry it out; then: imgpack fetch --have FILE REF... -o FILE", e);
}

static int take_all(struct having *h, struct err *e)
{
	const struct inventory_options *o = h->options;

	for (size_t i = 0; i < o->count; i++)
		if (place_is_target(o->places[i]) ? take_target(h, o->places[i], e) : having_path(h, o->places[i], e))
			return -1;
	return 0;
}

struct inventory_report *flow_inventory(const struct inventory_options *o, struct err *e)
{
	AUTO(inventory) v = inventory_new(e);
	AUTO(inventory_report) r = calloc(1, sizeof(*r));

	if (!v)
		return NULL;
	if (!r) {
		err_memory(e);
		return NULL;
	}
	if (check_operands(o, e))
		return NULL;
	AUTO(registries) registries = registries_new(&o->connect, o->events, e);
	struct having h = { .options = o, .registries = registries, .inventory = v, .report = r };
	if (!registries || take_all(&h, e) || explain(v, e) || inventory_write(v, &r->list, e))
		return NULL;
	r->blobs = inventory_count(v, HAVE_BLOB);
	r->chains = inventory_count(v, HAVE_CHAIN);
	if (report_copy(&r->output, o->output, e) || (o->output && write_file(o->output, &r->list, e)))
		return NULL;
	return TAKE(r);
}

void inventory_report_free(struct inventory_report *r)
{
	if (!r)
		return;
	buf_release(&r->list);
	free(r->output);
	free(r);
}

int inventory_report_json(const struct inventory_report *r, struct buf *out, struct err *e)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "blobs", r->blobs },       { "chains", r->chains },
		{ "images", r->images },     { "repositories", r->repositories },
		{ "tags", r->tags },         { "manifests", r->manifests },
		{ "archives", r->archives }, { "requests", r->requests },
		{ "left_out", r->left_out },
	};
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "list");
	jout_text(&j, r->output);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		jout_key(&j, counts[i].key);
		jout_u64(&j, counts[i].value);
	}
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
