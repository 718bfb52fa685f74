/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/reference.h"

#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HUB "docker.io"
#define HUB_OLD "index.docker.io"
#define OFFICIAL "library/"
#define FORM "[REGISTRY/]NAME[:TAG][@DIGEST]"

/* A text of a reference; long enough for an escaped one that is refused for its length. */
#define SHOWN 160

/* 'why' is what stands behind "is not an image reference: ". */
static int refuse(struct err *e, const char *text, const char *why, ...) __attribute__((format(printf, 3, 4)));
static int refuse(struct err *e, const char *text, const char *why, ...)
{
	char shown[SHOWN];
	char reason[300];
	va_list ap;

	va_start(ap, why);
	(void)vsnprintf(reason, sizeof(reason), why, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "\"%s\" is not an image reference: %s",
		       text_escape_str(shown, sizeof(shown), text), reason);
}

/* "USER:PASSWORD@HOST/NAME", as other programs write a login: what is behind an @ of ours has no slash. */
static bool holds_password(const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *at = strrchr(text, '@');
	const char *colon = strchr(scheme ? scheme + 3 : text, ':');

	return at && strchr(at, '/') && colon && colon < at;
}

/* Bytes that no part of a reference may have, and forms that other programs know. */
static int form_check(const char *text, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@[]";
	size_t len = strlen(text);
	size_t good = strspn(text, allowed);
	const char *scheme = strstr(text, "://");
	struct digest d;
	char shown[16];

	if (!len)
		return refuse(e, text, "it is empty, expected " FORM);
	/* Not even quoted: errors end up in logs. */
	if (holds_password(text)) {
		err_set(e, ERR_USAGE, "an image reference holds no user and password");
		return err_hint(e, "use imgpack login, or --username USER and --password-stdin");
	}
	if (len > LIMIT_REFERENCE)
		return refuse(e, text, "it has %zu characters, at most %d are allowed", len, LIMIT_REFERENCE);
	if (scheme && scheme - text < (ptrdiff_t)good)
		return refuse(e, text, "leave out the \"%.*s://\" in front, a reference is " FORM, (int)(scheme - text),
			      text);
	if (good < len) {
		uint32_t code;
		size_t n = text_utf8(text + good, len - good, &code);
		text_escape(shown, sizeof(shown), text + good, n ? n : 1);
		return refuse(e, text, "it has \"%s\" at byte %zu, expected " FORM, shown, good + 1);
	}
	if (digest_parse_hex(&d, text, len))
		return refuse(e, text,
			      "64 hex digits can also be the ID of an image; write NAME@sha256:DIGITS, or NAME:latest "
			      "if this is a name");
	if (digest_parse(&d, text, len, NULL) == 0)
		return refuse(e, text, "it is a digest without a name, expected NAME@sha256:DIGITS");
	return 0;
}

/* Cuts "@sha256:..." off `rest`. */
static int take_digest(struct reference *r, const char *text, char *rest, struct err *e)
{
	char *at = strchr(rest, '@');
	struct err inner = { 0 };

	if (!at)
		return 0;
	*at = '\0';
	if (digest_parse(&r->digest, at + 1, strlen(at + 1), &inner))
		return refuse(e, text, "%s", inner.text);
	r->has_digest = true;
	return 0;
}

/* Cuts ":tag" off `rest`. A colon in front of a slash is a port's. */
static int take_tag(struct reference *r, const char *text, char *rest, struct err *e)
{
	char *slash = strrchr(rest, '/');
	char *colon = strchr(slash ? slash : rest, ':');

	if (!colon || (!slash && rest[0] == '[')) {
		(void)snprintf(r->tag, sizeof(r->tag), "%s", r->has_digest ? "" : "latest");
		return 0;
	}
	*colon = '\0';
	if (!reference_tag_valid(colon + 1))
		return refuse(
			e, text,
			"its tag is \"%.130s\", expected 1 to %d letters, digits, '_', '.' or '-', not beginning with "
			"'.' or '-'",
			colon + 1, LIMIT_TAG);
	(void)snprintf(r->tag, sizeof(r->tag), "%s", colon + 1);
	return 0;
}

static const char *first_upper(const char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			return s;
	return NULL;
}

/* docker's rule: what stands in front of the first slash is a registry if it cannot be the name of a user. */
static bool is_registry(const char *component)
{
	return strpbrk(component, ".:[") || strcmp(component, "localhost") == 0 || first_upper(component);
}

/* Cuts "registry/" off `rest`: what is left of it is the repository as it was written. */
static int take_registry(struct reference *r, const char *text, char **rest, struct err *e)
{
	char *slash = strchr(*rest, '/');

	(void)snprintf(r->registry, sizeof(r->registry), "%s", HUB);
	if (!slash)
		return 0;
	*slash = '\0';
	if (!is_registry(*rest)) {
		*slash = '/';
		return 0;
	}
	if (!reference_registry_valid(*rest))
		return refuse(e, text, "its registry is \"%.130s\", expected HOST or HOST:PORT", *rest);
	if (strcmp(*rest, HUB_OLD) != 0)
		(void)snprintf(r->registry, sizeof(r->registry), "%s", *rest);
	*rest = slash + 1;
	return 0;
}

