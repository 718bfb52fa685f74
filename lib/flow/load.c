/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/load_receipt.h"
#include "flow/names.h"
#include "flow/place.h"
#include "flow/registries.h"
#include "flow/report.h"

#include "target/target.h"

#include <stdio.h>
#include <string.h>

/*
 * load: nothing leaves before the whole archive is known to be good.
 *
 *     target chosen -> archive opened -> every byte verified -> sent, hashing again -> read back from the target
 */

/* The ID that --expect names; false in *given if it was not. */
static int parse_expected(const struct load_options *o, struct digest *out, bool *given, struct err *e)
{
	*given = o->expect != NULL;
	if (!o->expect || digest_parse_hex(out, o->expect, strlen(o->expect)) ||
	    !digest_parse(out, o->expect, strlen(o->expect), e))
		return 0;
	if (e)
		e->kind = ERR_USAGE;
	return err_at(e, "--expect");
}

static int check_expected(const struct digest *want, const struct pack_file *f, struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	char text[DIGEST_TEXT_SIZE];

	if (!want)
		return 0;
	if (!f->layout)
		return err_set(e, ERR_CORRUPT, "has no archive ID (it is a %s), so --expect cannot hold", f->format);
	if (!digest_equal(want, &f->layout->id))
		return err_set(e, ERR_CORRUPT, "has archive ID %s, expected %s", digest_text(&f->layout->id, have),
			       digest_text(want, text));
	return 0;
}

/*
 * Every byte against its digest. A daemon unpacks the layers, so for it their diff IDs are proved too; a registry and a
 * folder keep them as they are, and digests that a registry gave out once prove all that it looks at. A docker
 * archive's digests were made up by us from its diff IDs: they are always proved.
 */
static int first_pass(const struct load_options *o, const struct place *p, struct archive *a,
		      const struct digest *expect, struct err *e)
{
	const bool content = (p->kind != TARGET_REGISTRY && p->kind != TARGET_OCI) ||
			     a->file->origin == ORIGIN_DOCKER_ARCHIVE;

	if (check_expected(expect, a->file, e))
		return -1;
	for (size_t i = 0; i < a->file->unproved_count; i++)
		event_text(o->events, EVENT_NOTE, "%s", a->file->unproved[i]);
	/* A pipe passes once: what is verified then is sent meanwhile, and what makes it an image comes last. */
	if (a->file->pipe)
		return content ? pack_file_prove_content(a->file, e) : 0;
	return archive_verify(a, content, e);
}

static struct load_result *send(const struct load_options *o, const struct place *p, struct pack_file *f,
				const struct names *names, struct registries *registries, struct err *e)
{
	AUTO_MEM struct load_image *images = calloc(names->count + 1, sizeof(*images));
	struct load_request request = {
		.supply = supply_of_file(f),
		.images = images,
		.count = names->count,
		.platform = o->platform,
		.replace = o->replace,
		.pin = o->pin,
		.create_project = o->create_project,
		.connections = registries_workers(registries),
		.http = registries_http(registries),
		.credential = o->connect.credential,
		.plain_http = connect_is_plain_http(&o->connect, p->registry),
		.tries = o->connect.retries_given ? o->connect.retries + 1 : 0,
		.events = o->events,
	};

	if (!images) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < names->count; i++)
		images[i] = (struct load_image){ &f->pack->images[i], names->items[i] };
	switch (p->kind) {
	case TARGET_DOCKER:
		return target_docker_load(NULL, &request, e);
	case TARGET_PODMAN:
		return target_podman_load(&request, e);
	case TARGET_CONTAINERD:
		return target_containerd_load(*p->path ? p->path : NULL, p->space, &request, e);
	case TARGET_K3S:
		return target_k3s_load(*p->path ? p->path : NULL, &request, e);
	case TARGET_OCI:
		return target_oci_load(p->path, &request, e);
	case TARGET_REGISTRY:
		break;
	}
	return target_registry_load(p->registry, &request, e);
}

struct load_report *load_report_new(const char *target, const struct pack *p, const struct load_result *result,
				    struct err *e)
{
	AUTO(load_report) r = calloc(1, sizeof(*r));

	if (r)
		r->images = calloc(result->count + 1, sizeof(*r->images));
	if (!r || !r->images) {
		err_memory(e);
		return NULL;
	}
	r->count = result->count;
	r->sent_bytes = result->sent_bytes;
	r->skipped_bytes = result->skipped_bytes;
	r->referrers = result->referrers;
	if (report_copy(&r->target, target, e))
		return NULL;
	for (size_t i = 0; i < result->count; i++) {
		r->images[i].digest = result->images[i].digest;
		r->images[i].had_it = result->images[i].had_it;
		r->images[i].bytes = pack_image_bytes(p, &p->images[i]);
		if (report_copy(&r->images[i].name, p->images[i].name, e) ||
		    report_copy(&r->images[i].loaded_as, result->images[i].loaded_as, e))
			return NULL;
	}
	return TAKE(r);
}

