/* SPDX-License-Identifier: Apache-2.0 */
/* What rules make of a reference. */
#include "oci/rules_inside.h"

#include "base/buf.h"

#include <string.h>

static int add_replaced(struct buf *out, const struct rule_piece *p, const struct rule_span *span, struct err *e)
{
	for (size_t i = 0; i < span->len; i++) {
		const bool changed = p->from && span->text[i] == p->from;
		if (buf_add(out, changed ? p->to : span->text + i, changed ? p->to_len : 1, e))
			return -1;
	}
	return 0;
}

static int expand(const struct rules *r, const struct rule *rule, const struct rule_span *spans, struct buf *out,
		  struct err *e)
{
	for (size_t i = 0; i < rule->out.count; i++) {
		const struct rule_piece *p = &rule->out.pieces[i];
		int rc;
		if (p->kind == PIECE_TEXT)
			rc = buf_add(out, p->text, p->len, e);
		else if (p->kind == PIECE_VARIABLE)
			rc = buf_puts(out, r->variables[p->variable].value ? r->variables[p->variable].value : "", e);
		else
			rc = add_replaced(out, p, &spans[p->source], e);
		if (rc)
			return -1;
	}
	return 0;
}

/* Tag and digest of the reference, where the result says none. */
static int add_selector(struct buf *out, const struct reference *from, struct err *e)
{
	const char *slash = strrchr(out->data, '/');
	char digest[DIGEST_TEXT_SIZE];

	if (strchr(out->data, '@'))
		return 0;
	if (!strchr(slash ? slash : out->data, ':') && from->tag[0] && buf_printf(out, e, ":%s", from->tag))
		return -1;
	return from->has_digest ? buf_printf(out, e, "@%s", digest_text(&from->digest, digest)) : 0;
}

static int make(const struct rules *r, const struct rule *rule, const struct rule_span *spans,
		const struct reference *from, struct reference *out, struct err *e)
{
	AUTO_BUF text = { 0 };
	struct reference made;
	char name[REFERENCE_TEXT_SIZE];

	if (expand(r, rule, spans, &text, e) || buf_puts(&text, "", e) || add_selector(&text, from, e))
		return -1;
	if (reference_parse(&made, text.data, e))
		return err_at(e, "%s:%zu: of %.200s this rule makes", r->file, rule->line, reference_text(from, name));
	if (from->has_digest && (!made.has_digest || !digest_equal(&made.digest, &from->digest)))
		return err_set(e, ERR_USAGE, "%s:%zu: this rule takes another digest than %.300s asks for", r->file,
			       rule->line, reference_text(from, name));
	*out = made;
	return 0;
}

/* Does it fit? spans: the name's captures, then, from LIMIT_RULE_PIECES on, the tag's. */
static bool fits(const struct rules *r, const struct rule *rule, const char *name, const char *tag,
		 struct rule_span *spans)
{
	if (rule->has_tag && (!*tag || !rule_match(r, &rule->tag, tag, spans + LIMIT_RULE_PIECES)))
		return false;
	return rule_match(r, &rule->name, name, spans);
}

int rules_apply(const struct rules *r, const struct reference *from, struct reference *out, struct rule_found *found,
		struct err *e)
{
	char name[REFERENCE_TEXT_SIZE];
	struct rule_span spans[RULE_SPANS];

	reference_name(from, name);
	if (found)
		*found = (struct rule_found){ 0 };
	for (size_t i = 0; i < r->count; i++) {
		const struct rule *rule = &r->rules[i];
		if (!fits(r, rule, name, from->tag, spans))
			continue;
		if (found)
			*found = (struct rule_found){ r->file, rule->line, rule->pattern, rule->result };
		if (!rule->keep)
			return make(r, rule, spans, from, out, e) ? -1 : 1;
		break;
	}
	*out = *from;
	return 0;
}
