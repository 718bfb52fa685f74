/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "target/oci_dir.h"
#include "target/oci_names.h"
#include "target/result.h"
#include "target/take.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Loading into an OCI image layout:
 *
 *     the folder opened -> what of each image -> no name is moved unasked -> blobs that it lacks written, each once
 *     -> the index read again under the lock, changed, replaced
 */
struct writing {
	const struct load_request *request;
	const char *path;
	struct oci_dir *dir;
	struct takes *takes;
	struct load_result *result;
	bool *wanted; /* one a blob of the pack */
	uint64_t done, total;
};

/* Before. */

static bool has_blob(void *ctx, const struct digest *d)
{
	struct err ignored;

	return oci_dir_has(ctx, d, &ignored) == 1;
}

static int check_taken(const struct writing *w, const struct oci_names *names, struct err *e)
{
	char ours[DIGEST_TEXT_SIZE];
	char theirs[DIGEST_TEXT_SIZE];
	struct digest d;

	for (size_t i = 0; i < w->takes->count && !w->request->replace; i++) {
		const struct take *t = &w->takes->items[i];
		const struct digest *root = take_digest(w->request, t);
		if (!oci_names_find(names, t->load->name, &d) || digest_equal(&d, root))
			continue;
		err_set(e, ERR_TARGET, "%s: is another image there, %s; this one is %s", t->load->name,
			digest_text(&d, theirs), digest_text(root, ours));
		return err_hint(e, "its name stays as it was; --replace moves it");
	}
	return 0;
}

static struct oci_names *read_names(const struct writing *w, struct err *e)
{
	AUTO_BUF text = { 0 };

	return oci_dir_index(w->dir, &text, e) ? NULL : oci_names_parse(text.data, text.len, e);
}

/* Blobs. */

static void want(struct writing *w, const size_t *blobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		w->wanted[blobs[i]] = !w->request->supply.pack->blobs[blobs[i]].absent;
}

/* What stands there whole is not written again. */
static int plan_blobs(struct writing *w, struct err *e)
{
	const struct pack *p = w->request->supply.pack;

	w->wanted = calloc(p->blob_count + 1, sizeof(*w->wanted));
	if (!w->wanted)
		return err_memory(e);
	for (size_t i = 0; i < w->takes->count; i++) {
		want(w, w->takes->items[i].parts->data, w->takes->items[i].parts->data_count);
		want(w, w->takes->items[i].parts->papers, w->takes->items[i].parts->paper_count);
	}
	for (size_t i = 0; i < p->blob_count; i++) {
		if (!w->wanted[i])
			continue;
		int there = oci_dir_has(w->dir, &p->blobs[i].promise.digest, e);
		if (there < 0)
			return -1;
		w->wanted[i] = !there;
		if (there)
			w->result->skipped_bytes += p->blobs[i].promise.size;
		else
			w->total += p->blobs[i].promise.size;
	}
	return oci_dir_room(w->dir, w->total, e);
}

static int count_bytes(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct writing *w = ctx;

	(void)bytes;
	(void)e;
	w->done += len;
	event_progress(w->request->events, 1, w->done, w->total);
	return 0;
}

static int write_blob(struct writing *w, const struct pack_blob *b, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];
	AUTO(source) bytes = source_tap(supply_open(&w->request->supply, b, 0, e), count_bytes, w, e);

	if (!bytes || oci_dir_put(w->dir, &b->promise.digest, bytes, e))
		return err_at(e, "%s %s", blob_role_text(b->role), digest_text(&b->promise.digest, text));
	return 0;
}

/* In the archive's order: it may come through a pipe. Blobs that nothing names yet do no harm, whatever comes next. */
static int write_blobs(struct writing *w, struct err *e)
{
	const struct events *events = w->request->events;
	const struct pack *p = w->request->supply.pack;
	int failed = 0;

	event_emit(events, &(struct event){ .kind = EVENT_PLAN, .total = w->total, .count = 1, .text = "loading" });
	event_begin(events, 1, w->total, "write to the folder");
	for (size_t i = 0; i < p->blob_count && !failed; i++)
		if (w->wanted[i])
			failed = write_blob(w, &p->blobs[i], e);
	event_end(events, 1, failed ? "failed" : "done");
	w->result->sent_bytes = w->done;
	return failed ? -1 : supply_finish(&w->request->supply, e);
}

/* The index. */

static int name_image(struct writing *w, struct oci_names *names, size_t i, struct err *e)
{
	const struct take *t = &w->takes->items[i];
	const struct pack_blob *root = &w->request->supply.pack->blobs[t->root];
	const struct pack_manifest *m = &t->load->image->manifests[t->choice.manifest];
	const char *short_name;
	struct digest before;
	AUTO_MEM char *loaded_as = NULL;
	const bool had = oci_names_find(names, t->load->name, &before) && digest_equal(&before, &root->promise.digest);

	if (oci_names_add(names, t->load->name, &t->reference, root, m->blob == t->root ? &m->platform : NULL,
			  &short_name, e))
		return -1;
	if (asprintf(&loaded_as, "oci:%s:%s", w->path, short_name) < 0) {
		loaded_as = NULL;
		return err_memory(e);
	}
	return load_result_set(w->result, i, loaded_as, &root->promise.digest, had, e);
}

/* What others have added since it was looked at first is in it now, too. */
static int write_index(struct writing *w, struct err *e)
{
	AUTO_BUF text = { 0 };

	if (oci_dir_lock(w->dir, w->request->events, e))
		return -1;
	AUTO(oci_names) names = read_names(w, e);
	if (!names || check_taken(w, names, e))
		return -1;
	for (size_t i = 0; i < w->takes->count; i++)
		if (name_image(w, names, i, e))
			return -1;
	if (!oci_names_changed(names))
		return 0;
	return oci_names_write(names, &text, e) || oci_dir_commit(w->dir, &text, e) ? -1 : 0;
}

static int check_types(const struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->takes->count; i++)
		if (!*w->request->supply.pack->blobs[w->takes->items[i].root].media_type)
			return err_set(e, ERR_TARGET,
				       "%s: has layers in a compression that OCI does not know; nothing was written",
				       w->takes->items[i].load->name);
	return 0;
}

static int write_all(struct writing *w, struct err *e)
{
	AUTO(oci_names) names = read_names(w, e);

	w->takes = names ? takes_new(w->request, has_blob, w->dir, "the folder", e) : NULL;
	if (!w->takes || check_types(w, e) || check_taken(w, names, e) || plan_blobs(w, e))
		return -1;
	return write_blobs(w, e) || write_index(w, e) ? -1 : 0;
}

struct load_result *target_oci_load(const char *folder, const struct load_request *request, struct err *e)
{
	char shown[160];
	AUTO(load_result) result = load_result_new(request->count, e);
	AUTO(oci_dir) dir = result ? oci_dir_open(folder, request->events, e) : NULL;
	struct writing w = { .request = request, .path = folder, .dir = dir, .result = result };

	text_escape_str(shown, sizeof(shown), folder);
	if (!result)
		return NULL;
	int failed = !dir || write_all(&w, e);
	takes_free(w.takes);
	free(w.wanted);
	if (failed) {
		err_at(e, "%s", shown);
		return NULL;
	}
	return TAKE(result);
}
