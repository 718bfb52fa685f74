/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/names.h"
#include "flow/registries.h"
#include "flow/report.h"

#include "base/text.h"
#include "oci/reference.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

/*
 * load: nothing leaves before the whole archive is known to be good.
 *
 *     target chosen -> archive opened -> every byte verified -> sent, hashing again -> read back from the target
 */

enum target_kind { TARGET_DOCKER, TARGET_REGISTRY };

struct place {
	enum target_kind kind;
	char registry[LIMIT_REPOSITORY + 1];
	char prefix[LIMIT_REPOSITORY + 1];
	char text[2 * LIMIT_REPOSITORY + 16]; /* for the report */
};

#define CHOICES "--to docker (DOCKER_HOST names its socket) or --to registry:HOST[:PORT][/PREFIX]"

static int parse_registry(struct place *p, const char *rest, struct err *e)
{
	char shown[160];
	const char *slash = strchr(rest, '/');
	size_t host = slash ? (size_t)(slash - rest) : strlen(rest);
	const char *prefix = slash ? slash + 1 : "";
	size_t len = strlen(prefix);

	while (len && prefix[len - 1] == '/')
		len--;
	if (host > LIMIT_REPOSITORY || len > LIMIT_REPOSITORY)
		return err_set(e, ERR_USAGE, "--to: the name is longer than %d bytes", LIMIT_REPOSITORY);
	(void)snprintf(p->registry, sizeof(p->registry), "%.*s", (int)host, rest);
	(void)snprintf(p->prefix, sizeof(p->prefix), "%.*s", (int)len, prefix);
	if (!reference_registry_valid(p->registry) || (len && !reference_repository_valid(p->prefix)))
		return err_set(e, ERR_USAGE, "--to registry:%s: write registry:HOST[:PORT][/PREFIX]",
			       text_escape_str(shown, sizeof(shown), rest));
	p->kind = TARGET_REGISTRY;
	(void)snprintf(p->text, sizeof(p->text), "registry:%s%s%s", p->registry, len ? "/" : "", p->prefix);
	return 0;
}

static int choose_target(struct place *p, const struct load_options *o, struct registries *registries, struct err *e)
{
	char where[256] = "";
	char shown[160];

	*p = (struct place){ .kind = TARGET_DOCKER };
	(void)snprintf(p->text, sizeof(p->text), "docker");
	if (o->to && text_starts(o->to, "registry:"))
		return parse_registry(p, o->to + strlen("registry:"), e);
	if (o->to && strcmp(o->to, "docker") != 0)
		return err_set(e, ERR_USAGE, "--to %s: not a target of this release; there is " CHOICES,
			       text_escape_str(shown, sizeof(shown), o->to));
	if (o->to)
		return 0;
	if (!target_docker_answers(NULL, registries_http(registries), where))
		return err_set(e, ERR_NETWORK, "no docker answers at %s; say where the images shall go: " CHOICES,
			       where);
	event_text(o->events, EVENT_NOTE, "loading into docker at %s", where);
	return 0;
}

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
 * Every byte against its digest. A daemon unpacks the layers, so for it their diff IDs are proved too; a registry keeps
 * them as they are, and digests that a registry gave out once prove all that it looks at. A docker archive's digests
 * were made up by us from its diff IDs: they are always proved.
 */
static int first_pass(const struct load_options *o, const struct place *p, struct archive *a,
		      const struct digest *expect, struct err *e)
{
	const bool content = p->kind != TARGET_REGISTRY || a->file->origin == ORIGIN_DOCKER_ARCHIVE;

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
	if (p->kind == TARGET_REGISTRY)
		return target_registry_load(p->registry, &request, e);
	return target_docker_load(NULL, &request, e);
}

static struct load_report *report(const struct place *p, const struct pack_file *f, const struct load_result *result,
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
	if (report_copy(&r->target, p->text, e))
		return NULL;
	for (size_t i = 0; i < result->count; i++) {
		r->images[i].digest = result->images[i].digest;
		if (report_copy(&r->images[i].name, f->pack->images[i].name, e) ||
		    report_copy(&r->images[i].loaded_as, result->images[i].loaded_as, e))
			return NULL;
	}
	return TAKE(r);
}

static int nothing_loaded(struct err *e)
{
	return e && e->kind == ERR_CORRUPT ? err_hint(e, "nothing was loaded; imgpack verify lists what is wrong") : -1;
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
	AUTO(registries) registries = registries_new(&o->connect, o->events, e);
	if (!registries || choose_target(&place, o, registries, e))
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
	const bool to_registry = place.kind == TARGET_REGISTRY;
	AUTO(names)
	names = names_new(archive.file->pack, o->names, to_registry ? place.registry : NULL, place.prefix, e);
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
	return result ? report(&place, archive.file, result, e) : NULL;
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
		jout_end(&j);
	}
	jout_end(&j);
	jout_key(&j, "sent_bytes");
	jout_u64(&j, r->sent_bytes);
	jout_key(&j, "skipped_bytes");
	jout_u64(&j, r->skipped_bytes);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
