/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/porter.h"

#include "base/text.h"
#include "oci/json.h"

#include <string.h>

#define PREFIX "[PORTER]"

/* A part of the title. */
struct piece {
	const char *text;
	size_t len;
};

static struct piece trim(const char *text, size_t len)
{
	for (; len && *text == ' '; len--)
		text++;
	while (len && text[len - 1] == ' ')
		len--;
	return (struct piece){ text, len };
}

/* A copy with a NUL behind it. The bytes were looked at: there is none inside. */
static int copy(struct piece p, const char *noun, char out[LIMIT_REFERENCE + 1], struct err *e)
{
	if (!p.len)
		return err_set(e, ERR_USAGE, "the title names no %s", noun);
	if (p.len > LIMIT_REFERENCE)
		return err_set(e, ERR_USAGE, "the title's %s is longer than %d bytes", noun, LIMIT_REFERENCE);
	memcpy(out, p.text, p.len);
	out[p.len] = '\0';
	return 0;
}

/* No look-alikes, line ends or escape sequences: what is neither a blank nor visible ASCII is named by its number. */
static int check_bytes(const char *title, size_t len, struct err *e)
{
	uint32_t code;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)title[i];
		if (c >= ' ' && c < 0x7f)
			continue;
		if (!text_utf8(title + i, len - i, &code))
			code = c;
		return err_set(e, ERR_USAGE,
			       "the title has the character U+%04X at byte %zu, which no image's name has",
			       (unsigned)code, i + 1);
	}
	return 0;
}

static bool is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0;
}

/* A name that public DNS can know: labels with dots between them, of which the last is no number. */
static bool is_public(const char *registry)
{
	const size_t len = strcspn(registry, ":");
	const char *dot = memrchr(registry, '.', len);

	return registry[0] != '[' && !reference_registry_is_local(registry) && dot && dot[1] &&
	       !is_number(dot + 1, len - (size_t)(dot + 1 - registry)) && !text_starts(dot, ".local") &&
	       !text_starts(dot, ".internal");
}

static int check_registry(const char *registry, const char *const *allow, struct err *e)
{
	for (size_t i = 0; allow && allow[i]; i++)
		if (!strcmp(allow[i], registry))
			return 0;
	if (allow)
		return err_set(e, ERR_USAGE, "%s is not one of the registries that may be named here", registry);
	if (is_public(registry))
		return 0;
	return err_set(e, ERR_USAGE, "%s is no public registry's name; --allow %s takes it all the same", registry,
		       registry);
}

static int add_platform(struct porter *p, struct piece word, struct err *e)
{
	char text[LIMIT_REFERENCE + 1];
	struct platform platform;

	if (copy(word, "platform", text, e) || platform_parse(&platform, text, e))
		return -1;
	for (size_t i = 0; i < p->platform_count; i++)
		if (platform_equal(&p->platforms[i], &platform))
			return 0;
	if (p->platform_count == LIMIT_PORTER_PLATFORMS)
		return err_set(e, ERR_USAGE, "the title names more than %d platforms", LIMIT_PORTER_PLATFORMS);
	p->platforms[p->platform_count++] = platform;
	return 0;
}

static int add_platforms(struct porter *p, const char *list, size_t len, struct err *e)
{
	for (;;) {
		const char *comma = memchr(list, ',', len);
		const size_t word = comma ? (size_t)(comma - list) : len;
		if (add_platform(p, trim(list, word), e))
			return -1;
		if (!comma)
			return 0;
		list += word + 1;
		len -= word + 1;
	}
}

int porter_parse(struct porter *out, const char *title, size_t len, const char *const *allow, struct err *e)
{
	struct porter p = { 0 };
	char text[LIMIT_REFERENCE + 1];

	if (len && title[len - 1] == '\n')
		len--;
	if (len && title[len - 1] == '\r')
		len--;
	if (len > LIMIT_TITLE)
		return err_set(e, ERR_USAGE, "the title is longer than %d bytes", LIMIT_TITLE);
	if (check_bytes(title, len, e))
		return -1;
	struct piece all = trim(title, len);
	const size_t prefix = strlen(PREFIX);
	if (all.len < prefix || memcmp(all.text, PREFIX, prefix) != 0)
		return err_set(e, ERR_USAGE, "the title does not begin with " PREFIX);
	all = (struct piece){ all.text + prefix, all.len - prefix };
	const char *bar = memchr(all.text, '|', all.len);
	const size_t name = bar ? (size_t)(bar - all.text) : all.len;
	if (copy(trim(all.text, name), "image", text, e) || reference_parse(&p.reference, text, e) ||
	    check_registry(p.reference.registry, allow, e))
		return -1;
	if (bar && add_platforms(&p, bar + 1, all.len - name - 1, e))
		return -1;
	*out = p;
	return 0;
}

int porter_lines(const struct porter *p, struct buf *out, struct err *e)
{
	char text[REFERENCE_TEXT_SIZE];
	char platform[PLATFORM_TEXT_SIZE];

	if (buf_printf(out, e, "reference=%s\nplatforms=", reference_text(&p->reference, text)))
		return -1;
	for (size_t i = 0; i < p->platform_count; i++)
		if (buf_printf(out, e, "%s%s", i ? "," : "", platform_text(&p->platforms[i], platform)))
			return -1;
	return buf_puts(out, "\n", e);
}

int porter_json(const struct porter *p, struct buf *out, struct err *e)
{
	char text[REFERENCE_TEXT_SIZE];
	char platform[PLATFORM_TEXT_SIZE];
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "reference");
	jout_text(&j, reference_text(&p->reference, text));
	jout_key(&j, "platforms");
	jout_array(&j);
	for (size_t i = 0; i < p->platform_count; i++)
		jout_text(&j, platform_text(&p->platforms[i], platform));
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
