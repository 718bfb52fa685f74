/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/goal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define SHAPES "write HOST[:PORT]/REPOSITORY[:TAG], or registry:HOST[:PORT][/PREFIX]"

static void to_registry(struct goal *g, const char *registry)
{
	g->place.kind = TARGET_REGISTRY;
	(void)snprintf(g->place.registry, sizeof(g->place.registry), "%s", registry);
	(void)snprintf(g->place.text, sizeof(g->place.text), "registry:%s", registry);
}

static int parse_target(struct goal *g, const char *text, const char *noun, struct err *e)
{
	if (place_parse(&g->place, text, e))
		return err_at(e, "%s", noun);
	if (g->place.kind == TARGET_REGISTRY)
		return 0;
	err_set(e, ERR_USAGE, "%s %s: copy ends in a registry: registry:HOST[:PORT][/PREFIX]", noun, g->place.text);
	return err_hint(e, "for other targets fetch into a file, and load it");
}

/* Did the person write a tag? reference_parse() puts "latest" where there is none. */
static bool has_tag(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strchr(slash ? slash : text, ':') != NULL;
}

/*
 * A repository as DST. Its tag is the source's unless it says another. A bare word is refused: "localhost:5000" would
 * be read as an image of Docker Hub.
 */
static int parse_repository(struct goal *g, const char *source, const char *text, struct err *e)
{
	struct reference from, there;
	char shown[160], name[REFERENCE_TEXT_SIZE], old[REFERENCE_TEXT_SIZE];

	text_escape_str(shown, sizeof(shown), text);
	if (!strchr(text, '/'))
		return err_set(e, ERR_USAGE, "DST '%s' does not say where: " SHAPES, shown);
	if (strchr(text, '@'))
		return err_set(e, ERR_USAGE, "DST '%s': leave the digest out; what is copied keeps its own", shown);
	if (reference_parse(&from, source, e))
		return -1;
	if (reference_parse(&there, text, e)) {
		err_at(e, "DST");
		return err_hint(e, SHAPES);
	}
	if (!has_tag(text)) {
		memcpy(there.tag, from.tag, sizeof(there.tag));
		there.has_digest = !*from.tag;
		there.digest = from.digest;
	}
	(void)snprintf(g->rename, sizeof(g->rename), "%s=%s", reference_local_name(&from, old),
		       reference_text(&there, name));
	to_registry(g, there.registry);
	return 0;
}

/* The rules alone say where each one goes. */
static int ask_rules(struct goal *g, const struct copy_options *o, const struct maps *maps, struct err *e)
{
	char name[REFERENCE_TEXT_SIZE];

	for (size_t i = 0; i < o->source_count; i++) {
		struct reference r;
		int mapped = reference_parse(&r, o->sources[i], e) ? -1 : maps_apply(maps, &r, &r, e);
		if (mapped < 0)
			return -1;
		if (!mapped)
			return err_set(e, ERR_USAGE,
				       "%s: no rule of --map says where it goes; --to registry:HOST[:PORT][/PREFIX] "
				       "does for those that have none",
				       reference_familiar(&r, name));
		if (!*g->place.registry)
			to_registry(g, r.registry);
		g->several = g->several || strcmp(g->place.registry, r.registry) != 0;
	}
	if (!g->several || !o->connect.credential)
		return 0;
	err_set(e, ERR_USAGE, "--username with several destinations: a password is sent to one of them only");
	return err_hint(e, "use imgpack login for each");
}

int goal_find(struct goal *g, const struct copy_options *o, const struct maps *maps, struct err *e)
{
	*g = (struct goal){ 0 };
	if (o->to)
		return parse_target(g, o->to, "--to", e);
	if (!o->destination)
		return ask_rules(g, o, maps, e);
	if (text_starts(o->destination, "registry:"))
		return parse_target(g, o->destination, "DST", e);
	return parse_repository(g, o->sources[0], o->destination, e);
}
