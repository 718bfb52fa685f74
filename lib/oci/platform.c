/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/platform.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* Other words for an architecture. `variant` is what the word says about it; NULL: nothing. */
static const struct alias {
	const char *word, *architecture, *variant;
} aliases[] = {
	{ "x86_64", "amd64", NULL },
	{ "x86-64", "amd64", NULL },
	{ "i386", "386", "" },
	{ "i486", "386", "" },
	{ "i586", "386", "" },
	{ "i686", "386", "" },
	{ "x86", "386", "" },
	{ "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "armv5l", "arm", "v5" },
	{ "armv5tel", "arm", "v5" },
	{ "armv5tejl", "arm", "v5" },
	{ "armv6l", "arm", "v6" },
	{ "armv7l", "arm", "v7" },
	{ "armv8l", "arm", "v8" },
	{ "ppc64el", "ppc64le", NULL },
	{ "loongarch64", "loong64", NULL },
	{ "mips64el", "mips64le", NULL },
	{ "mipsel", "mipsle", NULL },
};

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* The variant that needs no word: v8 of arm64 and v1 of amd64 vanish, arm gets its v7, and "7" means "v7". */
static void normalise_variant(struct platform *p)
{
	char *v = p->variant;

	if (v[0] >= '1' && v[0] <= '9' && v[1] == '\0' &&
	    (strcmp(p->architecture, "arm") == 0 || strcmp(p->architecture, "arm64") == 0)) {
		v[1] = v[0];
		v[0] = 'v';
		v[2] = '\0';
	}
	if ((strcmp(p->architecture, "arm64") == 0 && strcmp(v, "v8") == 0) ||
	    (strcmp(p->architecture, "amd64") == 0 && strcmp(v, "v1") == 0))
		v[0] = '\0';
	if (strcmp(p->architecture, "arm") == 0 && !v[0])
		(void)snprintf(v, sizeof(p->variant), "v7");
}

static void normalise(struct platform *p)
{
	lower(p->os);
	lower(p->architecture);
	lower(p->variant);
	if (strcmp(p->os, "macos") == 0)
		(void)snprintf(p->os, sizeof(p->os), "darwin");
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(p->architecture, aliases[i].word) != 0)
			continue;
		(void)snprintf(p->architecture, sizeof(p->architecture), "%s", aliases[i].architecture);
		if (aliases[i].variant)
			(void)snprintf(p->variant, sizeof(p->variant), "%s", aliases[i].variant);
		break;
	}
	normalise_variant(p);
}

/* Letters, digits and "_.-", as in containerd's platform specifiers. */
static bool word_valid(const char *s, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return strspn(s, allowed) >= len;
}

static int refuse(const char *text, const char *why, struct err *e)
{
	char shown[64];

	return err_set(e, ERR_USAGE,
		       "\"%s\" is not a platform: %s, expected OS/ARCH[/VARIANT] such as linux/arm64 or linux/arm/v7",
		       text_escape_str(shown, sizeof(shown), text), why);
}

int platform_parse(struct platform *out, const char *text, struct err *e)
{
	struct platform p = { 0 };
	struct {
		char *to;
		size_t cap;
	} parts[] = { { p.os, sizeof(p.os) },
		      { p.architecture, sizeof(p.architecture) },
		      { p.variant, sizeof(p.variant) } };
	const char *at = text;
	size_t count = 0;

	for (;;) {
		size_t len = strcspn(at, "/");

		if (count == 3)
			return refuse(text, "it has more than three parts", e);
		if (!len)
			return refuse(text, "it has an empty part", e);
		if (len >= parts[count].cap)
			return refuse(text, "a part of it is too long", e);
		if (!word_valid(at, len))
			return refuse(text, "it has a character that no platform has", e);
		memcpy(parts[count].to, at, len);
		count++;
		if (!at[len])
			break;
		at += len + 1;
	}
	if (count < 2)
		return refuse(text, "it has one part", e);
	normalise(&p);
	*out = p;
	return 0;
}

/* One text member into a fixed field; absent: "". `word`: of the letters that platforms have, else printable ASCII. */
static int take(const struct jval *v, const char *key, char *to, size_t cap, bool word, struct err *e)
{
	const char *text = "";
	char shown[80];

	if (jval_get_text(v, key, false, &text, e))
		return -1;
	size_t len = strlen(text);
	bool good = len < cap;
	for (size_t i = 0; i < len && !word; i++)
		good = good && text[i] >= 0x20 && text[i] < 0x7F;
	if (!good || (word && !word_valid(text, len)))
		return err_set(e, ERR_CORRUPT, "\"%s\" is \"%s\", which is no %s", key,
			       text_escape_str(shown, sizeof(shown), text), key);
	memcpy(to, text, len + 1);
	return 0;
}

int platform_from_json(struct platform *out, const struct jval *v, struct err *e)
{
	static const char *const names[] = { "os", "architecture", "variant", "os.version" };
	struct platform p = { 0 };

	if (!jval_is_null(v) && !jval_is_object(v))
		return err_set(e, ERR_CORRUPT, "the platform is not an object");
	if (jval_check_names(v, names, sizeof(names) / sizeof(names[0]), e) ||
	    take(v, "os", p.os, sizeof(p.os), true, e) ||
	    take(v, "architecture", p.architecture, sizeof(p.architecture), true, e) ||
	    take(v, "variant", p.variant, sizeof(p.variant), true, e) ||
	    take(v, "os.version", p.os_version, sizeof(p.os_version), false, e))
		return -1;
	normalise(&p);
	*out = p;
	return 0;
}

struct platform platform_default(void)
{
	struct platform p = { .os = "linux" };
	struct utsname name;

	if (uname(&name) == 0 && word_valid(name.machine, strlen(name.machine)) &&
	    strlen(name.machine) < sizeof(p.architecture))
		memcpy(p.architecture, name.machine, strlen(name.machine) + 1);
	normalise(&p);
	return p;
}

const char *platform_text(const struct platform *p, char out[PLATFORM_TEXT_SIZE])
{
	(void)snprintf(out, PLATFORM_TEXT_SIZE, "%s/%s%s%s", p->os[0] ? p->os : "unknown",
		       p->architecture[0] ? p->architecture : "unknown", p->variant[0] ? "/" : "", p->variant);
	return out;
}

bool platform_equal(const struct platform *a, const struct platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
	       strcmp(a->variant, b->variant) == 0 && strcmp(a->os_version, b->os_version) == 0;
}

bool platform_is_unknown(const struct platform *p)
{
	return strcmp(p->os, "unknown") == 0 && strcmp(p->architecture, "unknown") == 0;
}

void platform_put(struct jout *j, const struct platform *p)
{
	if (!*p->os && !*p->architecture)
		return;
	jout_key(j, "platform");
	jout_object(j);
	jout_key(j, "architecture");
	jout_text(j, p->architecture);
	jout_key(j, "os");
	jout_text(j, p->os);
	if (*p->os_version) {
		jout_key(j, "os.version");
		jout_text(j, p->os_version);
	}
	if (*p->variant) {
		jout_key(j, "variant");
		jout_text(j, p->variant);
	}
	jout_end(j);
}
