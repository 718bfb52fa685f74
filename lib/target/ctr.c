/* SPDX-License-Identifier: Apache-2.0 */
#include "target/ctr.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "stream/process.h"
#include "target/ctr_host.h"

#include <stdio.h>
#include <string.h>

/* --address, its value, --namespace, its value, and the words before and behind them. */
#define WORDS_MOST 32

struct ctr {
	char *socket;
	char *space;
	const char *words[2];
	char where[300];
};

struct ctr *ctr_new(const char *socket, const char *space, struct err *e)
{
	AUTO(ctr) c = calloc(1, sizeof(*c));
	char shown[200];

	if (c) {
		c->socket = strdup(ctr_host_socket(socket));
		c->space = strdup(space);
	}
	if (!c || !c->socket || !c->space) {
		err_memory(e);
		return NULL;
	}
	(void)snprintf(c->where, sizeof(c->where), "%s, namespace %s", text_escape_str(shown, sizeof(shown), c->socket),
		       c->space);
	return ctr_host_ping(c->socket, e) || ctr_host_client(c->words, e) ? NULL : TAKE(c);
}

void ctr_free(struct ctr *c)
{
	if (!c)
		return;
	free(c->socket);
	free(c->space);
	free(c);
}

const char *ctr_where(const struct ctr *c)
{
	return c->where;
}

/* Running it. */

/* The last line that says something; what comes before it are warnings and progress. */
static const char *last_words(const struct buf *errors, char *shown, size_t cap)
{
	size_t end = errors->len;

	while (end && strchr(" \t\r\n", errors->data[end - 1]))
		end--;
	size_t from = end;
	while (from && errors->data[from - 1] != '\n' && errors->data[from - 1] != '\r')
		from--;
	return end ? text_escape(shown, cap, errors->data + from, end - from) : "nothing";
}

/* What is to be run: the words behind those that say where. */
struct order {
	const char *words[WORDS_MOST - 6];
	size_t count;
	struct source *input;
	unsigned seconds;
	size_t max_output;
};

static int run(struct ctr *c, const struct order *o, struct buf *out, struct err *e)
{
	const char *arguments[WORDS_MOST] = { 0 };
	char shown[LIMIT_ERROR_SHOWN / 2];
	AUTO_BUF errors = { 0 };
	size_t n = 0;
	int status = 0;

	if (c->words[1])
		arguments[n++] = c->words[1];
	arguments[n++] = "--address";
	arguments[n++] = c->socket;
	arguments[n++] = "--namespace";
	arguments[n++] = c->space;
	for (size_t i = 0; i < o->count; i++)
		arguments[n++] = o->words[i];
	const struct process_run process = { .program = c->words[0],
					     .arguments = arguments,
					     .stream = o->input,
					     .max_output = o->max_output,
					     .seconds = o->seconds,
					     .errors = &errors };
	if (process_run(&process, out, &status, e))
		return o->input && e && e->kind == ERR_CORRUPT ? -1 : err_at(e, "%s", c->words[0]);
	if (!status)
		return 0;
	return err_set(e, ERR_TARGET, "%s %s %s ended with code %d: %s", c->words[0], o->words[0], o->words[1], status,
		       last_words(&errors, shown, sizeof(shown)));
}

/* Reading what it lists: a table with a head line, columns set apart by blanks. */

/* The next word of a line; its length, 0 at the line's end. */
static size_t next_word(const char **at, const char *end, const char **word)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	*word = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	return (size_t)(*at - *word);
}

/* Of a line its end, and of the next one its beginning. */
static const char *line_end(const char *from, const char *end, const char **next)
{
	const char *newline = memchr(from, '\n', (size_t)(end - from));

	*next = newline ? newline + 1 : end;
	return newline ? newline : end;
}

static int add_image(struct ctr_images *images, const char *name, size_t len, const struct digest *d, bool pinned,
		     struct err *e)
{
	struct digest key;

	if (GROW(images->items, images->capacity, images->count, e) || digest_of(&key, name, len, e))
		return -1;
	char *copy = strndup(name, len);
	if (!copy)
		return err_memory(e);
	images->items[images->count] = (struct ctr_image){ copy, *d, pinned };
	return digestmap_put(images->by_name, &key, images->count++, e);
}

