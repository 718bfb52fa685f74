/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/question.h"

#include <stdio.h>
#include <string.h>

void question_release(struct question *q)
{
	buf_release(&q->url);
	buf_release(&q->scope);
}
int question_make(const struct registry *r, const char *repository, const char *kind, const char *reference,
		  struct question *q, struct err *e)
{
	(void)snprintf(q->what, sizeof(q->what), "%.*s %s of %s", (int)strlen(kind) - 1, kind, reference, repository);
	return session_url(r, repository, kind, reference, &q->url, e) ||
			       session_scope(r, repository, NULL, &q->scope, e)
		       ? -1
		       : 0;
}

void answer_content_type(const struct http_reply *reply, char out[128])
{
	const char *type = http_header(reply, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	out[0] = '\0';
	if (!len || len >= 128)
		return;
	for (size_t i = 0; i < len; i++)
		if (type[i] <= 0x20 || type[i] >= 0x7f)
			return;
	memcpy(out, type, len);
	out[len] = '\0';
}