/* What loads images alone has no place for them. */
static void say_referrers(const struct load_options *o, const struct place *p, const struct pack *pack)
{
	const size_t n = pack_referrers(pack);

	if (n && p->kind != TARGET_REGISTRY)
		event_text(o->events, EVENT_NOTE,
			   "%zu signature%s and other referrers stay in the archive: %s keeps none, a registry does", n,
			   n == 1 ? "" : "s", p->text);
}

static int nothing_loaded(struct err *e)
{
	return e && e->kind == ERR_CORRUPT ? err_hint(e, "nothing was loaded; imgpack verify lists what is wrong") : -1;
}

static int write_receipt(struct receipt_file *file, const struct load_options *o, const struct archive *a,
			 const char *target, const struct load_result *result, struct err *e)
{
	const struct receipt_of done = {
		.command = "load",
		.archive = a->name,
		.id = a->file->layout ? &a->file->layout->id : NULL,
		.target = target,
		.pack = a->file->pack,
		.platform = o->platform,
		.result = result,
	};

	return load_receipt(file, &done, e);
}

/* What some targets alone can do. */
static int check_place(const struct load_options *o, const struct place *p, struct err *e)
{
	if (o->pin && p->kind != TARGET_CONTAINERD)
		return err_set(e, ERR_USAGE, "--pin is for containerd; %s does not remove images by itself", p->text);
	if (o->create_project && p->kind != TARGET_REGISTRY)
		return err_set(e, ERR_USAGE,
			       "--create-project: projects are a Harbor's; give --to registry:HOST[/PREFIX]");
	return 0;
}

struct load_report *flow_load(const struct load_options *o, struct err *e)
{
	struct place place;
	struct digest expect;
	bool expected;
	char shown[160];
	AUTO_ARCHIVE archive = { 0 };

	if (parse_expected(o, &expect, &expected, e))
		return NULL;
	const struct archive_wish wish = {
		.expect = expected ? &expect : NULL, .ask = o->ask, .ask_ctx = o->ask_ctx, .events = o->events
	};
	if (archive_paths_check(&o->archive, e))
		return NULL;
	AUTO(maps) maps = maps_new(o->maps, e);
	if (!maps)
		return NULL;
	AUTO(receipt_file) receipt = o->receipt ? receipt_open(o->receipt, e) : NULL;
	if (o->receipt && !receipt)
		return NULL;
	AUTO(registries) registries = registries_new(&o->connect, o->events, e);
	if (!registries)
		return NULL;
	if (place_choose(&place, o->to, registries_http(registries), o->events, e)) {
		if (o->to)
			err_at(e, "--to");
		return NULL;
	}
	if (check_place(o, &place, e))
		return NULL;
	if (archive_open(&archive, &o->archive, &wish, e)) {
		if (archive.set)
			nothing_loaded(e);
		return NULL;
	}
	const char *noun = flow_archive_noun(archive.name, shown);
	if (!archive.file->pack->image_count) {
		err_set(e, ERR_ABSENT, "%s: holds no image", noun);
		return NULL;
	}
	say_referrers(o, &place, archive.file->pack);
	const bool to_registry = place.kind == TARGET_REGISTRY;
	AUTO(names)
	names = names_new(archive.file->pack, o->names, maps, to_registry ? place.registry : NULL, place.prefix, e);
	if (!names)
		return NULL;
	if (first_pass(o, &place, &archive, wish.expect, e)) {
		err_at(e, "%s", noun);
		nothing_loaded(e);
		return NULL;
	}
	if (to_registry && registries_trust(registries, place.registry, e))
		return NULL;
	AUTO(load_result) result = send(o, &place, archive.file, names, registries, e);
	if (!result && e && e->kind == ERR_CORRUPT)
		err_at(e, "%s", noun);
	if (!result || (receipt && write_receipt(receipt, o, &archive, place.text, result, e)))
		return NULL;
	return load_report_new(place.text, archive.file->pack, result, e);
}

void load_report_free(struct load_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->images[i].name);
		free(r->images[i].loaded_as);
	}
	free(r->images);
	free(r->target);
	free(r);
}

int load_report_json(const struct load_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "target");
	jout_text(&j, r->target);
	jout_key(&j, "images");
	jout_array(&j);
	for (size_t i = 0; i < r->count; i++) {
		jout_object(&j);
		jout_key(&j, "name");
		jout_text(&j, r->images[i].name);
		jout_key(&j, "digest");
		jout_digest(&j, &r->images[i].digest);
		jout_key(&j, "loaded_as");
		jout_text(&j, r->images[i].loaded_as);
		jout_key(&j, "bytes");
		jout_u64(&j, r->images[i].bytes);
		jout_end(&j);
	}
	jout_end(&j);
	jout_key(&j, "sent_bytes");
	jout_u64(&j, r->sent_bytes);
	jout_key(&j, "skipped_bytes");
	jout_u64(&j, r->skipped_bytes);
	if (r->referrers) {
		jout_key(&j, "referrers");
		jout_u64(&j, r->referrers);
	}
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
