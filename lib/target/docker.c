/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "pack/layout.h"
#include "target/docker_plan.h"
#include "target/docker_thin.h"
#include "target/result.h"
#include "target/tar.h"

#include <stdio.h>
#include <string.h>

/*
 * Loading into docker:
 *
 *     daemon learned -> plan -> looked before (nothing is moved unasked) -> one tar streamed -> looked after
 *
 * The tar's papers come last and every blob is hashed again on its way, so a byte that is wrong breaks the stream
 * before the daemon has read that there is an image.
 */
struct loading {
	const struct load_request *request;
	struct docker *docker;
	struct docker_plan *plan;
	struct load_result *result;
	uint64_t next_item; /* for events */
};

/* Before. */

static bool stands_there(const struct loading *l, const struct docker_want *w, const struct docker_seen *seen)
{
	if (!docker_is_right(w, seen))
		return false;
	if (l->plan->kind.podman && w->load->name && !seen->root_there)
		return false;
	/* A name by digest is kept by the containerd store alone; elsewhere the ID is all that can be there. */
	return w->tagged || !w->load->name || !l->plan->kind.containerd_store || seen->digest_there;
}

/* The name is taken by another image. */
static bool is_taken(const struct docker_want *w, const struct docker_seen *seen)
{
	return w->tagged && seen->there && !digest_equal(&seen->id, &w->id);
}

static void announce(const struct loading *l, const struct docker_want *w, const struct docker_seen *seen)
{
	const struct events *events = l->request->events;
	const char *name = load_image_noun(w->load);
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];

	digest_text(&w->id, ours);
	if (w->had)
		event_text(events, EVENT_NOTE, "%s: is there already, image %s", name, ours);
	else if (is_taken(w, seen))
		event_text(events, EVENT_NOTE, "%s: is image %s there, becomes %s", name,
			   digest_text(&seen->id, theirs), ours);
	else
		event_text(events, EVENT_NOTE, "%s: becomes image %s", name, ours);
}

/* Looks at every name; all that are taken are counted, so that one run tells how many there are. */
static int look_before(struct loading *l, struct err *e)
{
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];
	struct err first = { 0 };
	size_t taken = 0;

	for (size_t i = 0; i < l->plan->count; i++) {
		struct docker_want *w = &l->plan->wants[i];
		struct docker_seen seen;
		if (docker_look(l->docker, w, &seen, e))
			return -1;
		w->had = stands_there(l, w, &seen);
		if (!is_taken(w, &seen) || l->request->replace) {
			announce(l, w, &seen);
			continue;
		}
		if (taken++)
			continue;
		err_set(&first, ERR_TARGET, "%s: is another image there, %s; this one is %s", load_image_noun(w->load),
			digest_text(&seen.id, theirs), digest_text(&w->id, ours));
	}
	if (!taken)
		return 0;
	if (taken > 1)
		err_hint(&first, "so are %zu other names", taken - 1);
	err_hint(&first, "nothing was sent; --replace moves the name");
	if (e)
		*e = first;
	return -1;
}

/* Sending. */

static int stream_layout(struct loading *l, const struct layout *layout, struct err *e)
{
	const struct load_request *r = l->request;
	char where[300];
	struct tar_feed feed;

	(void)snprintf(where, sizeof(where), "upload to %s", docker_where(l->docker));
	AUTO(source) tar = tar_feed(&feed, r, layout, ++l->next_item, where, e);
	if (!tar)
		return -1;
	int failed = docker_post_load(l->docker, tar, layout->size, tar_silence(r, layout->size), r->events, e);
	tar_feed_end(&feed, failed);
	if (!failed)
		l->result->sent_bytes += layout->size;
	return failed;
}

static int send_choices(struct loading *l, const struct pack_choice *choices, size_t count, struct err *e)
{
	AUTO(pack) pack = pack_select(l->request->supply.pack, choices, count, e);

	if (!pack)
		return -1;
	const struct layout_options options = { .no_toc = true, .no_index = tar_has_untyped_root(pack) };
	AUTO(layout) layout = layout_new(pack, &options, e);
	return layout ? stream_layout(l, layout, e) : -1;
}

/*
 * docker takes all images in one tar, shared layers once. podman keeps the registry's digests only of a tar with one
 * image in it, so it gets them one by one.
 */
static int send_all(struct loading *l, struct err *e)
{
	AUTO_MEM struct pack_choice *choices = calloc(l->plan->count + 1, sizeof(*choices));
	size_t count = 0;

	if (!choices)
		return err_memory(e);
	for (size_t i = 0; i < l->plan->count; i++)
		if (!l->plan->wants[i].had)
			choices[count++] = l->plan->wants[i].choice;
	if (!l->plan->kind.podman && count && send_choices(l, choices, count, e))
		return -1;
	if (!l->plan->kind.podman)
		return supply_finish(&l->request->supply, e);
	/* Several tars with layers that they share: what passes once does not do. */
	if (count > 1 && supply_keep(&l->request->supply, l->request->events, e))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (send_choices(l, &choices[i], 1, e))
			return choices[i].name ? err_at(e, "%s", choices[i].name) : -1;
	return supply_finish(&l->request->supply, e);
}