/* REF TYPE DIGEST SIZE PLATFORMS LABELS. A line that is not so, as the head, names no image. */
static int read_image(struct ctr_images *images, const char *line, const char *end, struct err *e)
{
	const char *name, *type, *digest;
	const char *at = line;
	struct digest d;
	size_t name_len = next_word(&at, end, &name);
	size_t type_len = next_word(&at, end, &type);
	size_t digest_len = next_word(&at, end, &digest);

	if (!name_len || !type_len || digest_parse(&d, digest, digest_len, NULL))
		return 0;
	const bool pinned = memmem(at, (size_t)(end - at), CTR_PIN_LABEL, strlen(CTR_PIN_LABEL)) != NULL;
	return add_image(images, name, name_len, &d, pinned, e);
}

struct ctr_images *ctr_images(struct ctr *c, struct err *e)
{
	const struct order order = {
		.words = { "images", "ls" }, .count = 2, .seconds = LIMIT_CTR_SECONDS, .max_output = LIMIT_CTR_LIST
	};
	AUTO(ctr_images) images = calloc(1, sizeof(*images));
	AUTO_BUF out = { 0 };
	const char *next;

	if (!images) {
		err_memory(e);
		return NULL;
	}
	images->by_name = digestmap_new(e);
	if (!images->by_name || run(c, &order, &out, e))
		return NULL;
	if (!out.len || !text_starts(out.data, "REF")) {
		err_set(e, ERR_TARGET, "%s images ls does not list images as ctr would", c->words[0]);
		return NULL;
	}
	for (const char *at = out.data, *end = out.data + out.len; at < end; at = next) {
		const char *stop = line_end(at, end, &next);
		if (read_image(images, at, stop, e))
			return NULL;
	}
	return TAKE(images);
}

void ctr_images_free(struct ctr_images *images)
{
	if (!images)
		return;
	for (size_t i = 0; i < images->count; i++)
		free(images->items[i].name);
	free(images->items);
	digestmap_free(images->by_name);
	free(images);
}

const struct ctr_image *ctr_images_find(const struct ctr_images *images, const char *name)
{
	struct digest key;

	if (digest_of(&key, name, strlen(name), NULL))
		return NULL;
	ptrdiff_t i = digestmap_get(images->by_name, &key);
	return i >= 0 && !strcmp(images->items[i].name, name) ? &images->items[i] : NULL;
}

struct digestmap *ctr_content(struct ctr *c, struct err *e)
{
	const struct order order = { .words = { "content", "ls", "--quiet" },
				     .count = 3,
				     .seconds = LIMIT_CTR_SECONDS,
				     .max_output = LIMIT_CTR_LIST };
	AUTO(digestmap) found = digestmap_new(e);
	AUTO_BUF out = { 0 };
	const char *next;
	struct digest d;

	if (!found || run(c, &order, &out, e))
		return NULL;
	/* An empty store is an empty list. */
	const char *from = out.len ? out.data : "";
	for (const char *at = from, *end = from + out.len; at < end; at = next) {
		const char *stop = line_end(at, end, &next);
		if (!digest_parse(&d, at, (size_t)(stop - at), NULL) && digestmap_put(found, &d, 0, e))
			return NULL;
	}
	return TAKE(found);
}

/* Changing. */

int ctr_import(struct ctr *c, struct source *tar, bool unpack, unsigned seconds, struct err *e)
{
	struct order order = { .words = { "images", "import", "--all-platforms" },
			       .count = 3,
			       .input = tar,
			       .seconds = seconds,
			       .max_output = LIMIT_CTR_LIST };
	AUTO_BUF out = { 0 };

	if (!unpack)
		order.words[order.count++] = "--no-unpack";
	order.words[order.count++] = "-";
	return run(c, &order, &out, e);
}

int ctr_remove(struct ctr *c, const char *const *names, size_t count, struct err *e)
{
	AUTO_BUF out = { 0 };

	for (size_t i = 0; i < count;) {
		struct order order = { .words = { "images", "rm", "--sync" },
				       .count = 3,
				       .seconds = LIMIT_CTR_SECONDS,
				       .max_output = LIMIT_CTR_LIST };
		while (i < count && order.count < sizeof(order.words) / sizeof(order.words[0]))
			order.words[order.count++] = names[i++];
		if (run(c, &order, &out, e))
			return -1;
	}
	return 0;
}

int ctr_pin(struct ctr *c, const char *name, struct err *e)
{
	const struct order order = { .words = { "images", "label", name, CTR_PIN_LABEL },
				     .count = 4,
				     .seconds = LIMIT_CTR_SECONDS,
				     .max_output = LIMIT_CTR_LIST };
	AUTO_BUF out = { 0 };

	return run(c, &order, &out, e);
}
