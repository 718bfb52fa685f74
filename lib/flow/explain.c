/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/explain.h"

#include "base/text.h"
#include "flow/maps.h"
#include "oci/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool flow_rule_set(size_t i, const char **name, char summary[RULE_SET_SUMMARY], const char **text)
{
	const char *first = rules_shipped[i].text;

	if (!first)
		return false;
	first += strspn(first, "# ");
	(void)snprintf(summary, RULE_SET_SUMMARY, "%.*s", (int)strcspn(first, "\n"), first);
	*name = rules_shipped[i].name;
	*text = rules_shipped[i].text;
	return true;
}

const char *flow_rule_set_text(const char *name, struct err *e)
{
	char names[160], shown[100];

	for (const struct rules_shipped *s = rules_shipped; s->name; s++)
		if (!strcmp(s->name, name))
			return s->text;
	err_set(e, ERR_USAGE, "no set of rules is called %s; there are %s", text_escape_str(shown, sizeof(shown), name),
		maps_shipped_names(names, sizeof(names)));
	return NULL;
}

static int keep(char **out, const char *text, struct err *e)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? err_memory(e) : 0;
}

static struct explained *add_item(struct explain_report *r, const struct reference *ref, const char *set, struct err *e)
{
	char name[REFERENCE_TEXT_SIZE];

	if (GROW(r->items, r->capacity, r->count, e))
		return NULL;
	struct explained *x = &r->items[r->count++];
	*x = (struct explained){ .kind = EXPLAINED_NONE };
	return keep(&x->name, reference_text(ref, name), e) || keep(&x->set, set, e) ? NULL : x;
}

/* The only thing that may fail here is memory: what is wrong with a rule is the answer. */
static int explain(struct explained *x, const struct maps *m, const struct reference *ref, struct err *e)
{
	struct reference out;
	struct rule_found found;
	struct err why = { 0 };
	char result[REFERENCE_TEXT_SIZE];
	int rc = maps_find(m, ref, &out, &found, &why);

	if (rc < 0) {
		x->kind = EXPLAINED_PROBLEM;
		return keep(&x->problem, why.text, e);
	}
	if (!found.file)
		return 0;
	x->kind = rc ? EXPLAINED_MADE : EXPLAINED_KEPT;
	if (asprintf(&x->rule, "%s:%zu", found.file, found.line) < 0) {
		x->rule = NULL;
		return err_memory(e);
	}
	if (asprintf(&x->text, "%s = %s", found.pattern, found.result) < 0) {
		x->text = NULL;
		return err_memory(e);
	}
	return rc ? keep(&x->result, reference_text(&out, result), e) : 0;
}

/* What a shipped set makes of it; one whose variable has no value cannot say. */
static int explain_by_set(struct explain_report *r, const char *set, const struct reference *ref, struct err *e)
{
	const char *const files[] = { set, NULL };
	struct err why = { 0 };
	AUTO(maps) m = maps_new(files, &why);
	struct explained *x = add_item(r, ref, set, e);

	if (!x)
		return -1;
	if (m)
		return explain(x, m, ref, e);
	x->kind = EXPLAINED_PROBLEM;
	return keep(&x->problem, why.text, e);
}

static int explain_one(struct explain_report *r, const struct maps *m, const struct reference *ref, struct err *e)
{
	if (m) {
		struct explained *x = add_item(r, ref, NULL, e);
		return x ? explain(x, m, ref, e) : -1;
	}
	for (const struct rules_shipped *s = rules_shipped; s->name; s++)
		if (explain_by_set(r, s->name, ref, e))
			return -1;
	return 0;
}

struct explain_report *flow_explain(const char *const *references, size_t count, const char *const *maps, struct err *e)
{
	const bool named = maps && maps[0];
	AUTO(explain_report) r = calloc(1, sizeof(*r));
	AUTO(maps) m = named ? maps_new(maps, e) : NULL;
	struct reference ref;

	if (!r)
		err_memory(e);
	if (!r || (named && !m))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (reference_parse(&ref, references[i], e) || explain_one(r, m, &ref, e))
			return NULL;
	return TAKE(r);
}

void explain_report_free(struct explain_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		struct explained *x = &r->items[i];
		free(x->name);
		free(x->set);
		free(x->result);
		free(x->rule);
		free(x->text);
		free(x->problem);
	}
	free(r->items);
	free(r);
}

static void put(struct jout *j, const char *key, const char *text)
{
	jout_key(j, key);
	jout_text(j, text);
}

int explain_report_json(const struct explain_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "references");
	jout_array(&j);
	for (size_t i = 0; i < r->count; i++) {
		const struct explained *x = &r->items[i];
		jout_object(&j);
		put(&j, "name", x->name);
		put(&j, "set", x->set);
		put(&j, "result", x->kind == EXPLAINED_KEPT ? x->name : x->result);
		put(&j, "rule", x->rule);
		put(&j, "text", x->text);
		put(&j, "problem", x->problem);
		jout_end(&j);
	}
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}

int flow_rule_sets_json(struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);
	char summary[RULE_SET_SUMMARY];
	const char *name, *text;

	jout_object(&j);
	jout_key(&j, "sets");
	jout_array(&j);
	for (size_t i = 0; flow_rule_set(i, &name, summary, &text); i++) {
		jout_object(&j);
		put(&j, "name", name);
		put(&j, "summary", summary);
		jout_end(&j);
	}
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
