/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "oci/json.h"
#include "stream/process.h"
#include "target/docker_api.h"
#include "target/have.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* podman's store: where it is, and under which driver's name. */
struct store {
	char *root;
	char *driver;
	size_t images;
};
static void store_release(struct store *s)
{
	free(s->root);
	free(s->driver);
}

static int keep(struct store *s, const char *root, const char *driver, struct err *e)
{
	/* The driver becomes part of a path. */
	if (!root || *root != '/' || !driver || !*driver || strchr(driver, '/'))
		return err_set(e, ERR_TARGET, "podman does not say where its store is");
	s->root = strdup(root);
	s->driver = strdup(driver);
	return s->root && s->driver ? 0 : err_memory(e);
}

/* docker's /info as podman fills it. 1: the service said it; 0: none answers. */
static int ask_service(struct http *http, struct store *s, char where[256], struct err *e)
{
	AUTO(docker) d = docker_new_podman(http, e);
	struct jdoc *answer = NULL;
	struct err silent;
	uint64_t images = 0;

	if (!d)
		return -1;
	if (docker_ping(d, &silent))
		return 0;
	(void)snprintf(where, 256, "%s", docker_where(d));
	if (docker_get(d, "/info", false, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	const struct jval *info = jdoc_root(doc);
	(void)jval_get_u64(info, "Images", false, &images, NULL);
	s->images = (size_t)images;
	return keep(s, jval_text(jval_get(info, "DockerRootDir")), jval_text(jval_get(info, "Driver")), e) ? -1 : 1;
}

static int ask_program(struct store *s, struct err *e)
{
	static const char *const arguments[] = { "info", "--format", "json", NULL };
	AUTO_BUF out = { 0 };
	AUTO_BUF errors = { 0 };
	const struct process_run run = {
		.program = "podman",
		.arguments = arguments,
		.max_output = LIMIT_SETTINGS,
		.seconds = LIMIT_HELPER_SECONDS,
		.errors = &errors,
	};
	char shown[LIMIT_ERROR_SHOWN / 2];
	uint64_t images = 0;
	int status = 0;

	if (!process_exists("podman")) {
		err_set(e, ERR_LOCAL, "no podman answers, and there is no podman in PATH");
		return err_hint(e, "run inventory on the machine that has it, as the user whose images are meant");
	}
	if (process_run(&run, &out, &status, e))
		return err_at(e, "podman info");
	if (status)
		return err_set(e, ERR_TARGET, "podman info ended with code %d: %s", status,
			       text_escape(shown, sizeof(shown), errors.len ? errors.data : "",
					   errors.len ? strcspn(errors.data, "\r\n") : 0));
	AUTO(jdoc) doc = jdoc_parse(out.len ? out.data : "", out.len, e);
	if (!doc)
		return err_at(e, "podman info");
	const struct jval *there = jval_get(jdoc_root(doc), "store");
	(void)jval_get_u64(jval_get(there, "imageStore"), "number", false, &images, NULL);
	s->images = (size_t)images;
	return keep(s, jval_text(jval_get(there, "graphRoot")), jval_text(jval_get(there, "graphDriverName")), e);
}

static int add_digest(struct inventory *v, const struct jval *layer, const char *key, struct err *e)
{
	const char *text = jval_text(jval_get(layer, key));
	struct digest d;

	if (!text || digest_parse(&d, text, strlen(text), NULL))
		return 0;
	return inventory_add(v, HAVE_BLOB, &d, e);
}

/* A layer that is still being filled, or was when podman was killed, is none. */
static bool is_whole(const struct jval *layer)
{
	bool incomplete = false;

	(void)jval_get_bool(jval_get(layer, "flags"), "incomplete", false, &incomplete, NULL);
	return !incomplete;
}

/* One of the store's files; 0 too if it may be missing and is. */
static int read_layers(const char *path, bool optional, struct inventory *v, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF text = { 0 };

	if (fd < 0 && errno == ENOENT && optional)
		return 0;
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot open it");
	if (buf_read(&text, fd, LIMIT_PAPER, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(text.len ? text.data : "[]", text.len ? text.len : 2, e);
	if (!doc)
		return -1;
	for (size_t i = 0; i < jval_count(jdoc_root(doc)); i++) {
		const struct jval *layer = jval_at(jdoc_root(doc), i);
		if (is_whole(layer) &&
		    (add_digest(v, layer, "compressed-diff-digest", e) || add_digest(v, layer, "diff-digest", e)))
			return -1;
	}
	return 0;
}

static int read_store(const struct store *s, struct inventory *v, struct err *e)
{
	static const char *const files[] = { "layers.json", "volatile-layers.json" };
	char shown[256];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_BUF path = { 0 };
		if (buf_printf(&path, e, "%s/%s-layers/%s", s->root, s->driver, files[i]))
			return -1;
		/* A store without any image yet has no such file. */
		if (read_layers(path.data, i > 0 || !s->images, v, e)) {
			err_at(e, "podman's store: %s", text_escape_str(shown, sizeof(shown), path.data));
			return e && e->kind == ERR_LOCAL
				       ? err_hint(e, "inventory must run on podman's machine, as a user "
						     "who may read its store")
				       : -1;
		}
	}
	return 0;
}

int target_podman_have(struct http *http, struct inventory *v, const struct events *events, struct have_found *found,
		       struct err *e)
{
	__attribute__((cleanup(store_release))) struct store s = { 0 };
	char where[256] = "podman info";
	const int asked = ask_service(http, &s, where, e);

	if (asked < 0 || (!asked && ask_program(&s, e)) || read_store(&s, v, e))
		return -1;
	event_text(events, EVENT_DETAIL, "%s names podman's store", where);
	text_escape_str(found->where, sizeof(found->where), s.root);
	found->kind = "podman";
	found->images = s.images;
	return 0;
}
