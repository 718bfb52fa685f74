/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes objects, values of Helm, Kustomize: any YAML but Compose files. What counts stands in oci/scan.h. */
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "oci/reference.h"
#include "oci/scan_inside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct walk {
	struct sights *sights;
	size_t visits; /* values looked at; aliases make a graph of the tree, so there can be more than the file has */
	bool over;
	struct err *e;
};

/* Where a value stands. */
struct spot {
	const char *key; /* its key in the map that it or its list is in; "" at the top */
	bool container;  /* an item of a list of containers, or one itself */
	size_t depth;
};

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* Tekton's steps, Argo's container, script and sidecars are containers, too. */
static const char *const container_lists[] = { "containers", "initContainers", "ephemeralContainers",
					       "sidecars",   "steps",          NULL };
static const char *const containers[] = { "container", "script", "stepTemplate", NULL };
/* A schema's fields are no images, and Flux's ImageRepository names where tags are looked for. */
static const char *const skipped_kinds[] = { "CustomResourceDefinition", "ImageRepository", NULL };
/* Where repository and tag are those of sources, not of images. */
static const char *const sources[] = { "git", "gitRepository", "source", "chart", NULL };

/* Fields. */

/* "logo.png", "disk.qcow2": what else a field named image holds. */
static bool ends_like_file(const char *text)
{
	static const char *const ends[] = { ".png", ".svg",   ".jpg", ".jpeg", ".gif", ".webp", ".ico",
					    ".bmp", ".qcow2", ".img", ".iso",  ".raw", ".vmdk", ".ova",
					    ".xz",  ".gz",    ".zip", ".tar",  NULL };
	const char *dot = strrchr(text, '.');

	for (size_t i = 0; dot && ends[i]; i++)
		if (!strcasecmp(dot, ends[i]))
			return true;
	return false;
}

/* "quay.io/x": a host of a registry is written, with a dot or a port. */
static bool has_registry(const char *text)
{
	struct reference r;
	const char *slash = strchr(text, '/');

	return slash && memchr(text, '.', (size_t)(slash - text)) && !reference_parse(&r, text, NULL);
}

/* A field, variable or flag that is called like an image. */
static int take_named(struct walk *w, const char *name, const struct ynode *value, const char *text)
{
	if (!*text)
		return 0;
	if (!ends_like_file(text) && (scan_explicit(text) || (!strcmp(name, "image") && has_registry(text))))
		return sight_image(w->sights, value->line, text, w->e);
	if (strstr(text, "{{"))
		return sight_image(w->sights, value->line, text, w->e);
	return sight_add(w->sights, SIGHT_DOUBT, value->line, text,
			 "no tag or digest; outside of a container that is not enough", w->e);
}

/* "3.6.0=quay.io/a:1 3.6.1=quay.io/a:2", or without names: all words are references, or none is taken. */
static int take_words(struct walk *w, const struct ynode *value, bool write, bool *good)
{
	static const char blanks[] = " \t\r\n,";
	char word[LIMIT_REFERENCE + 1];

	*good = false;
	for (const char *s = value->text + strspn(value->text, blanks); *s; s += strspn(s, blanks)) {
		const size_t len = strcspn(s, blanks);
		const char *equals = memchr(s, '=', len);
		const size_t skip = equals ? (size_t)(equals - s) + 1 : 0;
		if (len - skip > LIMIT_REFERENCE)
			return 0;
		memcpy(word, s + skip, len - skip);
		word[len - skip] = '\0';
		if (!scan_explicit(word))
			return 0;
		if (write && sight_image(w->sights, value->line, word, w->e))
			return -1;
		s += len;
	}
	*good = true;
	return 0;
}

static int take_list_text(struct walk *w, const struct ynode *value)
{
	bool good;

	if (!ynode_text(value) || take_words(w, value, false, &good) || !good)
		return 0;
	return take_words(w, value, true, &good);
}

static int take_container(struct walk *w, const struct ynode *value, const char *text)
{
	if (!strcmp(text, "auto"))
		return sight_add(w->sights, SIGHT_UNRESOLVED, value->line, text,
				 "Istio puts its proxy here when the pod starts", w->e);
	return sight_image(w->sights, value->line, text, w->e);
}

static int take_field(struct walk *w, const struct spot *at, const struct ynode *key, const struct ynode *value)
{
	const char *text = ynode_text(value);

	if (value->kind != YNODE_TEXT)
		return 0;
	if (at->container && !strcmp(key->text, "image"))
		return take_container(w, value, text ? text : "");
	if (scan_names_images(key->text, key->len))
		return take_list_text(w, value);
	return text && scan_names_image(key->text, key->len) ? take_named(w, key->text, value, text) : 0;
}