/* After a load that failed: what stands there now? The daemon may have done a part of it. */
static void tell_what_stands(struct loading *l, struct err *e)
{
	char id[DIGEST_TEXT_SIZE];
	struct docker_seen seen = { 0 };
	struct err ignored;
	size_t right = 0;

	if (!e || e->kind == ERR_CANCELLED)
		return;
	for (size_t i = 0; i < l->plan->count; i++) {
		if (docker_look(l->docker, &l->plan->wants[i], &seen, &ignored)) {
			err_hint(e, "what stands there now could not be asked");
			return;
		}
		right += docker_is_right(&l->plan->wants[i], &seen);
	}
	if (l->plan->count > 1)
		err_hint(e, "%zu of %zu images stand there now", right, l->plan->count);
	else if (right)
		err_hint(e, "the image stands there all the same");
	else if (!seen.there)
		err_hint(e, "nothing stands there under this name");
	else
		err_hint(e, "image %s stands there now", digest_text(&seen.id, id));
}

/* After. */

/* What the person can type to use it: the name if it is there, else the ID. */
static const char *usable_name(const struct docker_want *w, const struct docker_seen *seen, char id[DIGEST_TEXT_SIZE])
{
	if (w->tagged || (w->load->name && seen->digest_there))
		return w->load->name;
	return digest_text(&seen->id, id);
}

static int look_after(struct loading *l, struct err *e)
{
	char id[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < l->plan->count; i++) {
		const struct docker_want *w = &l->plan->wants[i];
		struct docker_seen seen;
		if (docker_look(l->docker, w, &seen, e))
			return err_at(e, "reading back");
		if (!docker_is_right(w, &seen)) {
			docker_mismatch(w, &seen, e);
			return err_at(e, "%s: reading back", load_image_noun(w->load));
		}
		const char *name = usable_name(w, &seen, id);
		if (load_result_set(l->result, i, name, &seen.id, w->had, e))
			return -1;
		if (w->load->name && !w->tagged && name == id)
			event_text(l->request->events, EVENT_NOTE, "%s: this daemon keeps no names by digest; it is %s",
				   w->load->name, id);
		if (l->plan->kind.podman && w->load->name && !seen.root_there)
			event_text(l->request->events, EVENT_WARNING, "%s: podman has it, but not by its digest %s",
				   w->load->name, digest_text(&w->root, id));
		if (w->had)
			l->result->skipped_bytes += pack_image_bytes(l->request->supply.pack, w->load->image);
	}
	return 0;
}

static int load_all(struct loading *l, struct err *e)
{
	struct docker_kind kind;

	if (docker_ping(l->docker, e) || docker_learn(l->docker, &kind, e))
		return -1;
	l->plan = docker_plan_new(l->request, &kind, e);
	if (!l->plan || look_before(l, e) || docker_check_thin(l->docker, l->plan, l->request, e))
		return -1;
	if (send_all(l, e)) {
		tell_what_stands(l, e);
		return -1;
	}
	return look_after(l, e);
}

static struct load_result *load_into(struct docker *docker, const struct load_request *request, struct err *e)
{
	AUTO(load_result) result = docker ? load_result_new(request->count, e) : NULL;
	struct loading l = { .request = request, .docker = docker, .result = result };

	if (!result)
		return NULL;
	int failed = load_all(&l, e);
	docker_plan_free(l.plan);
	if (failed) {
		err_at(e, "%s", docker_where(docker));
		return NULL;
	}
	return TAKE(result);
}

struct load_result *target_docker_load(const char *host, const struct load_request *request, struct err *e)
{
	AUTO(docker) docker = docker_new(host, request->http, e);

	return load_into(docker, request, e);
}

struct load_result *target_podman_load(const struct load_request *request, struct err *e)
{
	AUTO(docker) docker = docker_new_podman(request->http, e);

	return load_into(docker, request, e);
}

static bool answers(struct docker *docker, const char *host, char where[256])
{
	struct err why = { 0 };

	if (docker)
		(void)snprintf(where, 256, "%s", docker_where(docker));
	else
		(void)text_escape_str(where, 256, host);
	return docker && !docker_ping(docker, &why);
}

bool target_docker_answers(const char *host, struct http *http, char where[256])
{
	struct err why = { 0 };
	AUTO(docker) docker = docker_new(host, http, &why);

	return answers(docker, host ? host : getenv("DOCKER_HOST"), where);
}

bool target_podman_answers(struct http *http, char where[256])
{
	struct err why = { 0 };
	AUTO(docker) docker = docker_new_podman(http, &why);

	return answers(docker, getenv("CONTAINER_HOST"), where);
}
