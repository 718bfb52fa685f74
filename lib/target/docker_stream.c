/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_stream.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"

#include <string.h>

static int refused(const char *words, struct err *e)
{
	char shown[LIMIT_ERROR_SHOWN];
	size_t len = strcspn(words, "\r\n");

	return err_set(e, ERR_TARGET, "the daemon says: %s", text_escape(shown, 384, words, len));
}

/* A sentence for the person, with the newline that docker puts behind it. */
static int take_sentence(struct docker_stream *s, const char *words, struct err *e)
{
	char shown[LIMIT_ERROR_SHOWN];

	if (text_starts(words, "Error unpacking image"))
		return refused(words, e);
	if (text_starts(words, "Loaded image"))
		s->loaded = true;
	event_text(s->events, EVENT_DETAIL, "the daemon says: %s",
		   text_escape(shown, sizeof(shown), words, strcspn(words, "\r\n")));
	return 0;
}

static int take_object(struct docker_stream *s, struct err *e)
{
	AUTO(jdoc) doc = jdoc_parse(s->object.data, s->object.len, e);

	if (!doc) {
		if (e)
			e->kind = ERR_TARGET;
		return err_at(e, "the daemon's answer");
	}
	const struct jval *root = jdoc_root(doc);
	const struct jval *detail = jval_get(root, "errorDetail");
	const struct jval *error = jval_get(root, "error");
	const char *words = jval_text(jval_get(detail, "message"));
	if (!jval_is_null(detail) || !jval_is_null(error)) {
		if (!words || !*words)
			words = jval_text(error);
		return refused(words && *words ? words : "an error without a text", e);
	}
	words = jval_text(jval_get(root, "stream"));
	return words ? take_sentence(s, words, e) : 0;
}

/* Follows braces and strings, so that an object can be cut out before it is understood. */
static void follow(struct docker_stream *s, char c)
{
	if (s->escaped) {
		s->escaped = false;
	} else if (s->in_string) {
		s->escaped = c == '\\';
		s->in_string = c != '"';
	} else if (c == '"') {
		s->in_string = true;
	} else if (c == '{') {
		s->depth++;
	} else if (c == '}') {
		s->depth--;
	}
}

static int take_byte(struct docker_stream *s, char c, struct err *e)
{
	char shown[16];

	if (!s->depth) {
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			return 0;
		if (c != '{')
			return err_set(e, ERR_TARGET, "the daemon's answer is no JSON object but starts with '%s'",
				       text_escape(shown, sizeof(shown), &c, 1));
	}
	if (s->object.len >= LIMIT_DOCKER_LINE)
		return err_set(e, ERR_TARGET, "the daemon's answer has an object of more than %u bytes",
			       LIMIT_DOCKER_LINE);
	if (buf_add(&s->object, &c, 1, e))
		return -1;
	follow(s, c);
	if (s->depth)
		return 0;
	int failed = take_object(s, e);
	buf_clear(&s->object);
	return failed;
}

int docker_stream_feed(struct docker_stream *s, const char *bytes, size_t len, struct err *e)
{
	s->total += len;
	if (s->total > LIMIT_DOCKER_ANSWER)
		return err_set(e, ERR_TARGET, "the daemon's answer is longer than %u bytes", LIMIT_DOCKER_ANSWER);
	for (size_t i = 0; i < len; i++)
		if (take_byte(s, bytes[i], e))
			return -1;
	return 0;
}

int docker_stream_end(const struct docker_stream *s, struct err *e)
{
	if (s->depth)
		return err_set(e, ERR_TARGET, "the daemon's answer ended in the middle of an object");
	if (!s->loaded)
		return err_set(e, ERR_TARGET, "the daemon did not say that it loaded anything");
	return 0;
}

void docker_stream_release(struct docker_stream *s)
{
	buf_release(&s->object);
}