/* Maps that are more than their fields. */

/* "", "v1", "sha256:..." or its bare digits become ":v1@sha256:...". False: too long. */
static bool join(char out[LIMIT_REFERENCE + 1], const char *registry, const char *repository, const char *tag,
		 const char *digest)
{
	const char *algorithm = *digest && !strchr(digest, ':') ? "sha256:" : "";
	const int n = snprintf(out, LIMIT_REFERENCE + 1, "%s%s%s%s%s%s%s%s", registry, *registry ? "/" : "", repository,
			       *tag ? ":" : "", tag, *digest ? "@" : "", algorithm, digest);

	return n >= 0 && n <= LIMIT_REFERENCE;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A map with a repository: of an image if it says more of one. */
static bool is_values(const struct spot *at, const struct ynode *map)
{
	if (is_one_of(at->key, sources))
		return false;
	return scan_names_image(at->key, strlen(at->key)) || ynode_get(map, "tag") || ynode_get(map, "digest");
}

/* The shape of Helm's values: 1 if the map is one (and is taken). */
static int take_values(struct walk *w, const struct spot *at, const struct ynode *map)
{
	const struct ynode *repository = ynode_get(map, "repository");
	const char *registry = or_empty(ynode_get_text(map, "registry"));
	const char *tag = or_empty(ynode_get_text(map, "tag"));
	const char *digest = or_empty(ynode_get_text(map, "digest"));
	char text[LIMIT_REFERENCE + 1];

	if (!*tag)
		tag = or_empty(ynode_get_text(map, "imageTag"));
	if (!*digest)
		digest = or_empty(ynode_get_text(map, "sha"));
	const bool other = !repository && ynode_get_text(map, "image");
	if (other)
		repository = ynode_get(map, "image");
	if (!or_empty(ynode_text(repository))[0] || strstr(repository->text, "://"))
		return 0;
	/* `image` alone is a field; `repository` alone is a chart's or git's. */
	if (other ? scan_explicit(repository->text) || !(*tag || *digest || *registry) : !is_values(at, map))
		return 0;
	if (!*tag && !*digest && !scan_explicit(repository->text))
		return sight_add(w->sights, SIGHT_UNRESOLVED, repository->line, repository->text,
				 "its tag is empty and filled in by the chart; pipe it: helm template CHART | imgpack "
				 "scan -",
				 w->e)
			       ? -1
			       : 1;
	if (!join(text, registry, repository->text, tag, digest))
		return 0;
	return sight_image(w->sights, repository->line, text, w->e) ? -1 : 1;
}

/* Kustomize's: name, newName, newTag, digest; others' lists have a name alone. 1 if the item is one. */
static int take_kustomize(struct walk *w, const struct ynode *item)
{
	const struct ynode *name = ynode_get(item, "name");
	const char *new_name = ynode_get_text(item, "newName");
	const char *tag = or_empty(ynode_get_text(item, "newTag"));
	const char *digest = or_empty(ynode_get_text(item, "digest"));
	char text[LIMIT_REFERENCE + 1];

	if (!ynode_text(name))
		return 0;
	if (!new_name && !*tag && !*digest)
		return scan_explicit(name->text) ? sight_image(w->sights, name->line, name->text, w->e) ? -1 : 1 : 0;
	if (!*tag && !*digest)
		return sight_add(w->sights, SIGHT_UNRESOLVED, name->line, new_name,
				 "its tag stands in another file; pipe it: kustomize build DIR | imgpack scan -", w->e)
			       ? -1
			       : 1;
	if (!join(text, "", new_name ? new_name : name->text, tag, digest))
		return 0;
	return sight_image(w->sights, name->line, text, w->e) ? -1 : 1;
}

/* {name: FOO_IMAGE, value: REF}, or a parameter's default */
static int take_variable(struct walk *w, const struct ynode *map)
{
	const char *name = ynode_get_text(map, "name");
	const struct ynode *value = ynode_get(map, "value") ? ynode_get(map, "value") : ynode_get(map, "default");
	const char *text = ynode_text(value);

	if (!name || !text)
		return 0;
	if (scan_names_images(name, strlen(name)))
		return take_list_text(w, value);
	return scan_names_image(name, strlen(name)) ? take_named(w, "", value, text) : 0;
}

/* --some-image=REF, or --some-image and REF in the next word. */
static int take_flags(struct walk *w, const struct ynode *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *flag = ynode_text(list->items[i]);
		if (!flag || flag[0] != '-')
			continue;
		const size_t len = strcspn(flag, "=");
		/* prometheus-operator's flag is not called so */
		const bool reloader = len == 28 && !strncmp(flag, "--prometheus-config-reloader", len);
		if (!scan_names_image(flag, len) && !reloader)
			continue;
		const struct ynode *value = list->items[i];
		const char *text = flag + len + 1;
		if (!flag[len]) {
			value = i + 1 < list->count ? list->items[i + 1] : NULL;
			text = ynode_text(value);
		}
		if (text && take_named(w, "", value, text))
			return -1;
	}
	return 0;
}