static int refuse_repository(const char *text, const char *name, struct err *e)
{
	char lower[LIMIT_REPOSITORY + 1];
	const char *upper = first_upper(name);

	if (!*name || *name == '[')
		return refuse(e, text, "it names no repository, expected " FORM);
	if (!upper)
		return refuse(e, text,
			      "its name is \"%.130s\", expected parts of lower-case letters and digits, with a single "
			      "'.', '_', "
			      "'__' or dashes between them, and '/' between parts",
			      name);
	(void)snprintf(lower, sizeof(lower), "%s", name);
	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (!reference_repository_valid(lower))
		return refuse(e, text, "it has an upper-case letter at '%c', repository names are lower case", *upper);
	return refuse(e, text,
		      "it has an upper-case letter at '%c', repository names are lower case: did you mean \"%.130s\"?",
		      *upper, lower);
}

static int take_repository(struct reference *r, const char *text, const char *name, struct err *e)
{
	bool official = strcmp(r->registry, HUB) == 0 && !strchr(name, '/');
	size_t total = strlen(r->registry) + 1 + (official ? strlen(OFFICIAL) : 0) + strlen(name);

	if (total > LIMIT_REPOSITORY)
		return refuse(e, text, "its name has %zu characters, registry included, at most %d are allowed", total,
			      LIMIT_REPOSITORY);
	if (!reference_repository_valid(name))
		return refuse_repository(text, name, e);
	(void)snprintf(r->repository, sizeof(r->repository), "%s%s", official ? OFFICIAL : "", name);
	return 0;
}

int reference_parse(struct reference *out, const char *text, struct err *e)
{
	struct reference r = { 0 };
	char copy[LIMIT_REFERENCE + 1];
	char *rest = copy;

	if (form_check(text, e))
		return -1;
	memcpy(copy, text, strlen(text) + 1);
	if (take_digest(&r, text, rest, e) || take_tag(&r, text, rest, e) || take_registry(&r, text, &rest, e) ||
	    take_repository(&r, text, rest, e))
		return -1;
	*out = r;
	return 0;
}

/* [NAME][:tag][@digest] */
static const char *print(char out[REFERENCE_TEXT_SIZE], const char *registry, const char *repository, const char *tag,
			 const struct digest *d)
{
	char digest[DIGEST_TEXT_SIZE] = "";

	if (d)
		digest_text(d, digest);
	int n = snprintf(out, REFERENCE_TEXT_SIZE, "%s%s%s%s%s%s%s", registry, *registry ? "/" : "", repository,
			 *tag ? ":" : "", tag, d ? "@" : "", digest);
	assert(n >= 0 && n < (int)REFERENCE_TEXT_SIZE);
	return out;
}

const char *reference_text(const struct reference *r, char out[REFERENCE_TEXT_SIZE])
{
	return print(out, r->registry, r->repository, r->tag, r->has_digest ? &r->digest : NULL);
}

const char *reference_name(const struct reference *r, char out[REFERENCE_TEXT_SIZE])
{
	return print(out, r->registry, r->repository, "", NULL);
}

const char *reference_local_name(const struct reference *r, char out[REFERENCE_TEXT_SIZE])
{
	return print(out, r->registry, r->repository, r->tag, r->tag[0] || !r->has_digest ? NULL : &r->digest);
}

static bool same(const struct reference *a, const struct reference *b)
{
	return strcmp(a->registry, b->registry) == 0 && strcmp(a->repository, b->repository) == 0 &&
	       strcmp(a->tag, b->tag) == 0 && a->has_digest == b->has_digest &&
	       (!a->has_digest || digest_equal(&a->digest, &b->digest));
}

const char *reference_familiar(const struct reference *r, char out[REFERENCE_TEXT_SIZE])
{
	const struct digest *d = r->has_digest ? &r->digest : NULL;
	const char *name = r->repository;
	struct reference back;

	if (strcmp(r->registry, HUB) != 0)
		return reference_text(r, out);
	if (text_starts(name, OFFICIAL) && !strchr(name + strlen(OFFICIAL), '/'))
		name += strlen(OFFICIAL);
	print(out, "", name, r->tag, d);
	/* docker.io/a.b/c would come back as the registry a.b */
	if (reference_parse(&back, out, NULL) || !same(&back, r))
		return reference_text(r, out);
	return out;
}

const char *reference_selector(const struct reference *r, char out[REFERENCE_TEXT_SIZE])
{
	if (r->has_digest)
		return digest_text(&r->digest, out);
	return print(out, "", r->tag, "", NULL);
}
