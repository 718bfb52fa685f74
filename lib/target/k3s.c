/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/text.h"
#include "pack/layout.h"
#include "stream/sink.h"
#include "stream/space.h"
#include "target/node_names.h"
#include "target/result.h"
#include "target/tar.h"
#include "target/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Loading into k3s: one tar in the folder that it reads when it starts (newer ones as soon as a file appears). k3s
 * takes every platform in it, gives the images the label that keeps them from being removed, and skips files whose name
 * ends in none of its endings, as that of an unfinished file. The tar is not compressed: k3s reads zstd with windows of
 * 32 MiB at most, and the layers are compressed already.
 */
#define FOLDER "/var/lib/rancher/k3s/agent/images"

static int make_folders(const char *path, struct err *e)
{
	AUTO_MEM char *copy = strdup(path);
	char shown[160];

	if (!copy)
		return err_memory(e);
	for (char *at = copy + 1; *copy && at; at++) {
		at = strchr(at, '/');
		if (at)
			*at = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			return err_sys(e, ERR_LOCAL, errno, "%s: cannot be made",
				       text_escape_str(shown, sizeof(shown), copy));
		if (!at)
			break;
		*at = '/';
	}
	return 0;
}

/* The archive's ID names it, so that loading it again replaces it. Other programs' archives are known by their index.
 */
static char *file_name(const char *folder, const struct load_request *r, const struct layout *l, struct err *e)
{
	const struct digest *id = r->supply.id;
	char hex[DIGEST_HEX_SIZE];
	char *name;

	for (size_t i = 0; !id && i < l->count; i++)
		if (!strcmp(l->members[i].name, INDEX_NAME))
			id = &l->members[i].promise.digest;
	if (!id || asprintf(&name, "%s/imgpack-%.16s.tar", folder, digest_hex(id, hex)) < 0) {
		err_memory(e);
		return NULL;
	}
	return name;
}

static int write_tar(const char *name, const struct load_request *r, const struct layout *l, uint64_t *sent,
		     struct err *e)
{
	AUTO(space) space = space_stage(name, e);
	struct tar_feed feed;

	if (!space || space_reserve(space, l->size, e))
		return -1;
	AUTO(sink) sink = sink_space(space, 0, l->size, e);
	AUTO(source) tar = sink ? tar_feed(&feed, r, l, 1, "write for k3s", e) : NULL;
	if (!tar)
		return -1;
	int failed = pump(tar, sink, e);
	tar_feed_end(&feed, failed);
	*sent = feed.done;
	return failed || supply_finish(&r->supply, e) ? -1 : space_commit(space, e);
}

static int write_all(const char *folder, const struct load_request *r, struct load_result *result, struct err *e)
{
	const struct layout_options options = { .no_toc = true };
	char shown[LIMIT_ERROR_SHOWN / 2];
	AUTO(takes) takes = takes_new(r, NULL, NULL, "the tar that k3s reads", e);
	AUTO(node_names) names = takes ? node_names_new(r, takes, e) : NULL;
	AUTO(pack) pack = names ? node_names_pack(r, names, NULL, e) : NULL;

	if (!pack)
		return -1;
	if (tar_has_untyped_root(pack))
		return err_set(e, ERR_TARGET, "the archive has layers in a compression that k3s does not read");
	AUTO(layout) layout = layout_new(pack, &options, e);
	AUTO_MEM char *name = layout ? file_name(folder, r, layout, e) : NULL;
	if (!name || make_folders(folder, e))
		return -1;
	if (write_tar(name, r, layout, &result->sent_bytes, e))
		return err_at(e, "%s", text_escape_str(shown, sizeof(shown), name));
	event_text(r->events, EVENT_NOTE, "%s: k3s takes the images from there when it starts; newer ones at once",
		   text_escape_str(shown, sizeof(shown), name));
	for (size_t i = 0; i < takes->count; i++)
		if (load_result_set(result, i, takes->items[i].load->name, take_digest(r, &takes->items[i]), false, e))
			return -1;
	return 0;
}

struct load_result *target_k3s_load(const char *folder, const struct load_request *request, struct err *e)
{
	AUTO(load_result) result = load_result_new(request->count, e);

	return result && !write_all(folder ? folder : FOLDER, request, result, e) ? TAKE(result) : NULL;
}