/* The walk. */

static int visit(struct walk *w, const struct spot *at, const struct ynode *n);

static int visit_list(struct walk *w, const struct spot *at, const struct ynode *list)
{
	struct spot item = *at;

	item.container = is_one_of(at->key, container_lists);
	item.depth++;
	for (size_t i = 0; i < list->count; i++) {
		const struct ynode *n = list->items[i];
		const char *text = ynode_text(n);
		int rc = 0;
		if (text && scan_names_images(at->key, strlen(at->key)))
			rc = scan_explicit(text) ? sight_image(w->sights, n->line, text, w->e) : 0;
		else if (n->kind == YNODE_MAP && scan_names_images(at->key, strlen(at->key)))
			rc = take_kustomize(w, n);
		if (rc < 0 || (!rc && visit(w, &item, n)))
			return -1;
	}
	return take_flags(w, list);
}

/* What is inside a map. `whole`: it was taken as one image, so its own texts are not looked at. */
static int visit_fields(struct walk *w, const struct spot *at, const struct ynode *map, bool whole)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct ynode *key = map->items[i], *value = map->items[i + 1];
		if (key->kind != YNODE_TEXT || (at->depth == 0 && !strcmp(key->text, "status")))
			continue;
		if (key->plain && !strcmp(key->text, "<<"))
			continue;
		const struct spot below = {
			.key = key->text,
			.container = is_one_of(key->text, containers),
			.depth = at->depth + 1,
		};
		if ((!whole && take_field(w, at, key, value)) || visit(w, &below, value))
			return -1;
	}
	return 0;
}

static int visit_map(struct walk *w, const struct spot *at, const struct ynode *map)
{
	const bool image = !strcmp(at->key, "image");
	const char *volume = image ? ynode_get_text(map, "reference") : NULL;
	const char *named = image ? ynode_get_text(map, "name") : NULL;

	if (volume && sight_image(w->sights, ynode_get(map, "reference")->line, volume, w->e))
		return -1;
	/* GitLab's CI has its images like this */
	if (named && !ynode_get(map, "repository") && scan_explicit(named) &&
	    sight_image(w->sights, ynode_get(map, "name")->line, named, w->e))
		return -1;
	const int rc = at->container ? 0 : take_values(w, at, map);
	if (rc < 0 || take_variable(w, map))
		return -1;
	return visit_fields(w, at, map, rc == 1);
}

static int visit(struct walk *w, const struct spot *at, const struct ynode *n)
{
	if (n->kind == YNODE_TEXT)
		return 0;
	w->visits += 1 + n->count;
	if (w->over)
		return 0;
	if (w->visits > LIMIT_YAML_VISITS || at->depth > 2 * LIMIT_YAML_DEPTH) {
		w->over = true;
		return sight_add(w->sights, SIGHT_BROKEN, n->line, "",
				 "its aliases make more of it than a manifest has; not all of it is read", w->e);
	}
	return n->kind == YNODE_MAP ? visit_map(w, at, n) : visit_list(w, at, n);
}

static bool is_skipped(const struct ynode *object)
{
	const char *kind = ynode_get_text(object, "kind");

	return kind && is_one_of(kind, skipped_kinds);
}

/* An object alone, or those of a List: each has a status of its own. */
static int visit_object(struct walk *w, const struct ynode *root)
{
	const struct spot top = { .key = "" };
	const struct ynode *items = ynode_get(root, "items");

	if (is_skipped(root))
		return 0;
	if (!items || items->kind != YNODE_LIST || !ynode_get(root, "kind") || !ynode_get(root, "apiVersion"))
		return visit(w, &top, root);
	for (size_t i = 0; i < items->count; i++)
		if (!is_skipped(items->items[i]) && visit(w, &top, items->items[i]))
			return -1;
	return 0;
}

int scan_manifest(struct sights *s, const struct ynode *root, struct err *e)
{
	struct walk w = { .sights = s, .e = e };

	return visit_object(&w, root);
}
