/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_plan.h"

#include "target/result.h"

#include <stdio.h>
#include <string.h>

/* The only manifest that is an image; there is exactly one. */
static size_t the_image(const struct pack_image *image)
{
	size_t i = 0;

	while (!image->manifests[i].image)
		i++;
	return i;
}

static ptrdiff_t choose_manifest(const struct load_request *r, const struct docker_kind *kind,
				 const struct load_image *load, struct err *e)
{
	const struct platform *want = r->platform ? r->platform : &kind->platform;
	char theirs[PLATFORM_TEXT_SIZE];
	char ours[PLATFORM_TEXT_SIZE];
	ptrdiff_t chosen = pack_image_choose(load->image, want, e);

	if (chosen >= 0 || r->platform || pack_image_platforms(load->image) != 1)
		return chosen;
	chosen = (ptrdiff_t)the_image(load->image);
	event_text(r->events, EVENT_WARNING,
		   "%s is for %s, but the daemon runs %s: it will be there, but may not start", load_image_noun(load),
		   platform_text(&load->image->manifests[chosen].platform, ours), platform_text(want, theirs));
	return chosen;
}

/* True if everything that the image's root names is in the archive; an index with holes cannot be pushed on from
 * docker. */
static int is_complete(const struct pack *p, const struct pack_choice *choice, bool *complete, struct err *e)
{
	AUTO(pack_parts) parts = pack_parts_of(p, choice, e);

	if (!parts)
		return -1;
	*complete = !parts->unknown;
	for (size_t i = 0; i < parts->data_count; i++)
		if (p->blobs[parts->data[i]].absent)
			*complete = false;
	for (size_t i = 0; i < parts->paper_count; i++)
		if (p->blobs[parts->papers[i]].absent)
			*complete = false;
	return 0;
}

static int choose_root(struct docker_want *w, const struct load_request *r, const struct docker_kind *kind,
		       struct err *e)
{
	const struct pack *p = r->supply.pack;
	const struct pack_image *image = w->load->image;
	bool complete = false;

	if ((kind->containerd_store || kind->podman) && !r->platform && image->root != w->run->blob) {
		w->choice.whole = true;
		if (is_complete(p, &w->choice, &complete, e))
			return -1;
		w->choice.whole = complete;
	}
	w->root = p->blobs[w->choice.whole ? image->root : w->run->blob].promise.digest;
	w->id = kind->containerd_store ? w->root : p->blobs[w->run->config].promise.digest;
	return 0;
}

/* podman reads every layer, whatever it has: what was left out because the site has it cannot be loaded there. */
static int check_podman(const struct docker_want *w, const struct load_request *r, struct err *e)
{
	bool complete;

	if (is_complete(r->supply.pack, &w->choice, &complete, e))
		return -1;
	if (complete)
		return 0;
	return err_set(e, ERR_TARGET,
		       "the archive leaves layers out that were shipped before, and podman wants every layer; fetch it "
		       "without --have, or load it into a registry that has them; nothing was sent");
}

static int plan_image(struct docker_want *w, const struct load_request *r, const struct docker_kind *kind,
		      struct err *e)
{
	const struct load_image *load = w->load;
	ptrdiff_t manifest = choose_manifest(r, kind, load, e);

	if (manifest < 0)
		return -1;
	w->run = &load->image->manifests[manifest];
	w->choice = (struct pack_choice){ .image = load->image, .name = load->name, .manifest = (size_t)manifest };
	if (choose_root(w, r, kind, e) || (kind->podman && check_podman(w, r, e)))
		return -1;
	w->tagged = load->name && !w->reference.has_digest;
	if (w->tagged)
		(void)reference_text(&w->reference, w->ask);
	else
		(void)digest_text(&w->id, w->ask);
	return 0;
}

struct docker_plan *docker_plan_new(const struct load_request *request, const struct docker_kind *kind, struct err *e)
{
	AUTO(docker_plan) p = calloc(1, sizeof(*p));

	if (p)
		p->wants = calloc(request->count + 1, sizeof(*p->wants));
	if (!p || !p->wants) {
		err_memory(e);
		return NULL;
	}
	p->kind = *kind;
	p->count = request->count;
	for (size_t i = 0; i < p->count; i++) {
		const char *name = request->images[i].name;
		p->wants[i].load = &request->images[i];
		/* Until it is parsed a name may hold anything, so no message has it before. */
		if (name && reference_parse(&p->wants[i].reference, name, e))
			return NULL;
		if (plan_image(&p->wants[i], request, kind, e)) {
			err_at(e, "%s", load_image_noun(&request->images[i]));
			return NULL;
		}
	}
	return TAKE(p);
}

void docker_plan_free(struct docker_plan *p)
{
	if (!p)
		return;
	free(p->wants);
	free(p);
}
